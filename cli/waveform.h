/* waveform.h -- the value of one made-up metric at one step: a function of its arguments and nothing else. */
#ifndef FOREBAY_CLI_WAVEFORM_H
#define FOREBAY_CLI_WAVEFORM_H

#include <stdint.h>

#include "cli/templates.h"

/* The metric of a device; SERIES sets it apart from all others. */
struct waveform {
	const struct metric_template *metric;
	uint64_t seed, series;
	int64_t day_us; /* length of a simulated day */
};

/* What the process does at TIME_US, noise of step STEP included; not yet rounded or bounded. */
double waveform_value(const struct waveform *w, int64_t time_us, int64_t step);

/* How much is unusual here: noise, and a part of the daily course. */
double waveform_scale(const struct waveform *w);

/* What the sensor says: within its bounds. */
double waveform_bound(const struct waveform *w, double value);

#endif
