/* scalar.c -- the scalar core: against direct sums over the whole history, and under transformations that must not matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/detect/scalar.h"

#define MINUTE_US INT64_C(60000000)
#define HOUR_US (60 * MINUTE_US)
#define SLOTS 24

/* A day of season, noise; deterministic. */
static double
value_at(int i)
{
	return 20 + 5 * sin(i * 6.283185307179586 / 288) + random_normal(7, 1, (uint64_t)i);
}

static double
exponential_at(int i)
{
	return -log(random_uniform(7, 2, (uint64_t)i));
}

static void
assert_near(double a, double b, double tolerance)
{
	if (!(fabs(a - b) <= tolerance))
		fail_msg("%.9g is not within %g of %.9g", a, tolerance, b);
}

static void
is_quiet_at_first(void **state)
{
	struct scalar s = { 0 };
	double features[SCALAR_FEATURES] = { -1 };

	for (int i = 0; i < SCALAR_START; i++) {
		assert_false(scalar_add(&s, i, i * MINUTE_US, SLOTS, false, features));
		assert_true(features[0] == -1 && scalar_flat(&s) == 1);
	}
	assert_true(scalar_add(&s, 11, SCALAR_START * MINUTE_US, SLOTS, false, features));
	assert_near(scalar_mean(&s), 11.5, 0.1); /* the median of 0..23 */
}

/* Shifts by definition: the mean of the last n, taken from the list of all values. */
static void
shifts_are_window_means(void **state)
{
	static const struct {
		enum scalar_feature feature;
		int n;
	} rows[] = { { SCALAR_SHIFT, SCALAR_START } };
	struct scalar s = { 0 };
	double features[SCALAR_FEATURES], all[3000], mean, deviation;

	for (int i = 0; i < 3000; i++) {
		all[i] = value_at(i);
		mean = scalar_mean(&s);
		deviation = scalar_deviation(&s);
		if (!scalar_add(&s, all[i], i * 5 * MINUTE_US, SLOTS, false, features))
			continue;
		for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
			double sum = 0;

			for (int back = 0; back < rows[k].n; back++)
				sum += all[i - back];
			assert_near(features[rows[k].feature], fabs(sum / rows[k].n - mean) / deviation, 1e-4);
		}
		assert_true(s.last_us == i * 5 * MINUTE_US);
	}
	/* The mean of the season is 20; its variance is 25/2, the noise's 1. */
	assert_near(scalar_mean(&s), 20, 0.3);
	assert_near(scalar_deviation(&s), sqrt(13.5), 0.3);
}

/* A value that is usual at noon is not at midnight, and the overall mean cannot see it. */
static void
knows_the_time_of_day(void **state)
{
	struct scalar s = { 0 };
	double features[SCALAR_FEATURES];
	int hour;

	for (hour = 0; hour < 24 * 40; hour++)
		scalar_add(&s, (hour % 24 == 12 ? 50 : 10) + 0.5 * random_normal(3, 3, (uint64_t)hour), hour * HOUR_US,
			   SLOTS, false, features);
	assert_true(scalar_look(&s, 50, (24 * 40 + 12) * HOUR_US, SLOTS) < 2);
	assert_true(scalar_look(&s, 50, (24 * 40 + 11) * HOUR_US, SLOTS) > 5);
	assert_true(scalar_look(&s, 10, (24 * 40 + 12) * HOUR_US, SLOTS) > 5);
	/* Looking leaves no trace; adding gives what looking promised. */
	for (int i = 0; i < 12; i++) {
		double promised = scalar_look(&s, 10 + i, hour * HOUR_US, SLOTS);

		scalar_add(&s, 10 + i, hour++ * HOUR_US, SLOTS, false, features);
		assert_near(features[SCALAR_SLOT], promised, 1e-9);
	}
}

static void
slots_cover_every_time(void **state)
{
	static const int64_t times[] = {
		0, -1, 1, 24 * HOUR_US - 1, -24 * HOUR_US, INT64_MAX, INT64_MIN, INT64_C(253402300799999999)
	};

	for (int slots = 1; slots <= SCALAR_SLOTS_MAX; slots++) {
		for (size_t i = 0; i < ARRAY_LEN(times); i++) {
			struct scalar s = { 0 };
			double features[SCALAR_FEATURES];
			int used = 0;

			for (int n = 0; n <= SCALAR_START; n++)
				scalar_add(&s, n, times[i], slots, false, features);
			for (int slot = 0; slot < SCALAR_SLOTS_MAX; slot++) {
				used += s.slot_count[slot];
				assert_true(s.slot_count[slot] == 0 || slot < slots);
			}
			assert_int_equal(used, 1);
		}
	}
}

/* Features have no unit: scaling and moving the stream changes nothing. */
static void
has_no_unit(void **state)
{
	static const struct {
		double scale, offset, tolerance;
	} rows[] = { { 1, 1e6, 1e-3 }, { 1e-9, 0, 1e-3 }, { 1e9, 0, 1e-3 }, { -3, 0, 1e-3 }, { 1, -1e9, 0.02 } };

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct scalar a = { 0 }, b = { 0 };
		double x[SCALAR_FEATURES], y[SCALAR_FEATURES];

		print_message("value * %g + %g\n", rows[k].scale, rows[k].offset);
		for (int i = 0; i < 2000; i++) {
			double v = value_at(i);

			scalar_add(&b, v * rows[k].scale + rows[k].offset, i * MINUTE_US, SLOTS, false, y);
			if (!scalar_add(&a, v, i * MINUTE_US, SLOTS, false, x))
				continue;
			for (int f = 0; f < SCALAR_FEATURES; f++)
				assert_near(y[f], x[f], rows[k].tolerance * (1 + x[f]));
		}
	}
}

/* One absurd value, the first or any later, is forgotten: afterwards features are as without it. */
static void
forgives_one_absurd_value(void **state)
{
	static const int places[] = { 0, 5, 23, 24, 500 };

	for (size_t k = 0; k < ARRAY_LEN(places); k++) {
		struct scalar a = { 0 }, b = { 0 };
		double x[SCALAR_FEATURES], y[SCALAR_FEATURES];

		for (int i = 0; i < 1500; i++) {
			scalar_add(&a, value_at(i), i * MINUTE_US, SLOTS, false, x);
			scalar_add(&b, i == places[k] ? 1e30 : value_at(i), i * MINUTE_US, SLOTS, false, y);
		}
		print_message("absurd at %d: mean %g and %g, deviation %g and %g\n", places[k], scalar_mean(&a),
			      scalar_mean(&b), scalar_deviation(&a), scalar_deviation(&b));
		assert_near(scalar_mean(&b), scalar_mean(&a), 0.5);
		assert_near(scalar_deviation(&b), scalar_deviation(&a), 0.5);
	}
}

/* It has not rained for a day or two: rain has a scale after a shower, so a flood is another thing; one absurd value makes no scale. */
static void
finds_the_scale_of_what_stood_still(void **state)
{
	struct scalar s = { 0 };
	double features[SCALAR_FEATURES], usual;
	int i = 0;

	for (; i < 300; i++)
		scalar_add(&s, 0, i * MINUTE_US, SLOTS, false, features);
	assert_true(scalar_is_constant(&s));
	for (; i < 340; i++)
		scalar_add(&s, exponential_at(i), i * MINUTE_US, SLOTS, false, features);
	print_message("after a shower: deviation %g\n", scalar_deviation(&s));
	assert_true(scalar_deviation(&s) > 1e-3 && scalar_deviation(&s) < 1);
	for (; i < 600; i++)
		scalar_add(&s, 0, i * MINUTE_US, SLOTS, false, features);
	scalar_add(&s, 1, i++ * MINUTE_US, SLOTS, false, features);
	usual = features[SCALAR_SLOT];
	scalar_add(&s, 100, i++ * MINUTE_US, SLOTS, false, features);
	print_message("distance of 1: %g, of 100: %g\n", usual, features[SCALAR_SLOT]);
	assert_true(usual < 256 && features[SCALAR_SLOT] > 20 * usual);

	s = (struct scalar){ 0 };
	for (i = 0; i < 1000; i++)
		scalar_add(&s, i == 500 ? -999 : 50, i * MINUTE_US, SLOTS, false, features);
	assert_true(scalar_deviation(&s) < 2.5);
}

/* A stream that wanders far from where it began keeps its precision. */
static void
follows_a_long_way(void **state)
{
	struct scalar s = { 0 };
	double features[SCALAR_FEATURES];

	for (int i = 0; i < 200000; i++)
		scalar_add(&s, 1e4 * i + random_normal(5, 5, (uint64_t)i), i * MINUTE_US, SLOTS, false, features);
	assert_near(features[SCALAR_STEP], 1, 0.2); /* steps of 10000 are what is usual here */
	assert_true(isfinite(scalar_mean(&s)) && scalar_mean(&s) < 2e9);
}

static void
is_always_finite(void **state)
{
	static const double values[] = { 0, DBL_MAX, -DBL_MAX, DBL_MIN, -0.0, 1e18, 4e-320, 1, -1e19 };

	for (uint64_t seed = 0; seed < 40; seed++) {
		struct scalar s = { 0 };
		double features[SCALAR_FEATURES];

		for (uint64_t i = 0; i < 2000; i++) {
			double v = values[random_u64(seed, 0, i) % (seed < 20 ? ARRAY_LEN(values) : 1 + seed % 9)];

			if (!scalar_add(&s, v, (int64_t)i * MINUTE_US, SLOTS, false, features))
				continue;
			for (int f = 0; f < SCALAR_FEATURES; f++)
				assert_true(features[f] >= 0 && isfinite(features[f]));
			assert_true(isfinite(scalar_mean(&s)) && scalar_deviation(&s) > 0);
			assert_true(isfinite(scalar_deviation(&s)));
			assert_true(scalar_flat(&s) > 0 && scalar_flat(&s) <= 1);
		}
	}
}

static void
sees_flat_lines(void **state)
{
	struct scalar s = { 0 };
	double features[SCALAR_FEATURES], last = 1;
	int i = 0;

	for (; i < 1000; i++)
		scalar_add(&s, value_at(i), i * MINUTE_US, SLOTS, false, features);
	assert_true(scalar_flat(&s) == 1);
	for (int run = 0; run < 60; run++) {
		scalar_add(&s, 20, i++ * MINUTE_US, SLOTS, false, features);
		assert_true(run == 0 || scalar_flat(&s) < last);
		last = scalar_flat(&s);
	}
	assert_true(last < 1e-6);
	scalar_add(&s, 21, i++ * MINUTE_US, SLOTS, false, features);
	assert_true(scalar_flat(&s) == 1);
	/* Once was a lesson: a short run is nothing now, a long one still is. */
	for (int run = 0; run < 20; run++)
		scalar_add(&s, 20, i++ * MINUTE_US, SLOTS, false, features);
	assert_true(scalar_flat(&s) == 1 && scalar_standstill(&s) == 0);
	for (int run = 0; run < 100; run++)
		scalar_add(&s, 20, i++ * MINUTE_US, SLOTS, false, features);
	assert_true(scalar_flat(&s) < 1e-6);
	assert_int_equal(scalar_standstill(&s), 119);
}

/* A switch that stands still for hours by nature is no flat line. */
static void
knows_streams_that_stand_still(void **state)
{
	struct scalar s = { 0 };
	double features[SCALAR_FEATURES], least = 1;

	for (int i = 0; i < 5000; i++) {
		scalar_add(&s, i / 40 % 2, i * MINUTE_US, SLOTS, false, features);
		if (i > 500 && scalar_flat(&s) < least)
			least = scalar_flat(&s);
	}
	assert_true(least == 1);
}

/* The sun shines by day: nobody expects less than none of it, nor much of it by night. */
static void
tells_what_is_usual(void **state)
{
	struct scalar s = { 0 };
	double features[SCALAR_FEATURES];
	struct scalar_usual u = scalar_usual(&s, 0, SLOTS);
	int i = 100; /* morning */

	assert_true(u.deviation == 0 && u.lower == 0 && u.upper == 0);
	for (; i < 288 * 20; i++)
		scalar_add(&s, fmax(0, -10 * cos(i * 6.283185307179586 / 288)), i * 5 * MINUTE_US, SLOTS, false,
			   features);
	u = scalar_usual(&s, i * 5 * MINUTE_US, SLOTS);
	assert_near(u.mean, 10 / 3.14159, 0.2);
	assert_near(u.deviation, 3.9, 0.2);
	assert_near(u.lower, 0, 1e-6); /* the mean less 1.645 deviations is -3 */
	assert_near(u.upper, 9.6, 0.4);
	assert_near(u.slot, 0, 0.01);
	assert_near(scalar_usual(&s, (i + 144) * 5 * MINUTE_US, SLOTS).slot, 10, 0.5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_quiet_at_first),     cmocka_unit_test(shifts_are_window_means),
		cmocka_unit_test(knows_the_time_of_day), cmocka_unit_test(slots_cover_every_time),
		cmocka_unit_test(has_no_unit),           cmocka_unit_test(forgives_one_absurd_value),
		cmocka_unit_test(follows_a_long_way),    cmocka_unit_test(is_always_finite),
		cmocka_unit_test(sees_flat_lines),       cmocka_unit_test(knows_streams_that_stand_still),
		cmocka_unit_test(tells_what_is_usual),   cmocka_unit_test(finds_the_scale_of_what_stood_still),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
