/* moments.c -- running statistics against their definitions. */
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
#include "common/series/moments.h"

static bool
near(double a, double b, double apart)
{
	return fabs(a - b) <= apart;
}

static struct moments
of(const double *values, size_t n)
{
	struct moments m = { 0 };

	for (size_t i = 0; i < n; i++)
		moments_add(&m, values[i]);
	return m;
}

static void
assert_same(const struct moments *a, const struct moments *b)
{
	assert_int_equal(a->count, b->count);
	assert_true(near(a->mean, b->mean, 1e-12));
	assert_true(near(moments_deviation(a), moments_deviation(b), 1e-12));
	assert_true(a->minimum == b->minimum && a->maximum == b->maximum);
	assert_true(a->first == b->first && a->last == b->last);
}

static void
by_hand(void **state)
{
	static const double values[] = { 2, 4, 4, 4, 5, 5, 7, 9 };
	struct moments m = of(values, ARRAY_LEN(values)), one = of(values, 1), none = { 0 };

	assert_int_equal(m.count, 8);
	assert_true(m.mean == 5 && m.minimum == 2 && m.maximum == 9 && m.first == 2 && m.last == 9);
	assert_true(near(moments_deviation(&m), sqrt(32.0 / 7), 1e-14));
	assert_true(isnan(moments_deviation(&one)) && isnan(moments_deviation(&none)));
}

static void
merges_anywhere(void **state)
{
	double values[40];
	struct moments whole;

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		values[i] = 100 + random_normal(1, 2, i);
	whole = of(values, ARRAY_LEN(values));
	for (size_t cut = 0; cut <= ARRAY_LEN(values); cut++) {
		struct moments a = of(values, cut), b = of(values + cut, ARRAY_LEN(values) - cut);

		moments_merge(&a, &b);
		assert_same(&a, &whole);
	}
}

/* The mean of equal values is that value to the last bit, and a far offset does not eat the deviation. */
static void
keeps_precision(void **state)
{
	struct moments m = { 0 }, twice, far = { 0 };

	for (int i = 0; i < 1000; i++) {
		moments_add(&m, 0.1);
		moments_add(&far, 1e9 + (i % 2));
	}
	twice = m;
	moments_merge(&twice, &m);
	assert_true(m.mean == 0.1 && twice.mean == 0.1);
	assert_true(moments_deviation(&m) == 0 && moments_deviation(&twice) == 0);
	assert_true(near(moments_deviation(&far), 0.5 * sqrt(1000.0 / 999), 1e-6));
}

static void
survives_the_range(void **state)
{
	static const double ends[] = { DBL_MAX, -DBL_MAX, DBL_MAX, -DBL_MAX };
	struct moments m = of(ends, ARRAY_LEN(ends)), other = m;

	assert_true(isfinite(m.mean));
	assert_true(isnan(moments_deviation(&m)));
	moments_merge(&m, &other);
	assert_true(isfinite(m.mean));
	assert_true(isnan(moments_deviation(&m)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_hand),
		cmocka_unit_test(merges_anywhere),
		cmocka_unit_test(keeps_precision),
		cmocka_unit_test(survives_the_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
