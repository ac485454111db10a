/*
 * residual.h -- what the fitted rules of classical.h share: the end of a history made fit for them, and quantiles around their
 * points by what they missed before.  Private to common/forecast.
 *
 * All numbers of a `struct past` are the series' divided by a power of two, so that none is larger than 1: sums and squares
 * cannot overflow, and nothing is rounded on the way there and back.
 */
#ifndef FOREBAY_FORECAST_RESIDUAL_H
#define FOREBAY_FORECAST_RESIDUAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/forecast/classical.h"

#define PAST_MAX 1344            /* points that are looked at: eight weeks of hours */
#define PAST_MIN 12              /* known points that a fitted rule needs */
#define PAST_CYCLES_MIN 3        /* of a season that a fitted rule needs to see one */
#define RESIDUAL_ORIGINS_MAX 112 /* places that forecasts are tried from */
#define RESIDUAL_FEW 5           /* fewer of a step say nothing */

struct past {
	double y[PAST_MAX]; /* the last n, holes filled */
	bool known[PAST_MAX];
	size_t n;
	int exponent;         /* series = y * 2^exponent */
	double low, high;     /* no forecast leaves them */
	size_t season;        /* 1: none, or not three of them */
	size_t horizon;       /* steps to forecast */
	size_t first, stride; /* residuals begin at forecasts from these places: first, first + stride, ... */
};

/* False: nothing to fit (all missing, mostly missing, constant, too short). */
bool past_init(struct past *p, const struct classical_input *in);

/* VALUE inside [low, high]. */
double past_clamp(const struct past *p, double value);

/* The step that goes through SPAN places in MOST or fewer and meets every phase of SEASON. */
size_t past_stride(size_t span, size_t most, size_t season);

/* The steps at the end of N that misses are counted in, at most: what is before has to teach the rules. */
size_t past_tail(size_t n);

/* The steps at the end of a history whose residuals speak of today. */
size_t residual_window(const struct classical_input *in);

/* Sort N finite numbers. */
void residual_sort(double *values, size_t n);

/* Residuals of each step of the horizon. */
struct residual {
	size_t horizon, room; /* room: of each step */
	size_t season;
	double *values;   /* [horizon][room] */
	uint16_t *phases; /* of their targets */
	size_t *counts;
};

int residual_new(const struct past *p, struct residual **ret, struct err *err);
void residual_free(struct residual *r);
static inline void
residual_free_cleanup(struct residual **r)
{
	residual_free(*r);
}

/* A forecast from place ORIGIN (its first target) said POINTS[horizon]; targets that are not known do not count. */
void residual_add(struct residual *r, const struct past *p, size_t origin, const double *points);

/*
 * Rows of in->n_levels quantiles around POINTS, in the series' unit; the residuals are used up.  LOSSES (NULL: not wanted): what such
 * rows would have lost by them, as of classical_forecast().  False: there are too few.
 */
bool residual_quantiles(struct residual *r, const struct past *p, const struct classical_input *in,
			const double *points, double *values, double *losses);

#endif
