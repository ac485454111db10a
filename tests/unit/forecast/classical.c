/* classical.c -- what holds for every rule, and what each must be able to see. */
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
#include "common/forecast/classical.h"
#include "common/forecast/naive.h"

#define N_MAX 2000
#define HORIZON 24
#define LEVELS 9
#define assert_near(got, wanted, within) assert_true(fabs((got) - (wanted)) <= (within))

static const double levels[LEVELS] = { .1, .2, .3, .4, .5, .6, .7, .8, .9 };
static const int32_t lags[] = { 1, 2, 3, 4, 5, 6, 7, 23, 24, 25, 47, 48, 49, 167, 168, 169, 335, 336, 337 };
static double history[N_MAX + HORIZON], values[200 * LEVELS], others[200 * LEVELS];

static struct classical_input
input(size_t n)
{
	return (struct classical_input){ history, n,      24,    168, lags, sizeof(lags) / sizeof(lags[0]),
					 HORIZON, levels, LEVELS };
}

/* Forecast into VALUES; what must hold of any. */
static bool
forecast(enum classical_kind kind, const struct classical_input *in)
{
	struct err err = ERR_INIT;
	bool awake = false;

	assert_int_equal(classical_forecast(kind, in, values, NULL, &awake, &err), 0);
	for (size_t i = 0; awake && i < in->horizon * in->n_levels; i++) {
		assert_true(isfinite(values[i]));
		assert_true(i % in->n_levels == 0 || values[i - 1] <= values[i]);
	}
	return awake;
}

static double
hour(uint64_t t)
{
	return 100 + 20 * sin(2 * M_PI * (double)t / 24) + (t / 24 % 7 > 4 ? -15 : 0);
}

static void
hourly(size_t n, uint64_t stream, double noise)
{
	double drift = 0;

	for (uint64_t t = 0; t < n; t++) {
		drift = .8 * drift + noise * random_normal(11, stream, t);
		history[t] = hour(t) + drift;
	}
}

static void
has_names(void **state)
{
	static const char *const names[] = { "last", "season", "long-season", "theta", "ets", "ridge" };

	for (size_t k = 0; k < CLASSICAL_COUNT; k++)
		assert_string_equal(classical_name((enum classical_kind)k), names[k]);
}

static void
naive_kinds_are_naive(void **state)
{
	static const int64_t seasons[] = { 1, 24, 168 };

	hourly(720, 1, 5);
	for (size_t k = 0; k < 3; k++) {
		const struct naive_rule rule = { &seasons[k], 1, 336, 8, false };
		struct classical_input in = input(720);
		enum naive_basis basis;
		struct err err = ERR_INIT;

		assert_int_equal(naive_forecast(&rule, history, 720, HORIZON, levels, LEVELS, others, &basis, &err), 0);
		assert_true(forecast((enum classical_kind)k, &in));
		assert_memory_equal(values, others, HORIZON * LEVELS * sizeof(*values));
	}
}

/* The seasons are there to be seen, and the noise is small. */
static void
fitted_kinds_follow_seasons(void **state)
{
	for (size_t k = CLASSICAL_THETA; k < CLASSICAL_COUNT; k++) {
		struct classical_input in = input(720);
		double error = 0;

		hourly(720, 2, .5);
		assert_true(forecast((enum classical_kind)k, &in));
		for (size_t h = 0; h < HORIZON; h++)
			error += fabs(values[h * LEVELS + 4] - hour(720 + h)) / HORIZON;
		assert_true(error < 1.5);
	}
}

/* Of 84 series of an AR(1) around two seasons, at all hours: as many values inside .1 to .9 as there should be, or nearly. */
static void
quantiles_cover(void **state)
{
	for (size_t k = 0; k < CLASSICAL_COUNT; k++) {
		size_t inside = 0, below = 0, all = 84 * HORIZON;

		for (uint64_t s = 0; s < 84; s++) {
			size_t n = 800 + s * 37 % 168;
			struct classical_input in = input(n);

			hourly(n + HORIZON, 100 + s, 3);
			assert_true(forecast((enum classical_kind)k, &in));
			for (size_t h = 0; h < HORIZON; h++) {
				const double *row = values + h * LEVELS;

				inside += row[0] <= history[n + h] && history[n + h] <= row[8];
				below += history[n + h] <= row[4];
			}
		}
		assert_in_range(inside, all * 72 / 100, all * 88 / 100);
		assert_in_range(below, all * 42 / 100, all * 58 / 100);
	}
}

/* Noise that is ten times larger by day: so are the quantiles. */
static void
spread_depends_on_the_hour(void **state)
{
	for (size_t k = CLASSICAL_THETA; k < CLASSICAL_COUNT; k++) {
		struct classical_input in = input(1000);
		double day = 0, night = 0;

		for (uint64_t t = 0; t < 1000; t++)
			history[t] = 100 + (t % 24 < 12 ? 10 : 1) * (random_normal(12, 1, t) + (double)(t % 24) / 8);
		assert_true(forecast((enum classical_kind)k, &in));
		for (size_t h = 0; h < HORIZON; h++)
			*((1000 + h) % 24 < 12 ? &day : &night) += values[h * LEVELS + 8] - values[h * LEVELS];
		assert_true(day > 3 * night);
	}
}

/* A power of two in the unit is a power of two in the forecast, to the last bit, and no size is too large or too small. */
static void
any_unit_will_do(void **state)
{
	static const int powers[] = { 3, 1000, -1000 };

	for (size_t k = 0; k < CLASSICAL_COUNT; k++)
		for (size_t i = 0; i < 3; i++) {
			size_t n =
			    k < CLASSICAL_THETA && k != CLASSICAL_LONG_SEASON ? 60 : 720; /* few: their walk counts */
			struct classical_input in = input(n);

			hourly(n, 3, 5);
			assert_true(forecast((enum classical_kind)k, &in));
			memcpy(others, values, sizeof(others));
			for (size_t t = 0; t < n; t++)
				history[t] = ldexp(history[t], powers[i]);
			assert_true(forecast((enum classical_kind)k, &in));
			for (size_t q = 0; q < HORIZON * LEVELS; q++)
				assert_true(values[q] == ldexp(others[q], powers[i]));
		}
}

static void
survives(const struct classical_input *in)
{
	for (size_t k = 0; k < CLASSICAL_COUNT; k++)
		forecast((enum classical_kind)k, in);
}

/* Whatever the history: finite and ascending, or asleep (forecast() asserts it). */
static void
survives_anything(void **state)
{
	for (size_t n = 0; n < 120; n += n < 40 ? 1 : 7) {
		struct classical_input in = input(n);

		for (uint64_t s = 0; s < 6; s++) {
			for (uint64_t t = 0; t < n; t++) {
				double x = random_normal(13, s, t), u = random_uniform(14, s, t);

				history[t] = s == 0   ? x
					     : s == 1 ? exp(100 * x)
					     : s == 2 ? (u < .5 ? NAN : x)
					     : s == 3 ? (u < .9 ? 0 : 1e308 * (x > 0 ? 1 : -1))
					     : s == 4 ? pow(1.9, (double)t)
						      : (t % 7 ? INFINITY : -INFINITY);
			}
			in.season = s % 2 ? 7 : 24;
			in.long_season = s % 2 ? 30 : 168;
			in.lags = s % 3 ? lags : NULL;
			in.horizon = s == 5 ? 200 : HORIZON;
			survives(&in);
			in.season = in.long_season = 1;
			survives(&in);
		}
	}
}

static void
degenerate_histories(void **state)
{
	struct classical_input in = input(0);

	for (size_t k = 0; k < CLASSICAL_COUNT; k++)
		assert_false(forecast((enum classical_kind)k, &in));
	in = input(500);
	for (size_t t = 0; t < 500; t++)
		history[t] = NAN;
	for (size_t k = 0; k < CLASSICAL_COUNT; k++)
		assert_false(forecast((enum classical_kind)k, &in));
	for (size_t t = 0; t < 500; t++)
		history[t] = 7;
	for (size_t k = 0; k < CLASSICAL_COUNT; k++) {
		bool awake = forecast((enum classical_kind)k, &in);

		assert_int_equal(awake, k <= CLASSICAL_LONG_SEASON);
		for (size_t i = 0; awake && i < HORIZON * LEVELS; i++)
			assert_true(values[i] == 7);
	}
	in.season = 1;
	in.long_season = 0;
	assert_true(forecast(CLASSICAL_LAST, &in));
	assert_false(forecast(CLASSICAL_SEASON, &in));
	assert_false(forecast(CLASSICAL_LONG_SEASON, &in));
}

/* Five days missing, the last of them today: a fitted rule still knows the season. */
static void
sees_past_holes(void **state)
{
	for (size_t k = CLASSICAL_THETA; k < CLASSICAL_COUNT; k++) {
		struct classical_input in = input(720);
		double error = 0;

		hourly(720, 4, .5);
		for (size_t t = 300; t < 396; t++)
			history[t] = NAN;
		for (size_t t = 696; t < 720; t++)
			history[t] = NAN;
		assert_true(forecast((enum classical_kind)k, &in));
		for (size_t h = 0; h < HORIZON; h++)
			error += fabs(values[h * LEVELS + 4] - hour(720 + h)) / HORIZON;
		assert_true(error < 8);
	}
}

/* Dark at night: nothing below 0.  A series that doubles all the time is not forecast to do so for ever. */
static void
keeps_bounds(void **state)
{
	for (size_t k = CLASSICAL_THETA; k < CLASSICAL_COUNT; k++) {
		struct classical_input in = input(720);

		for (uint64_t t = 0; t < 720; t++)
			history[t] = fmax(0, sin(2 * M_PI * (double)t / 24)) * (5 + random_normal(15, 1, t));
		for (uint64_t t = 0; t < 720; t++)
			history[t] = fmax(0, history[t]);
		assert_true(forecast((enum classical_kind)k, &in));
		for (size_t i = 0; i < HORIZON * LEVELS; i++)
			assert_true(values[i] >= 0);
		in = input(100);
		for (size_t t = 0; t < 100; t++)
			history[t] = pow(2, (double)t / 4);
		if (forecast((enum classical_kind)k, &in))
			for (size_t i = 0; i < HORIZON * LEVELS; i++)
				assert_true(values[i] <= 2 * history[99]);
	}
}

/* Of 20 points on a line nobody knows whether the 60th after them is on it, too. */
static void
trends_end(void **state)
{
	for (size_t k = CLASSICAL_THETA; k <= CLASSICAL_ETS; k++) {
		struct classical_input in = input(20);

		in.horizon = 60;
		in.season = in.long_season = 1;
		for (size_t t = 0; t < in.n; t++)
			history[t] = 10 + (double)t + .2 * random_normal(13, k, t);
		assert_true(forecast((enum classical_kind)k, &in));
		assert_true(values[12 * LEVELS + 4] > history[19] + 3);
		assert_true(values[19 * LEVELS + 4] > values[12 * LEVELS + 4] + 1);
		for (size_t h = 20; h < in.horizon; h++)
			assert_true(fabs(values[h * LEVELS + 4] - values[19 * LEVELS + 4]) < 1.5);
	}
}

/* Only the end of a long history matters to the fitted rules. */
static void
forgets(void **state)
{
	for (size_t k = CLASSICAL_THETA; k < CLASSICAL_COUNT; k++) {
		struct classical_input in = input(N_MAX);

		hourly(N_MAX, 5, 5);
		assert_true(forecast((enum classical_kind)k, &in));
		memcpy(others, values, sizeof(others));
		for (size_t t = 0; t < 600; t++)
			history[t] = 1e6;
		assert_true(forecast((enum classical_kind)k, &in));
		assert_memory_equal(values, others, sizeof(others));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_names),
		cmocka_unit_test(naive_kinds_are_naive),
		cmocka_unit_test(fitted_kinds_follow_seasons),
		cmocka_unit_test(quantiles_cover),
		cmocka_unit_test(spread_depends_on_the_hour),
		cmocka_unit_test(any_unit_will_do),
		cmocka_unit_test(survives_anything),
		cmocka_unit_test(degenerate_histories),
		cmocka_unit_test(sees_past_holes),
		cmocka_unit_test(keeps_bounds),
		cmocka_unit_test(trends_end),
		cmocka_unit_test(forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
