/* ets.c -- the recursions against published code, the fit against series whose answer is known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "common/forecast/ets.h"

#define N 60
#define assert_near(got, wanted, within) assert_true(fabs((got) - (wanted)) <= (within))

/*
 * statsforecast 2.1.1, AutoETS(model=..., damped=...): its parameters, first state and forecasts.  Its beta is alpha * beta
 * here, its gamma (1 - alpha) * gamma.  Of damped trends only the first step is compared: its damping sums phi + phi + phi^2 ...
 * where the book's has phi + phi^2 + phi^3 ...
 */
static const struct row {
	const char *name;
	size_t season;
	double alpha, beta, gamma, phi, level, trend, seasons[4];
	double forecast[6];
} rows[] = {
	{ "ANN",
	  1,
	  .6408882074682729,
	  0,
	  0,
	  0,
	  102.42379066157163,
	  0,
	  { 0 },
	  { 103.03890920985123, 103.03890920985123, 103.03890920985123, 103.03890920985123 } },
	{ "AAdN",
	  1,
	  .41751110875744973,
	  .10086073521300457,
	  0,
	  .9186470498502677,
	  100.81639029528506,
	  .5724255682932515,
	  { 0 },
	  { 103.94084516884479, 104.84864577681493, 105.682594127179, 106.44869831896844 } },
	{ "ANA",
	  4,
	  .39089682646115326,
	  0,
	  .3687683664102977,
	  0,
	  31.309012551382345,
	  0,
	  { .4485215835576115, 4.527650174271979, .8920264337600008, -5.868198191589591 },
	  { 37.89812865035026, 40.22289888002973, 34.05619791123917, 28.160512267112875, 37.89812865035026,
	    40.22289888002973 } },
	{ "AAdA",
	  4,
	  .31666627430779987,
	  .0419802589954742,
	  .339234430405728,
	  .8597345886169468,
	  30.560134910581723,
	  .359768391932312,
	  { .6272894276226486, 4.572359897863938, .7462986792696717, -5.945948004756259 },
	  { 37.95101452389542, 40.242575076754385, 34.25612035533974, 28.499061054405608, 38.283985836614505,
	    40.528842031316174 } },
};

static void
series(size_t season, double *y)
{
	for (int t = 0; t < N; t++) {
		if (season == 1)
			y[t] = 100 + 8 * sin(t / 9.0) + 3 * cos(1.7 * t * t);
		else
			y[t] = 30 + 5 * sin(2 * M_PI * t / 4) + 3 * sin(t / 7.0) + 2 * cos(1.7 * t * t) +
			       (t % 4 == 0 ? t * .1 : 0);
	}
}

static void
follows_the_reference(void **state)
{
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		const struct row *row = &rows[r];
		const struct ets_parameters p = { row->alpha, row->beta / row->alpha, row->gamma / (1 - row->alpha),
						  row->phi, row->season };
		struct ets_state s = { .level = row->level, .trend = row->trend };
		size_t steps = row->beta > 0 ? 1 : row->season == 1 ? 4 : 6;
		double y[N], points[6];

		memcpy(s.season, row->seasons, sizeof(row->seasons));
		series(row->season, y);
		for (size_t t = 0; t < N; t++)
			ets_update(&p, &s, t, y[t]);
		ets_forecast(&p, &s, N, steps, points);
		for (size_t h = 0; h < steps; h++)
			assert_near(points[h], row->forecast[h], 1e-6);
	}
}

/* Level 10, trend 8, damping 1/2: 14, 16, 17.  A value of 20 is 6 off: level 14 + 3, trend 4 + .5 * .5 * 6. */
static void
damps_a_trend(void **state)
{
	const struct ets_parameters p = { .alpha = .5, .beta = .5, .phi = .5, .season = 1 };
	struct ets_state s = { .level = 10, .trend = 8 };
	double points[3];

	ets_forecast(&p, &s, 0, 3, points);
	assert_near(points[0], 14, 1e-12);
	assert_near(points[1], 16, 1e-12);
	assert_near(points[2], 17, 1e-12);
	ets_update(&p, &s, 0, 20);
	assert_near(s.level, 17, 1e-12);
	assert_near(s.trend, 5.5, 1e-12);
}

/* Cycles 1 3 5 3 and 3 5 7 5: level of the first, mean of both seasons. */
static void
starts_from_the_first_cycles(void **state)
{
	static const double y[] = { 1, 3, 5, 3, 3, 5, 7, 5, 9 };
	const struct ets_parameters p = { .season = 4 };
	struct ets_state s;

	ets_start(&p, y, 9, &s);
	assert_near(s.level, 3, 1e-12);
	assert_near(s.trend, 0, 0);
	assert_near(s.season[0], -2, 1e-12);
	assert_near(s.season[1], 0, 1e-12);
	assert_near(s.season[2], 2, 1e-12);
	assert_near(s.season[3], 0, 1e-12);
}

static void
fitted(const double *y, size_t n, size_t season, size_t horizon, struct ets_parameters *p, double *points)
{
	struct ets_state s;

	ets_fit(y, n, season, horizon, p);
	ets_start(p, y, n, &s);
	for (size_t t = 0; t < n; t++)
		ets_update(p, &s, t, y[t]);
	ets_forecast(p, &s, n, horizon, points);
}

static void
chooses_a_model(void **state)
{
	static const double season[] = { 0, 4, 1, -5, 0 };
	double y[200], points[8];
	struct ets_parameters p;

	for (uint64_t t = 0; t < 200; t++)
		y[t] = 5 + random_normal(2, 1, t);
	fitted(y, 200, 1, 8, &p, points);
	assert_true(p.beta == 0 && p.alpha < .2);
	assert_near(points[7], 5, .5);

	/* A slope that turns: to be followed, a trend is needed. */
	for (size_t t = 0; t < 200; t++)
		y[t] = 30 * sin((double)t / 30);
	fitted(y, 200, 1, 4, &p, points);
	assert_true(p.beta > 0);
	assert_near(points[1], 30 * sin(201 / 30.0), 1);

	/* A season on a level that jumps. */
	for (size_t t = 0; t < 200; t++)
		y[t] = (t < 120 ? 10 : 40) + season[t % 5];
	fitted(y, 200, 5, 5, &p, points);
	for (size_t h = 0; h < 5; h++)
		assert_near(points[h], 40 + season[h], .1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_reference),
		cmocka_unit_test(damps_a_trend),
		cmocka_unit_test(starts_from_the_first_cycles),
		cmocka_unit_test(chooses_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
