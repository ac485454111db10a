/*
 * accuracy.c -- sums first, figures last, so that forecasts of many series and processes can be pooled.  Where the definitions
 * of GluonTS differ from the textbook's accuracy.h says so; sMAPE leaves out nothing: 0 forecast for 0 counts as no error.
 */
#include "common/forecast/accuracy.h"

#include <math.h>
#include <stdbool.h>

#define ROUNDING 1e-12 /* of the values: by so little a wave differs from itself a season ago */
#define REACH 1e-6     /* how far a level may be from the one meant */

double
accuracy_pinball(double level, double quantile, double value)
{
	return value >= quantile ? level * (value - quantile) : (1 - level) * (quantile - value);
}

double
accuracy_season_until(struct accuracy_season *s, const double *past, size_t n, size_t season)
{
	for (size_t t = s->seen > season ? s->seen : season; t < n; t++) {
		double difference = fabs(past[t] - past[t - season]);

		if (isnan(difference))
			continue;
		s->sum += difference;
		s->size += fabs(past[t]);
		s->pairs++;
	}
	s->seen = n;
	if (s->sum <= ROUNDING * s->size && s->pairs)
		return 0;
	return s->pairs ? s->sum / (double)s->pairs : NAN;
}

double
accuracy_seasonal_error(const double *past, size_t n, size_t season)
{
	struct accuracy_season s = { 0 };

	return accuracy_season_until(&s, past, n, season);
}

static size_t
nearest(const double *levels, size_t n, double level)
{
	size_t best = 0;

	for (size_t i = 1; i < n; i++)
		if (fabs(levels[i] - level) < fabs(levels[best] - level))
			best = i;
	return best;
}

/* Are LOW and HIGH, the ends of an interval, among the levels? */
static bool
interval(const double *levels, size_t n, double low, double high, size_t *from, size_t *to)
{
	if (!n)
		return false;
	*from = nearest(levels, n, low);
	*to = nearest(levels, n, high);
	return fabs(levels[*from] - low) <= REACH && fabs(levels[*to] - high) <= REACH;
}

/* The median, or what lies between the levels beside it. */
static double
median(const double *levels, size_t n, const double *quantiles)
{
	size_t above = 0;

	while (above < n && levels[above] < .5 - REACH)
		above++;
	if (above == n)
		return quantiles[n - 1];
	if (!above || levels[above] <= .5 + REACH)
		return quantiles[above];
	return quantiles[above - 1] + (quantiles[above] - quantiles[above - 1]) * (.5 - levels[above - 1]) /
					  (levels[above] - levels[above - 1]);
}

void
accuracy_add(struct accuracy *a, const double *levels, size_t n_levels, const double *values, const double *quantiles,
	     size_t n, double seasonal_error)
{
	size_t low80, high80, low95, high95, points = 0;
	bool know80 = interval(levels, n_levels, .1, .9, &low80, &high80);
	bool know95 = interval(levels, n_levels, .025, .975, &low95, &high95);
	double error = 0;

	for (size_t h = 0; h < n && n_levels; h++) {
		const double *row = quantiles + h * n_levels;
		double y = values[h], miss;

		if (isnan(y))
			continue;
		miss = fabs(y - median(levels, n_levels, row));
		for (size_t q = 0; q < n_levels; q++) {
			a->pinball[q] += accuracy_pinball(levels[q], row[q], y);
			a->below[q] += y <= row[q];
		}
		a->absolute += fabs(y);
		a->symmetric += miss > 0 ? 2 * miss / (fabs(y) + fabs(median(levels, n_levels, row))) : 0;
		a->inside80 += know80 && row[low80] <= y && y <= row[high80];
		a->inside95 += know95 && row[low95] <= y && y <= row[high95];
		error += miss;
		points++;
	}
	if (!points)
		return;
	a->error += error;
	a->points += points;
	a->series++;
	if (seasonal_error > 0) {
		a->scaled += error / (double)points / seasonal_error;
		a->scaled_series++;
	}
}

void
accuracy_merge(struct accuracy *a, const struct accuracy *more)
{
	for (size_t q = 0; q < ENSEMBLE_LEVELS_MAX; q++) {
		a->pinball[q] += more->pinball[q];
		a->below[q] += more->below[q];
	}
	a->absolute += more->absolute;
	a->error += more->error;
	a->symmetric += more->symmetric;
	a->scaled += more->scaled;
	a->inside80 += more->inside80;
	a->inside95 += more->inside95;
	a->points += more->points;
	a->series += more->series;
	a->scaled_series += more->scaled_series;
}

struct accuracy_figures
accuracy_figures(const struct accuracy *a, const double *levels, size_t n_levels)
{
	struct accuracy_figures f = { NAN, NAN, NAN, NAN, NAN, NAN, NAN };
	double points = (double)a->points, pinball = 0;
	size_t from, to;

	if (!a->points)
		return f;
	for (size_t q = 0; q < n_levels; q++)
		pinball += a->pinball[q] / (double)n_levels;
	f.crps = 2 * pinball / points;
	f.smape = a->symmetric / points;
	if (a->absolute > 0) {
		f.wql = 2 * pinball / a->absolute;
		f.wape = a->error / a->absolute;
	}
	if (a->scaled_series)
		f.mase = a->scaled / (double)a->scaled_series;
	if (interval(levels, n_levels, .1, .9, &from, &to))
		f.coverage80 = a->inside80 / points;
	if (interval(levels, n_levels, .025, .975, &from, &to))
		f.coverage95 = a->inside95 / points;
	return f;
}
