/* tests/unit/cli/input.c -- lines out of a file, whatever their length and wherever a chunk ends. */
#include "cli/input.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

/* The path stays valid until the next call. */
static const char *
file_of(const char *bytes, size_t n)
{
	static char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/forebay-input-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	close(fd);
	return path;
}

static struct input *
open_bytes(const char *bytes, size_t n)
{
	struct input *in = NULL;
	struct err err = ERR_INIT;
	const char *path = file_of(bytes, n);

	assert_int_equal(input_open(path, &in, &err), 0);
	unlink(path);
	return in;
}

#define ROW_LINES 4

static const struct row {
	const char *name, *text, *lines[ROW_LINES];
} rows[] = {
	{ "nothing", "", { NULL } },
	{ "one line", "a b\n", { "a b" } },
	{ "the last without a newline", "a\nbc", { "a", "bc" } },
	{ "empty lines are lines", "\n\na\n", { "", "", "a" } },
	{ "a byte order mark is none of it",
	  "\xef\xbb\xbf"
	  "a\n\xef\xbb\xbf"
	  "b",
	  { "a", "\xef\xbb\xbf"
		 "b" } },
	{ "a CR stays", "a\r\nb\r", { "a\r", "b\r" } },
};

static void
gives_lines(void **state)
{
	const struct row *row = *state;
	struct input *in = open_bytes(row->text, strlen(row->text));
	struct err err = ERR_INIT;
	struct span line;
	bool whole;

	for (size_t i = 0; i < ROW_LINES && row->lines[i]; i++) {
		assert_int_equal(input_line(in, &line, &whole, &err), 1);
		assert_true(whole);
		assert_int_equal(line.len, strlen(row->lines[i]));
		assert_memory_equal(line.ptr, row->lines[i], line.len);
	}
	assert_int_equal(input_line(in, &line, &whole, &err), 0);
	assert_int_equal(input_line(in, &line, &whole, &err), 0);
	input_close(in);
}

/* Lines of "x" of these lengths, one after the other. */
static struct input *
open_lengths(const size_t *lengths, size_t n, bool last_newline)
{
	size_t size = 0, at = 0;
	struct input *in;
	char *bytes;

	for (size_t i = 0; i < n; i++)
		size += lengths[i] + 1;
	bytes = malloc(size);
	assert_non_null(bytes);
	memset(bytes, 'x', size);
	for (size_t i = 0; i < n; i++) {
		at += lengths[i] + 1;
		bytes[at - 1] = '\n';
	}
	in = open_bytes(bytes, last_newline ? size : size - 1);
	free(bytes);
	return in;
}

#define LONGEST ((size_t)INPUT_WINDOW_MAX)

static void
across_chunks(void **state)
{
	static const size_t lengths[] = { 3, 262143, 262144, 262145, 0, 1000000, LONGEST - 1, 7 };
	struct input *in = open_lengths(lengths, sizeof(lengths) / sizeof(*lengths), true);
	struct err err = ERR_INIT;
	struct span line;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		assert_int_equal(input_whole_line(in, &line, &err), 1);
		assert_int_equal(line.len, lengths[i]);
	}
	assert_int_equal(input_whole_line(in, &line, &err), 0);
	input_close(in);
}

/* Its beginning is given once, and the lines behind it are those behind it. */
static void
too_long(void **state)
{
	static const size_t lengths[] = { 2, 2 * LONGEST + 5, 4, LONGEST, 1 };
	struct input *in = open_lengths(lengths, sizeof(lengths) / sizeof(*lengths), true);
	struct err err = ERR_INIT;
	struct span line;
	bool whole;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		assert_int_equal(input_line(in, &line, &whole, &err), 1);
		assert_int_equal(whole, lengths[i] < LONGEST);
		assert_int_equal(line.len, whole ? lengths[i] : LONGEST);
	}
	assert_int_equal(input_line(in, &line, &whole, &err), 0);
	input_close(in);

	in = open_lengths(lengths, 2, false);
	assert_int_equal(input_line(in, &line, &whole, &err), 1);
	assert_int_equal(input_line(in, &line, &whole, &err), 1);
	assert_false(whole);
	assert_int_equal(input_line(in, &line, &whole, &err), 0);
	input_close(in);

	in = open_lengths(lengths, 2, true);
	assert_int_equal(input_whole_line(in, &line, &err), 1);
	assert_int_equal(input_whole_line(in, &line, &err), -1);
	assert_int_equal(err.reason, REASON_FILE_INVALID);
	assert_non_null(strstr(err.text, "4194304 bytes"));
	input_close(in);
}

/* A gzip file that breaks off says so, after the lines that were whole. */
static void
cut_short(void **state)
{
	char path[64], bytes[4096];
	struct err err = ERR_INIT;
	struct input *in = NULL;
	struct span line;
	gzFile zip;
	FILE *file;
	size_t n;

	(void)state;
	snprintf(path, sizeof(path), "%s", file_of("", 0));
	zip = gzopen(path, "wb");
	assert_non_null(zip);
	for (uint32_t i = 0, x = 1; i < 2000; i++, x = x * 1664525 + 1013904223)
		gzprintf(zip, "%u\n", x);
	assert_int_equal(gzclose(zip), Z_OK);
	file = fopen(path, "rb");
	assert_non_null(file);
	n = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	unlink(path);
	in = open_bytes(bytes, n);
	while (input_whole_line(in, &line, &err) > 0)
		assert_true(line.len > 0);
	assert_int_equal(err.reason, REASON_FILE_UNREADABLE);
	assert_non_null(strstr(err.text, "cut short"));
	input_close(in);
}

/* Of what has been given out, not of what waits in the window. */
static void
tells_its_share(void **state)
{
	struct input *in = open_bytes("1\n22\n333\n4\n", 11);
	struct err err = ERR_INIT;
	struct span line;

	(void)state;
	assert_int_equal(input_whole_line(in, &line, &err), 1);
	assert_float_equal(input_share(in), 2.0 / 11, 1e-9);
	assert_int_equal(input_whole_line(in, &line, &err), 1);
	assert_float_equal(input_share(in), 5.0 / 11, 1e-9);
	while (input_whole_line(in, &line, &err) > 0)
		;
	assert_float_equal(input_share(in), 1, 1e-9);
	input_close(in);
}

int
main(void)
{
	struct CMUnitTest tests[sizeof(rows) / sizeof(*rows) + 4] = {
		cmocka_unit_test(across_chunks),
		cmocka_unit_test(too_long),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(tells_its_share),
	};

	for (size_t n = 0; n < sizeof(rows) / sizeof(*rows); n++)
		tests[n + 4] = (struct CMUnitTest){ .name = rows[n].name,
						    .test_func = gives_lines,
						    .initial_state = (void *)(uintptr_t)&rows[n] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
