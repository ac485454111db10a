/*
 * levels.h -- which quantiles are forecast when some are asked for: also those that a forecast's mean is taken from, so that the
 * mean is the same whichever are asked for.  Pure.
 */
#ifndef FOREBAY_CLI_LEVELS_H
#define FOREBAY_CLI_LEVELS_H

#include <stddef.h>

#include "common/forecast/ensemble.h"

/* What is forecast unless other levels are asked for, and what means are taken from. */
#define LEVELS_USUAL "0.025,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,0.975"

struct levels {
	double all[ENSEMBLE_LEVELS_MAX]; /* ascending */
	size_t n;
	size_t asked[ENSEMBLE_LEVELS_MAX], n_asked; /* places in `all` of those that were asked for */
	size_t mean[ENSEMBLE_LEVELS_MAX], n_mean;   /* of those that the mean is taken from */
};

/*
 * ASKED and USUAL ascend, each at most ENSEMBLE_LEVELS_MAX, at least one.  Where there are too many of both together the usual ones
 * are left out, and means are taken from those asked for.
 */
void levels_join(const double *asked, size_t n_asked, const double *usual, size_t n_usual, struct levels *ret);

/* The mean of a distribution with the quantiles ROW, one for each of `all`, that is flat between the middles of neighbouring levels. */
double levels_mean(const struct levels *l, const double *row);

#endif
