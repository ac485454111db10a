/*
 * calibrate.c -- shifts of quantiles, by rank from windows held back and by tracking as values arrive (sources in calibrate.h).
 *
 * Tracking one level is a thermostat: too few values below it and it rises by RATE * level at each of those above, else it falls
 * by RATE * (1 - level).  Summed over time the moves telescope, so while the shift stays in bounds the share below differs from
 * the level by (last - first shift) / (RATE * n).  Shifts are bounded by SHIFT_MAX scales: beyond that a forecast is of no use
 * anyway, and a value that left the range of its series must not leave its mark for years.
 */
#include "common/forecast/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

#define SHIFT_MAX 4.0 /* scales */

static double
within(double shift)
{
	return fmin(fmax(shift, -SHIFT_MAX), SHIFT_MAX);
}

static double
shift_of(const struct calibration *start, const struct calibration *online, size_t bucket, size_t level)
{
	double sum = 0;

	if (start)
		sum += (double)start->shift[bucket][level];
	if (online)
		sum += (double)online->shift[bucket][level];
	return within(sum);
}

void
calibration_apply(const struct ensemble_rule *rule, const struct calibration *start, const struct calibration *online,
		  size_t step, double scale, double *quantiles)
{
	size_t bucket = ensemble_bucket(rule, step);

	for (size_t q = 0; q < rule->n_levels; q++) {
		double value = quantiles[q] + shift_of(start, online, bucket, q) * scale;
		size_t at = q;

		if (!isfinite(value))
			value = quantiles[q];
		for (; at && quantiles[at - 1] > value; at--)
			quantiles[at] = quantiles[at - 1];
		quantiles[at] = value;
	}
}

void
calibration_learn(const struct ensemble_rule *rule, const struct calibration *start, struct calibration *online,
		  const double *levels, size_t step, double rate, double scale, const double *quantiles, double value)
{
	size_t bucket = ensemble_bucket(rule, step);

	if (!isfinite(value) || !isfinite(scale) || !(scale > 0))
		return;
	for (size_t q = 0; q < rule->n_levels; q++) {
		double base = start ? (double)start->shift[bucket][q] : 0, shift = shift_of(start, online, bucket, q);
		bool below = value <= quantiles[q] + shift * scale;

		if (isfinite(quantiles[q]))
			online->shift[bucket][q] = (float)(within(shift + rate * (levels[q] - below)) - base);
	}
}

/* ---- split conformal ---- */

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* How far the cases of BUCKET were off at LEVEL, in scales, sorted into SCORES; how many. */
static size_t
scores_of(const struct ensemble_rule *rule, const struct calibration_case *cases, size_t n, size_t bucket, size_t level,
	  double *scores)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		double score = (cases[i].value - cases[i].quantiles[level]) / cases[i].scale;

		if (ensemble_bucket(rule, cases[i].step) == bucket && isfinite(score) && cases[i].scale > 0)
			scores[used++] = score;
	}
	qsort(scores, used, sizeof(*scores), ascending);
	return used;
}

/* The rank-th smallest, rank = ceil((n + 1) * level); 0 where the level or its counterpart lies beyond the ends. */
static double
ranked(const double *sorted, size_t n, double level)
{
	double rank = ceil((double)(n + 1) * level - 1e-9), least = (double)(n + 1) * fmin(level, 1 - level);

	return least < 1 - 1e-9 || rank > (double)n ? 0 : sorted[(size_t)rank - 1];
}

int
calibration_fit(const struct ensemble_rule *rule, const double *levels, const struct calibration_case *cases, size_t n,
		struct calibration *ret, struct err *err)
{
	CLEANUP(heap_free)
	double *scores = calloc(n ? n : 1, sizeof(*scores));

	if (!scores)
		return err_set(err, REASON_NO_MEMORY, "calibration by %zu cases", n);
	*ret = (struct calibration){ 0 };
	for (size_t b = 0; b < rule->n_buckets; b++)
		for (size_t q = 0; q < rule->n_levels; q++) {
			size_t used = scores_of(rule, cases, n, b, q, scores);

			ret->shift[b][q] = (float)within(ranked(scores, used, levels[q]));
		}
	return 0;
}
