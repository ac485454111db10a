/*
 * spread.h -- quantiles from the few misses that a rule can show.  Private to common/forecast.
 *
 * Misses of neighbouring places hang together: of a rule that looks a day ahead a day is one miss, however many points it has.  So what
 * is believed of their middle and their width depends on the cycles that they span, k.
 *
 *  - Their middle moves the forecast by no more than cannot be chance, after W. James and C. Stein, "Estimation with Quadratic Loss",
 *    1961: middle (1 - chance / middle^2), chance = (deviation^2 + between^2) / k.  How cycles differ from each other, `between`, is not
 *    known of so few: it may be middle^2 / k, of a single one all of it, but no more than the series can have walked meanwhile.  So a
 *    counter is believed to go on, and a day that was warmer than the one before is not.
 *  - What is not believed of the middle is believed of the width: deviation^2 + (middle - centre)^2 instead of deviation^2.  Misses are
 *    stretched to that, tenfold at most, as their shape says little when they are nearly alike; what is still wanting is normal.
 *  - Quantiles are wider than they look by part of what Student's t is wider than the normal distribution.  Of its expansion, 1 + (z^2 +
 *    1) / 4k + (5 z^4 + 16 z^2 + 3) / 96 k^2 (M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions", 1964, 26.7.5), the first
 *    term is left out, as a mean of several rules misses less than each of them; and the second is half as large again, which covers
 *    best.
 */
#ifndef FOREBAY_FORECAST_SPREAD_H
#define FOREBAY_FORECAST_SPREAD_H

#include <stddef.h>

/* Misses of one rule, so many steps ahead. */
struct spread {
	const double *sorted; /* n >= 1, ascending */
	size_t n;
	double cycles; /* > 0; INFINITY: they are all that there is to know */
	double middle; /* their median */
	double centre; /* what is believed of it */
	double wider;  /* misses are stretched by that, because of what is not */
	double rest;   /* deviation of what they cannot be stretched to */
};

/* WALK: how far a series goes in a cycle by chance, a deviation in the unit of the misses; INFINITY: not known. */
struct spread spread_of(const double *sorted, size_t n, double cycles, double walk);

/* Where the quantile of LEVEL lies beside the rule's point; does not decrease with LEVEL. */
double spread_quantile(const struct spread *s, double level);

/* The quantile of LEVEL of N >= 1 sorted numbers, between two neighbours in proportion. */
double sorted_quantile(const double *sorted, size_t n, double level);

#endif
