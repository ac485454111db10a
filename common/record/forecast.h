/* forecast.h -- forecasts: quantiles for the steps after an origin. */
#ifndef FOREBAY_RECORD_FORECAST_H
#define FOREBAY_RECORD_FORECAST_H

#include <stddef.h>
#include <stdint.h>

#include "common/record/codec.h"

struct forecast_member {
	struct span name;
	double weight;
};

struct forecast {
	struct span device, metric;
	int64_t origin_us; /* end of what was known: step h (from 0) covers [origin + h*step, origin + (h+1)*step) */
	int64_t step_us;
	double *levels; /* n_levels, ascending, in (0, 1) */
	size_t n_levels;
	double *values; /* n_steps x n_levels, row by row (a row is a step), ascending inside a row */
	size_t n_steps;
	struct span model;               /* "seasonal-naive" */
	struct span version;             /* of the model */
	struct forecast_member *members; /* of an ensemble; n_members 0 for a single model */
	size_t n_members;
	int64_t ingest_us; /* greatest ingest time among the readings it rests on */
};

extern const struct record_type forecast_record;

#endif
