/* library.c -- which models are at hand, what is known of the others, and who is told of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/forecast/library.h"
#include "tests/support/bookshelf.h"

/* What was told, as a text: "+a" here, "-a" gone, "!a" failed first, "?a" failed again, "x" behind it: broken. */
struct diary {
	char text[200], why[200];
	size_t len;
};

static void
write_down(struct diary *d, char what, struct span version, const char *behind)
{
	d->len +=
	    (size_t)snprintf(d->text + d->len, sizeof(d->text) - d->len, "%c%.*s%s", what, SPAN_ARG(version), behind);
}

static void
here(void *self, struct span name, struct span version)
{
	assert_true(span_equal(name, SPAN("net")));
	write_down(self, '+', version, "");
}

static void
gone(void *self, struct span name, struct span version)
{
	assert_true(span_equal(name, SPAN("net")));
	write_down(self, '-', version, "");
}

static void
failed(void *self, struct span name, struct span version, bool first, bool broken, const struct err *why)
{
	assert_true(span_equal(name, SPAN("net")) && why->reason != REASON_NONE && why->text[0]);
	write_down(self, first ? '!' : '?', version, broken ? "x" : "");
	snprintf(((struct diary *)self)->why, sizeof(((struct diary *)self)->why), "%.199s", why->text);
}

static struct library *
library(struct diary *d)
{
	const struct library_source source = { bookshelf_get, &bookshelf };
	const struct library_watch watch = { here, gone, failed, d };
	struct library *l = NULL;

	assert_int_equal(library_new(&source, &watch, &l, NULL), 0);
	return l;
}

static int
shelf_up(void **state)
{
	static const char *const versions[] = { "a", "b", "c", "d", "e", "f" };

	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		bookshelf_add(versions[i], i < 5 ? "1h" : "1D", 6, 0, i);
	return 0;
}

/* Four that nobody uses stay; the one used longest ago leaves. */
static void
keeps_a_few(void **state)
{
	struct diary d = { 0 };
	CLEANUP(library_free) struct library *l = library(&d);
	struct book *books[6];

	for (size_t i = 0; i < ARRAY_LEN(books); i++)
		assert_int_equal(library_take(l, SPAN("net"), span_of(bookshelf.models[i].version), &books[i], NULL),
				 0);
	for (size_t i = 0; i < ARRAY_LEN(books); i++)
		library_give_back(l, books[i]);
	assert_string_equal(d.text, "+a+b+c+d+e+f-a-b");
	assert_int_equal(library_take(l, SPAN("net"), SPAN("c"), &books[2], NULL), 0);
	assert_int_equal(bookshelf.fetched, 6);
	assert_int_equal(library_take(l, SPAN("net"), SPAN("a"), &books[0], NULL), 0);
	assert_int_equal(bookshelf.fetched, 7);
	library_give_back(l, books[0]);
	library_give_back(l, books[2]);
	library_give_back(l, NULL);
	assert_string_equal(d.text, "+a+b+c+d+e+f-a-b+a-d");
}

/* For whom a version is; what is not read twice; what nobody is told twice. */
static void
knows_what_they_are_for(void **state)
{
	struct diary d = { 0 };
	CLEANUP(library_free) struct library *l = library(&d);
	struct err err = ERR_INIT;
	struct frequency hour;
	struct book *book;
	const struct row {
		const char *version;
		size_t horizon;
		enum library_fit fit;
		const char *told;
	} rows[] = {
		{ "", 6, LIBRARY_UNFIT, "" },  { "a", 6, LIBRARY_FITS, "+a" },  { "a", 7, LIBRARY_UNFIT, "!a" },
		{ "a", 8, LIBRARY_UNFIT, "" }, { "f", 6, LIBRARY_UNFIT, "+f" }, { "b", 6, LIBRARY_LOST, "!bx" },
		{ "b", 6, LIBRARY_LOST, "" },  { "g", 6, LIBRARY_LOST, "!g" },  { "g", 6, LIBRARY_LOST, "" },
	};

	bookshelf.models[1].bytes.ptr[bookshelf.models[1].bytes.len / 2] ^= 1;
	assert_int_equal(frequency_parse("1h", &hour, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		d = (struct diary){ 0 };
		assert_int_equal(library_fit(l, SPAN("net"), span_of(rows[i].version), &hour, rows[i].horizon),
				 rows[i].fit);
		assert_string_equal(d.text, rows[i].told);
	}
	assert_int_equal(bookshelf.fetched, 4);
	assert_int_equal(library_take(l, SPAN("net"), SPAN("b"), &book, &err), -1);
	assert_int_equal(err.reason, REASON_STATE_CORRUPT);
	err_clear(&err);
	assert_int_equal(library_take(l, SPAN("net"), SPAN("g"), &book, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_DOWN);
	assert_string_equal(d.text, "?g");
}

/* A model that was brought from outside wants categories: it serves nobody, and that is told once. */
static void
wants_what_series_do_not_have(void **state)
{
	struct diary d = { 0 };
	CLEANUP(library_free) struct library *l = library(&d);
	struct err err = ERR_INIT;
	struct frequency hour, day;

	(void)state;
	bookshelf_add_special("s", "1h", 6, 0, 1);
	assert_int_equal(frequency_parse("1h", &hour, &err), 0);
	assert_int_equal(frequency_parse("1D", &day, &err), 0);
	assert_int_equal(library_fit(l, SPAN("net"), SPAN("s"), &day, 6), LIBRARY_UNFIT);
	assert_string_equal(d.text, "+s");
	for (int i = 0; i < 3; i++)
		assert_int_equal(library_fit(l, SPAN("net"), SPAN("s"), &hour, 6), LIBRARY_UNFIT);
	assert_string_equal(d.text, "+s!s");
	assert_non_null(strstr(d.why, "1 categories"));
	assert_int_equal(library_fit(l, SPAN("net"), SPAN("a"), &hour, 6), LIBRARY_FITS);
}

/* Nobody answers: nothing is known, and who does not answer is left alone for a while, unless there is no choice. */
static void
waits_after_a_failure(void **state)
{
	struct diary d = { 0 };
	CLEANUP(library_free) struct library *l = library(&d);
	struct err err = ERR_INIT;
	struct frequency hour;
	struct book *book;

	assert_int_equal(frequency_parse("1h", &hour, &err), 0);
	bookshelf.down = true;
	assert_int_equal(library_fit(l, SPAN("net"), SPAN("a"), &hour, 6), LIBRARY_AWAY);
	assert_int_equal(library_fit(l, SPAN("net"), SPAN("c"), &hour, 6), LIBRARY_AWAY);
	bookshelf.down = false;
	assert_int_equal(library_fit(l, SPAN("net"), SPAN("a"), &hour, 6), LIBRARY_AWAY);
	assert_int_equal(bookshelf.fetched, 1);
	assert_int_equal(library_take(l, SPAN("net"), SPAN("a"), &book, &err), 0);
	assert_int_equal(library_fit(l, SPAN("net"), SPAN("a"), &hour, 6), LIBRARY_FITS);
	assert_string_equal(d.text, "!a+a");
	library_give_back(l, book);
}

/* Nobody wants to know, and there is nowhere to ask. */
static void
without_a_source(void **state)
{
	const struct library_source none = { 0 };
	struct library *l = NULL;
	struct err err = ERR_INIT;
	struct book *book;

	assert_int_equal(library_new(&none, NULL, &l, &err), 0);
	assert_false(library_open(l));
	assert_int_equal(library_take(l, SPAN("net"), SPAN("a"), &book, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_DOWN);
	assert_non_null(strstr(err.text, "net/a"));
	library_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_a_few, shelf_up, bookshelf_clear),
		cmocka_unit_test_setup_teardown(knows_what_they_are_for, shelf_up, bookshelf_clear),
		cmocka_unit_test_setup_teardown(wants_what_series_do_not_have, shelf_up, bookshelf_clear),
		cmocka_unit_test_setup_teardown(waits_after_a_failure, shelf_up, bookshelf_clear),
		cmocka_unit_test(without_a_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
