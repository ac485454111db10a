/* The line of progress: golden texts. */
#include "common/base/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

static const struct row {
	const char *name;
	double share;
	int64_t count;
	double seconds;
	int width;
	bool utf8;
	const char *line;
} rows[] = {
	{ "half way", 0.5, 1000, 10, 60, false, " 50 % #########.........  1,000 messages  100/s  10 s left" },
	{ "in UTF-8", 0.25, 12, 2, 50, true, " 25 % ████░░░░░░░░░░  12 messages  6/s  6 s left" },
	{ "all", 1, 5, 1, 40, false, "100 % ###############  5 messages  5/s" },
	{ "not known", -1, 1234567, 2, 80, false, "  1,234,567 messages  617,283/s" },
	{ "no room for a bar", 0.5, 7, 7, 30, false, "  7 messages  1/s  7 s left" },
	{ "not even for the rest", 0.5, 1501, 0.1, 20, false, "  1,501 messages  1" },
	{ "at the start", 0, 0, 0, 44, false, "  0 % ...................  0 messages  0/s" },
};

static void
draws(void **state)
{
	const struct row *row = *state;
	char line[512];
	size_t len =
	    progress_line(row->share, row->count, "messages", row->seconds, row->width, row->utf8, line, sizeof(line));

	assert_string_equal(line, row->line);
	assert_int_equal(len, strlen(line));
}

static void
groups_digits(void **state)
{
	static const struct {
		int64_t number;
		const char *text;
	} numbers[] = {
		{ 0, "0" },          { 999, "999" },   { 1000, "1,000" },
		{ -1000, "-1,000" }, { -100, "-100" }, { INT64_MIN, "-9,223,372,036,854,775,808" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		assert_string_equal(progress_number(numbers[i].number, text), numbers[i].text);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 1];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, draws, NULL, NULL, (void *)&rows[i] };
	tests[ARRAY_LEN(rows)] = (struct CMUnitTest)cmocka_unit_test(groups_digits);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
