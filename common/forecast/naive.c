/*
 * naive.c -- seasonal naive point, quantiles around it by what it missed.  The point is R. J. Hyndman and G. Athanasopoulos,
 * "Forecasting: Principles and Practice", 3rd ed., section 5.2; empirical instead of normal residuals are ours.
 *
 * Step h after the end of y[0..n) is expected where it was a whole number of seasons of M steps before:
 *	lag(h) = M * ceil(h / M)	point(h) = y[n - 1 + h - lag(h)]
 * and misses as the same rule missed in the last W steps:
 *	residuals(lag) = { y[t] - y[t - lag] : n - W <= t < n }, both known
 * so that a horizon of several seasons has residuals of its own for each.  Quantiles of the residuals interpolate linearly
 * between order statistics (type 7 of R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages", 1996), and are as
 * uncertain as those of their number / lag cycles (spread.h): what yesterday missed does not come again today.
 *
 * Where the point is missing, one or more seasons further back stand in, with the residuals of that lag.
 * Without any season: the last value, and one-step residuals times sqrt(h), as a random walk spreads; of fewer than residuals_min
 * each goes up and down, as so few say how far and not which way.
 *
 * Rows ascend because each operation on them does not decrease where its operand does not: sums before the division.
 */
#include "common/forecast/naive.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/forecast/residual.h"
#include "common/forecast/spread.h"

#define SEASONS_FURTHER 3 /* back, where the point is missing */

struct job {
	const struct naive_rule *rule;
	const double *y;
	size_t n, horizon;
	const double *levels;
	size_t n_levels;
	double step;     /* deviation of the differences of neighbours */
	double *scratch; /* twice rule->residuals numbers, or twice n if that is less */
};

/* Quantiles of what one lag misses, made when first asked for. */
struct row {
	enum { ROW_UNKNOWN, ROW_READY, ROW_TOO_FEW } status;
	double *quantiles; /* n_levels */
};

static double
within(double value)
{
	return fmin(fmax(value, -DBL_MAX), DBL_MAX);
}

/* Sorted residuals of LAG into the scratch; how many. */
static size_t
residuals(const struct job *j, size_t lag)
{
	size_t window = (size_t)j->rule->residuals, n = 0;

	for (size_t t = j->n > window && j->n - window > lag ? j->n - window : lag; t < j->n; t++) {
		double r = j->y[t] - j->y[t - lag];

		if (isfinite(r))
			j->scratch[n++] = r;
	}
	residual_sort(j->scratch, n);
	return n;
}

/*
 * Deviation of the differences of neighbours among the values that residuals are taken from; INFINITY: there are not two.  In units of
 * a power of two near the largest, so that no square leaves the range of numbers.
 */
static double
step_of(const struct job *j)
{
	size_t window = (size_t)j->rule->residuals, first = j->n > window + 1 ? j->n - window : 1;
	double mean = 0, squares = 0, n = 0, largest = 0;
	int exponent;

	for (size_t t = first; t < j->n; t++)
		if (isfinite(j->y[t] - j->y[t - 1]))
			largest = fmax(largest, fabs(j->y[t] - j->y[t - 1]));
	frexp(largest, &exponent);
	for (size_t t = first; t < j->n; t++) {
		double difference = ldexp(j->y[t] - j->y[t - 1], -exponent), off = difference - mean;

		if (!isfinite(difference))
			continue;
		mean += off / ++n;
		squares += off * (difference - mean);
	}
	return n > 1 ? ldexp(sqrt(squares / (n - 1)), exponent) : INFINITY;
}

/* Quantiles for LAG into *ROW; equal neighbours may differ by rounding, so the row is straightened. */
static void
measure(const struct job *j, size_t lag, struct row *row)
{
	size_t n = residuals(j, lag);
	struct spread s;

	row->status = n && n >= (size_t)j->rule->residuals_min ? ROW_READY : ROW_TOO_FEW;
	if (row->status == ROW_TOO_FEW)
		return;
	s = spread_of(j->scratch, n, j->rule->empirical ? INFINITY : fmax(1, (double)n / (double)lag),
		      j->step * sqrt((double)lag));
	for (size_t q = 0; q < j->n_levels; q++) {
		row->quantiles[q] = spread_quantile(&s, j->levels[q]);
		if (q && row->quantiles[q] < row->quantiles[q - 1])
			row->quantiles[q] = row->quantiles[q - 1];
	}
}

/*
 * Add the forecast of the season of M steps to VALUES, and 1 to used[h] where there is one.  ROWS and QUANTILES have
 * room for every multiple of M that may be asked for.
 */
static void
add_season(const struct job *j, size_t m, struct row *rows, double *quantiles, double *values, size_t *used)
{
	size_t most = (j->horizon - 1) / m + 1 + SEASONS_FURTHER;

	for (size_t k = 0; k <= most; k++)
		rows[k] = (struct row){ ROW_UNKNOWN, quantiles + k * j->n_levels };
	for (size_t h = 1; h <= j->horizon; h++) {
		size_t k = (h - 1) / m + 1, last = k + SEASONS_FURTHER;

		while (k <= last && k * m <= j->n && !isfinite(j->y[j->n - 1 + h - k * m]))
			k++;
		if (k > last || k * m > j->n) /* the point lies before the history: so do all residuals */
			continue;
		if (rows[k].status == ROW_UNKNOWN)
			measure(j, k * m, &rows[k]);
		if (rows[k].status != ROW_READY)
			continue;
		for (size_t q = 0; q < j->n_levels; q++)
			values[(h - 1) * j->n_levels + q] += within(j->y[j->n - 1 + h - k * m] + rows[k].quantiles[q]);
		used[h - 1]++;
	}
}

/* The N sorted residuals and their negatives, sorted. */
static size_t
both_ways(const struct job *j, size_t n)
{
	for (size_t i = 0; i < n; i++)
		j->scratch[n + i] = -j->scratch[i];
	residual_sort(j->scratch, 2 * n);
	return 2 * n;
}

/* The row of step H from the last value, Y[last]; SORTED are the N residuals of one step. */
static void
add_last(const struct job *j, size_t h, size_t last, const double *sorted, size_t n, double *row)
{
	double spread = sqrt((double)(h + (j->n - 1 - last)));

	for (size_t q = 0; q < j->n_levels; q++) {
		double r = n ? sorted_quantile(sorted, n, j->levels[q]) : 0;

		row[q] = within(j->y[last] + r * spread);
		if (q && row[q] < row[q - 1])
			row[q] = row[q - 1];
	}
}

static enum naive_basis
finish(const struct job *j, size_t last, const size_t *used, double *values)
{
	enum naive_basis basis = NAIVE_SEASONAL;
	size_t n = 0;

	for (size_t h = 1; h <= j->horizon; h++) {
		double *row = values + (h - 1) * j->n_levels;

		for (size_t q = 0; used[h - 1] && q < j->n_levels; q++)
			row[q] = within(row[q] / (double)used[h - 1]);
		if (used[h - 1])
			continue;
		if (basis == NAIVE_SEASONAL) {
			n = residuals(j, 1);
			if (n < (size_t)j->rule->residuals_min)
				n = both_ways(j, n);
		}
		basis = NAIVE_LAST;
		add_last(j, h, last, j->scratch, n, row);
	}
	return basis;
}

int
naive_forecast(const struct naive_rule *rule, const double *history, size_t n, size_t horizon, const double *levels,
	       size_t n_levels, double *values, enum naive_basis *basis, struct err *err)
{
	struct job j = { rule, history, n, horizon, levels, n_levels, INFINITY, NULL };
	CLEANUP(heap_free)
	double *scratch = NULL, *quantiles = NULL;
	CLEANUP(heap_free)
	struct row *rows = NULL;
	CLEANUP(heap_free)
	size_t *used = NULL;
	size_t last = n, window = n < (size_t)rule->residuals ? n : (size_t)rule->residuals, multiples;

	while (last && !isfinite(history[last - 1]))
		last--;
	*basis = NAIVE_NONE;
	if (!last)
		return 0;
	multiples = horizon + SEASONS_FURTHER + 1; /* enough for a season of one step */
	scratch = malloc(2 * window * sizeof(*scratch));
	quantiles = malloc(multiples * n_levels * sizeof(*quantiles));
	rows = malloc(multiples * sizeof(*rows));
	used = calloc(horizon, sizeof(*used));
	if (!scratch || !quantiles || !rows || !used)
		return err_set(err, REASON_NO_MEMORY, "a forecast of %zu steps", horizon);
	j.scratch = scratch;
	j.step = step_of(&j);
	memset(values, 0, horizon * n_levels * sizeof(*values));
	for (size_t s = 0; s < rule->n_seasons; s++)
		if ((uint64_t)rule->seasons[s] <= n)
			add_season(&j, (size_t)rule->seasons[s], rows, quantiles, values, used);
	*basis = finish(&j, last - 1, used, values);
	return 0;
}
