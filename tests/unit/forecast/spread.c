/* spread.c -- what follows from few misses. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/forecast/special.h"
#include "common/forecast/spread.h"

static bool
near(double a, double b)
{
	return fabs(a - b) < 1e-3 * fmax(1, fabs(b));
}

/* Numbers by the formulas of spread.h, computed apart from it with the exact quantiles of the normal distribution. */
static void
by_hand(void **state)
{
	static const struct {
		double sorted[4];
		size_t n;
		double cycles, walk;
		double quantiles[3]; /* .25, .5, .75 */
	} rows[] = {
		{ { 0, 1, 2, 3 }, 4, 2, INFINITY, { -.1838, .7755, 1.7349 } },
		{ { 0, 1, 2 }, 3, 1.5, INFINITY, { -.5592, .2449, 1.0491 } },
		{ { 1, 2 }, 2, 2, INFINITY, { .6759, 1.0862, 1.4965 } },
		{ { 0, 1, 3 }, 3, 3, INFINITY, { -.0196, .5394, 1.6575 } },
		{ { 3, 3 }, 2, 1, INFINITY, { -2.3812, 0, 2.3812 } }, /* one cycle: it may have been chance */
		{ { 3, 3 },
		  2,
		  1,
		  .5,
		  { 2.8505, 2.9167, 2.9828 } }, /* but not of a series that moves by .5 in a cycle */
		{ { -2, 1, 2, 4 }, 4, INFINITY, INFINITY, { .25, 1.5, 2.5 } }, /* as they are */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spread s = spread_of(rows[i].sorted, rows[i].n, rows[i].cycles, rows[i].walk);

		for (size_t q = 0; q < 3; q++)
			if (!near(spread_quantile(&s, .25 * (double)(q + 1)), rows[i].quantiles[q]))
				fail_msg("row %zu, quantile %zu: %g", i, q, spread_quantile(&s, .25 * (double)(q + 1)));
	}
}

/* In whatever unit: squares of such numbers are none. */
static void
units_do_not_matter(void **state)
{
	static const double plain[] = { 2, 3, 4, 5, 7 }, units[] = { 1e160, 1e-170, 1e300 };

	(void)state;
	for (size_t u = 0; u < ARRAY_LEN(units); u++)
		for (double cycles = 1; cycles < 9; cycles *= 2) {
			double other[5];
			struct spread s = spread_of(plain, 5, cycles, 3), t;

			for (size_t i = 0; i < 5; i++)
				other[i] = plain[i] * units[u];
			t = spread_of(other, 5, cycles, 3 * units[u]);
			for (int level = 1; level < 10; level++)
				assert_true(near(spread_quantile(&t, level / 10.) / units[u],
						 spread_quantile(&s, level / 10.)));
		}
}

static void
normal_quantiles(void **state)
{
	static const double rows[][2] = { { .5, 0 },       { .75, .67449 },   { .8413447, 1 },
					  { .9, 1.28155 }, { .975, 1.95996 }, { .999, 3.09023 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(fabs(special_normal_quantile(rows[i][0]) - rows[i][1]) < 5e-4);
		assert_true(fabs(special_normal_quantile(1 - rows[i][0]) + rows[i][1]) < 5e-4);
	}
}

#define DAY 24

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Misses of DAYS days: each has an offset of its own, and its hours differ by a third of that.  Sorted into MISSES. */
static void
days_made(uint64_t round, size_t days, double *misses)
{
	for (size_t t = 0; t < days * DAY; t++)
		misses[t] = random_normal(1, round, t / DAY) + random_normal(2, round, t) / 3;
	qsort(misses, days * DAY, sizeof(*misses), ascending);
}

/* How often 80 % intervals hold a miss of the next day, believed as CYCLES cycles. */
static double
covered(size_t days, double cycles)
{
	enum { ROUNDS = 4000 };
	double misses[10 * DAY], inside = 0;

	for (uint64_t round = 0; round < ROUNDS; round++) {
		double next = random_normal(3, round, 0) + random_normal(4, round, 0) / 3;
		struct spread s;

		days_made(round, days, misses);
		s = spread_of(misses, days * DAY, cycles, INFINITY);
		inside += next >= spread_quantile(&s, .1) && next <= spread_quantile(&s, .9);
	}
	return inside / ROUNDS;
}

/* What one day missed is not missed again the next: intervals of a few days' misses as they are hold far too little. */
static void
days_hang_together(void **state)
{
	(void)state;
	assert_true(covered(1, INFINITY) < .25 && covered(1, 1) > .75); /* .21, .80 */
	assert_true(covered(2, INFINITY) < .52 && covered(2, 2) > .6);  /* .48, .64 */
	assert_true(covered(10, INFINITY) < covered(10, 10) && covered(10, 10) < .8);
}

/* Quantiles ascend, whatever the misses, and fewer cycles never make an interval narrower. */
static void
ascend_and_widen(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < 500; round++) {
		double misses[2 * DAY], narrow = 0;

		days_made(round, 2, misses);
		for (double cycles = 16; cycles >= 1; cycles /= 2) {
			struct spread s = spread_of(misses, 1 + round % (2 * (size_t)DAY), cycles, INFINITY);
			double last = -INFINITY, wide;

			for (int level = 1; level < 100; level++) {
				double quantile = spread_quantile(&s, level / 100.);

				assert_true(isfinite(quantile) && quantile >= last);
				last = quantile;
			}
			wide = spread_quantile(&s, .95) - spread_quantile(&s, .05);
			assert_true(wide >= narrow);
			narrow = wide;
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_hand),          cmocka_unit_test(units_do_not_matter),
		cmocka_unit_test(normal_quantiles), cmocka_unit_test(days_hang_together),
		cmocka_unit_test(ascend_and_widen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
