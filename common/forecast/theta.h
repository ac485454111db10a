/*
 * theta.h -- the dynamic optimised theta model of a series without season.  Private to common/forecast.
 */
#ifndef FOREBAY_FORECAST_THETA_H
#define FOREBAY_FORECAST_THETA_H

#include <stddef.h>

struct theta_parameters {
	double level; /* before the first value */
	double alpha; /* 0.1..0.99 */
	double theta; /* >= 1 */
};

struct theta_state {
	double level, mean, trend; /* trend: slope of the line through all values so far */
	double power;              /* (1 - alpha) to the number of values */
	double n;                  /* values so far */
};

void theta_start(const struct theta_parameters *p, struct theta_state *s);
double theta_next(const struct theta_parameters *p, const struct theta_state *s); /* the value expected next */
void theta_update(const struct theta_parameters *p, struct theta_state *s, double value);

/* Points of the next HORIZON steps. */
void theta_forecast(const struct theta_parameters *p, const struct theta_state *s, size_t horizon, double *points);

/* The parameters that miss least over a horizon of HORIZON steps. */
void theta_fit(const double *y, size_t n, size_t horizon, struct theta_parameters *ret);

#endif
