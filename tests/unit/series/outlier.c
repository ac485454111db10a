/* outlier.c -- the z-score, its policies, and what an outlier may teach. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/series/outlier.h"

/* Nine values: mean 10, sample deviation sqrt(6 * 4 / 8) = sqrt(3), so that 3 deviations reach to 10 +- 5.196. */
static bool
near(double a, double b, double apart)
{
	return fabs(a - b) <= apart;
}

static const double quiet[] = { 8, 12, 10, 8, 12, 10, 8, 12, 10 };
#define REACH (3 * sqrt(3.0))

static struct outlier
taught(const struct outlier_rule *rule)
{
	struct outlier o = { 0 };
	double clean;

	for (size_t i = 0; i < ARRAY_LEN(quiet); i++)
		assert_int_equal(outlier_judge(rule, &o, quiet[i], &clean), OUTLIER_NONE);
	return o;
}

static void
judges(void **state)
{
	static const struct {
		enum outlier_policy policy;
		int64_t warmup;
		double value;
		enum outlier_verdict verdict;
		double clean;
		int64_t learned; /* values more than before */
	} rows[] = {
		{ OUTLIER_KEEP, 9, 15.1, OUTLIER_NONE, 15.1, 1 },
		{ OUTLIER_KEEP, 9, 4.9, OUTLIER_NONE, 4.9, 1 },
		{ OUTLIER_KEEP, 9, 15.3, OUTLIER_KEPT, 15.3, 1 },
		{ OUTLIER_KEEP, 9, 4.7, OUTLIER_KEPT, 4.7, 1 },
		{ OUTLIER_DROP, 9, 15.3, OUTLIER_DROPPED, 15.3, 0 },
		{ OUTLIER_DROP, 9, 15.1, OUTLIER_NONE, 15.1, 1 },
		{ OUTLIER_CLIP, 9, 99, OUTLIER_CLIPPED, 15.19615242270663, 0 },
		{ OUTLIER_CLIP, 9, -99, OUTLIER_CLIPPED, 4.80384757729337, 0 },
		{ OUTLIER_DROP, 10, 99, OUTLIER_NONE, 99, 1 }, /* still warming up */
		{ OUTLIER_DROP, 9, DBL_MAX, OUTLIER_DROPPED, DBL_MAX, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct outlier_rule rule = { rows[i].policy, 3, rows[i].warmup, 0 };
		struct outlier o = taught(&rule);
		double clean = NAN;

		assert_int_equal(outlier_judge(&rule, &o, rows[i].value, &clean), rows[i].verdict);
		if (rows[i].value < DBL_MAX)
			assert_true(near(clean, rows[i].clean, 1e-12));
		assert_int_equal(o.normal.count, (int64_t)ARRAY_LEN(quiet) + rows[i].learned);
	}
}

/* Where all values were equal any other one is an outlier: the first spike, not only the second. */
static void
constant(void **state)
{
	static const struct {
		enum outlier_policy policy;
		enum outlier_verdict verdict;
		double clean;
	} rows[] = { { OUTLIER_DROP, OUTLIER_DROPPED, 1000.1 },
		     { OUTLIER_CLIP, OUTLIER_CLIPPED, 7.1 },
		     { OUTLIER_KEEP, OUTLIER_KEPT, 1000.1 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct outlier_rule rule = { rows[i].policy, 3, 30, 30 };
		struct outlier o = { 0 };
		double clean;

		for (int k = 0; k < 50; k++)
			assert_int_equal(outlier_judge(&rule, &o, 7.1, &clean), OUTLIER_NONE);
		assert_int_equal(outlier_judge(&rule, &o, 1000.1, &clean), rows[i].verdict);
		assert_true(clean == rows[i].clean);
		assert_int_equal(outlier_judge(&rule, &o, 7.1, &clean), OUTLIER_NONE);
		assert_int_equal(outlier_judge(&rule, &o, 1000.1, &clean), rows[i].verdict);
	}
}

/* A set point that moves: outliers until the row is a new level, and constant again from there. */
static void
set_point(void **state)
{
	for (enum outlier_policy policy = OUTLIER_DROP; policy <= OUTLIER_KEEP; policy++) {
		const struct outlier_rule rule = { policy, 3, 30, 30 };
		struct outlier o = { 0 };
		double clean;

		for (int move = 0; move < 5; move++)
			for (int k = 0; k < 1000; k++) {
				bool waits = move && k < 29;

				assert_int_equal(outlier_judge(&rule, &o, 20 + move, &clean) != OUTLIER_NONE, waits);
				assert_true(waits || clean == 20 + move);
			}
	}
}

/* Values that differ although their squares are too small, or too large, for a deviation: nothing is far. */
static void
no_measure(void **state)
{
	static const double sizes[] = { 1e-200, 1e200 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		const struct outlier_rule rule = { OUTLIER_DROP, 3, 30, 30 };
		struct outlier o = { 0 };
		double clean;

		for (int k = 0; k < 200; k++)
			assert_int_equal(outlier_judge(&rule, &o, k % 7 * sizes[i], &clean), OUTLIER_NONE);
	}
}

/* Four outliers in a row are a new level where restart is 4; without a restart they are outliers for ever. */
static void
new_level(void **state)
{
	static const struct {
		int64_t restart;
		int outliers; /* among 20 values of a new level */
	} rows[] = { { 4, 3 }, { 1, 0 }, { 0, 20 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct outlier_rule rule = { OUTLIER_DROP, 3, 9, rows[i].restart };
		struct outlier o = taught(&rule);
		double clean;
		int outliers = 0;

		for (int k = 0; k < 20; k++)
			outliers += outlier_judge(&rule, &o, 50 + k % 2, &clean) == OUTLIER_DROPPED;
		assert_int_equal(outliers, rows[i].outliers);
	}
}

/* A normal value between them ends a row. */
static void
row_is_broken(void **state)
{
	const struct outlier_rule rule = { OUTLIER_DROP, 3, 9, 4 };
	struct outlier o = taught(&rule);
	double clean;

	for (int k = 0; k < 40; k++)
		assert_int_equal(outlier_judge(&rule, &o, k % 4 == 3 ? 10 : 50, &clean),
				 k % 4 == 3 ? OUTLIER_NONE : OUTLIER_DROPPED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges),     cmocka_unit_test(constant),  cmocka_unit_test(set_point),
		cmocka_unit_test(no_measure), cmocka_unit_test(new_level), cmocka_unit_test(row_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
