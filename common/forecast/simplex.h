/*
 * simplex.h -- the minimum of a function of a few numbers inside a box, by Nelder and Mead's simplex; deterministic.
 * Private to common/forecast.
 */
#ifndef FOREBAY_FORECAST_SIMPLEX_H
#define FOREBAY_FORECAST_SIMPLEX_H

#include <stddef.h>

#define SIMPLEX_MAX 4

struct simplex_problem {
	double (*loss)(const void *context, const double *x); /* finite, or +inf where x cannot be */
	const void *context;
	size_t n; /* numbers, at most SIMPLEX_MAX */
	double low[SIMPLEX_MAX], high[SIMPLEX_MAX];
	double step[SIMPLEX_MAX]; /* the first simplex reaches so far from the start */
	double tolerance;         /* relative spread of losses at which it ends */
	size_t evaluations;       /* at most, or a few more */
};

/* X is the start and becomes the best place seen; returns its loss. */
double simplex_minimise(const struct simplex_problem *p, double *x);

#endif
