/* Files of series: what is read from good ones, and what is said of bad ones. */
#include "cli/dataset.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

static const struct dataset_options hourly_lines = {
	.format = DATASET_LINES, .frequency = "1h", .time_column = "", .columns = "", .missing = "", .delimiter = ','
};

/* The path stays valid until the next call. */
static const char *
file_of(const char *text)
{
	static char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/forebay-dataset-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return path;
}

static int
read_text(const char *text, const struct dataset_options *o, struct dataset *d, struct err *err)
{
	const char *path = file_of(text);
	CLEANUP(input_close)
	struct input *in = NULL;
	int result;

	assert_int_equal(input_open(path, &in, err), 0);
	result = dataset_take(in, o, d, err);
	unlink(path);
	return result;
}

static void
lines_become_series(void **state)
{
	struct err err = ERR_INIT;
	struct dataset d;

	assert_int_equal(
	    read_text("{\"start\":\"2024-01-01 05:00:00\",\"target\":[1,null,\"NaN\",-2.5],\"cat\":[2,0],\"id\":\"a\","
		      "\"dynamic_feat\":[[1,2,3,4,5]],\"other\":{}}\n\n"
		      "{\"start\":\"2024-01-02\",\"target\":[7],\"cat\":[0,3],\"dynamic_feat\":[[1,2]]}",
		      &hourly_lines, &d, &err),
	    0);
	assert_int_equal(d.n, 2);
	assert_string_equal(d.frequency.name, "1h");
	assert_int_equal(d.rows[0].target.start_us, INT64_C(1704085200000000));
	assert_int_equal(d.rows[0].target.n, 4);
	assert_true(d.rows[0].target.values[0] == 1 && isnan(d.rows[0].target.values[1]) &&
		    isnan(d.rows[0].target.values[2]) && d.rows[0].target.values[3] == -2.5);
	assert_string_equal(d.rows[0].name, "a");
	assert_null(d.rows[1].name);
	assert_int_equal(d.rows[1].line, 3);
	assert_int_equal(d.rows[1].target.cats[1], 3);
	assert_int_equal(d.cardinality[0], 3);
	assert_int_equal(d.cardinality[1], 4);
	assert_int_equal(d.rows[0].target.n_dynamic, 5);
	assert_int_equal(d.rows[0].target.n_features, 1);
	assert_int_equal(d.rows[0].target.n_cats, 2);
	assert_true(d.rows[0].target.dynamic[0][4] == 5);
	dataset_clear(&d);
}

static void
columns_become_series(void **state)
{
	static const struct dataset_options table = { .format = DATASET_TABLE,
						      .frequency = "",
						      .time_column = "when",
						      .columns = "b,c",
						      .missing = "NA,-200",
						      .delimiter = ',' };
	struct err err = ERR_INIT;
	struct dataset d;

	assert_int_equal(
	    read_text("a,when,b,c\nx,2024-01-01 00:00,1,\nx,2024-01-01 00:15,-200.0,NA\nx,2024-01-01 00:30,3,4e2\n",
		      &table, &d, &err),
	    0);
	assert_string_equal(d.frequency.name, "15min");
	assert_int_equal(d.n, 2);
	assert_string_equal(d.rows[1].name, "c");
	assert_int_equal(d.rows[0].target.n, 3);
	assert_true(d.rows[0].target.values[0] == 1 && isnan(d.rows[0].target.values[1]) &&
		    isnan(d.rows[1].target.values[0]) && isnan(d.rows[1].target.values[1]) &&
		    d.rows[1].target.values[2] == 400);
	dataset_clear(&d);
}

static const struct refusal {
	const char *name, *text, *frequency;
	enum dataset_format format;
	enum err_reason reason;
	const char *says; /* in the message */
} refusals[] = {
	{ "no frequency", "{}", "", DATASET_LINES, REASON_OPTION_INVALID, "--freq 1h" },
	{ "an unknown frequency", "{}", "7 moons", DATASET_LINES, REASON_OPTION_INVALID, "7 moons" },
	{ "nothing", "\n", "1h", DATASET_LINES, REASON_FILE_INVALID, "no series" },
	{ "no JSON", "{\"start\":", "1h", DATASET_LINES, REASON_FILE_INVALID, "line 1: no JSON" },
	{ "no object", "[1]", "1h", DATASET_LINES, REASON_FILE_INVALID, "line 1: is no JSON object" },
	{ "no start", "{\"target\":[1]}", "1h", DATASET_LINES, REASON_FILE_INVALID, "\"start\" must be a text" },
	{ "a start that is no time", "\n{\"start\":\"soon\",\"target\":[1]}", "1h", DATASET_LINES, REASON_FILE_INVALID,
	  "line 2: \"start\"" },
	{ "no target", "{\"start\":\"2024-01-01\"}", "1h", DATASET_LINES, REASON_FILE_INVALID,
	  "\"target\" must be an array" },
	{ "a text in the target", "{\"start\":\"2024-01-01\",\"target\":[1,\"x\"]}", "1h", DATASET_LINES,
	  REASON_FILE_INVALID, "\"target\" [1] is no finite number" },
	{ "a category below zero", "{\"start\":\"2024-01-01\",\"target\":[1],\"cat\":[-1]}", "1h", DATASET_LINES,
	  REASON_FILE_INVALID, "\"cat\" must hold whole numbers from 0" },
	{ "a hole in a dynamic feature", "{\"start\":\"2024-01-01\",\"target\":[1],\"dynamic_feat\":[[null]]}", "1h",
	  DATASET_LINES, REASON_FILE_INVALID, "\"dynamic_feat\" [0] is no known number" },
	{ "a short dynamic feature", "{\"start\":\"2024-01-01\",\"target\":[1,2],\"dynamic_feat\":[[1]]}", "1h",
	  DATASET_LINES, REASON_FILE_INVALID, "\"dynamic_feat\" has rows of another length" },
	{ "categories that come and go",
	  "{\"start\":\"2024-01-01\",\"target\":[1],\"cat\":[0]}\n{\"start\":\"2024-01-01\",\"target\":[1]}", "1h",
	  DATASET_LINES, REASON_FILE_INVALID, "line 2: \"cat\" has 0 (it is not there), that of line 1 has 1" },
	{ "features that come and go",
	  "{\"start\":\"2024-01-01\",\"target\":[1]}\n\n{\"start\":\"2024-01-01\",\"target\":[1],\"id\":\"b\","
	  "\"dynamic_feat\":[[1]]}",
	  "1h", DATASET_LINES, REASON_FILE_INVALID, "line 3, series b: \"dynamic_feat\" has 1, that of line 1 has 0" },
	{ "a bad line with a name", "{\"start\":\"2024-01-01\",\"target\":[1,\"x\"],\"id\":\"pump\"}", "1h",
	  DATASET_LINES, REASON_FILE_INVALID, "line 1, series pump: \"target\" [1] is no finite number" },
	{ "a table without a header", "2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n", "", DATASET_TABLE,
	  REASON_FILE_INVALID, ":1: \"2024-01-01\" is a time, not a column's name" },
	{ "a row an eighth of a step late", "t,a\n2024-01-01 00:00,1\n2024-01-01 00:59:59,1\n2024-01-01 02:07:30,1\n",
	  "", DATASET_TABLE, REASON_FILE_INVALID, ":4: \"2024-01-01 02:07:30\" is later than one step (1h" },
	{ "a clock that goes slow",
	  "t,a\n2024-01-01 00:00,1\n2024-01-01 01:01,1\n2024-01-01 02:02:01,1\n2024-01-01 03:03,1\n2024-01-01 04:04,1\n",
	  "", DATASET_TABLE, REASON_FILE_INVALID, ":6: \"2024-01-01 04:04\" is later than one step (1h" },
	{ "a gap between rows", "t,a\n2024-01-01 00:00,1\n2024-01-01 01:00,1\n2024-01-01 03:00,1\n", "", DATASET_TABLE,
	  REASON_FILE_INVALID,
	  ":4: \"2024-01-01 03:00\" is later than one step (1h as between the first two rows; --freq" },
	{ "rows that go back", "t,a\n2024-01-01 00:00,1\n2024-01-01 01:00,1\n2024-01-01 01:00,1\n", "", DATASET_TABLE,
	  REASON_FILE_INVALID, ":4: \"2024-01-01 01:00\" is earlier than one step" },
	{ "two rows that say no frequency", "t,a\n2024-01-01 00:00:00,1\n2024-01-01 00:00:00.5,1\n", "", DATASET_TABLE,
	  REASON_FILE_INVALID, ":3: the first two times are 0.5 s apart, which is no frequency; say --freq" },
	{ "a first time that comes twice", "t,a\n2024-01-01 00:00,1\n2024-01-01 00:00,1\n", "", DATASET_TABLE,
	  REASON_FILE_INVALID, ":3: its time is the same as that of the row before: sort the rows" },
	{ "times that go down", "t,a\n2024-01-01 01:00,1\n2024-01-01 00:00,1\n", "", DATASET_TABLE, REASON_FILE_INVALID,
	  ":3: its time is earlier than that of the row before: sort the rows" },
	{ "JSON Lines as a table", "{\"start\":\"2024-01-01\", \"target\":[1,2]}\n", "1h", DATASET_TABLE,
	  REASON_FILE_INVALID, ":1: no well-formed CSV; if these are JSON Lines, say --format=jsonl" },
	{ "JSON Lines with one member as a table", "{\"target\":[1,2]}\n", "1h", DATASET_TABLE, REASON_FILE_INVALID,
	  "say --format=jsonl" },
	{ "a cell that is no number", "t,a\n2024-01-01 00:00,1\n2024-01-01 01:00,one\n", "", DATASET_TABLE,
	  REASON_FILE_INVALID, ":3: \"one\" is no number (column \"a\", field 2)" },
	{ "an infinity", "t,a,b\n2024-01-01 00:00,1,1\n2024-01-01 01:00,1,-Infinity\n", "", DATASET_TABLE,
	  REASON_FILE_INVALID, ":3: \"-Infinity\" is no finite number (column \"b\", field 3)" },
	{ "a number beyond all", "t,a\n2024-01-01 00:00,1\n2024-01-01 01:00,1e999\n", "", DATASET_TABLE,
	  REASON_FILE_INVALID, ":3: \"1e999\" is no finite number (column \"a\"" },
	{ "decimal commas", "t,a\n2024-01-01 00:00,1,5\n2024-01-01 01:00,1,5\n", "1h", DATASET_TABLE,
	  REASON_FILE_INVALID, ":2: 3 fields under 2 titles: if numbers have decimal commas" },
	{ "a short row", "t,a,b\n2024-01-01 00:00,1,1\n2024-01-01 01:00,1\n", "", DATASET_TABLE, REASON_FILE_INVALID,
	  ":3: only 2 fields" },
	{ "times alone", "t\n2024-01-01 00:00\n", "", DATASET_TABLE, REASON_FILE_INVALID,
	  "no column beside the times" },
	{ "one row", "t,a\n2024-01-01 00:00,1\n", "", DATASET_TABLE, REASON_FILE_INVALID, "fewer than two rows" },
};

static void
what_is_wrong_is_named(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct refusal *r = &refusals[i];
		struct dataset_options o = hourly_lines;
		struct err err = ERR_INIT;
		struct dataset d;

		o.format = r->format;
		o.frequency = r->frequency;
		if (read_text(r->text, &o, &d, &err) != -1 || err.reason != r->reason || !strstr(err.text, r->says))
			fail_msg("%s: [%s] %s", r->name, err_reason_name(err.reason), err.text);
		assert_int_equal(d.n, 0);
	}
}

/* Clocks tremble: what step is meant. */
static const struct trembling {
	const char *times[4], *frequency, *name;
} trembling[] = {
	{ { "00:00:00", "00:59:59", "02:00:00", "03:00:00" }, "", "1h" },
	{ { "00:00:00", "01:00:01", "02:00:00", "03:00:02" }, "", "1h" },
	{ { "00:00:00.100", "01:00:00.070", "02:00:00.200", "02:59:59.900" }, "", "1h" },
	{ { "00:00:00", "01:00:00", "02:01:30", "03:00:00" }, "", "1h" },
	{ { "00:00:00", "00:01:01", "00:02:00", "00:03:00" }, "", "1min" },
	{ { "00:00:00", "00:14:50", "00:30:05", "00:45:01" }, "1h", NULL },
	{ { "00:00:00", "00:14:50", "00:30:05", "00:45:01" }, "15min", "15min" },
	{ { "00:00:00", "01:00:01", "02:00:02", "03:00:03" }, "", "3601s" }, /* just so, three times */
	{ { "00:00:00", "01:00:01", "02:00:02", "03:00:00" }, "", "1h" },    /* twice by chance */
	{ { "00:00:00", "00:00:07", "00:00:14", "00:00:21" }, "", "7s" },
};

static void
trembling_times_are_on_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(trembling); i++) {
		const struct trembling *t = &trembling[i];
		struct dataset_options o = hourly_lines;
		struct err err = ERR_INIT;
		struct dataset d;
		char text[200] = "t,a\n";

		o.format = DATASET_TABLE;
		o.frequency = t->frequency;
		for (size_t k = 0; k < 4; k++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "2024-01-01 %s,%zu\n", t->times[k],
				 k);
		assert_int_equal(read_text(text, &o, &d, &err), t->name ? 0 : -1);
		if (!t->name)
			continue;
		assert_string_equal(d.frequency.name, t->name);
		assert_int_equal(d.rows[0].target.n, 4);
		dataset_clear(&d);
	}
}

/* Also where February comes first, whose last day is none of other months. */
static void
last_days_of_months_are_months(void **state)
{
	struct dataset_options o = hourly_lines;
	struct err err = ERR_INIT;
	struct dataset d;

	(void)state;
	o.format = DATASET_TABLE;
	o.frequency = "";
	assert_int_equal(
	    read_text("t,a\n2023-02-28,1\n2023-03-31,2\n2023-04-30,3\n2023-05-31,4\n2023-06-30,5\n", &o, &d, &err), 0);
	assert_string_equal(d.frequency.name, "1M");
	assert_int_equal(d.rows[0].target.n, 5);
	dataset_clear(&d);
	assert_int_equal(read_text("t,a\n2023-02-28,1\n2023-03-31,2\n2023-05-31,4\n", &o, &d, &err), -1);
}

/* Whoever goes on behind a bad line can say which series it was. */
static void
names_are_texts_or_numbers(void **state)
{
	static const struct name {
		const char *line, *name;
		bool numeric;
		int result;
	} names[] = {
		{ "{\"id\":\"a\",\"start\":\"2024-01-01\",\"target\":[1]}", "a", false, 0 },
		{ "{\"id\":17,\"start\":\"2024-01-01\",\"target\":[1]}", "17", true, 0 },
		{ "{\"item_id\":-2.5,\"start\":\"2024-01-01\",\"target\":[1]}", "-2.5", true, 0 },
		{ "{\"id\":null,\"start\":\"2024-01-01\",\"target\":[1]}", NULL, false, 0 },
		{ "{\"id\":17,\"start\":\"soon\",\"target\":[1]}", "17", true, -1 },
		{ "{\"id\":\"b\",\"start\":\"2024-01-01\",\"target\":[1],\"cat\":[-1]}", "b", false, -1 },
		{ "[1]", NULL, false, -1 },
		{ "{\"id\":1", NULL, false, -1 },
	};
	CLEANUP(arena_free) struct arena *arena = arena_new(4096, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct dataset_row row;
		struct err err = ERR_INIT;

		assert_int_equal(dataset_line(span_of(names[i].line), "x: line 1", arena, &row, &err), names[i].result);
		assert_true(row.numeric == names[i].numeric && !row.name == !names[i].name);
		if (row.name)
			assert_string_equal(row.name, names[i].name);
		assert_true(names[i].result == 0 || (row.target.n == 0 && !row.target.cats));
	}
}

static void
a_missing_column_is_named(void **state)
{
	struct dataset_options o = hourly_lines;
	struct err err = ERR_INIT;
	struct dataset d;

	o.format = DATASET_TABLE;
	o.columns = "a,z";
	assert_int_equal(read_text("t,a\n", &o, &d, &err), -1);
	assert_non_null(strstr(err.text, "there is no column \"z\""));
	o.columns = "";
	o.time_column = "when";
	assert_int_equal(read_text("t,a\n", &o, &d, &err), -1);
	assert_non_null(strstr(err.text, "there is no column \"when\""));
}

/* What stands in the fields of a longer row before it is not taken for its time. */
static void
a_row_without_its_time_is_named(void **state)
{
	struct dataset_options o = hourly_lines;
	struct err err = ERR_INIT;
	struct dataset d;

	o.format = DATASET_TABLE;
	o.time_column = "when";
	assert_int_equal(read_text("a,when\n1,2024-01-01 00:00\n1\n", &o, &d, &err), -1);
	assert_non_null(strstr(err.text, ":3: only 1 fields"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_series),
		cmocka_unit_test(columns_become_series),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(trembling_times_are_on_time),
		cmocka_unit_test(last_days_of_months_are_months),
		cmocka_unit_test(names_are_texts_or_numbers),
		cmocka_unit_test(a_missing_column_is_named),
		cmocka_unit_test(a_row_without_its_time_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
