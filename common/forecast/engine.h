/*
 * engine.h -- a network ready to forecast: weights packed for the kernels, scratch memory.  One thread at a time; give each its
 * own.
 *
 * Sampling is ancestral: the context is read once, then each path draws a value, takes it for true and goes on.  What is drawn
 * for path p of step h depends on the request's noise key, p and h alone: a forecast is the same alone and among others, today
 * and tomorrow (on processors that choose kernels of the same bits, see kernel.h).
 */
#ifndef FOREBAY_FORECAST_ENGINE_H
#define FOREBAY_FORECAST_ENGINE_H

#include "common/forecast/deepar.h"
#include "common/forecast/kernel.h"

struct engine;

#define ENGINE_PATHS_MAX 1024

/* Keeps M, which must not change.  KERNEL NULL: the best.  PATHS: of each forecast, 1 to ENGINE_PATHS_MAX.  -1 on OPTION_INVALID,
 * NO_MEMORY. */
int engine_new(const struct deepar *m, const struct kernel *kernel, size_t paths, struct engine **ret, struct err *err);
void engine_free(struct engine *e);
DEFINE_CLEANUP(struct engine, engine_free)

struct engine_request {
	const struct target *target; /* checked by deepar_check_target(); forecast from its end */
	uint64_t noise;              /* a hash of who asks, when and with what: random_hash() */
};

/*
 * Draw paths for N requests.  SAMPLES receives N * horizon * paths numbers: a row a step, in the series' unit.  A request whose
 * numbers leave the float range gets NaN in the steps concerned, and spoils no other.  HORIZON: steps, at most the model's.
 */
void engine_sample(struct engine *e, const struct engine_request *requests, size_t n, size_t horizon, float *samples);

/*
 * The same, as quantiles: VALUES receives N * horizon * n_levels doubles, ascending in a row, levels being so.  Between paths as type
 * 8 of R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages", 1996, has it: few paths are not too sure (GluonTS takes
 * the path of rank round_half_even((S - 1) * level) of S: at level .05 the third least of 32, which lies at .083).  NaN where a step has
 * no finite sample.
 */
void engine_quantiles(struct engine *e, const struct engine_request *requests, size_t n, size_t horizon,
		      const double *levels, size_t n_levels, double *values);

#endif
