/*
 * residual.c -- quantiles of a rule's own misses.  A rule forecasts from many places near the end of the history; the quantiles
 * of step h are its point plus quantiles of what it missed h steps ahead (type 7 of R. J. Hyndman and Y. Fan, "Sample Quantiles
 * in Statistical Packages", 1996).
 *
 * Noon is not as certain as midnight: a residual is divided by the mean size of residuals at its phase of the season and
 * multiplied by that of the phase it is used at.  Phases have few residuals of their own, which moreover hang together within
 * a cycle, so the mean size leans on that of all phases as if PHASE_PRIOR cycles of them had been seen.
 *
 * Residuals from neighbouring places overlap: only their span / the horizon (the season, if that is longer) of them are
 * independent (spread.h).
 */
#include "common/forecast/residual.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/forecast/evidence.h"
#include "common/forecast/spread.h"

#define WINDOW_SEASONS 14
#define WINDOW_MIN 250
#define WINDOW_MAX 672

#define PHASE_PRIOR 4.0 /* cycles */
#define CYCLES_MIN .6
#define FITTED .5 /* by that part of a cycle a loss grows: parameters were chosen by these very misses */

size_t
residual_window(const struct classical_input *in)
{
	size_t window = WINDOW_SEASONS * (size_t)(in->season > 1 ? in->season : 1);

	return window < WINDOW_MIN ? WINDOW_MIN : window > WINDOW_MAX ? WINDOW_MAX : window;
}

/* Ciura's gaps; short rows that are sorted by the thousand, where qsort()'s calls cost most. */
void
residual_sort(double *values, size_t n)
{
	static const size_t gaps[] = { 701, 301, 132, 57, 23, 10, 4, 1 };

	for (size_t g = 0; g < ARRAY_LEN(gaps); g++)
		for (size_t i = gaps[g]; i < n; i++) {
			double value = values[i];
			size_t j = i;

			for (; j >= gaps[g] && values[j - gaps[g]] > value; j -= gaps[g])
				values[j] = values[j - gaps[g]];
			values[j] = value;
		}
}

int
residual_new(const struct past *p, struct residual **ret, struct err *err)
{
	struct residual *r = calloc(1, sizeof(*r));
	size_t room = (p->n - p->first) / p->stride + 1;

	if (r) {
		*r = (struct residual){ .horizon = p->horizon, .room = room, .season = p->season };
		r->values = malloc(p->horizon * room * sizeof(*r->values));
		r->phases = malloc(p->horizon * room * sizeof(*r->phases));
		r->counts = calloc(p->horizon, sizeof(*r->counts));
	}
	if (!r || !r->values || !r->phases || !r->counts) {
		residual_free(r);
		return err_set(err, REASON_NO_MEMORY, "residuals of %zu steps", p->horizon);
	}
	*ret = r;
	return 0;
}

void
residual_free(struct residual *r)
{
	if (!r)
		return;
	free(r->values);
	free(r->phases);
	free(r->counts);
	free(r);
}

void
residual_add(struct residual *r, const struct past *p, size_t origin, const double *points)
{
	for (size_t h = 0; h < r->horizon && origin + h < p->n; h++) {
		if (!p->known[origin + h] || r->counts[h] == r->room)
			continue;
		r->values[h * r->room + r->counts[h]] = p->y[origin + h] - points[h];
		r->phases[h * r->room + r->counts[h]++] = (uint16_t)((origin + h) % r->season);
	}
}

/* Mean size of the residuals at each phase, leaning on that of all; all 1 where the season is none or not seen often enough. */
static void
phase_sizes(const struct residual *r, size_t cycles, double *sizes)
{
	double counts[PAST_MAX], all = 0, n = 0, floor = 0;

	for (size_t i = 0; i < r->season; i++)
		sizes[i] = counts[i] = 0;
	for (size_t h = 0; h < r->horizon; h++)
		for (size_t i = 0; i < r->counts[h]; i++) {
			sizes[r->phases[h * r->room + i]] += fabs(r->values[h * r->room + i]);
			counts[r->phases[h * r->room + i]]++;
		}
	for (size_t i = 0; i < r->season; i++) {
		all += sizes[i];
		n += counts[i];
	}
	all = n > 0 ? all / n : 0;
	floor = all / 20;
	for (size_t i = 0; i < r->season; i++) {
		double own = counts[i] > 0 ? sizes[i] / counts[i] : all, weight = (double)cycles;

		sizes[i] = (own * weight + all * PHASE_PRIOR) / (weight + PHASE_PRIOR);
		if (r->season == 1 || cycles < 3 || !(sizes[i] > floor))
			sizes[i] = r->season == 1 || cycles < 3 || !(all > 0) ? 1 : floor;
	}
}

static double
mean(const double *values, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += values[i];
	return sum / (double)n;
}

/* How many cycles the misses span.  Of one of which less than half is seen nobody knows how far it goes: it counts as less than one. */
static double
cycles_of(const struct past *p)
{
	size_t cycle = p->season > p->horizon ? p->season : p->horizon;
	double seen = (double)(p->n - p->first) / (double)cycle;

	return seen >= 1 ? seen : fmin(1, fmax(CYCLES_MIN, 2 * seen));
}

/* A trend goes on for as many steps as there are that have shown it; then the point stays.  A season comes again. */
static size_t
seen_until(const struct past *p, size_t h)
{
	return p->season > 1 || h < p->n ? h : p->n - 1;
}

bool
residual_quantiles(struct residual *r, const struct past *p, const struct classical_input *in, const double *points,
		   double *values, double *losses)
{
	double sizes[PAST_MAX], cycles = cycles_of(p), usual;
	struct spread s = { 0 };
	size_t from = 0;

	if (r->counts[0] < RESIDUAL_FEW)
		return false;
	phase_sizes(r, (p->n - p->first) / p->season, sizes);
	usual = mean(sizes, r->season);
	for (size_t h = 0; h < r->horizon; h++) {
		double *row = values + h * in->n_levels, size = sizes[(p->n + h) % p->season], last = -HUGE_VAL;
		double point = points[seen_until(p, h)];

		if (r->counts[h] >= RESIDUAL_FEW) {
			double *own = r->values + h * r->room;

			for (size_t i = 0; i < r->counts[h]; i++)
				own[i] /= sizes[r->phases[h * r->room + i]];
			residual_sort(own, r->counts[h]);
			s = spread_of(own, r->counts[h], cycles, INFINITY);
			from = h;
			if (losses)
				losses[h] = ldexp(evidence_loss(&s) * usual * (1 + FITTED / cycles), p->exponent);
		}
		size *= sqrt((double)(h + 1) / (double)(from + 1));
		for (size_t q = 0; q < in->n_levels; q++) {
			last = fmax(last, past_clamp(p, point + spread_quantile(&s, in->levels[q]) * size));
			row[q] = fmin(fmax(ldexp(last, p->exponent), -DBL_MAX), DBL_MAX);
		}
	}
	return true;
}
