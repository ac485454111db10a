/* profile.c -- what a past is made into: holes, bounds, seasons. */
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
#include "common/forecast/profile.h"

#define N 700
#define assert_near(got, wanted, within) assert_true(fabs((got) - (wanted)) <= (within))

static double history[2000];
static struct past past;
static struct profile profile;

static bool
prepare(size_t n, int32_t season, size_t horizon)
{
	const struct classical_input in = { .history = history, .n = n, .season = season, .horizon = horizon };

	return past_init(&past, &in);
}

static double
back(double value)
{
	return ldexp(value, past.exponent);
}

static void
fills_holes(void **state)
{
	for (size_t t = 0; t < 72; t++)
		history[t] = (double)(t % 24 + t / 24);
	history[0] = NAN;                /* the past begins with a known value */
	history[30] = history[31] = NAN; /* 7 and 8 + 1, a line from 6 + 1 to 9 + 1 */
	for (size_t t = 49; t < 60; t++) /* too long for a line: the season before */
		history[t] = NAN;
	history[71] = INFINITY; /* at the end: the season before */
	assert_true(prepare(72, 24, 12));
	assert_int_equal(past.n, 71);
	assert_int_equal(past.season, 1); /* 71 values are not three seasons */
	history[0] = 0;
	assert_true(prepare(72, 24, 12));
	assert_int_equal(past.n, 72);
	assert_int_equal(past.season, 24);
	assert_near(back(past.y[30]), 7, 1e-12);
	assert_near(back(past.y[31]), 8, 1e-12);
	assert_near(back(past.y[49]), 2, 1e-12);
	assert_near(back(past.y[59]), 12, 1e-12);
	assert_near(back(past.y[71]), 24, 1e-12);
	assert_false(past.known[30] || past.known[49] || past.known[71]);
	assert_true(past.known[29]);
}

/* 0, 1, 2 .. 99: a forecast may leave that by 99; where a tenth lies on 0 it cannot go below. */
static void
bounds(void **state)
{
	for (size_t t = 0; t < 100; t++)
		history[t] = (double)t;
	assert_true(prepare(100, 1, 12));
	assert_near(back(past.low), -99, 1e-12);
	assert_near(back(past.high), 198, 1e-12);
	for (size_t t = 0; t < 10; t++)
		history[t] = 0;
	assert_true(prepare(100, 1, 200));
	assert_near(back(past.low), 0, 0);
	assert_near(back(past.high), 99 + 198, 1e-12); /* the horizon is twice as long as the past */
	assert_near(past_clamp(&past, -1), 0, 0);
}

static void
refuses(void **state)
{
	for (size_t t = 0; t < 100; t++)
		history[t] = 5;
	assert_false(prepare(100, 1, 12)); /* constant */
	assert_false(prepare(0, 1, 12));
	for (size_t t = 0; t < 100; t++)
		history[t] = t < 20 || t % 4 == 0 ? (double)t : NAN;
	assert_true(prepare(100, 1, 12)); /* 40 of 100 */
	for (size_t t = 0; t < 20; t++)
		history[t] = t % 4 == 0 ? (double)t : NAN;
	assert_false(prepare(100, 1, 12)); /* 25 of 100 */
	for (size_t t = 0; t < 100; t++)
		history[t] = NAN;
	assert_false(prepare(100, 1, 12));
}

/* Places that residuals come from reach every phase of the season. */
static void
plans(void **state)
{
	for (size_t t = 0; t < 2000; t++)
		history[t] = sin((double)t);
	assert_true(prepare(2000, 24, 24));
	assert_int_equal(past.n, PAST_MAX);
	assert_near(back(past.y[PAST_MAX - 1]), history[1999], 1e-15);
	assert_int_equal(past.first, PAST_MAX - 336 - 24);
	assert_int_equal(past.stride, 5); /* 4 would see every sixth hour only */
	assert_true(prepare(60, 12, 12));
	assert_int_equal(past.first, 40);
	assert_int_equal(past.stride, 1);
}

static void
finds_sums_and_products(void **state)
{
	static const double waves[] = { 0, 6, -2, -4 };

	for (size_t t = 0; t < N; t++)
		history[t] = 10 + .1 * (double)t + waves[t % 4] - 40;
	assert_true(prepare(N, 4, 8));
	profile_fit(&past, N, 0, &profile);
	assert_int_equal(profile.kind, PROFILE_SUM); /* some values are negative */
	for (size_t i = 0; i < 4; i++)
		assert_near(back(profile.index[i]), waves[i], 1e-9);
	assert_near(profile_restore(&profile, 5, profile_remove(&profile, 5, .3)), .3, 1e-15);

	for (size_t t = 0; t < N; t++)
		history[t] = 50 * (1 + waves[t % 4] / 10);
	assert_true(prepare(N, 4, 8));
	profile_fit(&past, N, 0, &profile);
	assert_int_equal(profile.kind, PROFILE_PRODUCT);
	for (size_t i = 0; i < 4; i++)
		assert_near(profile.index[i], 1 + waves[i] / 10, 1e-9);
	assert_near(profile_restore(&profile, 6, profile_remove(&profile, 6, .3)), .3, 1e-15);
}

static void
finds_no_season_in_chance(void **state)
{
	size_t found = 0;

	for (uint64_t k = 0; k < 100; k++) {
		for (uint64_t t = 0; t < 300; t++)
			history[t] = (t && k % 2 ? history[t - 1] : 100) + random_normal(5, k, t);
		assert_true(prepare(300, 7, 7));
		profile_fit(&past, 300, 0, &profile);
		found += profile.kind != PROFILE_NONE;
	}
	assert_true(found <= 20); /* a one-sided test of 5 %; it is meant to err a little more than that */
}

/* Weekdays and weekends differ: the longer season is found where it is, and only there. */
static void
finds_the_longer_season(void **state)
{
	for (uint64_t t = 0; t < N; t++)
		history[t] =
		    100 + 10 * sin(2 * M_PI * (double)t / 24) - (t / 24 % 7 > 4 ? 30 : 0) + random_normal(6, 1, t);
	assert_true(prepare(N, 24, 24));
	profile_fit(&past, N, 168, &profile);
	assert_int_equal(profile.length, 168);
	assert_near(profile.index[12] / profile.index[132], 100 / 70.0, .05); /* Monday's and Saturday's noon */
	for (uint64_t t = 0; t < N; t++)
		history[t] = 100 + 10 * sin(2 * M_PI * (double)t / 24) + random_normal(6, 1, t);
	assert_true(prepare(N, 24, 24));
	profile_fit(&past, N, 168, &profile);
	assert_int_equal(profile.length, 24);
	profile_fit(&past, 500, 168, &profile); /* not three weeks */
	assert_int_equal(profile.length, 24);
}

static void
sorts(void **state)
{
	for (uint64_t n = 0; n < 60; n++) {
		double values[60];

		for (uint64_t i = 0; i < n; i++)
			values[i] = floor(20 * random_uniform(7, n, i));
		residual_sort(values, n);
		for (size_t i = 1; i < n; i++)
			assert_true(values[i - 1] <= values[i]);
	}
}

/* Three clear cycles are enough, as they are said to be; three of noise or of a walk are hardly ever one. */
static void
finds_a_young_season(void **state)
{
	int waves = 0, noises = 0, walks = 0;

	for (uint64_t i = 0; i < 100; i++) {
		for (size_t t = 0; t < 72; t++)
			history[t] = 10 + 5 * sin((double)t * 2 * 3.14159265358979 / 24) + random_normal(7, i, t);
		assert_true(prepare(72, 24, 12));
		profile_fit(&past, 72, 0, &profile);
		waves += profile.kind != PROFILE_NONE;
		for (size_t t = 0; t < 72; t++)
			history[t] = 10 + random_normal(8, i, t);
		assert_true(prepare(72, 24, 12));
		profile_fit(&past, 72, 0, &profile);
		noises += profile.kind != PROFILE_NONE;
		for (size_t t = 1; t < 72; t++)
			history[t] = history[t - 1] + random_normal(9, i, t);
		assert_true(prepare(72, 24, 12));
		profile_fit(&past, 72, 0, &profile);
		walks += profile.kind != PROFILE_NONE;
	}
	print_message("of 100: %d waves, %d of noise, %d walks\n", waves, noises, walks);
	assert_true(waves >= 95 && noises <= 15 && walks <= 15);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_holes),
		cmocka_unit_test(bounds),
		cmocka_unit_test(refuses),
		cmocka_unit_test(plans),
		cmocka_unit_test(finds_sums_and_products),
		cmocka_unit_test(finds_no_season_in_chance),
		cmocka_unit_test(finds_a_young_season),
		cmocka_unit_test(finds_the_longer_season),
		cmocka_unit_test(sorts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
