/*
 * ets.h -- exponential smoothing with additive errors: level, with or without a damped trend, with or without a season.
 * Private to common/forecast.
 */
#ifndef FOREBAY_FORECAST_ETS_H
#define FOREBAY_FORECAST_ETS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/forecast/residual.h"

struct ets_parameters {
	double alpha, beta, gamma, phi; /* of level, trend (0: none), season (0: fixed), damping */
	size_t season;                  /* 1: none */
};

struct ets_state {
	double level, trend;
	double season[PAST_MAX]; /* parameters.season numbers, by place modulo season */
};

/* Where Y[0..n) begins: level and season of its first cycles. */
void ets_start(const struct ets_parameters *p, const double *y, size_t n, struct ets_state *s);

/* VALUE came at PLACE. */
void ets_update(const struct ets_parameters *p, struct ets_state *s, size_t place, double value);

/* Points of the places PLACE, PLACE + 1, ... */
void ets_forecast(const struct ets_parameters *p, const struct ets_state *s, size_t place, size_t horizon,
		  double *points);

/* The best of the set for Y[0..n), a SEASON of 1 being none. */
void ets_fit(const double *y, size_t n, size_t season, size_t horizon, struct ets_parameters *ret);

#endif
