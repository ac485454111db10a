/*
 * theta.c -- J. A. Fiorucci, T. R. Pellegrini, F. Louzada, F. Petropoulos and A. B. Koehler, "Models for optimising the theta
 * method and their relationship to state space models", International Journal of Forecasting 32(4), 2016: DOTM.
 *
 * A level that follows the values, and a line A + B t through all of them, of which the theta line takes a part:
 *	expected = level + (1 - 1/theta) ((1 - alpha)^n A + (1 - (1 - alpha)^(n+1)) / alpha B)
 *	level    = alpha y + (1 - alpha) level
 * with n values seen; A and B are those of least squares and follow from the mean and B by one step each, so that a pass is O(n).
 * Forecasts of several steps take what is expected for what has come.
 *
 * Published is the least sum of squared errors of one step.  Here the parameters are those that miss least in absolute values on
 * average over the first, the middle and the last step of the horizon: fitted to one step the level of an hourly series follows
 * every ripple, and carries it on for days.
 */
#include "common/forecast/theta.h"

#include <math.h>

#include "common/forecast/simplex.h"

#define WARM_UP 3
#define LEADS 3

void
theta_start(const struct theta_parameters *p, struct theta_state *s)
{
	*s = (struct theta_state){ .level = p->level, .power = 1 };
}

double
theta_next(const struct theta_parameters *p, const struct theta_state *s)
{
	double start = s->mean - s->trend * (s->n + 1) / 2; /* A */

	return s->level +
	       (1 - 1 / p->theta) * (s->power * start + (1 - s->power * (1 - p->alpha)) / p->alpha * s->trend);
}

void
theta_update(const struct theta_parameters *p, struct theta_state *s, double value)
{
	double n = s->n + 1;

	s->level = p->alpha * value + (1 - p->alpha) * s->level;
	if (s->n > 0)
		s->trend = ((n - 2) * s->trend + 6 * (value - s->mean) / n) / (n + 1);
	s->mean += (value - s->mean) / n;
	s->power *= 1 - p->alpha;
	s->n = n;
}

void
theta_forecast(const struct theta_parameters *p, const struct theta_state *s, size_t horizon, double *points)
{
	struct theta_state ahead = *s;

	for (size_t h = 0; h < horizon; h++) {
		points[h] = theta_next(p, &ahead);
		theta_update(p, &ahead, points[h]);
	}
}

struct sample {
	const double *y;
	size_t n;
	double range;
	size_t leads[LEADS];
};

/*
 * The weight of the line, 1 - 1/theta, for theta: it is bounded.  The level is what the line leaves of the first value, 1/theta of it,
 * give or take parts of the range: so a series moved up or down is forecast as before.
 */
static struct theta_parameters
unpack(const struct sample *s, const double *x)
{
	return (struct theta_parameters){ (1 - x[2]) * s->y[0] + x[0] * s->range, x[1], 1 / (1 - x[2]) };
}

/* Several steps ahead at once, as though the line stayed where it is: each step then adds the weight's part of its slope. */
static double
loss(const void *context, const double *x)
{
	const struct sample *s = context;
	struct theta_parameters p = unpack(s, x);
	struct theta_state state;
	double sum = 0;

	theta_start(&p, &state);
	for (size_t t = 0; t < s->n; t++) {
		double next = theta_next(&p, &state), slope = x[2] * state.trend;

		for (size_t i = 0; t >= WARM_UP && i < LEADS; i++)
			if (t + s->leads[i] <= s->n)
				sum += fabs(s->y[t + s->leads[i] - 1] - next - slope * (double)(s->leads[i] - 1));
		theta_update(&p, &state, s->y[t]);
	}
	return sum;
}

void
theta_fit(const double *y, size_t n, size_t horizon, struct theta_parameters *ret)
{
	static const double starts[][2] = { { .5, .5 }, { .2, .9 } };
	size_t last = horizon < n / 4 ? horizon : n / 4;
	struct sample s = { y, n, 0, { 1, (last + 2) / 2, last ? last : 1 } };
	const struct simplex_problem problem = {
		.loss = loss,
		.context = &s,
		.n = 3,
		.low = { -2, .1, 0 },
		.high = { 2, .99, 1 - 1e-9 },
		.step = { .1, .2, .3 },
		.tolerance = 1e-5,
		.evaluations = 60,
	};
	double best = INFINITY, low = y[0], high = y[0];

	for (size_t t = 0; t < n; t++) {
		low = fmin(low, y[t]);
		high = fmax(high, y[t]);
	}
	s.range = high - low;
	for (size_t i = 0; i < 2; i++) {
		double x[3] = { 0, starts[i][0], starts[i][1] };
		double found = simplex_minimise(&problem, x);

		if (found < best)
			*ret = unpack(&s, x);
		best = fmin(best, found);
	}
}
