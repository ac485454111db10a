/* The volume under the surface: cases that were worked out by hand. */
#include "benchmarks/vus.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

enum { N = 10 };

static const struct row {
	const char *name;
	double scores[N];
	uint8_t labels[N];
	size_t width;
	double volume;
} rows[] = {
	{ "as the labels", { [4] = 1, [5] = 1 }, { [4] = 1, [5] = 1 }, 0, 1 },
	{ "as the labels, widened", { [4] = 1, [5] = 1 }, { [4] = 1, [5] = 1 }, 2, 1 },
	{ "the opposite", { 1, 1, 1, 1, 0, 0, 1, 1, 1, 1 }, { [4] = 1, [5] = 1 }, 0, 0.2 },
	{ "all alike", { 0 }, { [4] = 1, [5] = 1 }, 0, 0.2 },
	/* One of two anomalies is found first: recall 1/2, existence 1/2, precision 1; then all. */
	{ "one of two", { [2] = 1 }, { [2] = 1, [7] = 1 }, 0, 0.25 + 0.75 * 0.2 },
	/* Beside the anomaly: worth nothing without width; with w = 2 its soft label is sqrt(1/2). */
	{ "beside it", { [3] = 1 }, { [4] = 1, [5] = 1 }, 2, (0.2 + 0.2 + 0.4512869) / 3 },
	/* Widened by one on each side the two meet, so that finding one is finding both. */
	{ "two that meet",
	  { [4] = 1 },
	  { [4] = 1, [6] = 1 },
	  2,
	  (2 * (0.25 + 0.75 * 0.2) + (0.5 + 0.5 * (2 + 1 + 2 * 0.70710678) / 10)) / 3 },
	{ "no anomaly", { [4] = 1 }, { 0 }, 2, NAN },
};

static void
is_the_volume(void **state)
{
	const struct row *row = *state;
	double volume = vus_pr(row->scores, row->labels, N, row->width);

	if (isnan(row->volume))
		assert_true(isnan(volume));
	else
		assert_float_equal(volume, row->volume, 1e-6);
}

static void
width_is_the_period(void **state)
{
	double values[2000];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		values[i] = sin(2 * M_PI * (double)i / 24);
	assert_int_equal(vus_width(values, ARRAY_LEN(values)), 24);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		values[i] = (double)(i % 2); /* too short */
	assert_int_equal(vus_width(values, ARRAY_LEN(values)), 125);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		values[i] = 7;
	assert_int_equal(vus_width(values, ARRAY_LEN(values)), 125);
	assert_int_equal(vus_width(values, 0), 125);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 1];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].name,
						.test_func = is_the_volume,
						.initial_state = (void *)&rows[i] };
	tests[ARRAY_LEN(rows)] = (struct CMUnitTest)cmocka_unit_test(width_is_the_period);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
