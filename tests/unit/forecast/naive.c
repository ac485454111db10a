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
#include "common/forecast/spread.h"

#define STEPS_MAX 4
#define SEASONS_MAX 2
#define LEVELS_OF_ROWS 3

static const double levels_of_rows[LEVELS_OF_ROWS] = { .25, .5, .75 };

static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-12 * fmax(1, fabs(b));
}

/* What one season says of one step. */
struct saying {
	size_t lag; /* 0: nothing */
	double point;
	double residuals[4]; /* sorted */
	size_t n;
};

static const struct season_row {
	const char *name;
	int64_t seasons[SEASONS_MAX];
	size_t n_seasons;
	int64_t residuals;
	double history[6];
	size_t n, horizon;
	struct saying sayings[STEPS_MAX][SEASONS_MAX];
} season_rows[] = {
	/* Of the last 4: 11 - 10, 23 - 20, 11 - 11, 25 - 23. */
	{ "one season",
	  { 2 },
	  1,
	  4,
	  { 10, 20, 11, 23, 11, 25 },
	  6,
	  2,
	  { { { 2, 11, { 0, 1, 2, 3 }, 4 } }, { { 2, 25, { 0, 1, 2, 3 }, 4 } } } },
	/* Step 3 lies two seasons ahead: 11 - 10, 25 - 20. */
	{ "second cycle",
	  { 2 },
	  1,
	  4,
	  { 10, 20, 11, 23, 11, 25 },
	  6,
	  3,
	  { { { 2, 11, { 0, 1, 2, 3 }, 4 } }, { { 2, 25, { 0, 1, 2, 3 }, 4 } }, { { 4, 11, { 1, 5 }, 2 } } } },
	{ "window", { 2 }, 1, 2, { 10, 20, 11, 23, 11, 25 }, 6, 1, { { { 2, 11, { 0, 2 }, 2 } } } },
	{ "two seasons",
	  { 1, 2 },
	  2,
	  9,
	  { 1, 2, 3, 4 },
	  4,
	  1,
	  { { { 1, 4, { 1, 1, 1 }, 3 }, { 2, 3, { 2, 2 }, 2 } } } },
	{ "two that disagree", { 1, 3 }, 2, 1, { 3, 0, 3, 6 }, 4, 1, { { { 1, 6, { 3 }, 1 }, { 3, 0, { 3 }, 1 } } } },
	/* It does not fit and is left out. */
	{ "season too long", { 2, 50 }, 2, 4, { 10, 20, 11, 23, 11, 25 }, 6, 1, { { { 2, 11, { 0, 1, 2, 3 }, 4 } } } },
	/* The point of step 1 is missing: two seasons back, 11, with what lag 4 misses, 25 - 20 alone (11 - 10 is gone). */
	{ "missing point", { 2 }, 1, 4, { 10, 20, 11, 23, NAN, 25 }, 6, 1, { { { 4, 11, { 5 }, 1 } } } },
	/* A missing value takes its residuals with it. */
	{ "missing residual",
	  { 2 },
	  1,
	  4,
	  { 10, NAN, 11, 23, 11, 25 },
	  6,
	  2,
	  { { { 2, 11, { 0, 1, 2 }, 3 } }, { { 2, 25, { 0, 1, 2 }, 3 } } } },
	{ "ends of a double",
	  { 1 },
	  1,
	  9,
	  { -DBL_MAX, DBL_MAX, -DBL_MAX, DBL_MAX, DBL_MAX },
	  5,
	  1,
	  { { { 1, DBL_MAX, { 0 }, 1 } } } },
};

/* Sample deviation of the differences of neighbours, of the last ROW->residuals values. */
static double
step_of(const struct season_row *row)
{
	double sum = 0, squares = 0, n = 0;
	size_t window = (size_t)row->residuals;

	for (size_t t = row->n > window + 1 ? row->n - window : 1; t < row->n; t++) {
		double difference = row->history[t] - row->history[t - 1];

		if (!isfinite(difference))
			continue;
		sum += difference;
		squares += difference * difference;
		n++;
	}
	return n > 1 ? sqrt((squares - sum * sum / n) / (n - 1)) : INFINITY;
}

/* The mean of what the seasons say at LEVEL of a step. */
static double
said(const struct season_row *row, const struct saying *sayings, double level)
{
	double sum = 0, n = 0;

	for (size_t i = 0; i < SEASONS_MAX; i++) {
		const struct saying *it = &sayings[i];
		struct spread s;

		if (!it->lag)
			continue;
		s = spread_of(it->residuals, it->n, fmax(1, (double)it->n / (double)it->lag),
			      step_of(row) * sqrt((double)it->lag));
		sum += it->point + spread_quantile(&s, level);
		n++;
	}
	return sum / n;
}

static void
seasons_by_hand(void **state)
{
	const struct season_row *row = *state;
	const struct naive_rule rule = { row->seasons, row->n_seasons, row->residuals, 1, false };
	double values[STEPS_MAX * LEVELS_OF_ROWS];
	enum naive_basis basis;
	struct err err = ERR_INIT;

	assert_int_equal(naive_forecast(&rule, row->history, row->n, row->horizon, levels_of_rows, LEVELS_OF_ROWS,
					values, &basis, &err),
			 0);
	assert_int_equal(basis, NAIVE_SEASONAL);
	for (size_t i = 0; i < row->horizon * LEVELS_OF_ROWS; i++) {
		double asked = said(row, row->sayings[i / LEVELS_OF_ROWS], levels_of_rows[i % LEVELS_OF_ROWS]);

		if (!near(values[i], asked))
			fail_msg("value %zu is %.17g, not %.17g", i, values[i], asked);
	}
}

/* No season has anything to say. */
static const struct last_row {
	const char *name;
	int64_t season; /* 0: none */
	int64_t residuals_min;
	double history[6];
	size_t n, horizon;
	enum naive_basis basis;
	double values[STEPS_MAX * LEVELS_OF_ROWS];
} last_rows[] = {
	/* Last value 7; differences 2, 4 -> 2.5, 3, 3.5 times sqrt(h). */
	{ "no season given",
	  0,
	  1,
	  { 1, 3, 7 },
	  3,
	  4,
	  NAIVE_LAST,
	  { 9.5, 10, 10.5, 10.535533905932738, 11.242640687119286, 11.949747468305833, 11.330127018922193,
	    12.196152422706632, 13.06217782649107, 12, 13, 14 } },
	{ "season does not fit", 4, 1, { 1, 3, 7 }, 3, 1, NAIVE_LAST, { 9.5, 10, 10.5 } },
	{ "too few residuals of a season", 2, 2, { 1, 3, 7 }, 3, 1, NAIVE_LAST, { 9.5, 10, 10.5 } },
	/* -4 -2 2 4. */
	{ "so few residuals go both ways", 0, 3, { 1, 3, 7 }, 3, 1, NAIVE_LAST, { 4.5, 7, 9.5 } },
	/* The last value is two steps old: sqrt(1 + 3) at the first step. */
	{ "old last value", 0, 1, { 1, 3, 7, NAN, NAN, NAN }, 6, 1, NAIVE_LAST, { 12, 13, 14 } },
	{ "one value", 24, 1, { 5 }, 1, 2, NAIVE_LAST, { 5, 5, 5, 5, 5, 5 } },
	{ "no value", 24, 1, { NAN, NAN }, 2, 1, NAIVE_NONE, { -1, -1, -1 } },
	{ "empty", 24, 1, { 0 }, 0, 1, NAIVE_NONE, { -1, -1, -1 } },
};

static void
last_by_hand(void **state)
{
	const struct last_row *row = *state;
	const struct naive_rule rule = { &row->season, row->season > 0, 9, row->residuals_min, false };
	double values[STEPS_MAX * LEVELS_OF_ROWS];
	enum naive_basis basis;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		values[i] = -1;
	assert_int_equal(naive_forecast(&rule, row->history, row->n, row->horizon, levels_of_rows, LEVELS_OF_ROWS,
					values, &basis, &err),
			 0);
	assert_int_equal(basis, row->basis);
	for (size_t i = 0; i < row->horizon * LEVELS_OF_ROWS; i++)
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
	const struct naive_rule rule = { seasons, 2, 336, 16, false };
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
						 1 + (int64_t)(round % 20), round % 2 };
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
	struct CMUnitTest tests[2 + ARRAY_LEN(season_rows) + ARRAY_LEN(last_rows)] = { cmocka_unit_test(point_mass),
										       cmocka_unit_test(rows_ascend) };
	size_t n = 2;

	for (size_t i = 0; i < ARRAY_LEN(season_rows); i++)
		tests[n++] =
		    (struct CMUnitTest){ season_rows[i].name, seasons_by_hand, NULL, NULL, (void *)&season_rows[i] };
	for (size_t i = 0; i < ARRAY_LEN(last_rows); i++)
		tests[n++] = (struct CMUnitTest){ last_rows[i].name, last_by_hand, NULL, NULL, (void *)&last_rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
