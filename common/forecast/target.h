/*
 * target.h -- one series as forecasts take it: values on a fixed step, and what is known beside them.  Everything is the
 * caller's, read only.
 */
#ifndef FOREBAY_FORECAST_TARGET_H
#define FOREBAY_FORECAST_TARGET_H

#include <stddef.h>
#include <stdint.h>

struct target {
	int64_t start_us;     /* of values[0]: microseconds since 1970-01-01 UTC */
	int64_t age;          /* points of the series before values[0]; 0 where its beginning is at hand */
	const double *values; /* n, oldest first, in the series' unit; NaN where nothing is known */
	size_t n;
	const int32_t
	    *cats; /* n_cats, one for each category of the model, each in [0, cardinality); NULL: it has none */
	size_t n_cats;
	const double *reals; /* n_reals, one for each static number of the model; NULL: it has none */
	size_t n_reals;
	const double *const *dynamic; /* n_features rows of n_dynamic numbers, from values[0] on; NULL: none */
	size_t n_features, n_dynamic; /* n_dynamic: at least n + horizon where the model has dynamic features */
};

#endif
