/* Dates of the Gregorian calendar, before and after 1970; clocks that go forward. */
#include "common/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"

static const struct row {
	const char *name;
	int64_t us;
	const char *text;
} rows[] = {
	{ "the epoch", 0, "1970-01-01T00:00:00.000000Z" },
	{ "a microsecond before", -1, "1969-12-31T23:59:59.999999Z" },
	{ "a second before", -1000000, "1969-12-31T23:59:59.000000Z" },
	{ "a leap day", INT64_C(1709208000123456), "2024-02-29T12:00:00.123456Z" },
	{ "a leap day of a leap century", INT64_C(951782400000000), "2000-02-29T00:00:00.000000Z" },
	{ "1900 had none", INT64_C(-2203891200000000), "1900-03-01T00:00:00.000000Z" },
	{ "the day before", INT64_C(-2203891200000001), "1900-02-28T23:59:59.999999Z" },
	{ "the year one", INT64_C(-62135596800000000), "0001-01-01T00:00:00.000000Z" },
	{ "the last four digits", INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z" },
	{ "five digits", INT64_C(253402300800000000), "10000-01-01T00:00:00.000000Z" },
	{ "before the year one", INT64_C(-62135596800000001), "0000-12-31T23:59:59.999999Z" },
	{ "the first of all", INT64_MIN, "-290308-12-21T19:59:05.224192Z" },
	{ "the last of all", INT64_MAX, "294247-01-10T04:00:54.775807Z" },
};

static void
prints(void **state)
{
	const struct row *row = *state;
	char text[CLOCK_TEXT_BYTES];

	clock_iso8601(row->us, text);
	assert_string_equal(text, row->text);
}

/* The C library agrees wherever it has an opinion. */
static void
as_the_library(void **state)
{
	for (uint64_t i = 0; i < 20000; i++) {
		time_t t = (time_t)(random_u64(3, 0, i) % UINT64_C(315537897600)) - INT64_C(62135596800);
		char ours[CLOCK_TEXT_BYTES], theirs[64], date[32];
		struct tm tm;

		gmtime_r(&t, &tm);
		strftime(date, sizeof(date), "%m-%dT%H:%M:%S.000000Z", &tm);
		snprintf(theirs, sizeof(theirs), "%04d-%s", tm.tm_year + 1900, date);
		clock_iso8601((int64_t)t * US_PER_SECOND, ours);
		assert_string_equal(ours, theirs);
	}
}

static void
clocks_go_forward(void **state)
{
	int64_t start = clock_monotonic_us();

	clock_sleep_us(2000);
	clock_sleep_us(0);
	clock_sleep_us(-5);
	assert_true(clock_monotonic_us() - start >= 2000);
	assert_true(clock_real_us() > INT64_C(1700000000) * US_PER_SECOND);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 2] = {
		cmocka_unit_test(as_the_library),
		cmocka_unit_test(clocks_go_forward),
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[2 + i] =
		    (struct CMUnitTest){ .name = rows[i].name, .test_func = prints, .initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
