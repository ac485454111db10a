/*
 * train_windows.c -- which series may be learnt from, and which window is looked at next.
 *
 * A window is a function of (seed, network, epoch, batch, place in the batch) and of nothing else.  Every admissible window of
 * every series is equally likely, or weighted with a power of its series' mean |value|: large series carry pooled losses.
 */
#include "common/forecast/train_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "common/base/random.h"
#include "common/forecast/head.h"

#define OBSERVATIONS_MIN 300
#define DRAWS 64 /* counters kept for the tries of one window */

struct train_draw
train_window(const struct training *t, int32_t network, int32_t epoch, int32_t batch, int32_t i, int32_t attempt)
{
	uint64_t seed = random_u64(t->options.seed, 2, (uint64_t)network);
	uint64_t at = ((uint64_t)batch * (uint64_t)t->options.batch + (uint64_t)i) * DRAWS + 2 * (uint64_t)attempt;
	double total = t->series[t->n_series - 1].until, u = random_uniform(seed, (uint64_t)epoch, at) * total;
	size_t low = 0, high = t->n_series - 1, splits, split;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (u < t->series[middle].until)
			high = middle;
		else
			low = middle + 1;
	}
	splits = t->series[low].points - (size_t)t->model->config.horizon;
	split = (size_t)(random_uniform(seed, (uint64_t)epoch, at + 1) * (double)splits);
	return (struct train_draw){ t->series[low].target, 1 + (split < splits ? split : splits - 1) };
}

/* Check the values of one series; count them, and sum their sizes. */
static int
look(const struct target *t, enum deepar_head head, size_t *n, double *sum, struct err *err)
{
	*n = 0;
	*sum = 0;
	for (size_t i = 0; i < t->n; i++) {
		if (isnan(t->values[i]))
			continue;
		if (!isfinite(t->values[i]) || !head_supports(head, t->values[i]))
			return err_set(err, REASON_OPTION_INVALID, "value %zu is %g: the head %s cannot have it", i,
				       t->values[i], deepar_head_name(head));
		(*n)++;
		*sum += fabs(t->values[i]);
	}
	return 0;
}

int
train_check_target(const struct deepar *m, const struct target *t, struct err *err)
{
	double sum;
	size_t n;

	return deepar_check_target(m, t, 0, err) < 0 ? -1 : look(t, m->config.head, &n, &sum, err);
}

int
train_series_choose(struct training *t, struct err *err)
{
	const struct deepar_config *c = &t->model->config;
	size_t held = (size_t)t->options.validation_windows * (size_t)c->horizon, all = 0;
	double until = 0;

	t->series = calloc(t->n + 1, sizeof(*t->series));
	if (!t->series)
		return err_set(err, REASON_NO_MEMORY, "%zu series", t->n);
	for (size_t i = 0; i < t->n; i++) {
		const struct target *target = &t->targets[i];
		size_t points = target->n > held ? target->n - held : 0, n;
		double sum;

		if (deepar_check_target(t->model, target, 0, err) < 0 || look(target, c->head, &n, &sum, err) < 0)
			return err_wrap(err, "series %zu", i);
		all += n;
		if (points < (size_t)c->horizon + 1 || sum <= 0)
			continue;
		until += (double)(points - (size_t)c->horizon) * pow(sum / (double)n, t->options.scale_weighted);
		t->series[t->n_series++] = (struct train_series){ i, points, until };
	}
	if (all < OBSERVATIONS_MIN)
		return err_set(err, REASON_OPTION_INVALID, "%zu observations in all; a training needs %d", all,
			       OBSERVATIONS_MIN);
	if (t->n_series == 0)
		return err_set(
		    err, REASON_OPTION_INVALID,
		    "no series has %d points besides the %zu that are held back, and a value other than 0 among all",
		    c->horizon + 1, held);
	return 0;
}
