/* sink.c -- rows and offsets in one transaction: what is there after repetitions and refusals, and in odd tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/sink-writer/fixture.h"
#include "workers/sink-writer/outbox.h"

#define JANUARY INT64_C(1704067200000000) /* 2024-01-01 */
#define SECOND INT64_C(1000000)
#define BAD ((struct span){ "a\0b", 3 })
#define COUNTS "SELECT rows_inserted * 1000000 + rows_repeated * 1000 + dead_letters FROM forebay.sink_offsets"

/* ---- repetitions ---- */

static void
writes_and_counts(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 10; i++)
		fixture_reading(f, i, JANUARY + i * SECOND, 3, SPAN_NONE);
	fixture_done(f, 10);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.readings_p202401"), 30);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.readings WHERE value = origin_offset"), 30);
	assert_int_equal(fixture_number(f, "SELECT next_offset FROM forebay.sink_offsets"), 10);
	assert_int_equal(fixture_number(f, COUNTS), 30000000);
}

static void
first_of_a_batch_wins(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 6; i++)
		fixture_reading(f, i, JANUARY + i / 2 * SECOND, 2, SPAN_NONE);
	fixture_done(f, 6);
	assert_int_equal(fixture_number(f, COUNTS), 6006000);
	assert_int_equal(fixture_number(f, "SELECT sum(value) FROM forebay.readings WHERE metric = 'm0'"), 0 + 2 + 4);
}

static void
replay_changes_nothing(void **state)
{
	struct fixture *f = *state;

	for (int pass = 0; pass < 3; pass++) {
		for (int i = 0; i < 10; i++)
			fixture_reading(f, pass * 10 + i, JANUARY + i * SECOND, 3, SPAN_NONE);
		fixture_done(f, pass * 10 + 10);
	}
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.readings"), 30);
	assert_int_equal(fixture_number(f, "SELECT max(origin_offset) FROM forebay.readings"), 9);
	assert_int_equal(fixture_number(f, COUNTS), 30060000);
}

/* Enough clean batches that rows go straight into the table; then one with a single repetition in it. */
static void
collision_on_the_direct_way(void **state)
{
	struct fixture *f = *state;
	int offset = 0;

	for (int batch = 0; batch < 12; batch++) {
		for (int i = 0; i < 5; i++, offset++)
			fixture_reading(f, offset, JANUARY + (batch == 10 && i == 3 ? 0 : offset) * SECOND, 2,
					SPAN_NONE);
		if (batch == 11)
			fixture_reading(f, offset++, JANUARY + 900 * SECOND, 2, BAD);
		if (batch < 11)
			fixture_done(f, offset);
	}
	assert_int_equal(fixture_number(f, COUNTS), 54 * 2 * 1000000 + 2000);
	/* The last batch holds a row that is refused, met on whichever way. */
	assert_int_equal(sink_flush(&f->sink, NULL), 0);
	assert_int_equal(f->sink.load.n_refused, 1);
	assert_int_equal(fixture_commit(f, offset, NULL), 0);
	assert_int_equal(fixture_number(f, COUNTS), 59 * 2 * 1000000 + 2000);
}

/* ---- refusals ---- */

static const struct refusal {
	const char *name, *plan; /* '.': good; '!': refused */
} refusals[] = {
	{ "alone", "!" },
	{ "first", "!......" },
	{ "last", "......!" },
	{ "several", "..!!...!..!..." },
	{ "all", "!!!!!" },
	{ "none", "......." },
	{ "ends", "!.............!" },
	{ "every third", "!..!..!..!..!..!" },
};

static void
refuses_exactly_the_guilty(void **state)
{
	const struct refusal *row = *state;
	struct fixture *f;
	void *inner = NULL;
	int n = (int)strlen(row->plan), good = 0;

	fixture_setup(&inner);
	f = inner;
	for (int i = 0; i < n; i++) {
		fixture_reading(f, i, JANUARY + i * SECOND, 3, row->plan[i] == '!' ? BAD : SPAN_NONE);
		good += row->plan[i] == '.';
	}
	assert_int_equal(sink_flush(&f->sink, NULL), 0);
	for (int i = 0; i < n; i++) {
		const struct err *why = f->sink.load.units[i].why;

		assert_int_equal(why != NULL, row->plan[i] == '!');
		if (why) {
			assert_int_equal(why->reason, REASON_ROW_REFUSED);
			assert_non_null(strstr(why->text, "forebay.readings"));
			assert_non_null(strstr(why->text, "SQLSTATE 22021"));
			assert_non_null(strstr(why->text, "column text"));
		}
	}
	assert_int_equal(fixture_commit(f, n, NULL), 0);
	/* All rows of the good ones, none of the others: not even their good values. */
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.readings"), good * 3);
	assert_int_equal(fixture_number(f, COUNTS), good * 3000000);
	fixture_teardown(&inner);
}

/* A row that passes COPY and is refused by the table. */
static void
refused_by_a_constraint(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
	    store_exec(f->look, "ALTER TABLE forebay.readings ADD CONSTRAINT small CHECK (value < 4)", NULL), 0);
	for (int i = 0; i < 6; i++)
		fixture_reading(f, i, JANUARY + i * SECOND, 1, SPAN_NONE);
	assert_int_equal(sink_flush(&f->sink, NULL), 0);
	assert_int_equal(f->sink.load.n_refused, 2);
	assert_non_null(f->sink.load.units[4].why);
	assert_non_null(strstr(f->sink.load.units[5].why->text, "constraint small"));
	assert_int_equal(fixture_commit(f, 6, NULL), 0);
	assert_int_equal(fixture_number(f, COUNTS), 4000000);
}

static void
count_attempt(void *ctx)
{
	++*(int *)ctx;
}

/*
 * Many refused rows: every attempt is told to who watches the loop, and none leaves anything in the catalogue.  A
 * TRUNCATE under each savepoint did, and each had to walk past what those before it had left.
 */
static void
many_refused(void **state)
{
	enum { N = 1200 };
	struct fixture *f = *state;
	long long catalogue;
	int attempts = 0, good = 0;

	assert_int_equal(
	    store_exec(f->look, "ALTER TABLE forebay.readings ADD CONSTRAINT odd CHECK (value::int % 3 <> 1)", NULL),
	    0);
	f->sink.load.beat = count_attempt;
	f->sink.load.beat_ctx = &attempts;
	for (int i = 0; i < N; i++)
		fixture_reading(f, i, JANUARY + i * SECOND, 8, i % 5 == 0 ? BAD : SPAN_NONE);
	catalogue = fixture_number(f, "SELECT pg_relation_size('pg_class') + pg_relation_size('pg_index')");
	assert_int_equal(sink_flush(&f->sink, NULL), 0);
	for (int i = 0; i < N; i++) {
		bool bad = i % 5 == 0 || i % 3 == 1;

		assert_int_equal(f->sink.load.units[i].why != NULL, bad);
		good += !bad;
	}
	assert_in_range(attempts, N / 2, N * 3 / 2);
	assert_in_range(fixture_number(f, "SELECT pg_relation_size('pg_class') + pg_relation_size('pg_index')") -
			    catalogue,
			0, N * 50);
	assert_int_equal(fixture_commit(f, N, NULL), 0);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.readings"), good * 8);
	assert_int_equal(fixture_number(f, COUNTS), good * INT64_C(8000000));
}

/* ---- tables altered by hand ---- */

static const struct alteration {
	const char *sql, *expected;
} alterations[] = {
	{ "ALTER TABLE forebay.readings DROP COLUMN unit", "table forebay.readings has no column unit" },
	{ "ALTER TABLE forebay.readings RENAME COLUMN value TO v", "table forebay.readings has no column value" },
	{ "TRUNCATE forebay.readings; ALTER TABLE forebay.readings ADD COLUMN site text NOT NULL",
	  "column site must not be NULL" },
	{ "ALTER TABLE forebay.readings DROP CONSTRAINT readings_pkey", "has no unique index over the identity" },
	{ "DROP TABLE forebay.readings", "table forebay.readings, which" },
	{ "ALTER TABLE forebay.readings ALTER COLUMN value TYPE boolean USING true",
	  "table forebay.readings: column value is boolean, which cannot hold its field value (double precision)" },
	{ "ALTER TABLE forebay.readings ALTER COLUMN value TYPE integer",
	  "table forebay.readings: column value is integer, which cannot hold its field value (double precision)" },
	{ "DROP TABLE forebay.sink_offsets", "forebay.sink_offsets" },
};

static void
altered_table_is_named(void **state)
{
	const struct alteration *row = *state;

	for (int before = 0; before < 2; before++) {
		struct err err = ERR_INIT;
		void *inner = NULL;
		struct fixture *f;

		fixture_setup(&inner);
		f = inner;
		if (!before) { /* while it is at work */
			fixture_reading(f, 0, JANUARY, 1, SPAN_NONE);
			fixture_done(f, 1);
		}
		assert_int_equal(store_exec(f->look, row->sql, NULL), 0);
		fixture_reading(f, 1, JANUARY + SECOND, 1, SPAN_NONE);
		if (sink_flush(&f->sink, &err) == 0)
			assert_int_equal(fixture_commit(f, 2, &err), -1);
		if (err.reason != REASON_STORE_SCHEMA || (before && !strstr(err.text, row->expected)) ||
		    strchr(err.text, '\n'))
			fail_msg("%s, %s: %s: %s", row->sql, before ? "before" : "at work", err_reason_name(err.reason),
				 err.text);
		fixture_teardown(&inner);
	}
}

static void
added_columns_are_fine(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
	    store_exec(f->look,
		       "ALTER TABLE forebay.readings ADD COLUMN note text, ADD COLUMN site text NOT NULL DEFAULT 'x', "
		       "ALTER COLUMN unit TYPE varchar(20)",
		       NULL),
	    0);
	fixture_reading(f, 0, JANUARY, 2, SPAN_NONE);
	fixture_done(f, 1);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.readings WHERE site = 'x'"), 2);
}

/* ---- partitions ---- */

static void
far_stamps_go_to_the_default_partition(void **state)
{
	struct fixture *f = *state;
	int64_t month = INT64_C(31) * 86400 * SECOND;
	int offset = 0;

	for (int m = 0; m < 6; m++) /* three new partitions a batch: those with most rows */
		for (int i = 0; i <= m; i++, offset++)
			fixture_reading(f, offset, JANUARY + m * month + i * SECOND, 1, SPAN_NONE);
	fixture_reading(f, offset++, INT64_C(-9000000000000000), 1, SPAN_NONE); /* 1684 */
	fixture_reading(f, offset++, INT64_MAX, 1, SPAN_NONE);                  /* 294246 */
	fixture_done(f, offset);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.readings"), offset);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.readings_default"), 1 + 2 + 3 + 2);
	assert_int_equal(
	    fixture_number(f, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'forebay.readings'::regclass"), 4);
	/* Again, in the rest: they stay in the default partition, and nothing fails. */
	fixture_reading(f, offset, JANUARY + 900 * SECOND, 1, SPAN_NONE);
	fixture_done(f, offset + 1);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.readings"), offset + 1);
}

static void
retention_drops_old_rows(void **state)
{
	struct fixture *f = *state;
	int64_t day = INT64_C(86400) * SECOND;

	fixture_reading(f, 0, JANUARY, 1, SPAN_NONE);
	fixture_reading(f, 1, JANUARY + 70 * day, 1, SPAN_NONE);
	fixture_done(f, 2);
	assert_int_equal(sink_retain(&f->sink, JANUARY + 100 * day, 1, NULL), 0);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.readings"), 2); /* the mapping keeps all */
	f->sink.mapping->tables[0].retention_days = 40;
	assert_int_equal(sink_retain(&f->sink, JANUARY + 100 * day, 2, NULL), 0); /* not within the hour */
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.readings"), 2);
	assert_int_equal(sink_retain(&f->sink, JANUARY + 100 * day, 3601 * SECOND, NULL), 0);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.readings"), 1);
	/* What comes late all the same is written, not lost. */
	fixture_reading(f, 2, JANUARY, 1, SPAN_NONE);
	fixture_done(f, 3);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.readings"), 2);
}

/* ---- the outbox ---- */

struct heard {
	int n;
	char text[200];
};

static int
hear(void *ctx, const struct input *in, const struct err *why, struct err *err)
{
	struct heard *h = ctx;
	size_t used = strlen(h->text);

	(void)err;
	assert_string_equal(in->topic, READINGS);
	assert_true(span_equal(in->key, SPAN("d")) && span_equal(in->value, SPAN("bytes")));
	assert_null(in->schema_id.ptr);
	assert_int_equal(why->reason, REASON_JSON_UTF8);
	snprintf(h->text + used, sizeof(h->text) - used, "%lld:%s ", (long long)in->offset, why->text);
	h->n++;
	return 0;
}

static void
dead_letters_wait(void **state)
{
	struct fixture *f = *state;
	struct dead_letter letters[3];
	struct position at = { READINGS, 0, 10 };
	struct heard h = { 0 };
	struct err err = ERR_INIT;
	int64_t offset;

	for (int i = 0; i < 3; i++)
		letters[i] =
		    (struct dead_letter){ fixture_input(f, READINGS, 0, 4 + i), { REASON_JSON_UTF8, "bad \xff" } };
	fixture_reading(f, 9, JANUARY, 1, SPAN_NONE);
	assert_int_equal(sink_flush(&f->sink, &err), 0);
	assert_int_equal(sink_commit(&f->sink, &at, 1, letters, 3, &err), 0);
	assert_int_equal(fixture_number(f, COUNTS), 1000003);
	/* A crash: Kafka knows of what is before 5. */
	assert_int_equal(sink_claim(&f->sink, READINGS, 0, 5, &offset, &err), 0);
	assert_int_equal(offset, 10);
	assert_int_equal(outbox_forget(f->sink.store, "g", READINGS, 0, 5, &err), 0);
	assert_int_equal(outbox_each(f->sink.store, "g", READINGS, 0, 5, f->arena, hear, &h, &err), 0);
	assert_string_equal(h.text, "5:bad ? 6:bad ? ");
	/* Two commits on they are gone: the next one tells that they are delivered. */
	letters[0].input = fixture_input(f, READINGS, 0, 11);
	at.offset = 12;
	assert_int_equal(sink_commit(&f->sink, &at, 1, letters, 1, &err), 0);
	assert_int_equal(fixture_number(f, "SELECT sum(\"offset\") FROM forebay.sink_outbox"), 11);
	at.offset = 13;
	assert_int_equal(sink_commit(&f->sink, &at, 1, NULL, 0, &err), 0);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.sink_outbox"), 0);
	assert_int_equal(fixture_number(f, COUNTS), 1000004);
}

int
main(void)
{
	struct CMUnitTest tests[64];
	size_t n = 0;
#define SINK_TEST(fn) \
	tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
	SINK_TEST(writes_and_counts);
	SINK_TEST(first_of_a_batch_wins);
	SINK_TEST(replay_changes_nothing);
	SINK_TEST(collision_on_the_direct_way);
	SINK_TEST(refused_by_a_constraint);
	SINK_TEST(many_refused);
	SINK_TEST(added_columns_are_fine);
	SINK_TEST(far_stamps_go_to_the_default_partition);
	SINK_TEST(retention_drops_old_rows);
	SINK_TEST(dead_letters_wait);
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		tests[n++] = (struct CMUnitTest){ refusals[i].name, refuses_exactly_the_guilty, NULL, NULL,
						  (void *)(uintptr_t)&refusals[i] };
	for (size_t i = 0; i < ARRAY_LEN(alterations); i++)
		tests[n++] = (struct CMUnitTest){ alterations[i].sql, altered_table_is_named, NULL, NULL,
						  (void *)(uintptr_t)&alterations[i] };
	return _cmocka_run_group_tests("sink", tests, n, fixture_group_setup, fixture_group_teardown);
}
