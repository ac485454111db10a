/*
 * calibrate.c -- shifts of quantiles, by rank from windows held back and by tracking as values arrive (sources in calibrate.h).
 *
 * Tracking one level is a thermostat: too few values below it and it rises by RATE * level at each of those above, else it falls
 * by RATE * (1 - level).  Summed over time the moves telescope, so while the shift stays in bounds the share below differs from
 * the level by (last - first shift) / (RATE * n).  Shifts are bounded by SHIFT_MAX scales: beyond that a forecast is of no use
 * anyway, and a value that left the range of its series must not leave its mark for years.
 *
 * Ranks: of f forecasts the (f + 1) tau-th score is wanted, and it stands among the n scores of their steps where it stands among f,
 * at (rank - 1/2) / f of the way.  With n = f that is the rank of the paper; with fewer forecasts than steps it lies farther out, by
 * (tau - 1/2) / f: as far as quantiles of few are too near.
 */
#include "common/forecast/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

#define SHIFT_MAX 4.0 /* scales */
#define AT_TENTH 0.09 /* tau (1 - tau) there: as values thin out towards the ends of a logistic distribution */

static double
within(double shift)
{
	return fmin(fmax(shift, -SHIFT_MAX), SHIFT_MAX);
}

static double
start_of(const struct calibration *start, size_t bucket, size_t level)
{
	return start ? (double)start->shift[bucket][level] : 0;
}

static double
shift_of(const struct calibration *start, const struct calibration *online, size_t bucket, size_t level)
{
	double sum = start_of(start, bucket, level);

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
		double base = start_of(start, bucket, q), shift = shift_of(start, online, bucket, q);
		bool below = value <= quantiles[q] + shift * scale;

		if (isfinite(quantiles[q]))
			online->shift[bucket][q] = (float)(within(shift + rate * (levels[q] - below)) - base);
	}
}

/* The level as far above the middle as LEVEL is below it; n_levels: there is none. */
static size_t
counterpart(const struct ensemble_rule *rule, const double *levels, size_t level)
{
	for (size_t q = rule->n_levels; q-- > level + 1;)
		if (fabs(levels[q] + levels[level] - 1) < 1e-6)
			return q;
	return rule->n_levels;
}

void
calibration_learn_width(const struct ensemble_rule *rule, const struct calibration *start, struct calibration *online,
			const double *levels, size_t step, double rate, double scale, const double *quantiles,
			double value)
{
	size_t bucket = ensemble_bucket(rule, step);

	if (!isfinite(value) || !isfinite(scale) || !(scale > 0))
		return;
	for (size_t q = 0; q < rule->n_levels && levels[q] < .5; q++) {
		size_t up = counterpart(rule, levels, q);
		double low, high, apart;

		if (up == rule->n_levels || !isfinite(quantiles[q]) || !isfinite(quantiles[up]))
			continue;
		low = shift_of(start, online, bucket, q);
		high = shift_of(start, online, bucket, up);
		apart = levels[up] - levels[q] -
			(value >= quantiles[q] + low * scale && value <= quantiles[up] + high * scale);
		apart *= rate * AT_TENTH / (levels[q] * levels[up]) / 2;
		online->shift[bucket][q] = (float)(within(low - apart) - start_of(start, bucket, q));
		online->shift[bucket][up] = (float)(within(high + apart) - start_of(start, bucket, up));
	}
}

void
calibration_add(struct calibration *sum, const struct calibration *more)
{
	for (size_t b = 0; b < ENSEMBLE_BUCKETS_MAX; b++)
		for (size_t q = 0; q < ENSEMBLE_LEVELS_MAX; q++)
			sum->shift[b][q] += more->shift[b][q];
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

/* The score at the rank of LEVEL; 0 where the level or its counterpart lies beyond the ends. */
static double
ranked(const double *sorted, size_t n, size_t forecasts, double level)
{
	double f = (double)(forecasts < n ? forecasts : n), least = (f + 1) * fmin(level, 1 - level);
	double rank = f > 0 ? ceil((double)n * ((f + 1) * level - .5) / f + .5 - 1e-9) : 0;

	return n == 0 || least < 1 - 1e-9 || rank < 1 || rank > (double)n ? 0 : sorted[(size_t)rank - 1];
}

int
calibration_fit(const struct ensemble_rule *rule, const double *levels, const struct calibration_case *cases, size_t n,
		size_t forecasts, struct calibration *ret, struct err *err)
{
	CLEANUP(heap_free)
	double *scores = calloc(n ? n : 1, sizeof(*scores));

	if (!scores)
		return err_set(err, REASON_NO_MEMORY, "calibration by %zu cases", n);
	*ret = (struct calibration){ 0 };
	for (size_t b = 0; b < rule->n_buckets; b++)
		for (size_t q = 0; q < rule->n_levels; q++) {
			size_t used = scores_of(rule, cases, n, b, q, scores);

			ret->shift[b][q] = (float)within(ranked(scores, used, forecasts, levels[q]));
		}
	return 0;
}
