/* excesses.h -- scores above a threshold, and the generalised Pareto distribution that fits them best. */
#ifndef FOREBAY_DETECT_EXCESSES_H
#define FOREBAY_DETECT_EXCESSES_H

#include <stdbool.h>

#define EXCESSES_MAX 80

/* Scores counted in groups of about the same size.  All above the threshold, which is 0 here. */
struct excesses {
	double y[EXCESSES_MAX],
	    weight[EXCESSES_MAX]; /* their distance from the threshold, > 0; how many there are, > 0 */
	unsigned groups;
	double n, mean; /* of all together; 0: none */
};

/* P(excess > y) = (1 + gamma y / sigma)^(-1/gamma), exp(-y / sigma) for gamma = 0. */
struct pareto {
	double gamma, sigma; /* >= 0, > 0 */
};

/* PRIOR > 0: a scale that is worth some excesses, too.  EXPONENTIAL: gamma is 0. */
struct pareto excesses_fit(const struct excesses *e, double prior, bool exponential);

#endif
