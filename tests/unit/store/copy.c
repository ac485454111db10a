/* copy.c -- rows in binary form: every type, hostile texts, stamps out of range, a session that breaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/store/copy.h"
#include "common/store/query.h"
#include "tests/support/postgres.h"

static struct postgres server;

static int
start(void **state)
{
	(void)state;
	postgres_start(&server);
	return 0;
}

static int
wipe(void **state)
{
	(void)state;
	postgres_wipe(&server);
	return 0;
}

static const struct hostile {
	const char *name;
	struct span text;
	enum err_reason reason;
} hostile[] = {
	{ "empty", { "", 0 }, REASON_NONE },
	{ "escapes of the text form", { "\\N\t\\.\n\r\\x00", 11 }, REASON_NONE },
	{ "quotes", { "'; DROP TABLE x; --\"", 20 }, REASON_NONE },
	{ "four bytes", { "\xf0\x9f\x8c\x8a", 4 }, REASON_NONE },
	{ "a signature", { "PGCOPY\n\377\r\n", 6 }, REASON_NONE },
	{ "zero byte", { "a\0b", 3 }, REASON_ROW_REFUSED },
	{ "not UTF-8", { "\xc3\x28", 2 }, REASON_ROW_REFUSED },
	{ "surrogate", { "\xed\xa0\x80", 3 }, REASON_ROW_REFUSED },
	{ "cut short", { "\xe2\x82", 2 }, REASON_ROW_REFUSED },
	{ "overlong", { "\xc0\x80", 2 }, REASON_ROW_REFUSED },
};

static void
copies_hostile_text(void **state)
{
	const struct hostile *h = *state;
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 0);
	CLEANUP(buffer_clear)
	struct buffer rows = BUFFER_INIT(1 << 16);
	CLEANUP(rows_free)
	struct rows *back = NULL;
	struct err err = ERR_INIT;
	struct span all;
	int64_t n;

	assert_int_equal(store_exec(s, "CREATE TEMP TABLE hostile (a text, b int)", &err), 0);
	for (int i = 0; i < 3; i++) {
		copy_row(&rows, 2);
		copy_text(&rows, i == 1 ? h->text : SPAN("fine"));
		copy_int4(&rows, i);
	}
	all = buffer_span(&rows);
	copy_in(s, "COPY hostile FROM STDIN WITH (FORMAT binary)", &all, 1, &n, &err);
	assert_string_equal(err_reason_name(err.reason), err_reason_name(h->reason));
	if (h->reason != REASON_NONE) {
		assert_non_null(strstr(err.text, "column a"));
		assert_non_null(strstr(err.text, "line 2"));
		assert_int_equal(postgres_number(s, "SELECT 1"), 1); /* the session lives */
		return;
	}
	assert_int_equal(n, 3);
	assert_int_equal(store_query(s, "SELECT a FROM hostile WHERE b = 1", NULL, 0, &back, &err), 0);
	assert_true(span_equal(rows_text(back, 0, 0), h->text));
}

static void
copies_every_type(void **state)
{
	static const double reals[] = { 1.5, NAN, -INFINITY, 4 };
	static const struct span texts[] = { { "a", 1 }, { NULL, 0 }, { "", 0 } };
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 0);
	CLEANUP(buffer_clear)
	struct buffer rows = BUFFER_INIT(1 << 16);
	struct err err = ERR_INIT;
	struct span all;
	int64_t n;

	(void)state;
	assert_int_equal(
	    store_exec(s,
		       "CREATE TEMP TABLE every (a int, b bigint, c float8, d timestamptz, e bytea, f float8[], "
		       "g float8[], h text[], i float8[], j text, k bool, l bool)",
		       &err),
	    0);
	copy_row(&rows, 12);
	copy_int4(&rows, -7);
	copy_int8(&rows, INT64_MIN);
	copy_real(&rows, 0.1);
	copy_time(&rows, INT64_C(-1)); /* a microsecond before 1970 */
	copy_text(&rows, (struct span){ "\0\xff", 2 });
	copy_reals(&rows, reals, 4, 0);
	copy_reals(&rows, reals, 2, 2);
	copy_texts(&rows, texts, 3);
	copy_reals(&rows, NULL, 0, 3);
	copy_null(&rows);
	copy_boolean(&rows, true);
	copy_boolean(&rows, false);
	all = buffer_span(&rows);
	assert_int_equal(copy_in(s, "COPY every FROM STDIN WITH (FORMAT binary)", &all, 1, &n, &err), 0);
	assert_int_equal(
	    postgres_number(
		s, "SELECT count(*) FROM every WHERE a = -7 AND b = -9223372036854775808 AND c = 0.1 AND "
		   "d = '1969-12-31 23:59:59.999999Z' AND e = '\\x00ff' AND f = '{1.5,NULL,-Infinity,4}' AND "
		   "g = '{{1.5,NULL},{-Infinity,4}}' AND h = '{a,NULL,\"\"}' AND i = '{}' AND j IS NULL AND k AND "
		   "NOT l"),
	    1);
}

static void
times_out_of_range_are_refused(void **state)
{
	static const int64_t times[] = { INT64_MIN, INT64_MIN + 946684800000000 };
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 0);
	CLEANUP(buffer_clear)
	struct buffer rows = BUFFER_INIT(1 << 16);

	(void)state;
	assert_int_equal(store_exec(s, "CREATE TEMP TABLE times (a timestamptz)", NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct err err = ERR_INIT;
		struct span all;
		int64_t n;

		rows.len = 0;
		copy_row(&rows, 1);
		copy_time(&rows, times[i]);
		all = buffer_span(&rows);
		assert_int_equal(copy_in(s, "COPY times FROM STDIN WITH (FORMAT binary)", &all, 1, &n, &err), -1);
		assert_int_equal(err.reason, REASON_ROW_REFUSED);
	}
}

static void
session_lost_while_copying(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 0);
	CLEANUP(store_free)
	struct store *other = postgres_store(&server, 0);
	CLEANUP(buffer_clear)
	struct buffer rows = BUFFER_INIT((size_t)64 << 20);
	struct err err = ERR_INIT;
	struct span all;
	char sql[200];
	int64_t n;

	(void)state;
	for (int i = 0; i < 1000000; i++) {
		copy_row(&rows, 1);
		copy_int8(&rows, i);
	}
	all = buffer_span(&rows);
	assert_int_equal(store_exec(s, "BEGIN; CREATE TABLE copied (a bigint)", &err), 0);
	snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%lld)", postgres_number(s, "SELECT pg_backend_pid()"));
	assert_int_equal(store_exec(other, sql, &err), 0);
	assert_int_equal(copy_in(s, "COPY copied FROM STDIN WITH (FORMAT binary)", &all, 1, &n, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_DOWN);
	assert_int_equal(store_session(s), 0);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(hostile) + 3] = {
		cmocka_unit_test(copies_every_type),
		cmocka_unit_test(times_out_of_range_are_refused),
		cmocka_unit_test(session_lost_while_copying),
	};

	for (size_t i = 0; i < ARRAY_LEN(hostile); i++)
		tests[i + 3] = (struct CMUnitTest){ hostile[i].name, copies_hostile_text, NULL, NULL,
						    (void *)(uintptr_t)&hostile[i] };
	return cmocka_run_group_tests_name("copy", tests, start, wipe);
}
