/* Rows out of their turn: how bad it is, and which advice fits. */
#include "cli/detect_disorder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define DAY_US INT64_C(86400000000)

static const struct file {
	const char *name;
	int64_t step_us;
	int rows, late, repeated, ahead;
	enum disorder_degree degree;
	const char *said;
} files[] = {
	{ "in order", DAY_US, 100, 0, 0, 0, DISORDER_SMALL, "0 of 100 rows" },
	{ "nothing at all", DAY_US, 0, 0, 0, 0, DISORDER_SMALL, "0 of 0 rows" },
	{ "less than 5 %", DAY_US, 100, 4, 0, 0, DISORDER_SMALL, "4 of 100 rows" },
	{ "5 %", DAY_US, 100, 2, 2, 1, DISORDER_NOTABLE, "5 of 100 rows" },
	{ "one half", DAY_US, 100, 0, 50, 0, DISORDER_NOTABLE, "50 of a repeated time" },
	{ "more than a half", DAY_US, 100, 51, 0, 0, DISORDER_GREAT, "51 older than one before them" },
	{ "older rows want sorting", DAY_US, 100, 30, 20, 10, DISORDER_GREAT, "): sort the rows by time" },
	{ "equal times want a row each", DAY_US, 100, 20, 30, 10, DISORDER_GREAT, "): give each time one row" },
	{ "weeks want a longer jump", 7 * DAY_US, 100, 1, 1, 90, DISORDER_GREAT,
	  "more than 1d00h after the row before is far ahead, and the usual step is 7d00h (--time.jump.max.ms=2419200000, say)" },
	{ "no more than the option allows", 200 * DAY_US, 100, 0, 0, 90, DISORDER_GREAT, "ms=31536000000, say)" },
	{ "the usual step is short enough", DAY_US / 24, 100, 0, 0, 10, DISORDER_NOTABLE, "the usual step is 1h00m\n" },
};

static void
is_told(void **state)
{
	const struct file *f = *state;
	struct disorder d = { 0 };
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(0);

	for (int i = 0; i < f->rows; i++) {
		/* A gap now and then is not the usual step. */
		const struct sheet_row row = { .timed = true, .time_us = i * f->step_us + i / 9 * 400 * DAY_US };

		disorder_add(&d, &row,
			     i < f->late                            ? JUDGE_LATE
			     : i < f->late + f->repeated            ? JUDGE_REPEATED
			     : i < f->late + f->repeated + f->ahead ? JUDGE_AHEAD
								    : JUDGE_SCORED);
	}
	assert_int_equal(disorder_degree(&d), f->degree);
	assert_int_equal(disorder_tell(&d, DAY_US, &text), 0);
	assert_int_equal(buffer_append(&text, "\n", 2), 0);
	assert_non_null(strstr(text.ptr, f->said));
}

static void
rows_without_a_time_are_no_step(void **state)
{
	static const int64_t minutes[] = { 0, 5, -1, 10, 10, 3, -1, 8 };
	struct disorder d = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(minutes); i++) {
		const struct sheet_row row = { .timed = minutes[i] >= 0, .time_us = minutes[i] };

		disorder_add(&d, &row, row.timed ? JUDGE_SCORED : JUDGE_NO_TIME);
	}
	assert_int_equal(d.n_steps, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(d.steps[i], 5);
	assert_int_equal(d.marks[JUDGE_NO_TIME], 2);
}

int
main(void)
{
	struct CMUnitTest tests[1 + ARRAY_LEN(files)] = { cmocka_unit_test(rows_without_a_time_are_no_step) };

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		tests[i + 1] = (struct CMUnitTest){ .name = files[i].name,
						    .test_func = is_told,
						    .initial_state = (void *)&files[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
