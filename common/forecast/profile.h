/*
 * profile.h -- the season of a past: classical decomposition, with a longer season on top where it holds.
 * Private to common/forecast.
 */
#ifndef FOREBAY_FORECAST_PROFILE_H
#define FOREBAY_FORECAST_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/forecast/residual.h"

enum profile_kind { PROFILE_NONE, PROFILE_SUM, PROFILE_PRODUCT };

struct profile {
	enum profile_kind kind;
	size_t length;          /* 1 with PROFILE_NONE */
	double index[PAST_MAX]; /* length numbers; their mean is 0 of a sum, 1 of a product */
};

/*
 * The season of the first N points of a past: none, p->season, or LONG_SEASON (a multiple of it; 0: none) that holds the short
 * one.  None where it is not evident or does not go three times into n.
 */
void profile_fit(const struct past *p, size_t n, size_t long_season, struct profile *ret);

/* VALUE at place T without, or with, the season. */
double profile_remove(const struct profile *f, size_t t, double value);
double profile_restore(const struct profile *f, size_t t, double value);

#endif
