/*
 * accuracy.h -- how good forecasts were, as GluonTS and the M competitions define it (their quirks are named at each figure).
 *
 *	wQL(tau)	2 * sum(pinball) / sum(|y|), pooled over all series and steps; mean_wQL is its mean over the levels
 *	WAPE (ND)	sum |y - median| / sum |y|
 *	MASE		mean over forecasts of mean |y - median| / mean |y[t] - y[t - m]| over the whole past before each of them: of
 *			rolling origins each has its own (forecasts whose past does not move, or is no longer than a season, are
 *			left out; GluonTS takes m = 1 for the latter)
 *	sMAPE		mean of 2 |y - median| / (|y| + |median|), in 0..2
 *	CRPS		2 * mean over levels of the mean pinball loss, in the series' unit
 *	coverage	share of y between the quantiles of two levels, both ends inclusive
 */
#ifndef FOREBAY_FORECAST_ACCURACY_H
#define FOREBAY_FORECAST_ACCURACY_H

#include <stddef.h>
#include <stdint.h>

#include "common/forecast/ensemble.h"

/* Sums; zeroed: nothing seen.  Two of them can be added number by number (accuracy_merge). */
struct accuracy {
	double pinball[ENSEMBLE_LEVELS_MAX];
	double below[ENSEMBLE_LEVELS_MAX]; /* values at or below the quantile */
	double absolute, error, symmetric; /* sum |y|, sum |y - median|, sum of sMAPE's terms */
	double scaled;                     /* sum of MASE over forecasts */
	double inside80, inside95;
	uint64_t points, series, scaled_series; /* series: forecasts, as accuracy_add() is told them */
};

double accuracy_pinball(double level, double quantile, double value);

/* Mean |y[t] - y[t - season]| of a past, NaN left out; 0 where it is nothing but rounding; NaN without any pair. */
double accuracy_seasonal_error(const double *past, size_t n, size_t season);

/* The same for a past that grows, from one origin to the next: each value is looked at once.  Zeroed: nothing seen. */
struct accuracy_season {
	double sum, size;
	size_t pairs, seen;
};
double accuracy_season_until(struct accuracy_season *s, const double *past, size_t n, size_t season);

/*
 * Add one forecast: VALUES of N steps (NaN: not counted), QUANTILES [n][n_levels]; ERROR of the past as above (NaN or 0: no MASE).
 * Coverage is of the levels (.1, .9) and (.025, .975); where one of the two is not among LEVELS it stays NaN in the figures.
 */
void accuracy_add(struct accuracy *a, const double *levels, size_t n_levels, const double *values,
		  const double *quantiles, size_t n, double seasonal_error);
void accuracy_merge(struct accuracy *a, const struct accuracy *more);

struct accuracy_figures {
	double wql, mase, smape, wape, crps, coverage80, coverage95; /* NaN: not known */
};
struct accuracy_figures accuracy_figures(const struct accuracy *a, const double *levels, size_t n_levels);

#endif
