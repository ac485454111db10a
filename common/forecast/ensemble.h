/*
 * ensemble.h -- one forecast from several: for each quantile and each part of the horizon a weighted mean of what the members
 * say, with weights that follow the losses they have realised.
 *
 * Online: Bernstein online aggregation with the gradient trick on the pinball loss (O. Wintenberger, "Optimal learning with
 * Bernstein online aggregation", 2017; J. Berrisch and F. Ziel, "CRPS learning", J. Econometrics 237, 2023), starting from prior
 * weights; members that have nothing to say sleep, and the others' weights are renormalised.  A little fixed share brings
 * weights back after a change.  Losses are divided by a scale of the series, so that all series speak of the same size.
 *
 * Offline, for a class of series without a past of its own: greedy selection with replacement (R. Caruana et al., "Ensemble
 * selection from libraries of models", ICML 2004) on forecasts of windows held back.
 */
#ifndef FOREBAY_FORECAST_ENSEMBLE_H
#define FOREBAY_FORECAST_ENSEMBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define ENSEMBLE_MEMBERS_MAX 8
#define ENSEMBLE_BUCKETS_MAX 4
#define ENSEMBLE_LEVELS_MAX 32

/* Parts of a horizon: bucket b covers the steps [edges[b], edges[b + 1]); edges[0] = 0, the last is open. */
struct ensemble_rule {
	size_t n_members, n_levels, n_buckets;
	uint32_t edges[ENSEMBLE_BUCKETS_MAX];
	float prior[ENSEMBLE_BUCKETS_MAX][ENSEMBLE_MEMBERS_MAX]; /* >= 0, sum to 1 in each bucket */
	float
	    share; /* of what has been learnt fades at each value, 0.01; a tenth of it is mixed from the prior into the weights */
	bool single_steps; /* of a forecast one step of each part is told; false: all of them, which err together */
};

/* First step alone, then up to a quarter of the horizon, then the rest; uniform prior. */
void ensemble_rule_default(size_t n_members, size_t n_levels, size_t horizon, struct ensemble_rule *ret);
size_t ensemble_bucket(const struct ensemble_rule *rule, size_t step);

/* What has been learnt of one series; zeroed: nothing.  [bucket][level][member]. */
struct ensemble {
	float regret[ENSEMBLE_BUCKETS_MAX][ENSEMBLE_LEVELS_MAX][ENSEMBLE_MEMBERS_MAX];
	float variance[ENSEMBLE_BUCKETS_MAX][ENSEMBLE_LEVELS_MAX][ENSEMBLE_MEMBERS_MAX];
	uint32_t seen[ENSEMBLE_BUCKETS_MAX];
};

/* Weights of BUCKET and LEVEL, summing to 1 over the members that are AWAKE (bit m: member m); all 0 without any. */
void ensemble_weights(const struct ensemble_rule *rule, const struct ensemble *e, size_t bucket, size_t level,
		      uint32_t awake, float *weights);

/* QUANTILES: [n_members][n_levels] of one step; RET: n_levels, sorted.  Rows of sleeping members are not read. */
void ensemble_combine(const struct ensemble_rule *rule, const struct ensemble *e, size_t step, uint32_t awake,
		      const double *quantiles, double *ret);

/*
 * The value turned out to be VALUE.  COMBINED: the n_levels numbers that were said, where these were not what ensemble_combine() makes
 * of RULE and *E (other prior weights); NULL: they were.  SCALE > 0: of the series, in its unit.
 */
void ensemble_learn(const struct ensemble_rule *rule, struct ensemble *e, size_t step, uint32_t awake,
		    const double *levels, const double *quantiles, const double *combined, double value, double scale);

/* ---- offline ---- */

/* One step of one held-back forecast. */
struct ensemble_case {
	const double *quantiles; /* [n_members][n_levels] */
	uint32_t awake;
	uint32_t step;
	double value;
};

/*
 * Fill rule->prior by greedy selection of ROUNDS (say 20) members with replacement, the pooled wQL of each bucket being what is
 * minimised.  Ties go to the lower number.  A bucket without cases keeps its prior.  -1 on NO_MEMORY.
 */
int ensemble_select(struct ensemble_rule *rule, const double *levels, const struct ensemble_case *cases, size_t n,
		    size_t rounds, struct err *err);

#endif
