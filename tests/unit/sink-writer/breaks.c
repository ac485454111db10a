/* breaks.c -- sessions and servers that break, answers that get lost, owners that freeze: the same rows, counted once. */
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

#include "tests/unit/sink-writer/fixture.h"

#define JANUARY INT64_C(1704067200000000) /* 2024-01-01 */
#define SECOND INT64_C(1000000)
#define BAD ((struct span){ "a\0b", 3 })
#define COUNTS "SELECT rows_inserted * 1000000 + rows_repeated * 1000 + dead_letters FROM forebay.sink_offsets"

static void
cut(struct fixture *f)
{
	char sql[100];

	snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%lld)",
		 postgres_number(f->sink.store, "SELECT pg_backend_pid()"));
	assert_int_equal(store_exec(f->look, sql, NULL), 0);
}

static void
session_lost_before_the_commit(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	for (int i = 0; i < 8; i++)
		fixture_reading(f, i, JANUARY + i * SECOND, 2, i == 5 ? BAD : SPAN_NONE);
	assert_int_equal(sink_flush(&f->sink, &err), 0);
	for (size_t i = 0; i < f->sink.load.n_units; i++)
		f->sink.load.units[i].reported = f->sink.load.units[i].why != NULL;
	cut(f);
	assert_int_equal(fixture_commit(f, 8, &err), -1);
	assert_int_equal(err_class(&err), ERR_RETRY);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.readings"), 0);
	assert_int_equal(fixture_commit(f, 8, &err), 0); /* the same call again */
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.readings"), 14);
	assert_int_equal(fixture_number(f, COUNTS), 14000000);
}

static void
session_lost_before_the_flush(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	int tries = 0;

	fixture_reading(f, 0, JANUARY, 2, SPAN_NONE);
	cut(f);
	while (sink_flush(&f->sink, &err) < 0) {
		assert_int_equal(err_class(&err), ERR_RETRY);
		assert_true(++tries < 3);
	}
	assert_int_equal(fixture_commit(f, 1, &err), 0);
	assert_int_equal(fixture_number(f, COUNTS), 2000000);
}

static void
server_killed_before_the_commit(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	fixture_reading(f, 0, JANUARY, 2, SPAN_NONE);
	assert_int_equal(sink_flush(&f->sink, &err), 0);
	postgres_kill(&fixture_server);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fixture_commit(f, 1, &err), -1);
		assert_int_equal(err.reason, REASON_STORE_DOWN);
	}
	postgres_start(&fixture_server);
	assert_int_equal(fixture_commit(f, 1, &err), 0);
	store_disconnect(f->look);
	assert_int_equal(store_connect(f->look, &err), 0);
	assert_int_equal(fixture_number(f, COUNTS), 2000000);
}

/* In a process of its own: end the session whose COMMIT waits; then nobody waits any more, not even at his end. */
static int
end_the_commit(void)
{
	static const char waiting[] = "FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND state = 'active'";
	struct store *mine = postgres_store(&fixture_server, 0);
	char sql[200];
	int ended = 0;

	for (int i = 0; i < 1000; i++) {
		snprintf(sql, sizeof(sql), "SELECT count(*) %s", waiting);
		if (postgres_number(mine, sql) == 0 && ended)
			break;
		snprintf(sql, sizeof(sql), "SELECT count(pg_terminate_backend(pid)) %s", waiting);
		ended += postgres_number(mine, sql) > 0;
		usleep(10000);
	}
	return !ended || store_exec(mine, "ALTER SYSTEM RESET synchronous_standby_names", NULL) < 0 ||
	       store_exec(mine, "SELECT pg_reload_conf()", NULL) < 0;
}

/* The server commits, then the session breaks before it says so: COMMIT waits for a standby that does not exist, and is
 * ended there, when the transaction is durable already. */
static void
answer_lost(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	int status;
	pid_t child;

	fixture_reading(f, 0, JANUARY, 2, SPAN_NONE);
	fixture_done(f, 1); /* partitions and temporary tables are there: no other commit will wait */
	fixture_reading(f, 1, JANUARY + SECOND, 2, SPAN_NONE);
	assert_int_equal(store_exec(f->look, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", &err), 0);
	assert_int_equal(store_exec(f->look, "SELECT pg_reload_conf(); SELECT pg_sleep(0.3)", &err), 0);
	child = fork();
	if (child == 0)
		_exit(end_the_commit());
	assert_int_equal(sink_flush(&f->sink, &err), 0);
	assert_int_equal(fixture_commit(f, 2, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_DOWN);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(fixture_number(f, COUNTS), 4000000); /* it had happened */
	assert_int_equal(fixture_commit(f, 2, &err), 0);
	assert_int_equal(fixture_number(f, COUNTS), 4000000); /* and did not happen twice */
	assert_int_equal(f->sink.load.n_units, 0);
	fixture_reading(f, 2, JANUARY + 2 * SECOND, 2, SPAN_NONE);
	fixture_done(f, 3);
	assert_int_equal(fixture_number(f, COUNTS), 6000000);
}

static void
rolled_back_and_read_again(void **state)
{
	struct fixture *f = *state;
	int64_t offset;

	for (int pass = 0; pass < 2; pass++) {
		fixture_reading(f, 0, JANUARY, 2, SPAN_NONE);
		fixture_reading(f, 1, JANUARY + SECOND, 2, BAD);
		assert_int_equal(sink_flush(&f->sink, NULL), 0);
		if (pass == 0)
			sink_rollback(&f->sink);
	}
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.readings"), 0);
	assert_int_equal(fixture_commit(f, 2, NULL), 0);
	assert_int_equal(fixture_number(f, COUNTS), 2000000);
	assert_int_equal(sink_claim(&f->sink, READINGS, 0, 77, &offset, NULL), 0);
	assert_int_equal(offset, 2);
}

/* ---- rivals ---- */

static void
rival_takes_over(void **state)
{
	struct fixture *f = *state, *rival = calloc(1, sizeof(*rival));
	void *inner = rival;
	struct err err = ERR_INIT;
	int64_t offset;

	fixture_reading(f, 0, JANUARY, 2, SPAN_NONE);
	fixture_done(f, 1);
	fixture_reading(f, 1, JANUARY + SECOND, 2, SPAN_NONE);
	assert_int_equal(sink_flush(&f->sink, &err), 0); /* and froze, its transaction open */
	fixture_rival(rival, NULL);
	for (int i = 0; i < 4 && sink_claim(&rival->sink, READINGS, 0, 0, &offset, &err) < 0; i++)
		assert_int_equal(err_class(&err), ERR_RETRY);
	assert_int_equal(offset, 1);
	fixture_reading(rival, 1, JANUARY + SECOND, 2, SPAN_NONE);
	fixture_done(rival, 2);
	for (int i = 0; i < 3 && fixture_commit(f, 2, &err) < 0 && err_class(&err) == ERR_RETRY; i++)
		;
	assert_int_equal(err.reason, REASON_STORE_FENCED);
	assert_non_null(strstr(err.text, "second"));
	assert_int_equal(fixture_number(f, COUNTS), 4000000);
	fixture_teardown(&inner);
}

int
main(void)
{
#define BREAK(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		BREAK(session_lost_before_the_commit),  BREAK(session_lost_before_the_flush),
		BREAK(server_killed_before_the_commit), BREAK(answer_lost),
		BREAK(rolled_back_and_read_again),      BREAK(rival_takes_over),
	};

	return cmocka_run_group_tests_name("breaks", tests, fixture_group_setup, fixture_group_teardown);
}
