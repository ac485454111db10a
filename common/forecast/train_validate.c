/*
 * train_validate.c -- how good a network is on the windows held back: mean wQL of the nine deciles, pooled over all series and
 * steps.  The noise of the paths is the same in every validation, so that two of them differ by the weights alone.
 */
#include "common/forecast/train_parts.h"

#include <math.h>
#include <stdlib.h>

#include "common/base/random.h"
#include "common/forecast/accuracy.h"
#include "common/forecast/engine.h"

#define PATHS 50
#define LEVELS 9
#define ROUND 32 /* series handed to the engine at a time */

static const double levels[LEVELS] = { .1, .2, .3, .4, .5, .6, .7, .8, .9 };

struct sums {
	double pinball, size;
};

/* A quantile that is no number counts as 0: nothing was said. */
static void
add(struct sums *s, const double *quantiles, double value)
{
	if (isnan(value))
		return;
	s->size += fabs(value);
	for (size_t i = 0; i < LEVELS; i++)
		s->pinball += accuracy_pinball(levels[i], isfinite(quantiles[i]) ? quantiles[i] : 0, value);
}

/* Forecast N series, number FIRST and on of those chosen, as of WINDOW windows before their end. */
static void
validate_some(const struct training *t, struct engine *engine, size_t first, size_t n, size_t most, size_t window,
	      double *quantiles, struct sums *sums)
{
	size_t horizon = (size_t)t->model->config.horizon;
	struct engine_request requests[ROUND];
	struct target cut[ROUND];

	for (size_t i = 0; i < n; i++) {
		size_t target = t->series[(first + i) * t->n_series / most].target;

		cut[i] = t->targets[target];
		cut[i].n -= window * horizon;
		requests[i] = (struct engine_request){ &cut[i], random_u64(t->options.seed, 3 + target, window) };
	}
	engine_quantiles(engine, requests, n, horizon, levels, LEVELS, quantiles);
	for (size_t i = 0; i < n; i++)
		for (size_t h = 0; h < horizon; h++)
			add(sums, quantiles + (i * horizon + h) * LEVELS, cut[i].values[cut[i].n + h]);
}

int
train_validate(const struct training *t, const struct deepar *model, double *ret, struct err *err)
{
	size_t most = (size_t)t->options.validation_series, horizon = (size_t)model->config.horizon;
	CLEANUP(engine_free) struct engine *engine = NULL;
	CLEANUP(heap_free) double *quantiles = calloc(ROUND * horizon * LEVELS, sizeof(*quantiles));
	struct sums sums = { 0 };

	if (!quantiles)
		return err_set(err, REASON_NO_MEMORY, "a validation");
	if (engine_new(model, t->kernel, PATHS, &engine, err) < 0)
		return -1;
	most = most < t->n_series ? most : t->n_series;
	for (size_t window = (size_t)t->options.validation_windows; window > 0; window--)
		for (size_t first = 0; first < most; first += ROUND)
			validate_some(t, engine, first, most - first < ROUND ? most - first : ROUND, most, window,
				      quantiles, &sums);
	*ret = 2 * sums.pinball / LEVELS / (sums.size > 0 ? sums.size : 1);
	return 0;
}
