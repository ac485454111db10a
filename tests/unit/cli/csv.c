/* One record of comma-separated values: a text in, its kind, fields and line out. */
#include "cli/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

#define COMMA                    \
	{                        \
		.delimiter = ',' \
	}
#define TRIM                                   \
	{                                      \
		.delimiter = ',', .trim = true \
	}
#define BLANKS                   \
	{                        \
		.delimiter = ' ' \
	}
#define HASH                                     \
	{                                        \
		.delimiter = ',', .comment = '#' \
	}

static const struct row {
	const char *name;
	struct csv_format format;
	const char *text;
	bool more_may_come;
	enum csv_kind kind;
	const char *fields; /* joined by '|' */
	const char *line;
	size_t taken, lines;
} rows[] = {
	{ "one field", COMMA, "a\n", false, CSV_ROW, "a", "a", 2, 1 },
	{ "three fields", COMMA, "a,b,c\nd", false, CSV_ROW, "a|b|c", "a,b,c", 6, 1 },
	{ "CRLF", COMMA, "a,b\r\nc", false, CSV_ROW, "a|b", "a,b", 5, 1 },
	{ "the last line without an end", COMMA, "a,b", false, CSV_ROW, "a|b", "a,b", 3, 1 },
	{ "the last line ends in CR", COMMA, "a,b\r", false, CSV_ROW, "a|b", "a,b", 4, 1 },
	{ "the last field quoted, then CR", COMMA, "a,\"b\"\r", false, CSV_ROW, "a|b", "a,\"b\"", 6, 1 },
	{ "empty fields", COMMA, ",,\n", false, CSV_ROW, "||", ",,", 3, 1 },
	{ "an empty field at the end", COMMA, "a,\n", false, CSV_ROW, "a|", "a,", 3, 1 },
	{ "an empty field at the end of all", COMMA, "a,", false, CSV_ROW, "a|", "a,", 2, 1 },
	{ "blanks belong to fields", COMMA, " a , b\n", false, CSV_ROW, " a | b", " a , b", 7, 1 },
	{ "blanks trimmed", TRIM, " a ,\tb \n", false, CSV_ROW, "a|b", " a ,\tb ", 8, 1 },
	{ "trimmed behind a quote", TRIM, " \"a \" , b\n", false, CSV_ROW, "a |b", " \"a \" , b", 10, 1 },
	{ "tabs are not trimmed where they delimit",
	  { .delimiter = '\t', .trim = true },
	  "a\t\tb\n",
	  false,
	  CSV_ROW,
	  "a||b",
	  "a\t\tb",
	  5,
	  1 },
	{ "a delimiter in quotes", COMMA, "\"a,b\",c\n", false, CSV_ROW, "a,b|c", "\"a,b\",c", 8, 1 },
	{ "doubled quotes", COMMA, "\"a\"\"b\",\"\"\"\"\n", false, CSV_ROW, "a\"b|\"", "\"a\"\"b\",\"\"\"\"", 12, 1 },
	{ "an empty quoted field", COMMA, "\"\",x\n", false, CSV_ROW, "|x", "\"\",x", 5, 1 },
	{ "a line end in quotes", COMMA, "\"a\nb\",c\nd\n", false, CSV_ROW, "a\nb|c", "\"a\nb\",c", 8, 2 },
	{ "a quote inside a plain field", COMMA, "5\" pipe,b\n", false, CSV_ROW, "5\" pipe|b", "5\" pipe,b", 10, 1 },
	{ "a semicolon", { .delimiter = ';' }, "1,5;2\n", false, CSV_ROW, "1,5|2", "1,5;2", 6, 1 },
	{ "runs of blanks", BLANKS, "  1 \t 2  3 \n", false, CSV_ROW, "1|2|3", "  1 \t 2  3 ", 12, 1 },
	{ "quotes mean nothing between blanks", BLANKS, "\"a b\"\n", false, CSV_ROW, "\"a|b\"", "\"a b\"", 6, 1 },
	{ "an empty line", COMMA, "\na", false, CSV_BLANK, "", "", 1, 1 },
	{ "a line of blanks", COMMA, " \t\r\na", false, CSV_BLANK, "", " \t", 4, 1 },
	{ "a comment", HASH, " # x,\"y\nz\n", false, CSV_COMMENT, "", " # x,\"y", 8, 1 },
	{ "a comment character elsewhere", HASH, "a,#b\n", false, CSV_ROW, "a|#b", "a,#b", 5, 1 },
	{ "a quote that never closes", COMMA, "\"a,b\nc,d\n", false, CSV_BROKEN, "", "\"a,b", 5, 1 },
	{ "text behind a closing quote", COMMA, "\"a\"b,c\nd", false, CSV_BROKEN, "", "\"a\"b,c", 7, 1 },
	{ "broken over two lines: the first alone", COMMA, "\"a\nb\"c\nd", false, CSV_BROKEN, "", "\"a", 3, 1 },
	{ "broken with CRLF", COMMA, "\"a\"b\r\nc", false, CSV_BROKEN, "", "\"a\"b", 6, 1 },
	{ "no line end yet", COMMA, "a,b", true, CSV_MORE, "", NULL, 0, 0 },
	{ "inside quotes", COMMA, "\"a\nb", true, CSV_MORE, "", NULL, 0, 0 },
	{ "a quote that may be doubled", COMMA, "x\n\"a\"", true, CSV_ROW, "x", "x", 2, 1 },
	{ "the second line is not there yet", COMMA, "\"a\n\"", true, CSV_MORE, "", NULL, 0, 0 },
	{ "between CR and LF", COMMA, "\"a\nb\"\r", true, CSV_MORE, "", NULL, 0, 0 },
};

static void
scans(void **state)
{
	const struct row *row = *state;
	/* As many bytes as the text has, so that a sanitizer sees a step too far. */
	size_t len = strlen(row->text);
	CLEANUP(heap_free)
	char *text = malloc(len);
	CLEANUP(heap_free)
	struct csv_record *r = calloc(1, sizeof(*r));
	CLEANUP(buffer_clear)
	struct buffer joined = BUFFER_INIT(0);

	assert_non_null(text);
	assert_non_null(r);
	memcpy(text, row->text, len);
	assert_int_equal(csv_scan(&row->format, (struct span){ text, len }, !row->more_may_come, r), row->kind);
	if (row->kind == CSV_MORE) {
		buffer_clear(&r->quoted);
		return;
	}
	for (size_t i = 0; i < r->n_fields; i++) {
		assert_int_equal(buffer_text(&joined, i ? "|" : ""), 0);
		assert_int_equal(buffer_append(&joined, r->fields[i].ptr, r->fields[i].len), 0);
	}
	if (row->kind == CSV_ROW)
		assert_true(span_equal(buffer_span(&joined), span_of(row->fields)));
	assert_true(span_equal(r->line, span_of(row->line)));
	assert_int_equal(r->taken, row->taken);
	assert_int_equal(r->lines, row->lines);
	buffer_clear(&r->quoted);
}

/* Too many fields are no row, but are not lost either. */
static void
bounds_the_fields(void **state)
{
	CLEANUP(heap_free)
	struct csv_record *r = calloc(1, sizeof(*r));
	CLEANUP(heap_free)
	char *text = malloc(CSV_MAX_FIELDS + 1);
	const struct csv_format comma = COMMA;

	(void)state;
	assert_non_null(r);
	assert_non_null(text);
	memset(text, ',', CSV_MAX_FIELDS);
	text[CSV_MAX_FIELDS] = '\n';
	assert_int_equal(csv_scan(&comma, (struct span){ text + 1, CSV_MAX_FIELDS }, true, r), CSV_ROW);
	assert_int_equal(r->n_fields, CSV_MAX_FIELDS);
	assert_int_equal(csv_scan(&comma, (struct span){ text, CSV_MAX_FIELDS + 1 }, true, r), CSV_BROKEN);
	assert_int_equal(r->line.len, CSV_MAX_FIELDS);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 1];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, scans, NULL, NULL, (void *)&rows[i] };
	tests[ARRAY_LEN(rows)] = (struct CMUnitTest)cmocka_unit_test(bounds_the_fields);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
