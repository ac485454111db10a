/* tests/unit/cli/exposition.c -- values and histograms out of Prometheus' text. */
#include "cli/exposition.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

#define TEN                                                                                                  \
	"# TYPE lag_seconds histogram\nlag_seconds_bucket{le=\"0.1\"} 2\nlag_seconds_bucket{le=\"0.2\"} 8\n" \
	"lag_seconds_bucket{le=\"+Inf\"} 10\nlag_seconds_sum 3.5\nlag_seconds_count 10\n"

static const struct row {
	const char *name, *text;
	int64_t count;
	double q, quantile;
	int beyond;
} rows[] = {
	{ "no such metric", "other_bucket{le=\"1\"} 5\n", 0, 0.5, NAN, 0 },
	{ "nothing", "", 0, 0.5, NAN, 0 },
	{ "empty", "lag_seconds_bucket{le=\"1\"} 0\nlag_seconds_bucket{le=\"+Inf\"} 0\n", 0, 0.5, NAN, 0 },
	{ "inside the first bucket", TEN, 10, 0.1, 0.05, 0 },
	{ "at a bound", TEN, 10, 0.2, 0.1, 0 },
	{ "linear inside", TEN, 10, 0.5, 0.15, 0 },
	{ "above all bounds", TEN, 10, 0.99, 0.2, 1 },
	{ "labels are added up", "lag_seconds_bucket{a=\"x\",le=\"1\"} 4\nlag_seconds_bucket{a=\"y\",le=\"1\"} 6\n", 10,
	  0.5, 0.5, 0 },
	{ "bounds in any order", "lag_seconds_bucket{le=\"2\"} 4\nlag_seconds_bucket{le=\"1\"} 2\n", 4, 0.75, 1.5, 0 },
	{ "a name that only begins alike", "lag_seconds_more_bucket{le=\"1\"} 4\n", 0, 0.5, NAN, 0 },
	{ "broken lines",
	  "lag_seconds_bucket{le=\"\n lag_seconds_bucket{le=\"x\"} 1\nlag_seconds_bucket{le=\"1\"} many\n"
	  "lag_seconds_bucket{le=\"1\" 3\nlag_seconds_bucket",
	  0, 0.5, NAN, 0 },
	{ "an empty bucket in between",
	  "lag_seconds_bucket{le=\"1\"} 5\nlag_seconds_bucket{le=\"2\"} 5\nlag_seconds_bucket{le=\"4\"} 10\n", 10, 0.75,
	  3, 0 },
};

static void
reads(void **state)
{
	const struct row *row = *state;
	struct histogram h = { .n = 0 };
	int beyond = -1;
	double got;

	histogram_read(&h, span_of(row->text), "lag_seconds");
	assert_int_equal(histogram_count(&h), row->count);
	got = histogram_quantile(&h, row->q, &beyond);
	assert_true(isnan(row->quantile) ? isnan(got) : fabs(got - row->quantile) < 1e-12);
	assert_int_equal(beyond, row->beyond);
}

static const struct value_row {
	const char *name, *text;
	double value;
} value_rows[] = {
	{ "a value", "# TYPE hits gauge\nhits 0.75\n", 0.75 },
	{ "without a newline behind it", "hits 12", 12 },
	{ "a value: nothing", "", NAN },
	{ "a value: longer names are others", "hits_total 3\nhits 2\n", 2 },
	{ "a value with labels is another", "hits{a=\"x\"} 3\n", NAN },
	{ "a value: the first that is a number", "hits\nhits \nhits many\nhits 4\nhits 5\n", 4 },
	{ "a value: none said yet", "hits NaN\n", NAN },
};

static void
reads_value(void **state)
{
	const struct value_row *row = *state;
	double got = exposition_value(span_of(row->text), "hits");

	assert_true(isnan(row->value) ? isnan(got) : got == row->value);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + ARRAY_LEN(value_rows)];

	for (size_t n = 0; n < ARRAY_LEN(rows); n++)
		tests[n] = (struct CMUnitTest){ .name = rows[n].name,
						.test_func = reads,
						.initial_state = (void *)(uintptr_t)&rows[n] };
	for (size_t n = 0; n < ARRAY_LEN(value_rows); n++)
		tests[ARRAY_LEN(rows) + n] = (struct CMUnitTest){ .name = value_rows[n].name,
								  .test_func = reads_value,
								  .initial_state = (void *)(uintptr_t)&value_rows[n] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
