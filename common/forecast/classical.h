/*
 * classical.h -- forecasts that are fitted to one series at the moment they are asked for: cheap, without training, hard to beat
 * on a single series.  Numbers in, numbers out; no state between calls.
 *
 * Each gives a point forecast by its own rule.  Quantiles are made by empirical h-step residuals of the same rule over the end
 * of the history (residual.h; of few, with what is not known of so few: spread.h), not by the model's own intervals: those are what such
 * models lose by.
 */
#ifndef FOREBAY_FORECAST_CLASSICAL_H
#define FOREBAY_FORECAST_CLASSICAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct classical_input {
	const double *history; /* n values, oldest first, NaN where nothing is known */
	size_t n;
	int32_t season, long_season; /* steps; 1: none; long_season 0: none */
	const int32_t *lags;         /* ascending, of the frequency (ridge); NULL: 1..season */
	size_t n_lags;
	size_t horizon;       /* >= 1 */
	const double *levels; /* ascending inside (0, 1) */
	size_t n_levels;
};

enum classical_kind {
	CLASSICAL_LAST,        /* last value */
	CLASSICAL_SEASON,      /* seasonal naive, `season` */
	CLASSICAL_LONG_SEASON, /* seasonal naive, `long_season` */
	CLASSICAL_THETA,       /* dynamic optimised theta, deseasonalised */
	CLASSICAL_ETS,         /* the best of a small fixed set of exponential smoothing models */
	CLASSICAL_RIDGE,       /* ridge regression on lags, one step after the other */
	CLASSICAL_COUNT
};

const char *classical_name(enum classical_kind kind); /* "last", "season", "long-season", "theta", "ets", "ridge" */

/*
 * VALUES receives horizon x n_levels numbers, a row a step, ascending, finite, in the history's unit.  *AWAKE false: this member
 * has nothing to say of such a history (too short, no season, all missing, degenerate); VALUES is then undefined.  -1 on NO_MEMORY.
 *
 * LOSSES (NULL: not wanted) receives horizon numbers in that unit: what the rule would have lost at the end of the history so many
 * steps ahead, the mean pinball loss over the deciles, whatever the levels are; NaN: not known.
 */
int classical_forecast(enum classical_kind kind, const struct classical_input *in, double *values, double *losses,
		       bool *awake, struct err *err);

#endif
