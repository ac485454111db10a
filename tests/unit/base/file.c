/* Whole files: what is put in a place, what is read from it, and what is said where that cannot be. */
#include "common/base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

static char folder[] = "/tmp/forebay-file-XXXXXX";

static char *
place(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void
assert_holds(const char *path, struct span wanted)
{
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(0);
	struct err err = ERR_INIT;

	assert_int_equal(file_read(path, &bytes, &err), 0);
	assert_true(span_equal(buffer_span(&bytes), wanted));
}

static void
a_file_is_made_and_replaced(void **state)
{
	CLEANUP(heap_free)
	char *large = malloc(300000);
	struct err err = ERR_INIT;

	assert_non_null(large);
	memset(large, 'x', 300000);
	assert_int_equal(file_replace(place("a"), SPAN("one"), &err), 0);
	assert_holds(place("a"), SPAN("one"));
	assert_int_equal(file_replace(place("a"), (struct span){ large, 300000 }, &err), 0);
	assert_holds(place("a"), (struct span){ large, 300000 });
	assert_int_equal(file_replace(place("a"), SPAN(""), &err), 0);
	assert_holds(place("a"), SPAN(""));
	unlink(place("a"));
	assert_int_equal(rmdir(folder), 0); /* nothing is left beside it */
	assert_int_equal(mkdir(folder, 0700), 0);
}

static void
what_was_there_stays_where_it_cannot_be_replaced(void **state)
{
	struct err err = ERR_INIT;
	char path[160];

	assert_int_equal(file_replace(place("b"), SPAN("old"), &err), 0);
	snprintf(path, sizeof(path), "%s/c", place("b")); /* below a file */
	assert_int_equal(file_replace(path, SPAN("new"), &err), -1);
	assert_int_equal(err.reason, REASON_IO);
	assert_non_null(strstr(err.text, path));
	assert_holds(place("b"), SPAN("old"));
	unlink(place("b"));
	err_clear(&err);
	assert_int_equal(file_replace(folder, SPAN("new"), &err), -1);
	assert_int_equal(err.reason, REASON_IO);
}

/* Asking changes nothing, and leaves nothing behind. */
static void
whether_a_file_can_be_written_is_known_before(void **state)
{
	struct err err = ERR_INIT;
	char below[160];

	assert_int_equal(file_replaceable(place("e"), &err), 0);
	assert_int_equal(access(place("e"), F_OK), -1);
	assert_int_equal(file_replace(place("e"), SPAN("old"), &err), 0);
	assert_int_equal(file_replaceable(place("e"), &err), 0);
	assert_holds(place("e"), SPAN("old"));
	snprintf(below, sizeof(below), "%s/c", place("e"));
	assert_int_equal(file_replaceable(below, &err), -1);
	assert_int_equal(err.reason, REASON_IO);
	assert_non_null(strstr(err.text, below));
	err_clear(&err);
	assert_int_equal(file_replaceable(folder, &err), -1);
	assert_int_equal(err.reason, REASON_IO);
	assert_non_null(strstr(err.text, "directory"));
	unlink(place("e"));
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
}

static void
what_cannot_be_read_is_named(void **state)
{
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(2);
	struct err err = ERR_INIT;

	assert_int_equal(file_read(place("none"), &bytes, &err), -1);
	assert_int_equal(err.reason, REASON_FILE_UNREADABLE);
	assert_non_null(strstr(err.text, place("none")));
	err_clear(&err);
	assert_int_equal(file_read(folder, &bytes, &err), -1);
	assert_int_equal(err.reason, REASON_FILE_UNREADABLE);
	err_clear(&err);
	assert_int_equal(file_replace(place("d"), SPAN("abc"), &err), 0);
	assert_int_equal(file_read(place("d"), &bytes, &err), -1);
	assert_int_equal(err.reason, REASON_FILE_INVALID);
	assert_non_null(strstr(err.text, "more than 2 bytes"));
	unlink(place("d"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_made_and_replaced),
		cmocka_unit_test(what_was_there_stays_where_it_cannot_be_replaced),
		cmocka_unit_test(whether_a_file_can_be_written_is_known_before),
		cmocka_unit_test(what_cannot_be_read_is_named),
	};
	int failed;

	if (!mkdtemp(folder))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
