/* naive.c -- forecasts small enough to check by hand. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/forecast/naive.h"

#define VALUES_MAX 12

static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-12 * fmax(1, fabs(b));
}

/* Levels .25, .5, .75. */
static const struct row {
	const char *name;
	int64_t seasons[3];
	size_t n_seasons;
	int64_t residuals, residuals_min;
	double history[24];
	size_t n, horizon;
	enum naive_basis basis;
	double values[VALUES_MAX];
} rows[] = {
	/* Residuals of lag 2 in the last 4: 1, 3, 0, 2 -> sorted 0 1 2 3 -> .75, 1.5, 2.25. */
	{ "one season",
	  { 2 },
	  1,
	  4,
	  1,
	  { 10, 20, 11, 23, 11, 25 },
	  6,
	  2,
	  NAIVE_SEASONAL,
	  { 11.75, 12.5, 13.25, 25.75, 26.5, 27.25 } },
	/* Step 3 lies two seasons ahead: lag 4, residuals 11 - 10, 25 - 20 -> 1, 5 -> 2, 3, 4. */
	{ "second cycle",
	  { 2 },
	  1,
	  4,
	  1,
	  { 10, 20, 11, 23, 11, 25 },
	  6,
	  3,
	  NAIVE_SEASONAL,
	  { 11.75, 12.5, 13.25, 25.75, 26.5, 27.25, 13, 14, 15 } },
	/* Only the last two residuals count: 0, 2 -> .5, 1, 1.5. */
	{ "window", { 2 }, 1, 2, 1, { 10, 20, 11, 23, 11, 25 }, 6, 1, NAIVE_SEASONAL, { 11.5, 12, 12.5 } },
	/* Season 1: lag 1, differences 1 1 1 -> 4 + 1.  Season 2: lag 2, differences 2 2 -> 3 + 2. Mean 5. */
	{ "two seasons agree", { 1, 2 }, 2, 9, 1, { 1, 2, 3, 4 }, 4, 1, NAIVE_SEASONAL, { 5, 5, 5 } },
	/* Season 1: 6 + 3 = 9; season 3: history[1] = 0, residuals of lag 3: 6 - 3 = 3 -> 3.  Mean 6. */
	{ "two seasons are averaged", { 1, 3 }, 2, 1, 1, { 3, 0, 3, 6 }, 4, 1, NAIVE_SEASONAL, { 6, 6, 6 } },
	/* The longer season does not fit and is left out. */
	{ "season too long",
	  { 2, 50 },
	  2,
	  4,
	  1,
	  { 10, 20, 11, 23, 11, 25 },
	  6,
	  1,
	  NAIVE_SEASONAL,
	  { 11.75, 12.5, 13.25 } },
	/* The point of step 1 is missing: two seasons back, 11, with the residuals of lag 4, 5 alone (11 - 10 is gone). */
	{ "missing point", { 2 }, 1, 4, 1, { 10, 20, 11, 23, NAN, 25 }, 6, 1, NAIVE_SEASONAL, { 16, 16, 16 } },
	/* A missing value takes its residuals with it: 1, 0, 2 of lag 2 stay. */
	{ "missing residual",
	  { 2 },
	  1,
	  4,
	  1,
	  { 10, NAN, 11, 23, 11, 25 },
	  6,
	  2,
	  NAIVE_SEASONAL,
	  { 11.5, 12, 12.5, 25.5, 26, 26.5 } },
	/* No season: last value 7; differences 2, 4 -> 2.5, 3, 3.5 times sqrt(h). */
	{ "no season given",
	  { 0 },
	  0,
	  9,
	  1,
	  { 1, 3, 7 },
	  3,
	  4,
	  NAIVE_LAST,
	  { 9.5, 10, 10.5, 10.535533905932738, 11.242640687119286, 11.949747468305833, 11.330127018922193,
	    12.196152422706632, 13.06217782649107, 12, 13, 14 } },
	{ "season does not fit", { 4 }, 1, 9, 1, { 1, 3, 7 }, 3, 1, NAIVE_LAST, { 9.5, 10, 10.5 } },
	{ "too few residuals of a season", { 2 }, 1, 9, 2, { 1, 3, 7 }, 3, 1, NAIVE_LAST, { 9.5, 10, 10.5 } },
	/* -4 -2 2 4. */
	{ "so few residuals go both ways", { 0 }, 0, 9, 3, { 1, 3, 7 }, 3, 1, NAIVE_LAST, { 4.5, 7, 9.5 } },
	/* The last value is two steps old: sqrt(1 + 3) at the first step. */
	{ "old last value", { 0 }, 0, 9, 1, { 1, 3, 7, NAN, NAN, NAN }, 6, 1, NAIVE_LAST, { 12, 13, 14 } },
	{ "one value", { 24 }, 1, 9, 1, { 5 }, 1, 2, NAIVE_LAST, { 5, 5, 5, 5, 5, 5 } },
	{ "no value", { 24 }, 1, 9, 1, { NAN, NAN }, 2, 1, NAIVE_NONE, { -1, -1, -1 } },
	{ "empty", { 24 }, 1, 9, 1, { 0 }, 0, 1, NAIVE_NONE, { -1, -1, -1 } },
	{ "ends of a double",
	  { 1 },
	  1,
	  9,
	  1,
	  { -DBL_MAX, DBL_MAX, -DBL_MAX, DBL_MAX, DBL_MAX },
	  5,
	  1,
	  NAIVE_SEASONAL,
	  { DBL_MAX, DBL_MAX, DBL_MAX } },
};

static void
by_hand(void **state)
{
	static const double levels[] = { .25, .5, .75 };
	const struct row *row = *state;
	const struct naive_rule rule = { row->seasons, row->n_seasons, row->residuals, row->residuals_min };
	double values[VALUES_MAX];
	enum naive_basis basis;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < VALUES_MAX; i++)
		values[i] = -1;
	assert_int_equal(naive_forecast(&rule, row->history, row->n, row->horizon, levels, 3, values, &basis, &err), 0);
	assert_int_equal(basis, row->basis);
	for (size_t i = 0; i < row->horizon * 3; i++)
		if (!near(values[i], row->values[i]))
			fail_msg("value %zu is %.17g, not %.17g", i, values[i], row->values[i]);
}

#define DAY 24
#define STEPS 60
#define LEVELS 19

static void
nineteen(double levels[LEVELS])
{
	for (int i = 0; i < LEVELS; i++)
		levels[i] = 0.05 * (i + 1);
}

/* A season without noise is foretold exactly, at every level, over several of its lengths. */
static void
point_mass(void **state)
{
	static const int64_t seasons[] = { DAY, 7 * DAY };
	const struct naive_rule rule = { seasons, 2, 336, 16 };
	double history[600], levels[LEVELS], values[STEPS * LEVELS];
	enum naive_basis basis;
	struct err err = ERR_INIT;

	nineteen(levels);
	for (size_t t = 0; t < ARRAY_LEN(history); t++)
		history[t] = (double)(t % DAY * t % DAY);
	assert_int_equal(naive_forecast(&rule, history, 600, STEPS, levels, LEVELS, values, &basis, &err), 0);
	assert_int_equal(basis, NAIVE_SEASONAL);
	for (size_t h = 0; h < STEPS; h++)
		for (size_t q = 0; q < LEVELS; q++)
			assert_true(values[h * LEVELS + q] == (double)((600 + h) % DAY * (600 + h) % DAY));
}

/* Rows ascend and are finite whatever the history: noise, holes of every share, equal values, few values. */
static void
rows_ascend(void **state)
{
	static const int64_t seasons[] = { 5, DAY };
	double history[400], levels[LEVELS], values[STEPS * LEVELS];
	struct err err = ERR_INIT;

	nineteen(levels);
	for (uint64_t round = 0; round < 400; round++) {
		const struct naive_rule rule = { seasons, round % 3, 1 + (int64_t)(round * 7 % 300),
						 1 + (int64_t)(round % 20) };
		size_t n = (size_t)(random_uniform(1, round, 0) * 400);
		enum naive_basis basis;

		for (size_t t = 0; t < n; t++) {
			history[t] = 1e3 + 0.1 * floor(10 * random_normal(2, round, t));
			if (random_uniform(3, round, t) < (double)(round % 10) / 10)
				history[t] = NAN;
		}
		assert_int_equal(naive_forecast(&rule, history, n, STEPS, levels, LEVELS, values, &basis, &err), 0);
		for (size_t i = 0; basis != NAIVE_NONE && i < ARRAY_LEN(values); i++) {
			assert_true(isfinite(values[i]));
			assert_true(i % LEVELS == 0 || values[i] >= values[i - 1]);
		}
	}
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 2] = { cmocka_unit_test(point_mass), cmocka_unit_test(rows_ascend) };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i + 2] = (struct CMUnitTest){ rows[i].name, by_hand, NULL, NULL, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
