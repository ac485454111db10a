/*
 * ets.c -- R. J. Hyndman, A. B. Koehler, J. K. Ord and R. D. Snyder, "Forecasting with Exponential Smoothing", 2008, the models
 * (A,N,N), (A,Ad,N), (A,N,A), (A,Ad,A) in their error-correction form:
 *	error = y - (level + phi trend + season)
 *	level += phi trend + alpha error	trend = phi trend + alpha beta error	season += (1 - alpha) gamma error
 *
 * Parameters and model are those that miss least on average over the first, the middle and the last step of the horizon, in
 * absolute values.  Fitted to one step alone the level of an hourly series follows every ripple, and carries it on for days.
 */
#include "common/forecast/ets.h"

#include <math.h>
#include <string.h>

#include "common/forecast/simplex.h"

#define FIRST_CYCLES 4 /* that the season begins with */
#define LEADS 3
#define TREND_GAIN .99 /* a trend must lower the loss to that */

void
ets_start(const struct ets_parameters *p, const double *y, size_t n, struct ets_state *s)
{
	size_t m = p->season, cycles = n / m < FIRST_CYCLES ? n / m : FIRST_CYCLES;

	s->level = s->trend = 0;
	memset(s->season, 0, m * sizeof(*s->season));
	if (m == 1) {
		for (size_t t = 0; t < cycles; t++)
			s->level += y[t] / (double)cycles;
		return;
	}
	for (size_t c = cycles; c-- > 0;) {
		s->level = 0;
		for (size_t i = 0; i < m; i++)
			s->level += y[c * m + i] / (double)m;
		for (size_t i = 0; i < m; i++)
			s->season[i] += (y[c * m + i] - s->level) / (double)cycles;
	}
}

void
ets_update(const struct ets_parameters *p, struct ets_state *s, size_t place, double value)
{
	double *season = &s->season[place % p->season], drift = p->phi * s->trend;
	double error = value - (s->level + drift + *season);

	s->level += drift + p->alpha * error;
	s->trend = drift + p->alpha * p->beta * error;
	*season += (1 - p->alpha) * p->gamma * error;
}

void
ets_forecast(const struct ets_parameters *p, const struct ets_state *s, size_t place, size_t horizon, double *points)
{
	double level = s->level, trend = s->trend;

	for (size_t h = 0; h < horizon; h++) {
		trend *= p->phi;
		level += trend;
		points[h] = level + s->season[(place + h) % p->season];
	}
}

struct sample {
	const double *y;
	size_t n, season;
	size_t leads[LEADS]; /* ascending */
	bool trended;
};

static struct ets_parameters
unpack(const struct sample *s, const double *x)
{
	struct ets_parameters p = { .alpha = x[0], .season = s->season };
	size_t i = 1;

	if (s->season > 1)
		p.gamma = x[i++];
	if (s->trended) {
		p.beta = x[i++];
		p.phi = x[i];
	}
	return p;
}

static double
loss(const void *context, const double *x)
{
	const struct sample *s = context;
	struct ets_parameters p = unpack(s, x);
	struct ets_state state;
	size_t warm = s->season > 1 ? s->season : 3;
	double sum = 0, reach[LEADS];

	for (size_t i = 0; i < LEADS; i++)
		reach[i] = p.phi * (1 - pow(p.phi, (double)s->leads[i])) / (1 - p.phi);
	ets_start(&p, s->y, s->n, &state);
	for (size_t t = 0, at = 0; t < s->n; t++) {
		for (size_t i = 0; t >= warm && i < LEADS; i++) {
			size_t target = t + s->leads[i] - 1, phase = at + (s->leads[i] - 1) % p.season;

			if (target < s->n)
				sum += fabs(s->y[target] - state.level - reach[i] * state.trend -
					    state.season[phase >= p.season ? phase - p.season : phase]);
		}
		ets_update(&p, &state, at, s->y[t]);
		if (++at == p.season)
			at = 0;
	}
	return sum;
}

static double
fit(struct sample *s, bool trended, struct ets_parameters *ret)
{
	struct simplex_problem problem = { loss, s, 1, { .005 }, { .995 }, { .2 }, 1e-4, 40 };
	double x[SIMPLEX_MAX] = { .2 }, least;

	s->trended = trended;
	if (s->season > 1) {
		x[problem.n] = .1;
		problem.high[problem.n] = .9;
		problem.step[problem.n++] = .15;
	}
	if (trended) {
		static const double start[] = { .05, .9 }, low[] = { .0001, .8 }, high[] = { .9, .98 },
				    step[] = { .1, .05 };

		for (size_t i = 0; i < 2; i++, problem.n++) {
			x[problem.n] = start[i];
			problem.low[problem.n] = low[i];
			problem.high[problem.n] = high[i];
			problem.step[problem.n] = step[i];
		}
	}
	least = simplex_minimise(&problem, x);
	*ret = unpack(s, x);
	return least;
}

void
ets_fit(const double *y, size_t n, size_t season, size_t horizon, struct ets_parameters *ret)
{
	size_t last = horizon < n / 4 ? horizon : n / 4;
	struct sample s = { y, n, season, { 1, (last + 2) / 2, last ? last : 1 }, false };
	struct ets_parameters trended;
	double level = fit(&s, false, ret);

	if (fit(&s, true, &trended) < TREND_GAIN * level)
		*ret = trended;
}
