/* aggregate.h -- telemetry.aggregates: the statistics of one window of one device's metric. */
#ifndef FOREBAY_RECORD_AGGREGATE_H
#define FOREBAY_RECORD_AGGREGATE_H

#include <stdint.h>

#include "common/record/codec.h"

struct aggregate {
	struct span device, metric;
	int64_t start_us, end_us; /* [start, end) */
	int64_t count;            /* readings; the statistics are of these, NaN when count is 0 */
	double mean, deviation, minimum, maximum, first, last;
};

extern const struct record_type aggregate_record;

#endif
