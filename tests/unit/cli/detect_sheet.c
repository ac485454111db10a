/* Tables row by row: what is read, and what is said of what cannot be. */
#include "cli/detect_sheet.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct sheet_options plain = { .time_column = "", .value_columns = "", .missing = "", .delimiter = ',' };

static int
open_text(const char *text, const struct sheet_options *o, struct sheet **ret, struct err *err)
{
	char path[] = "/tmp/forebay-sheet-XXXXXX";
	int fd = mkstemp(path), result;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	result = sheet_open(path, o, ret, err);
	unlink(path);
	return result;
}

static void
rows_have_times_and_numbers(void **state)
{
	CLEANUP(sheet_close)
	struct sheet *s = NULL;
	struct sheet_row row;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(open_text("\xef\xbb\xbftime,unit,\"flow, l/s\",level\r\n"
				   "2024-01-01 00:00:05,bar,1.5,\r\n\n"
				   "\"2024-01-01 00:00:10\",bar,nan,1e400\n"
				   "1704067215,bar,-2",
				   &plain, &s, &err),
			 0);
	assert_int_equal(sheet_columns(s), 2);
	assert_string_equal(sheet_column(s, 0), "flow, l/s");
	assert_string_equal(sheet_column(s, 1), "level");
	assert_int_equal(sheet_next(s, &row, &err), 1);
	assert_int_equal(row.line, 2);
	assert_true(row.timed && row.time_us == INT64_C(1704067205000000));
	assert_true(row.values[0] == 1.5 && isnan(row.values[1]));
	assert_null(row.trouble);
	assert_int_equal(sheet_next(s, &row, &err), 1);
	assert_int_equal(row.line, 4);
	assert_true(span_equal(row.time, SPAN("2024-01-01 00:00:10")));
	assert_true(isnan(row.values[0]) && isnan(row.values[1]) && !row.trouble);
	assert_int_equal(sheet_next(s, &row, &err), 1);
	assert_true(row.timed && row.time_us == INT64_C(1704067215000000) && row.values[0] == -2);
	assert_string_equal(row.trouble, "only 3 fields");
	assert_int_equal(sheet_next(s, &row, &err), 0);
}

static void
columns_may_be_named(void **state)
{
	const struct sheet_options o = {
		.time_column = "at", .value_columns = "b,a", .missing = "NA,-999", .delimiter = ';'
	};
	CLEANUP(sheet_close)
	struct sheet *s = NULL;
	struct sheet_row row;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(open_text("a;at;b;c\n1;2024-01-01;-999.0;7\n", &o, &s, &err), 0);
	assert_int_equal(sheet_columns(s), 2);
	assert_string_equal(sheet_column(s, 0), "a");
	assert_int_equal(sheet_next(s, &row, &err), 1);
	assert_true(row.values[0] == 1 && isnan(row.values[1]) && !row.trouble);
	assert_true(span_equal(row.texts[1], SPAN("-999.0")));
	assert_true(sheet_missing(s)->items[1].seen && !sheet_missing(s)->items[0].seen);
}

/* Who names a column knows that it is one, be it called 7; a name is shown without what steers a terminal. */
static void
names_may_look_like_numbers(void **state)
{
	const struct sheet_options o = { .time_column = "0", .value_columns = "7", .missing = "", .delimiter = ',' };
	CLEANUP(sheet_close)
	struct sheet *s = NULL;
	CLEANUP(sheet_close)
	struct sheet *odd = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(open_text("0,7\n2024-01-01,1\n", &o, &s, &err), 0);
	assert_string_equal(sheet_column(s, 0), "7");
	assert_int_equal(open_text("time,a\x1b[1mb,\n2024-01-01,1,2\n", &plain, &odd, &err), 0);
	assert_string_equal(sheet_column(odd, 0), "a [1mb");
	assert_string_equal(sheet_column(odd, 1), "");
}

#define NO_TIME(text) "\"" text "\" is no time: ISO 8601 or an epoch is; any other wants --time.format"

static const struct bad_row {
	const char *name, *line, *trouble;
	bool timed;
} bad_rows[] = {
	{ "no time", "noon,5", NO_TIME("noon"), false },
	{ "no number", "2024-01-02,five", "\"five\" is no number: column b", true },
	{ "both: the time is told", "noon,five", NO_TIME("noon"), false },
	{ "a quote that never ends", "\"2024-01-02,5", "no well-formed CSV", false },
	{ "too few", "2024-01-02", "only 1 fields", true },
	{ "a comma instead of a point", "2024-01-02,\"1,5\"", "\"1,5\" is no number: column b", true },
	{ "what steers a terminal", "\x1b]0;x\x07\xc2\x9b,five", NO_TIME(" ]0;x   "), false },
	{ "no UTF-8", "2024-01-02,1\xe9", "\"1?\" is no number: column b", true },
	{ "hexadecimal", "2024-01-02,0x10", "\"0x10\" is no number: column b", true },
};

static void
trouble_is_told_and_the_row_kept(void **state)
{
	const struct bad_row *bad = *state;
	CLEANUP(sheet_close)
	struct sheet *s = NULL;
	struct sheet_row row;
	struct err err = ERR_INIT;
	char text[200];

	snprintf(text, sizeof(text), "a,b\n2024-01-01,1\n%s\n2024-01-03,3\n", bad->line);
	assert_int_equal(open_text(text, &plain, &s, &err), 0);
	assert_int_equal(sheet_next(s, &row, &err), 1);
	assert_null(row.trouble);
	assert_int_equal(sheet_next(s, &row, &err), 1);
	assert_int_equal(row.line, 3);
	assert_string_equal(row.trouble, bad->trouble);
	assert_int_equal(row.timed, bad->timed);
	assert_true(isnan(row.values[0]) || bad->trouble[1] == 'n');
	assert_int_equal(sheet_next(s, &row, &err), 1);
	assert_true(row.values[0] == 3 && row.line == 4);
}

static void
what_is_left_out_is_named(void **state)
{
	static const struct {
		const char *text, *missing, *said;
	} tables[] = {
		{ "t,a,b\n2024-01-01,1,\n", "", NULL },
		{ "t,a,unit,b\n2024-01-01,1,bar,\"0,5\"\n", "", "unit (\"bar\"), b (\"0,5\")" },
		{ "t,a,b\n2024-01-01,1,n/a\n", "", "b (\"n/a\")" },
		{ "t,a,b\n2024-01-01,1,n/a\n", "n/a", NULL },
		{ "t,a,b\x1b[m\n2024-01-01,1,\x1b[m\n", "", "b [m (\" [m\")" },
		{ "t,a,b,c,d,e,f,g\n2024-01-01,1,u,v,w,x,y,z\n", "",
		  "b (\"u\"), c (\"v\"), d (\"w\"), e (\"x\"), f (\"y\") and 1 more" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		struct sheet_options o = plain;
		CLEANUP(sheet_close)
		struct sheet *s = NULL;
		struct err err = ERR_INIT;

		o.missing = tables[i].missing;
		assert_int_equal(open_text(tables[i].text, &o, &s, &err), 0);
		if (tables[i].said)
			assert_string_equal(sheet_left_out(s), tables[i].said);
		else
			assert_null(sheet_left_out(s));
	}
}

static void
times_may_have_a_pattern(void **state)
{
	struct sheet_options o = plain;
	CLEANUP(sheet_close)
	struct sheet *s = NULL;
	struct sheet_row row;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(time_format_parse("%d/%m/%Y %H:%M", &o.time_format), 0);
	assert_int_equal(open_text("a,b\n01/02/2024 00:05,1\n2024-02-01,2\n", &o, &s, &err), 0);
	assert_int_equal(sheet_next(s, &row, &err), 1);
	assert_true(row.timed && row.time_us == INT64_C(1706745900000000));
	assert_int_equal(sheet_next(s, &row, &err), 1);
	assert_string_equal(row.trouble, "\"2024-02-01\" is no time as --time.format has it: %d/%m/%Y %H:%M");
	sheet_close(TAKE(s));
	assert_int_equal(time_format_parse("epoch_ms", &o.time_format), 0);
	assert_int_equal(open_text("a,b\nnoon,1\n5,1\n", &o, &s, &err), 0);
	assert_int_equal(sheet_next(s, &row, &err), 1);
	assert_string_equal(row.trouble, "\"noon\" is no time as --time.format has it: epoch_ms");
	assert_int_equal(sheet_next(s, &row, &err), 1);
	assert_int_equal(row.time_us, 5000);
}

static const struct no_table {
	const char *name, *text, *said;
} no_tables[] = {
	{ "empty", "", "column names" },
	{ "no row", "a,b\n", "no row" },
	{ "blank lines are no rows", "a,b\n\n \n", "no row" },
	{ "the first row of no header: a time", "2024-01-01,20.5\n2024-01-02,21\n", ":1: \"2024-01-01\" is a time" },
	{ "the first row of no header: a number", "x,20.5\n2024-01-02,21\n", ":1: \"20.5\" is a number" },
	{ "texts alone", "a,b\n2024-01-01,x\n", "no column" },
	{ "times alone", "a\n2024-01-01\n", "no column" },
};

static void
is_no_table(void **state)
{
	const struct no_table *no = *state;
	struct sheet *s = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(open_text(no->text, &plain, &s, &err), -1);
	assert_int_equal(err.reason, REASON_FILE_INVALID);
	assert_non_null(strstr(err.text, no->said));
}

int
main(void)
{
	struct CMUnitTest tests[5 + ARRAY_LEN(bad_rows) + ARRAY_LEN(no_tables)] = {
		cmocka_unit_test(rows_have_times_and_numbers), cmocka_unit_test(columns_may_be_named),
		cmocka_unit_test(names_may_look_like_numbers), cmocka_unit_test(what_is_left_out_is_named),
		cmocka_unit_test(times_may_have_a_pattern),
	};
	size_t n = 5;

	for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++)
		tests[n++] = (struct CMUnitTest){ .name = bad_rows[i].name,
						  .test_func = trouble_is_told_and_the_row_kept,
						  .initial_state = (void *)&bad_rows[i] };
	for (size_t i = 0; i < ARRAY_LEN(no_tables); i++)
		tests[n++] = (struct CMUnitTest){ .name = no_tables[i].name,
						  .test_func = is_no_table,
						  .initial_state = (void *)&no_tables[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
