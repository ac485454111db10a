/* window.c -- steps gathered to windows; points of steps. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/series/window.h"

static struct step
step_of(int64_t number, double a, double b)
{
	struct step s = { .number = number, .tally = { .outliers = 1, .ingest_us = 100 - number } };

	moments_add(&s.readings, a);
	moments_add(&s.readings, b);
	return s;
}

static void
points(void **state)
{
	struct step s = step_of(0, 10, 20), empty = { 0 };

	assert_true(step_value(RESAMPLE_MEAN, &s) == 15);
	assert_true(step_value(RESAMPLE_LAST, &s) == 20);
	assert_true(isnan(step_value(RESAMPLE_MEAN, &empty)) && isnan(step_value(RESAMPLE_LAST, &empty)));
}

static void
gathers(void **state)
{
	const struct window_rule by_count = { WINDOW_BY_COUNT, 40 }, by_time = { WINDOW_BY_TIME, 40 };
	struct window w = { 0 }, copy;

	assert_false(window_full(&w, &by_count));
	for (int i = 0; i < 40; i++) {
		struct step s = step_of(-30 + i, i, i);

		s.flags = i % 2 ? STEP_IMPUTED : 0;
		assert_int_equal(window_append(&w, &s, i), 0);
		assert_int_equal(window_full(&w, &by_count), i == 39);
		assert_int_equal(window_full(&w, &by_time), i >= 29);
	}
	assert_int_equal(window_copy(&copy, &w), 0);
	w.values[0] = -1; /* a copy is its own */
	assert_int_equal(copy.first, -30);
	assert_int_equal(copy.n, 40);
	for (int i = 0; i < 40; i++)
		assert_true(copy.values[i] == i && copy.flags[i] == (i % 2 ? STEP_IMPUTED : 0));
	assert_int_equal(copy.readings.count, 80);
	assert_true(copy.readings.mean == 19.5 && copy.readings.maximum == 39);
	assert_int_equal(copy.tally.outliers, 40);
	assert_int_equal(copy.tally.ingest_us, 130);
	window_next(&w);
	assert_int_equal(w.n, 0);
	assert_int_equal(w.sequence, 1);
	assert_int_equal(w.readings.count + w.tally.outliers + w.tally.ingest_us, 0);
	window_clear(&w);
	window_clear(&copy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(points), cmocka_unit_test(gathers) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
