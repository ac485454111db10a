/*
 * calibrate.h -- quantiles moved so that they cover what they say, for each part of the horizon and each level.
 *
 * Split conformal: on forecasts held back, the shift of level tau is the ceil((n + 1) tau)-th smallest of (value - quantile) / scale
 * (Y. Romano et al., "Conformalized quantile regression", NeurIPS 2019), n being the forecasts: the steps of one err together.
 * Online: quantile tracking, shift += eta * (tau - [value <= quantile + shift * scale]) (A. Angelopoulos et al., "Conformal PID
 * control for time series prediction", NeurIPS 2023): in the long run the share below is tau whatever the data do.
 */
#ifndef FOREBAY_FORECAST_CALIBRATE_H
#define FOREBAY_FORECAST_CALIBRATE_H

#include "common/forecast/ensemble.h"

/* In units of the series' scale.  Zeroed: no shift. */
struct calibration {
	float shift[ENSEMBLE_BUCKETS_MAX][ENSEMBLE_LEVELS_MAX];
};

/* Move the n_levels quantiles of one step by START (of the class; NULL: none) plus ONLINE (of the series; NULL: none); sorts. */
void calibration_apply(const struct ensemble_rule *rule, const struct calibration *start,
		       const struct calibration *online, size_t step, double scale, double *quantiles);

/*
 * The value turned out to be VALUE; QUANTILES are the n_levels numbers as they came out of the ensemble, not moved.  RATE: eta,
 * in scales (0.02).
 */
void calibration_learn(const struct ensemble_rule *rule, const struct calibration *start, struct calibration *online,
		       const double *levels, size_t step, double rate, double scale, const double *quantiles,
		       double value);

/*
 * The same for series alike, many of which are looked at in turn: intervals alone are moved, the middle stays.  Both ends of an
 * interval, levels tau and 1 - tau, go apart by RATE * (1 - 2 tau - [value is inside]) / 2 -- as in adaptive conformal inference (I.
 * Gibbs and E. Candes, NeurIPS 2021) -- where tau is .1, and by as much more as values are rarer at other levels.  A level without
 * its counterpart stays.  Series that move together pull all their middles to one side now and then, and back later: a class that
 * followed would be late twice.
 */
void calibration_learn_width(const struct ensemble_rule *rule, const struct calibration *start,
			     struct calibration *online, const double *levels, size_t step, double rate, double scale,
			     const double *quantiles, double value);

/* *SUM += MORE, level by level. */
void calibration_add(struct calibration *sum, const struct calibration *more);

/* One step of one held-back forecast. */
struct calibration_case {
	const double *quantiles; /* n_levels, as they came out of the ensemble */
	uint32_t step;
	double value, scale;
};

/*
 * Split conformal shifts by N cases, the steps of FORECASTS forecasts.  Where these are fewer than a level needs, or a bucket has no
 * case, the shift is 0.  -1 on NO_MEMORY.
 */
int calibration_fit(const struct ensemble_rule *rule, const double *levels, const struct calibration_case *cases,
		    size_t n, size_t forecasts, struct calibration *ret, struct err *err);

#endif
