/* alert.h -- alerts: one record per change of an alert's state. */
#ifndef FOREBAY_RECORD_ALERT_H
#define FOREBAY_RECORD_ALERT_H

#include <stdint.h>

#include "common/record/attribution.h"
#include "common/record/codec.h"

enum alert_status { ALERT_FIRING, ALERT_RESOLVED, ALERT_STATUS_COUNT };
enum alert_severity { ALERT_WARNING, ALERT_CRITICAL, ALERT_SEVERITY_COUNT };

const char *alert_status_name(enum alert_status s);     /* "firing", "resolved" */
const char *alert_severity_name(enum alert_severity s); /* "warning", "critical" */

struct alert {
	struct span id; /* derived: 32 hex digits of a hash over device, metric and starts_us, so that repeats agree */
	struct span device, metric; /* metric: "group:NAME" for a group */
	enum alert_status status;
	enum alert_severity severity;
	int64_t starts_us;             /* event time of the reading that opened it */
	int64_t event_us;              /* event time of the reading that caused this record */
	double p_value, value;         /* of that reading; p_value is the smallest so far */
	double expected, lower, upper; /* as in the score */
	struct span summary;           /* one line for people */
	int64_t ingest_us;
	struct span detector;            /* whose p-value was the smallest, "scalar" ... "group"; "": an old record */
	struct attributions attribution; /* of a group's columns */
};

extern const struct record_type alert_record;

#endif
