/* theta.c -- the recursion against published code, the fit against series whose answer is known. */
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
#include "common/forecast/theta.h"

#define N 60
#define assert_near(got, wanted, within) assert_true(fabs((got) - (wanted)) <= (within))

/* statsforecast 2.1.1, DynamicOptimizedTheta(season_length=1): its parameters, fitted values and forecasts. */
static const struct row {
	const char *name;
	double start, slope, wave, noise; /* start + slope t + wave sin(t/9) + noise cos(1.7 t^2) */
	struct theta_parameters parameters;
	double fitted[4]; /* of places 1, 2, 30, 59 */
	double forecast[4];
} rows[] = {
	{ "a rising line",
	  20,
	  .5,
	  0,
	  4,
	  { 3.70818098491854, .10000000000000003, 13.01699317222341 },
	  { 25.677993497949814, 18.065535002454993, 35.84801438828693, 48.56815764604155 },
	  { 49.32947553765874, 49.76466934028033, 50.199354685528945, 50.63353664442445 } },
	{ "a wave",
	  100,
	  0,
	  8,
	  3,
	  { 22.783977685576236, .6835532782116194, 1.000117486343137 },
	  { 77.61973160517185, 93.25958814379128, 98.34676355662712, 102.16332507130177 },
	  { 103.15714831069337, 103.15712274535744, 103.15709889837332, 103.15707664737893 } },
};

static void
series(const struct row *row, double *y)
{
	for (int t = 0; t < N; t++)
		y[t] = row->start + row->slope * t + row->wave * sin(t / 9.0) + row->noise * cos(1.7 * t * t);
}

static void
follows_the_reference(void **state)
{
	static const size_t places[4] = { 1, 2, 30, 59 };

	for (size_t r = 0; r < 2; r++) {
		struct theta_state s;
		double y[N], points[4];

		series(&rows[r], y);
		theta_start(&rows[r].parameters, &s);
		for (size_t t = 0, k = 0; t < N; t++) {
			if (k < 4 && t == places[k])
				assert_near(theta_next(&rows[r].parameters, &s), rows[r].fitted[k++], 1e-9);
			theta_update(&rows[r].parameters, &s, y[t]);
		}
		theta_forecast(&rows[r].parameters, &s, 4, points);
		for (size_t h = 0; h < 4; h++)
			assert_near(points[h], rows[r].forecast[h], 1e-9);
	}
}

static void
forecast(const double *y, size_t n, const struct theta_parameters *p, size_t horizon, double *points)
{
	struct theta_state s;

	theta_start(p, &s);
	for (size_t t = 0; t < n; t++)
		theta_update(p, &s, y[t]);
	theta_forecast(p, &s, horizon, points);
}

static double
misses(const double *y, size_t n, size_t horizon, const struct theta_parameters *p)
{
	double sum = 0;

	for (size_t t = n / 2; t + horizon <= n; t++) {
		double points[12];

		forecast(y, t, p, horizon, points);
		for (size_t h = 0; h < horizon; h++)
			sum += fabs(y[t + h] - points[h]);
	}
	return sum;
}

/* Over a horizon the fit is not notably worse than the reference's parameters, whatever those were made for. */
static void
fits_a_horizon(void **state)
{
	for (size_t r = 0; r < 2; r++) {
		struct theta_parameters p;
		double y[N];

		series(&rows[r], y);
		theta_fit(y, N, 12, &p);
		assert_in_range((int)(p.alpha * 1000), 100, 990);
		assert_true(p.theta >= 1);
		assert_true(misses(y, N, 12, &p) <= 1.08 * misses(y, N, 12, &rows[r].parameters));
	}
}

/* White noise around 5: the level hardly moves.  A random walk: it goes all the way. */
static void
knows_noise_from_drift(void **state)
{
	double noise[200], walk[200], points[1];
	struct theta_parameters p;

	for (uint64_t t = 0; t < 200; t++) {
		noise[t] = 5 + random_normal(1, 1, t);
		walk[t] = (t ? walk[t - 1] : 5) + random_normal(1, 2, t);
	}
	theta_fit(noise, 200, 1, &p);
	assert_true(p.alpha < .2);
	forecast(noise, 200, &p, 1, points);
	assert_near(points[0], 5, .5);
	theta_fit(walk, 200, 1, &p);
	assert_true(p.alpha > .7);
	forecast(walk, 200, &p, 1, points);
	assert_near(points[0], walk[199], 1);
}

/* A series moved up by far more than it moves by itself is forecast so much higher: where zero lies means nothing to the rule. */
static void
moves_with_the_series(void **state)
{
	for (size_t r = 0; r < 2; r++)
		for (size_t n = 15; n <= N; n *= 2) {
			double y[N], points[12], moved[12];
			struct theta_parameters p;

			series(&rows[r], y);
			theta_fit(y, n, 12, &p);
			forecast(y, n, &p, 12, points);
			for (size_t t = 0; t < n; t++)
				y[t] += 4096;
			theta_fit(y, n, 12, &p);
			forecast(y, n, &p, 12, moved);
			for (size_t h = 0; h < 12; h++)
				assert_near(moved[h] - 4096, points[h], 1e-6);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_reference),
		cmocka_unit_test(fits_a_horizon),
		cmocka_unit_test(knows_noise_from_drift),
		cmocka_unit_test(moves_with_the_series),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
