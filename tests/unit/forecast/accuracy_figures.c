/* accuracy_figures.c -- figures small enough to check by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include "common/forecast/accuracy.h"

#define assert_near(got, wanted) assert_true(fabs((got) - (double)(wanted)) <= 1e-12)

static void
pinball(void **state)
{
	assert_near(accuracy_pinball(.9, 10, 12), 1.8);
	assert_near(accuracy_pinball(.9, 10, 8), .2);
	assert_near(accuracy_pinball(.1, 10, 12), .2);
	assert_near(accuracy_pinball(.1, 10, 10), 0);
}

static void
seasonal_error(void **state)
{
	static const double past[] = { 1, 2, 4, NAN, 5, 9 };

	assert_near(accuracy_seasonal_error(past, 6, 1), (1 + 2 + 4) / 3.0);
	assert_near(accuracy_seasonal_error(past, 6, 2), (3 + 1) / 2.0);
	assert_near(accuracy_seasonal_error(past, 6, 5), 8);
	assert_true(isnan(accuracy_seasonal_error(past, 6, 6)));
	assert_true(isnan(accuracy_seasonal_error(past, 0, 1)));
	assert_true(accuracy_seasonal_error((double[]){ 1e6, 1e6 + 1e-9, 1e6 }, 3, 1) == 0);
	assert_near(accuracy_seasonal_error((double[]){ 1e6, 1e6 + 1e-3 }, 2, 1), 1e6 + 1e-3 - 1e6);
	assert_true(isnan(accuracy_seasonal_error((double[]){ NAN, 1, NAN }, 3, 1)));
}

/*
 * Values 10, 20 and a missing one; quantiles .1 .5 .9: 8 10 12 and 12 16 18.
 *	pinball .1: .2 + .8 = 1		.5: 0 + 2 = 2	.9: .2 + 1.8 = 2	sum 5, of 3 levels 5/3
 *	|y| 30, error 4, sMAPE terms 0 and 8/36, seasonal error 2: MASE 1, inside .1 to .9: the first
 */
static const double levels[] = { .1, .5, .9 };
static const double quantiles[] = { 8, 10, 12, 12, 16, 18, 0, 0, 0 };
static const double values[] = { 10, 20, NAN };

static void
one_series(void **state)
{
	struct accuracy a = { 0 };
	struct accuracy_figures f;

	accuracy_add(&a, levels, 3, values, quantiles, 3, 2);
	assert_int_equal(a.points, 2);
	assert_int_equal(a.series, 1);
	assert_near(a.below[0], 0);
	assert_near(a.below[1], 1);
	assert_near(a.below[2], 1);
	f = accuracy_figures(&a, levels, 3);
	assert_near(f.wql, 2 * (5.0 / 3) / 30);
	assert_near(f.crps, 2 * (5.0 / 3) / 2);
	assert_near(f.wape, 4.0 / 30);
	assert_near(f.smape, 8.0 / 36 / 2);
	assert_near(f.mase, 1);
	assert_near(f.coverage80, .5);
	assert_true(isnan(f.coverage95));
}

/* A second series of one step, 4 under 5 5 6: pooled wQL, but MASE is a mean over series; one with a still past is left out. */
static void
pools(void **state)
{
	static const double four = 4, row[] = { 5, 5, 6 };
	struct accuracy a = { 0 }, b = { 0 };
	struct accuracy_figures f;

	accuracy_add(&a, levels, 3, values, quantiles, 3, 2);
	accuracy_add(&b, levels, 3, &four, row, 1, .5);
	accuracy_add(&b, levels, 3, &four, row, 1, 0);
	accuracy_add(&b, levels, 3, &four, row, 1, NAN);
	accuracy_merge(&a, &b);
	f = accuracy_figures(&a, levels, 3);
	assert_int_equal(a.series, 4);
	assert_int_equal(a.scaled_series, 2);
	/* .1: 1 + 3 * .9, .5: 2 + 3 * .5, .9: 2 + 3 * .2 */
	assert_near(f.wql, 2 * (3.7 + 3.5 + 2.6) / 3 / 42);
	assert_near(f.wape, 7.0 / 42);
	assert_near(f.mase, (1 + 2) / 2.0);
	assert_near(f.coverage80, 1.0 / 5);
	assert_near(a.below[0], 3);
}

/* The ends of an interval are inside. */
static void
both_ends_are_inside(void **state)
{
	static const double wide[] = { .025, .1, .5, .9, .975 };
	static const double row[] = { 1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5 };
	static const double y[] = { 1, 2, 4, 5.5 };
	struct accuracy a = { 0 };
	struct accuracy_figures f;

	accuracy_add(&a, wide, 5, y, row, 4, NAN);
	f = accuracy_figures(&a, wide, 5);
	assert_near(f.coverage80, .5);
	assert_near(f.coverage95, .75);
	assert_true(isnan(f.mase));
}

/* Levels .05 .5 .95: what lies between them is no interval of 80 %. */
static void
a_wider_interval_is_another(void **state)
{
	static const double wider[] = { .05, .5, .95 }, row[] = { 1, 2, 4 }, y = 3;
	struct accuracy a = { 0 };

	accuracy_add(&a, wider, 3, &y, row, 1, 1);
	assert_true(isnan(accuracy_figures(&a, wider, 3).coverage80));
}

/* Levels .2 .4 .6: no interval of 80 %, and a median halfway between 2 and 4. */
static void
levels_without_a_median(void **state)
{
	static const double odd[] = { .2, .4, .6 }, row[] = { 1, 2, 4 }, y = 5;
	struct accuracy a = { 0 };
	struct accuracy_figures f;

	accuracy_add(&a, odd, 3, &y, row, 1, 1);
	f = accuracy_figures(&a, odd, 3);
	assert_near(f.wape, 2.0 / 5);
	assert_near(f.mase, 2);
	assert_true(isnan(f.coverage80));
	assert_near(accuracy_figures(&a, odd, 3).crps, 2 * (.2 * 4 + .4 * 3 + .6 * 1) / 3);
}

static void
nothing_is_known_of_nothing(void **state)
{
	static const double zero = 0, row[] = { 0, 0, 0 };
	struct accuracy a = { 0 };
	struct accuracy_figures f = accuracy_figures(&a, levels, 3);

	assert_true(isnan(f.wql) && isnan(f.mase) && isnan(f.smape) && isnan(f.crps) && isnan(f.coverage80));
	accuracy_add(&a, levels, 3, values + 2, quantiles, 1, 1);
	assert_int_equal(a.series, 0);
	accuracy_add(&a, levels, 3, &zero, row, 1, 1);
	f = accuracy_figures(&a, levels, 3);
	assert_true(isnan(f.wql) && isnan(f.wape)); /* all values are 0 */
	assert_near(f.smape, 0);
	assert_near(f.crps, 0);
	assert_near(f.coverage80, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pinball),
		cmocka_unit_test(seasonal_error),
		cmocka_unit_test(one_series),
		cmocka_unit_test(pools),
		cmocka_unit_test(both_ends_are_inside),
		cmocka_unit_test(a_wider_interval_is_another),
		cmocka_unit_test(levels_without_a_median),
		cmocka_unit_test(nothing_is_known_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
