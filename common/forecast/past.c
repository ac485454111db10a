/*
 * past.c -- the end of a history made fit for rules that cannot look past a hole: scaled, filled, bounded.
 *
 * Short holes are bridged by a line; longer ones are filled from the season before, where there is one.  A forecast may leave
 * the range of the history by as much again, and not at all where the series keeps lying exactly on its bound: what is full,
 * empty, dark or saturated does not go beyond.
 */
#include "common/forecast/residual.h"

#include <math.h>

#define TAIL_OF_HISTORY 3
#define TAIL_MIN 12  /* or half of the history */
#define RESTS_AT .05 /* share of points on the bound that make it one */

static size_t
common_divisor(size_t a, size_t b)
{
	return b ? common_divisor(b, a % b) : a;
}

/* Fill y[from..to), its neighbours being known or outside of the history. */
static void
fill(struct past *p, size_t from, size_t to)
{
	bool line = from && to < p->n && (p->season == 1 || to - from <= p->season / 6 + 1);

	for (size_t t = from; t < to; t++) {
		if (line)
			p->y[t] = p->y[from - 1] +
				  (p->y[to] - p->y[from - 1]) * (double)(t - from + 1) / (double)(to - from + 1);
		else if (p->season > 1 && t >= p->season)
			p->y[t] = p->y[t - p->season];
		else
			p->y[t] = from ? p->y[from - 1] : p->y[to];
	}
}

static void
fill_all(struct past *p)
{
	for (size_t from = 0; from < p->n; from++) {
		size_t to = from;

		while (to < p->n && !p->known[to])
			to++;
		if (to > from)
			fill(p, from, to);
		from = to;
	}
}

/* The largest magnitude becomes one between 1/2 and 1. */
static void
scale(struct past *p, const double *history)
{
	double largest = 0;

	for (size_t t = 0; t < p->n; t++)
		if (isfinite(history[t]))
			largest = fmax(largest, fabs(history[t]));
	frexp(largest, &p->exponent);
	for (size_t t = 0; t < p->n; t++) {
		p->known[t] = isfinite(history[t]);
		p->y[t] = p->known[t] ? ldexp(history[t], -p->exponent) : 0;
	}
}

static size_t
bound(struct past *p)
{
	double low = INFINITY, high = -INFINITY, reach;
	size_t n = 0, at_low = 0, at_high = 0;

	for (size_t t = 0; t < p->n; t++)
		if (p->known[t]) {
			low = fmin(low, p->y[t]);
			high = fmax(high, p->y[t]);
			n++;
		}
	for (size_t t = 0; t < p->n; t++) {
		at_low += p->known[t] && p->y[t] <= low;
		at_high += p->known[t] && p->y[t] >= high;
	}
	reach = (high - low) * fmax(1, (double)p->horizon / (double)p->n);
	p->low = (double)at_low > RESTS_AT * (double)n && at_low > 1 ? low : low - reach;
	p->high = (double)at_high > RESTS_AT * (double)n && at_high > 1 ? high : high + reach;
	return high > low ? n : 0;
}

size_t
past_stride(size_t span, size_t most, size_t season)
{
	size_t stride = (span + most - 1) / most;

	while (stride > 1 && common_divisor(stride, season) != 1)
		stride++;
	return stride ? stride : 1;
}

size_t
past_tail(size_t n)
{
	size_t third = n / TAIL_OF_HISTORY, half = n / 2;

	return third >= TAIL_MIN ? third : half < TAIL_MIN ? half : TAIL_MIN;
}

/* Where residuals come from: far enough from the beginning that there was something to learn, and at every phase. */
static void
plan(struct past *p, size_t window, size_t most)
{
	size_t least = p->n - past_tail(p->n), want = window + p->horizon;

	p->first = p->n > want && p->n - want > least ? p->n - want : least;
	p->stride = past_stride(p->n - p->first, most, p->season);
}

bool
past_init(struct past *p, const struct classical_input *in)
{
	size_t n = in->n, skip;

	p->n = n < PAST_MAX ? n : PAST_MAX;
	for (skip = n - p->n; skip < n && !isfinite(in->history[skip]); skip++)
		p->n--;
	if (p->n < PAST_MIN)
		return false;
	p->horizon = in->horizon;
	p->season = in->season > 1 && (size_t)in->season * PAST_CYCLES_MIN <= p->n ? (size_t)in->season : 1;
	scale(p, in->history + skip);
	n = bound(p);
	if (n < PAST_MIN || n < p->n / 3)
		return false;
	fill_all(p);
	plan(p, residual_window(in), RESIDUAL_ORIGINS_MAX);
	return true;
}

double
past_clamp(const struct past *p, double value)
{
	return fmin(fmax(value, p->low), p->high);
}
