/*
 * mass.h -- values that a series keeps coming back to exactly: the zeros of a rare demand or of the night, small counts, states, a
 * full tank.
 *
 * Between such a value and the next one that the series has ever had there is nothing, so no quantile of what comes lies there: what
 * a weighted mean of 0 and 1, or a shift by a hair, has put there goes to the nearer of the two.  Numbers in, numbers out.
 */
#ifndef FOREBAY_FORECAST_MASS_H
#define FOREBAY_FORECAST_MASS_H

#include <stdbool.h>
#include <stddef.h>

#define MASS_MAX 5 /* each has a fifth of the history */

struct mass_point {
	double at;
	double below, above; /* the values seen next to it; -INFINITY, INFINITY: none */
	bool is_floor,
	    is_ceiling; /* the least, the greatest value, early and late in the history: what comes stops there, too */
};

struct mass {
	struct mass_point points[MASS_MAX]; /* ascending */
	size_t n;
};

/* What N values, oldest first, NaN where nothing is known, keep coming back to.  A constant history has none: it says nothing else. */
void mass_find(const double *history, size_t n, struct mass *ret);

/* QUANTILE, or the value it goes to.  Does not decrease where QUANTILE does not: a sorted row stays sorted. */
double mass_nearest(const struct mass *m, double quantile);

#endif
