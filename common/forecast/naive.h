/*
 * naive.h -- the seasonal naive forecast with empirical residuals: tomorrow is as today, and as wrong as it was so far.
 * Numbers in, numbers out; no state between calls.
 */
#ifndef FOREBAY_FORECAST_NAIVE_H
#define FOREBAY_FORECAST_NAIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct naive_rule {
	const int64_t *seasons; /* lengths in steps, each >= 1; several are averaged, quantile by quantile */
	size_t n_seasons;       /* 0: last value only */
	int64_t residuals;      /* the steps at the end of the history that residuals are taken from, >= 1 */
	int64_t residuals_min;  /* fewer residuals of a season: it is left out, >= 1 */
	bool
	    empirical; /* quantiles are those of the residuals as they are, however few: the rule that others publish, to compare with */
};

/* What a forecast rests on, the weakest of all its steps. */
enum naive_basis {
	NAIVE_NONE,     /* the history holds no finite value: there is no forecast */
	NAIVE_LAST,     /* no season fits into the history: last value, residuals of one step growing with sqrt(h) */
	NAIVE_SEASONAL, /* at least one season for every step */
};

/*
 * Quantiles for HORIZON (>= 1) steps after HISTORY: N values, oldest first, NaN where nothing is known.  LEVELS ascend
 * inside (0, 1).  VALUES receives horizon x n_levels numbers, a row a step, ascending inside a row, finite, in the
 * history's unit; untouched with NAIVE_NONE.  -1 on NO_MEMORY.
 *
 * The history that a season of M steps needs for all of the horizon: M * ceil(horizon / M) + residuals_min values; it uses
 * M * ceil(horizon / M) + residuals.
 */
int naive_forecast(const struct naive_rule *rule, const double *history, size_t n, size_t horizon, const double *levels,
		   size_t n_levels, double *values, enum naive_basis *basis, struct err *err);

#endif
