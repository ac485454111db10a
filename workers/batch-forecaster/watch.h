/*
 * watch.h -- have a series' losses grown for good?  Each loss is divided by the mean of those before it in its part of the
 * horizon, so that 1 is usual for every series, and goes to a Page-Hinkley test.  After an alarm all begins anew: what has come is
 * usual from then on.
 */
#ifndef FOREBAY_FORECASTER_WATCH_H
#define FOREBAY_FORECASTER_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/forecast/drift.h"
#include "common/forecast/ensemble.h"

/* Zeroed: nothing seen. */
struct watch {
	struct page_hinkley test;
	double means[ENSEMBLE_BUCKETS_MAX]; /* of losses, by part of the horizon */
	uint32_t counts[ENSEMBLE_BUCKETS_MAX];
};

/* True: the alarm.  LOSS >= 0, finite. */
bool watch_add(struct watch *w, const struct page_hinkley_rule *rule, size_t bucket, double loss);

#endif
