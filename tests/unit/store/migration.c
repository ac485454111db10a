/* migration.c -- migrations once and in order; partitions made and dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/store/migration.h"
#include "common/store/partition.h"
#include "common/store/query.h"
#include "tests/support/postgres.h"

#define DAY_US (INT64_C(86400) * 1000000)

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

/* ---- migrations ---- */

struct folder {
	char path[64];
};

static void
folder_make(struct folder *f)
{
	strcpy(f->path, "/tmp/forebay-migrations.XXXXXX");
	assert_non_null(mkdtemp(f->path));
}

static void
folder_put(const struct folder *f, const char *name, const char *text)
{
	char path[200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void
folder_remove(const struct folder *f)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", f->path);
	assert_int_equal(system(command), 0);
}

static int
migrate(struct store *s, const struct folder *f, struct err *err)
{
	CLEANUP(migrations_free)
	struct migrations *m = NULL;

	return migrations_load(f->path, &m, err) < 0 ? -1 : migrations_apply(s, m, NULL, NULL, err);
}

static void
migrations_once_and_in_order(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 0);
	struct folder f;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(store_exec(s, "DROP SCHEMA IF EXISTS forebay CASCADE", &err), 0);
	folder_make(&f);
	folder_put(&f, "0001-one.sql", "CREATE TABLE forebay.one (a int); INSERT INTO forebay.one VALUES (1);");
	folder_put(&f, "README", "not a migration");
	assert_int_equal(migrate(s, &f, &err), 0);
	assert_int_equal(migrate(s, &f, &err), 0);
	assert_int_equal(postgres_number(s, "SELECT count(*) FROM forebay.one"), 1);
	/* A broken one leaves nothing of itself. */
	folder_put(&f, "0002-two.sql", "CREATE TABLE forebay.two (a int); SELECT 1/0;");
	assert_int_equal(migrate(s, &f, &err), -1);
	assert_non_null(strstr(err.text, "0002-two.sql"));
	assert_int_equal(postgres_number(s, "SELECT count(*) FROM pg_class WHERE relname = 'two'"), 0);
	folder_put(&f, "0002-two.sql", "CREATE TABLE forebay.two (a int)");
	assert_int_equal(migrate(s, &f, &err), 0);
	assert_int_equal(postgres_number(s, "SELECT max(version) FROM forebay.migrations"), 2);
	/* Changed after it was applied: refused by name. */
	folder_put(&f, "0001-one.sql", "CREATE TABLE forebay.one (a bigint)");
	err_clear(&err);
	assert_int_equal(migrate(s, &f, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_SCHEMA);
	assert_non_null(strstr(err.text, "0001-one.sql"));
	folder_remove(&f);
	/* A program older than the database. */
	folder_make(&f);
	folder_put(&f, "0001-one.sql", "CREATE TABLE forebay.one (a int); INSERT INTO forebay.one VALUES (1);");
	assert_int_equal(migrate(s, &f, &err), -1);
	assert_non_null(strstr(err.text, "version 2 (two)"));
	folder_put(&f, "0003-three.sql", "SELECT 1");
	assert_int_equal(migrate(s, &f, &err), -1);
	assert_int_equal(err.reason, REASON_FILE_INVALID); /* 0002 is missing */
	folder_remove(&f);
}

static void
migrations_side_by_side(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 0);
	pid_t children[4];

	(void)state;
	assert_int_equal(store_exec(s, "DROP SCHEMA IF EXISTS forebay CASCADE", NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(children); i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct store_options o = { .uri = server.uri,
						   .application_name = "test",
						   .connect_timeout_ms = 9000 };
			struct store *mine;
			struct migrations *m;
			struct err err = ERR_INIT;

			_exit(store_new(&o, &mine, &err) < 0 ||
			      migrations_load(postgres_source("deploy/migrations"), &m, &err) < 0 ||
			      migrations_apply(mine, m, NULL, NULL, &err) < 0);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(children); i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	assert_true(postgres_number(s, "SELECT count(*) FROM forebay.migrations") > 0);
	assert_int_equal(postgres_number(s, "SELECT count(*) - max(version) FROM forebay.migrations"), 0);
}

/* ---- partitions ---- */

static const struct period_row {
	const char *name;
	enum period period;
	int64_t us;
	bool inside;
	int64_t start_day, end_day;
} period_rows[] = {
	{ "the epoch, day", PERIOD_DAY, 0, true, 0, 1 },
	{ "the epoch, month", PERIOD_MONTH, 0, true, 0, 31 },
	{ "the epoch, year", PERIOD_YEAR, 0, true, 0, 365 },
	{ "a microsecond before it", PERIOD_MONTH, -1, true, -31, 0 },
	{ "leap day", PERIOD_DAY, 19782 * DAY_US + 5, true, 19782, 19783 },
	{ "leap February", PERIOD_MONTH, 19782 * DAY_US + 5, true, 19754, 19783 },
	{ "leap year", PERIOD_YEAR, 19782 * DAY_US + 5, true, 19723, 20089 },
	{ "December", PERIOD_MONTH, 20088 * DAY_US, true, 20058, 20089 },
	{ "1900", PERIOD_YEAR, -25567 * DAY_US, true, -25567, -25202 },
	{ "1899", PERIOD_YEAR, -25567 * DAY_US - 1, false, 0, 0 },
	{ "2200", PERIOD_DAY, 84006 * DAY_US, false, 0, 0 },
	{ "the smallest number", PERIOD_DAY, INT64_MIN, false, 0, 0 },
	{ "the greatest number", PERIOD_MONTH, INT64_MAX, false, 0, 0 },
};

static void
finds_the_period(void **state)
{
	const struct period_row *row = *state;
	int64_t start = 0, end = 0;

	assert_int_equal(period_of(row->period, row->us, &start, &end), row->inside);
	assert_true(start == row->start_day * DAY_US && end == row->end_day * DAY_US);
}

static const char put_reading[] =
    "INSERT INTO forebay.readings VALUES ('d', 'm', $1::timestamptz, 1, NULL, 'good', NULL, now(), NULL, 't', 0, 0)";

static void
put_at(struct store *s, const char *time)
{
	struct param p = PARAM_TEXT(span_of(time));

	assert_int_equal(store_query(s, put_reading, &p, 1, NULL, NULL), 0);
}

static void
makes_partitions_and_drops_them(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);
	struct retained gone;
	struct err err = ERR_INIT;
	int64_t start, end;

	(void)state;
	for (int i = 0; i < 2; i++) /* again: nothing changes */
		for (int month = 0; month < 3; month++) {
			assert_true(period_of(PERIOD_MONTH, (19723 + month * 31) * DAY_US, &start, &end));
			assert_int_equal(partition_ensure(s, "forebay.readings", PERIOD_MONTH, start, end, &err), 0);
		}
	put_at(s, "2024-01-15");
	put_at(s, "2024-02-29 23:59:59.999999Z");
	put_at(s, "2024-03-01");
	put_at(s, "1971-01-01");
	put_at(s, "2100-01-01");
	assert_int_equal(postgres_number(s, "SELECT count(*) FROM forebay.readings_p202402"), 1);
	assert_int_equal(postgres_number(s, "SELECT count(*) FROM forebay.readings_default"), 2);
	/* The default partition holds rows of it: they stay there, and nothing fails. */
	assert_true(period_of(PERIOD_MONTH, 365 * DAY_US, &start, &end));
	assert_int_equal(partition_ensure(s, "forebay.readings", PERIOD_MONTH, start, end, &err), 0);
	assert_int_equal(postgres_number(s, "SELECT count(*) FROM forebay.readings"), 5);
	/* A day inside of a month that is there. */
	assert_true(period_of(PERIOD_DAY, 19723 * DAY_US, &start, &end));
	assert_int_equal(partition_ensure(s, "forebay.readings", PERIOD_DAY, start, end, &err), 0);
	assert_int_equal(
	    postgres_number(s, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'forebay.readings'::regclass"), 4);
	/* Older than 2024-03-01: two whole partitions and a row of the default one. */
	assert_int_equal(partition_retain(s, "forebay.readings", "event_time", 19783 * DAY_US, true, &gone, &err), 0);
	assert_int_equal(gone.partitions, 2);
	assert_int_equal(gone.rows, 1);
	assert_int_equal(postgres_number(s, "SELECT count(*) FROM forebay.readings"), 5);
	assert_int_equal(partition_retain(s, "forebay.readings", "event_time", 19783 * DAY_US, false, &gone, &err), 0);
	assert_int_equal(postgres_number(s, "SELECT count(*) FROM forebay.readings"), 2);
	assert_int_equal(postgres_number(s, "SELECT count(*) FROM forebay.readings WHERE event_time < '2024-03-01'"),
			 0);
	/* No such table. */
	assert_int_equal(partition_ensure(s, "forebay.nothing", PERIOD_DAY, start, end, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_SCHEMA);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(period_rows) + 3] = {
		cmocka_unit_test(migrations_once_and_in_order),
		cmocka_unit_test(migrations_side_by_side),
		cmocka_unit_test(makes_partitions_and_drops_them),
	};

	for (size_t i = 0; i < ARRAY_LEN(period_rows); i++)
		tests[i + 3] = (struct CMUnitTest){ period_rows[i].name, finds_the_period, NULL, NULL,
						    (void *)(uintptr_t)&period_rows[i] };
	return cmocka_run_group_tests_name("migration", tests, start, wipe);
}
