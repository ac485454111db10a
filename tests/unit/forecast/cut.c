/* tests/unit/forecast/cut.c -- where series of different beginnings, ends and phases are cut at one moment. */
#include "common/forecast/cut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/series/timestamp.h"

static int64_t
time_of(const char *text)
{
	static const struct time_format iso = { .form = TIME_ISO8601 };
	struct err err = ERR_INIT;
	int64_t us;

	if (timestamp_parse(span_of(text), &iso, &us, &err) < 0)
		fail_msg("%s", err.text);
	return us;
}

/* Of two series, of which the first ends last, or not. */
static const struct row {
	const char *name, *frequency;
	const char *start[2];
	size_t n[2], steps;
	const char *border;
	size_t before[2], from[2];
} rows[] = {
	{ "one end",
	  "1h",
	  { "2024-01-01", "2024-01-01 10:00" },
	  { 48, 38 },
	  12,
	  "2024-01-02 12:00",
	  { 36, 26 },
	  { 36, 26 } },
	{ "nothing is cut", "1h", { "2024-01-01", "2024-01-01" }, { 48, 20 }, 0, "2024-01-03", { 48, 20 }, { 48, 20 } },
	{ "one stopped within",
	  "1h",
	  { "2024-01-01", "2024-01-01" },
	  { 48, 40 },
	  12,
	  "2024-01-02 12:00",
	  { 36, 36 },
	  { 36, 36 } },
	{ "one stopped before",
	  "1h",
	  { "2024-01-01", "2024-01-01" },
	  { 48, 30 },
	  12,
	  "2024-01-02 12:00",
	  { 36, 30 },
	  { 36, 30 } },
	{ "the second ends last",
	  "1h",
	  { "2024-01-01", "2024-01-01" },
	  { 20, 48 },
	  40,
	  "2024-01-01 08:00",
	  { 8, 8 },
	  { 8, 8 } },
	{ "one has not begun",
	  "1h",
	  { "2024-01-01", "2024-01-02 20:00" },
	  { 48, 4 },
	  12,
	  "2024-01-02 12:00",
	  { 36, 0 },
	  { 36, 0 } },
	{ "one without values",
	  "1h",
	  { "2024-01-01", "2030-01-01" },
	  { 48, 0 },
	  12,
	  "2024-01-02 12:00",
	  { 36, 0 },
	  { 36, 0 } },
	{ "half a step apart",
	  "1h",
	  { "2024-01-01", "2024-01-01 00:30" },
	  { 48, 40 },
	  12,
	  "2024-01-02 12:00",
	  { 36, 35 },
	  { 36, 36 } },
	{ "more than there is",
	  "1h",
	  { "2024-01-01", "2024-01-01 10:00" },
	  { 48, 38 },
	  1000,
	  "2024-01-01",
	  { 0, 0 },
	  { 0, 0 } },
	{ "far more than there is",
	  "1W",
	  { "2024-01-01", "2024-01-01" },
	  { 48, 38 },
	  1000000000,
	  "2024-01-01",
	  { 0, 0 },
	  { 0, 0 } },
	{ "months", "1M", { "2024-01-31", "2024-01-15" }, { 24, 23 }, 2, "2025-11-30", { 22, 22 }, { 22, 23 } },
	{ "business days", "1B", { "2024-01-01", "2024-01-06" }, { 10, 3 }, 5, "2024-01-08", { 5, 0 }, { 5, 0 } },
};

static void
cuts(void **state)
{
	const struct row *row = *state;
	struct target targets[2];
	struct frequency f;
	struct err err = ERR_INIT;
	struct cut cut;

	assert_int_equal(frequency_parse(row->frequency, &f, &err), 0);
	for (size_t i = 0; i < 2; i++)
		targets[i] = (struct target){ .start_us = time_of(row->start[i]), .n = row->n[i] };
	cut_init(&cut, &f, targets, 2);
	assert_int_equal(cut_border(&cut, row->steps), time_of(row->border));
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(cut_before(&cut, &targets[i], time_of(row->border)), row->before[i]);
		assert_int_equal(cut_from(&cut, &targets[i], time_of(row->border)), row->from[i]);
	}
}

static void
knows_when_there_is_nothing(void **state)
{
	const struct target none = { .start_us = 5 };
	struct frequency f;
	struct err err = ERR_INIT;
	struct cut cut;

	(void)state;
	assert_int_equal(frequency_parse("1h", &f, &err), 0);
	cut_init(&cut, &f, &none, 1);
	assert_null(cut.last);
	assert_int_equal(cut.span, 0);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 1];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].name,
						.test_func = cuts,
						.initial_state = (void *)(uintptr_t)&rows[i] };
	tests[ARRAY_LEN(rows)] = (struct CMUnitTest)cmocka_unit_test(knows_when_there_is_nothing);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
