/* store.c -- sessions and statements against a real server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

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

/* ---- sessions ---- */

static void
expect_connect(const char *uri, enum err_reason reason, const char *never)
{
	struct store_options o = { .uri = uri, .application_name = "test", .connect_timeout_ms = 3000 };
	CLEANUP(store_free)
	struct store *s = NULL;
	struct err err = ERR_INIT;

	if (store_new(&o, &s, &err) == 0)
		assert_int_equal(store_connect(s, &err), -1);
	assert_string_equal(err_reason_name(err.reason), err_reason_name(reason));
	assert_null(strstr(err.text, never));
	assert_null(strchr(err.text, '\n'));
}

static void
refuses_to_connect(void **state)
{
	char uri[400];

	(void)state;
	expect_connect("postgresql://u:geheim@127.0.0.1:1/x", REASON_STORE_DOWN, "geheim");
	expect_connect("postgresql://u:geheim@/x?nonsense=geheim", REASON_OPTION_INVALID, "geheim");
	expect_connect("postgresql://u:ge%ZZheim@h/x", REASON_OPTION_INVALID, "heim");
	expect_connect("postgresql://u:geh/heim@127.0.0.1:1/x", REASON_OPTION_INVALID, "heim");
	expect_connect("postgresql://u:geh@heim@127.0.0.1:1/x", REASON_OPTION_INVALID, "heim");
	expect_connect("host", REASON_OPTION_INVALID, "geheim");
	snprintf(uri, sizeof(uri), "%s_not_there", server.uri);
	expect_connect(uri, REASON_STORE_REFUSED, "geheim");
	snprintf(uri, sizeof(uri), "postgresql://nobody:geheim@%s", strchr(server.uri, '@') + 1);
	expect_connect(uri, REASON_STORE_REFUSED, "geheim");
	/* The second host of a fail-over answers. */
	snprintf(uri, sizeof(uri), "postgresql://forebay@127.0.0.1:1,%s", strchr(server.uri, '@') + 1);
	{
		struct store_options o = { .uri = uri, .application_name = "test", .connect_timeout_ms = 3000 };
		CLEANUP(store_free)
		struct store *s = NULL;

		assert_int_equal(store_new(&o, &s, NULL), 0);
		assert_int_equal(store_connect(s, NULL), 0);
	}
}

static void
session_lost_and_found(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 0);
	CLEANUP(store_free)
	struct store *other = postgres_store(&server, 0);
	struct err err = ERR_INIT;
	int64_t before = store_session(s);
	char sql[100];

	(void)state;
	assert_int_equal(store_exec(s, "BEGIN; CREATE TABLE gone (a int)", &err), 0);
	assert_true(store_in_transaction(s));
	snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%lld)", postgres_number(s, "SELECT pg_backend_pid()"));
	assert_int_equal(store_exec(other, sql, &err), 0);
	assert_int_equal(store_exec(s, "SELECT 1", &err), -1);
	assert_int_equal(err.reason, REASON_STORE_DOWN);
	assert_int_equal(store_session(s), 0);
	assert_false(store_in_transaction(s));
	assert_int_equal(store_exec(s, "SELECT 1", &err), -1); /* until asked to connect */
	assert_int_equal(err.reason, REASON_STORE_DOWN);
	assert_int_equal(store_connect(s, &err), 0);
	assert_int_equal(store_session(s), before + 1);
	assert_int_equal(postgres_number(s, "SELECT count(*) FROM pg_class WHERE relname = 'gone'"), 0);
}

static void
server_killed_and_back(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 0);
	struct err err = ERR_INIT;

	(void)state;
	postgres_kill(&server);
	assert_int_equal(store_exec(s, "SELECT 1", &err), -1);
	assert_int_equal(err.reason, REASON_STORE_DOWN);
	assert_int_equal(store_connect(s, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_DOWN);
	postgres_start(&server);
	assert_int_equal(store_connect(s, &err), 0);
	assert_int_equal(postgres_number(s, "SELECT 7"), 7);
}

static void
commit_of_a_failed_transaction(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 0);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(store_exec(s, "BEGIN", &err), 0);
	assert_int_equal(store_exec(s, "SELECT 1/0", &err), -1);
	assert_int_equal(err.reason, REASON_ROW_REFUSED);
	assert_string_equal(store_sqlstate(s), "22012");
	assert_int_equal(store_commit(s, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_DOWN);
}

static void
errors_name_the_place(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 0);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(store_exec(s,
				    "CREATE TEMP TABLE place (a int NOT NULL, b int, CONSTRAINT b_small CHECK (b < 5));"
				    "INSERT INTO place VALUES (1, 9)",
				    &err),
			 -1);
	assert_non_null(strstr(err.text, "place"));
	assert_non_null(strstr(err.text, "b_small"));
	assert_non_null(strstr(err.text, "23514"));
	assert_int_equal(store_exec(s, "CREATE TEMP TABLE place (a int NOT NULL)", &err), 0);
	assert_int_equal(store_exec(s, "INSERT INTO place VALUES (NULL)", &err), -1);
	assert_non_null(strstr(err.text, "column a"));
	assert_int_equal(store_exec(s, "SELECT nothing FROM place", &err), -1);
	assert_int_equal(err.reason, REASON_STORE_SCHEMA);
}

/* ---- statements ---- */

static void
parameters_come_back(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 0);
	CLEANUP(arena_free)
	struct arena *a = arena_new(1024, 1024);
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct err err = ERR_INIT;
	struct param p[] = { PARAM_TEXT(SPAN("it's \"so\" \\ \xc3\xa4")), PARAM_INT(INT64_MIN),
			     PARAM_BYTES(((struct span){ "\0\xff\x01", 3 })), PARAM_NULL, PARAM_TEXT(SPAN_NONE) };

	(void)state;
	for (int i = 0; i < 2; i++) { /* prepared, and found again */
		rows_free(TAKE(rows));
		assert_int_equal(store_query(s,
					     "SELECT $1::text, $2::bigint, $3::bytea, $4::int, $5::text, 1.5::float8",
					     p, 5, &rows, &err),
				 0);
	}
	assert_true(span_equal(rows_text(rows, 0, 0), p[0].bytes));
	assert_true(rows_int(rows, 0, 1) == INT64_MIN);
	assert_true(span_equal(rows_bytes(rows, 0, 2, a), p[2].bytes));
	assert_true(rows_null(rows, 0, 3) && rows_null(rows, 0, 4));
	assert_true(rows_real(rows, 0, 5) == 1.5);
	p[0] = PARAM_TEXT(((struct span){ "a\0b", 3 }));
	assert_int_equal(store_query(s, "SELECT $1::text", p, 1, NULL, &err), -1);
	assert_int_equal(err.reason, REASON_ROW_REFUSED);
	p[0] = PARAM_TEXT(SPAN("\xff\xfe"));
	assert_int_equal(store_query(s, "SELECT $1::text", p, 1, NULL, &err), -1);
	assert_int_equal(err.reason, REASON_ROW_REFUSED);
}

static void
arrays_come_back(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 0);
	CLEANUP(buffer_clear)
	struct buffer array = BUFFER_INIT(4096);
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	struct err err = ERR_INIT;
	struct param p;

	(void)state;
	query_array_text(&array, SPAN("a,b"));
	query_array_text(&array, SPAN("\"\\{}"));
	query_array_text(&array, SPAN_NONE);
	query_array_text(&array, SPAN("NULL"));
	query_array_text(&array, SPAN(""));
	query_array_end(&array);
	p = PARAM_TEXT(buffer_span(&array));
	assert_int_equal(store_query(s, "SELECT e FROM unnest($1::text[]) WITH ORDINALITY AS u (e, n) ORDER BY n", &p,
				     1, &rows, &err),
			 0);
	assert_int_equal(rows_count(rows), 5);
	assert_string_equal(rows_text(rows, 0, 0).ptr, "a,b");
	assert_string_equal(rows_text(rows, 1, 0).ptr, "\"\\{}");
	assert_true(rows_null(rows, 2, 0));
	assert_string_equal(rows_text(rows, 3, 0).ptr, "NULL");
	assert_string_equal(rows_text(rows, 4, 0).ptr, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_to_connect),     cmocka_unit_test(session_lost_and_found),
		cmocka_unit_test(server_killed_and_back), cmocka_unit_test(commit_of_a_failed_transaction),
		cmocka_unit_test(errors_name_the_place),  cmocka_unit_test(parameters_come_back),
		cmocka_unit_test(arrays_come_back),
	};

	return cmocka_run_group_tests_name("store", tests, start, wipe);
}
