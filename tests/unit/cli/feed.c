/* Files as messages: what a file holds and which options are given, against the keys and values that come out. */
#include "cli/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"

/* Comma-separated values with one key for all, or by a column, with names from outside. */
#define OPTIONS(the_key, the_column, the_names) \
	.csv = { .delimiter = ',' }, .columns = the_names, .device_column = the_column, .key = the_key, .metric = ""

static const struct row {
	const char *name;
	struct feed_options options;
	const char *text;
	const char *messages; /* key TAB value LF each; "-" for no key */
	int64_t lines, malformed, blank, comments, without_key;
} rows[] = {
	{ "a header and two rows",
	  {
	      OPTIONS("", "id", ""),
	  },
	  "id,t\na,1\nb,2.50\n",
	  "a\t{\"id\":\"a\",\"t\":\"1\"}\nb\t{\"id\":\"b\",\"t\":\"2.50\"}\n",
	  3,
	  0,
	  0,
	  0,
	  0 },
	{ "values stay as they stand",
	  {
	      OPTIONS("k", "", ""),
	  },
	  "v\n 1,\n",
	  "k\t{\"_line\":\" 1,\"}\n",
	  2,
	  1,
	  0,
	  0,
	  0 },
	{ "blanks of values are kept, those of names cut",
	  {
	      OPTIONS("", "b", ""),
	  },
	  " a , b\n 1, x\n",
	  " x\t{\"a\":\" 1\",\"b\":\" x\"}\n",
	  2,
	  0,
	  0,
	  0,
	  0 },
	{ "quotes, backslashes and control characters",
	  {
	      OPTIONS("k", "", ""),
	  },
	  "v,w\n\"a\"\"\\\",\t\n",
	  "k\t{\"v\":\"a\\\"\\\\\",\"w\":\"\\u0009\"}\n",
	  2,
	  0,
	  0,
	  0,
	  0 },
	{ "bytes that are not UTF-8 stay",
	  {
	      OPTIONS("k", "", ""),
	  },
	  "v\nK\xfchl\n",
	  "k\t{\"v\":\"K\xfchl\"}\n",
	  2,
	  0,
	  0,
	  0,
	  0 },
	{ "names from outside, no header",
	  {
	      OPTIONS("", "a", "a, b"),
	  },
	  "1,2\n",
	  "1\t{\"a\":\"1\",\"b\":\"2\"}\n",
	  1,
	  0,
	  0,
	  0,
	  0 },
	{ "constants",
	  { OPTIONS("k", "", ""), .constants = { { SPAN("source"), SPAN("x\"y") } }, .n_constants = 1 },
	  "v\n1\n",
	  "k\t{\"v\":\"1\",\"source\":\"x\\\"y\"}\n",
	  2,
	  0,
	  0,
	  0,
	  0 },
	{ "no line is lost",
	  { OPTIONS("", "a", ""), .constants = { { SPAN("s"), SPAN("x") } }, .n_constants = 1 },
	  "a,b\n1\n\"2,3\n4,5\n",
	  "-\t{\"_line\":\"1\",\"s\":\"x\"}\n-\t{\"_line\":\"\\\"2,3\",\"s\":\"x\"}\n4\t{\"a\":\"4\",\"b\":\"5\",\"s\":\"x\"}\n",
	  4,
	  2,
	  0,
	  0,
	  2 },
	{ "an empty device is no key",
	  {
	      OPTIONS("", "a", ""),
	  },
	  "a,b\n,1\n",
	  "-\t{\"a\":\"\",\"b\":\"1\"}\n",
	  2,
	  0,
	  0,
	  0,
	  1 },
	{ "comments, blank lines, lines to skip, a byte order mark",
	  { .csv = { .delimiter = ',', .comment = '#' },
	    .columns = "",
	    .device_column = "",
	    .key = "k",
	    .metric = "",
	    .skip_lines = 2 },
	  "\xef\xbb\xbfthe title, \"\nand more\n# x\n\na\n1\n",
	  "k\t{\"a\":\"1\"}\n",
	  6,
	  0,
	  1,
	  1,
	  0 },
	{ "only a header",
	  {
	      OPTIONS("k", "", ""),
	  },
	  "a,b\n",
	  "",
	  1,
	  0,
	  0,
	  0,
	  0 },
	{ "an empty file",
	  {
	      OPTIONS("k", "", ""),
	  },
	  "",
	  "",
	  0,
	  0,
	  0,
	  0,
	  0 },
	{ "JSON Lines byte for byte",
	  {
	      OPTIONS("", "device", ""),
	      .format = FEED_JSONL,
	  },
	  "{\"device\":\"a\" }\r\n\n  \n{\"device\":7}\nno json\n{\"device\":{}}",
	  "a\t{\"device\":\"a\" }\r\n7\t{\"device\":7}\n-\tno json\n-\t{\"device\":{}}\n",
	  6,
	  0,
	  2,
	  0,
	  2 },
	{ "a matrix, rows are times",
	  { .format = FEED_MATRIX,
	    .csv = { .delimiter = ' ' },
	    .columns = "3,7",
	    .device_column = "",
	    .key = "",
	    .metric = "temperature",
	    .rows = ROWS_ARE_TIMES,
	    .step_us = 30 * US_PER_SECOND },
	  "1 2.5\r\n3 4\n",
	  "3\t{\"mote\":\"3\",\"time\":\"1970-01-01T00:00:00.000000Z\",\"temperature\":\"1\"}\n"
	  "7\t{\"mote\":\"7\",\"time\":\"1970-01-01T00:00:00.000000Z\",\"temperature\":\"2.5\"}\n"
	  "3\t{\"mote\":\"3\",\"time\":\"1970-01-01T00:00:30.000000Z\",\"temperature\":\"3\"}\n"
	  "7\t{\"mote\":\"7\",\"time\":\"1970-01-01T00:00:30.000000Z\",\"temperature\":\"4\"}\n",
	  2,
	  0,
	  0,
	  0,
	  0 },
	{ "a matrix, rows are devices; a short row keeps its place",
	  { .format = FEED_MATRIX,
	    .csv = { .delimiter = ',' },
	    .columns = "",
	    .device_column = "node",
	    .key = "",
	    .metric = "h",
	    .rows = ROWS_ARE_DEVICES,
	    .step_us = US_PER_SECOND },
	  "1,2\n3\n5,6\n",
	  "1\t{\"node\":\"1\",\"time\":\"1970-01-01T00:00:00.000000Z\",\"h\":\"1\"}\n"
	  "1\t{\"node\":\"1\",\"time\":\"1970-01-01T00:00:01.000000Z\",\"h\":\"2\"}\n"
	  "-\t{\"_line\":\"3\"}\n"
	  "3\t{\"node\":\"3\",\"time\":\"1970-01-01T00:00:00.000000Z\",\"h\":\"5\"}\n"
	  "3\t{\"node\":\"3\",\"time\":\"1970-01-01T00:00:01.000000Z\",\"h\":\"6\"}\n",
	  3,
	  1,
	  0,
	  0,
	  1 },
};

static void
write_file(char *path, const char *text, bool gzip)
{
	int fd = mkstemp(path);
	gzFile file;

	assert_true(fd >= 0);
	file = gzdopen(fd, gzip ? "wb" : "wbT");
	assert_non_null(file);
	assert_int_equal(gzwrite(file, text, (unsigned)strlen(text)), strlen(text));
	assert_int_equal(gzclose(file), Z_OK);
}

static void
read_all(const struct row *row, const char *path, struct buffer *out)
{
	CLEANUP(feed_close)
	struct feed *f = NULL;
	struct feed_message m;
	struct err err = ERR_INIT;
	int got;

	assert_int_equal(feed_open(&row->options, path, &f, &err), 0);
	while ((got = feed_next(f, &m, &err)) > 0) {
		assert_int_equal(
		    buffer_printf(out, "%.*s\t", m.key.ptr ? (int)m.key.len : 1, m.key.ptr ? m.key.ptr : "-"), 0);
		assert_int_equal(buffer_append(out, m.value.ptr, m.value.len), 0);
		assert_int_equal(buffer_text(out, "\n"), 0);
	}
	assert_int_equal(got, 0);
	assert_int_equal(feed_counts(f)->lines, row->lines);
	assert_int_equal(feed_counts(f)->malformed, row->malformed);
	assert_int_equal(feed_counts(f)->blank, row->blank);
	assert_int_equal(feed_counts(f)->comments, row->comments);
	assert_int_equal(feed_counts(f)->without_key, row->without_key);
}

/* From a plain file and from a gzip one. */
static void
feeds(void **state)
{
	const struct row *row = *state;

	for (int gzip = 0; gzip < 2; gzip++) {
		char path[] = "/tmp/forebay-feed-XXXXXX";
		CLEANUP(buffer_clear)
		struct buffer out = BUFFER_INIT(0);

		write_file(path, row->text, gzip);
		read_all(row, path, &out);
		unlink(path);
		assert_int_equal(buffer_append(&out, "", 1), 0);
		assert_string_equal(out.ptr, row->messages);
	}
}

/* A quote that is never closed costs its line, not the file, however long that is. */
static void
survives_an_open_quote(void **state)
{
	char path[] = "/tmp/forebay-feed-XXXXXX";
	const struct feed_options options = {
		OPTIONS("k", "", ""),
	};
	CLEANUP(feed_close)
	struct feed *f = NULL;
	struct feed_message m;
	struct err err = ERR_INIT;
	FILE *file;
	int fd = mkstemp(path);
	enum { ROWS = 600000 };

	(void)state;
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	fputs("a,b\n\"open,1\n", file);
	for (int i = 0; i < ROWS; i++)
		fprintf(file, "%d,some text\n", i);
	fclose(file);
	assert_int_equal(feed_open(&options, path, &f, &err), 0);
	while (feed_next(f, &m, &err) > 0)
		;
	unlink(path);
	assert_int_equal(err.reason, REASON_NONE);
	assert_int_equal(feed_counts(f)->messages, ROWS + 1);
	assert_int_equal(feed_counts(f)->malformed, 1);
}

static const struct wrong {
	const char *name;
	struct feed_options options;
	const char *text;
	enum err_reason reason;
} wrongs[] = {
	{ "no such column",
	  {
	      OPTIONS("", "x", ""),
	  },
	  "a\n1\n",
	  REASON_FILE_INVALID },
	{ "two columns of one name",
	  {
	      OPTIONS("k", "", ""),
	  },
	  "a,a\n1,2\n",
	  REASON_FILE_INVALID },
	{ "a column without a name",
	  {
	      OPTIONS("k", "", ""),
	  },
	  "a,\n1,2\n",
	  REASON_FILE_INVALID },
	{ "a constant named as a column",
	  { OPTIONS("k", "", ""), .constants = { { SPAN("a"), SPAN("1") } }, .n_constants = 1 },
	  "a\n1\n",
	  REASON_USAGE },
	{ "key and column",
	  {
	      OPTIONS("k", "a", ""),
	  },
	  "a\n1\n",
	  REASON_USAGE },
	{ "constants for JSON Lines",
	  { OPTIONS("", "", ""), .format = FEED_JSONL, .constants = { { SPAN("a"), SPAN("1") } }, .n_constants = 1 },
	  "{}\n",
	  REASON_USAGE },
	{ "a matrix without a metric",
	  { OPTIONS("", "", ""), .format = FEED_MATRIX, .step_us = 1 },
	  "1\n",
	  REASON_USAGE },
};

static void
refuses(void **state)
{
	const struct wrong *row = *state;
	char path[] = "/tmp/forebay-feed-XXXXXX";
	CLEANUP(feed_close)
	struct feed *f = NULL;
	struct feed_message m;
	struct err err = ERR_INIT;
	int failed;

	write_file(path, row->text, false);
	failed = feed_open(&row->options, path, &f, &err);
	while (!failed && (failed = feed_next(f, &m, &err)) > 0)
		failed = 0;
	unlink(path);
	assert_int_equal(failed, -1);
	assert_int_equal(err.reason, row->reason);
}

/* A gzip file that ends too early is an error, not an end. */
static void
notices_a_cut_gzip(void **state)
{
	char path[] = "/tmp/forebay-feed-XXXXXX";
	const struct feed_options options = {
		OPTIONS("k", "", ""),
	};
	CLEANUP(feed_close)
	struct feed *f = NULL;
	struct feed_message m;
	struct err err = ERR_INIT;
	int got;

	(void)state;
	write_file(path, "a\n1\n2\n3\n4\n5\n", true);
	assert_int_equal(truncate(path, 22), 0);
	assert_int_equal(feed_open(&options, path, &f, &err), 0);
	while ((got = feed_next(f, &m, &err)) > 0)
		;
	unlink(path);
	assert_int_equal(got, -1);
	assert_int_equal(err.reason, REASON_FILE_UNREADABLE);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + ARRAY_LEN(wrongs) + 2];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, feeds, NULL, NULL, (void *)&rows[i] };
	for (size_t i = 0; i < ARRAY_LEN(wrongs); i++)
		tests[n++] = (struct CMUnitTest){ wrongs[i].name, refuses, NULL, NULL, (void *)&wrongs[i] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(survives_an_open_quote);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(notices_a_cut_gzip);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
