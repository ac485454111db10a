/* templates.h -- the kinds of devices that `forebay simulate` makes up, as tables. */
#ifndef FOREBAY_CLI_TEMPLATES_H
#define FOREBAY_CLI_TEMPLATES_H

#include <stddef.h>

#define TEMPLATE_METRICS 4

/* One metric in its own unit: base + spread between devices, a daily and a weekly course, wander, noise. */
struct metric_template {
	const char *name, *unit; /* the unit in UCUM */
	double base, spread;     /* mean of the fleet, deviation of a device's own mean from it */
	double daily, weekly;    /* amplitudes */
	double peak_hour;        /* of the daily course, 0 to 24 */
	double wander;           /* amplitude of slow waves of two to five days */
	double drift;            /* per day, up or down by device */
	double noise;            /* deviation */
	double lowest, highest;  /* what the sensor can say */
	int decimals;
};

enum message_form { FORM_METRICS, FORM_METRICS_AND_MORE, FORM_VALUES };

struct device_template {
	const char *name; /* "thermostat": devices are thermostat-0001 ... */
	enum message_form form;
	struct metric_template metrics[TEMPLATE_METRICS];
};

extern const struct device_template device_templates[];
extern const size_t device_template_count;

#endif
