/* calendar.c -- steps and windows, before and after 1970. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/series/calendar.h"

static void
steps(void **state)
{
	static const struct {
		int64_t time_us, step_us, step;
	} rows[] = {
		{ 0, 60, 0 },
		{ 59, 60, 0 },
		{ 60, 60, 1 },
		{ -1, 60, -1 },
		{ -60, 60, -1 },
		{ -61, 60, -2 },
		{ 7, 1, 7 },
		{ -7, 1, -7 },
		{ 119, 60, 1 },
		{ -120, 60, -2 },
		{ INT64_MIN, 1, INT64_MIN },
		{ INT64_MAX, 2, INT64_MAX / 2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t step = calendar_step(rows[i].time_us, rows[i].step_us);

		assert_int_equal(step, rows[i].step);
		if (rows[i].step_us == 60) {
			assert_true(calendar_start(step, 60) <= rows[i].time_us);
			assert_true(rows[i].time_us < calendar_start(step + 1, 60));
		}
	}
}

static void
windows(void **state)
{
	static const struct {
		struct window_rule rule;
		int64_t first, end;
	} rows[] = {
		{ { WINDOW_BY_COUNT, 5 }, 0, 5 },  { { WINDOW_BY_COUNT, 5 }, 3, 8 }, { { WINDOW_BY_COUNT, 5 }, -7, -2 },
		{ { WINDOW_BY_TIME, 5 }, 0, 5 },   { { WINDOW_BY_TIME, 5 }, 3, 5 },  { { WINDOW_BY_TIME, 5 }, 5, 10 },
		{ { WINDOW_BY_TIME, 5 }, -1, 0 },  { { WINDOW_BY_TIME, 5 }, -5, 0 }, { { WINDOW_BY_TIME, 5 }, -6, -5 },
		{ { WINDOW_BY_COUNT, 1 }, -1, 0 }, { { WINDOW_BY_TIME, 1 }, -1, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(calendar_window_end(&rows[i].rule, rows[i].first), rows[i].end);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(steps), cmocka_unit_test(windows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
