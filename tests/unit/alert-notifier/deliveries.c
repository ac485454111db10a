/* The table of deliveries on a real PostgreSQL: what is owed once, taken by one, in the order of an alert's changes. */
#include "workers/alert-notifier/deliveries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "tests/support/postgres.h"

#define LEASE_MS 60000
#define FAR_MS 3600000
#define A "0123456789abcdef0123456789abcdef"
#define B "fedcba9876543210fedcba9876543210"

static struct postgres server;
static struct store *look;
static struct deliveries mine, other; /* two instances of one notifier */
static struct arena *arena;

static int
group_setup(void **state)
{
	(void)state;
	postgres_start(&server);
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	postgres_wipe(&server);
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	look = postgres_store(&server, 1);
	mine = (struct deliveries){ postgres_store(&server, 0), "n", "mine" };
	other = (struct deliveries){ postgres_store(&server, 0), "n", "other" };
	arena = arena_new(65536, 65536);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	store_free(look);
	store_free(mine.store);
	store_free(other.store);
	arena_free(arena);
	return 0;
}

static struct debt
debt_of(const char *receiver, const char *id, const char *status, const char *severity, int64_t offset)
{
	return (struct debt){ .receiver = receiver,
			      .alert_id = span_of(id),
			      .device = SPAN("d\0\xff"),
			      .metric = SPAN(""),
			      .payload = SPAN("{\"quoted\":\"\\\\ {},\"}"),
			      .status = status,
			      .severity = severity,
			      .topic = "alerts",
			      .partition = 3,
			      .offset = offset,
			      .timestamp_us = 1000,
			      .key = SPAN("d\0\xff"),
			      .value = SPAN("\0\1\2\xff"),
			      .schema_id = SPAN_NONE };
}

static void
put(const char *receiver, const char *id, const char *status, const char *severity, int64_t offset)
{
	const struct debt debt = debt_of(receiver, id, status, severity, offset);
	struct err err = ERR_INIT;

	if (deliveries_put(&mine, &debt, 1, &err) < 0)
		fail_msg("put: %s", err.text);
}

/* "0123:firing:warning 0123:resolved:" of what was taken. */
static const char *
take(const struct deliveries *d, const char *receiver, size_t most, struct taken **ret)
{
	static char text[1000];
	struct err err = ERR_INIT;
	size_t n;

	if (deliveries_take(d, receiver, most, LEASE_MS, arena, ret, &n, &err) < 0)
		fail_msg("take: %s", err.text);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.4s:%.*s:%.*s", i ? " " : "",
			 (*ret)[i].alert_id.ptr, SPAN_ARG((*ret)[i].status), SPAN_ARG((*ret)[i].severity));
	return text;
}

static const char *
take_standing(const struct deliveries *d, int64_t every_ms, struct taken **ret)
{
	static char text[1000];
	struct err err = ERR_INIT;
	size_t n;

	if (deliveries_take_standing(d, "am", every_ms, 10, LEASE_MS, arena, ret, &n, &err) < 0)
		fail_msg("take: %s", err.text);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.4s:%.*s", i ? " " : "",
			 (*ret)[i].alert_id.ptr, SPAN_ARG((*ret)[i].status));
	return text;
}

static void
delivered(const struct taken *t, bool forgets)
{
	struct err err = ERR_INIT;

	if (deliveries_delivered(&mine, &t->seq, 1, 200, forgets, FAR_MS, &err) < 0)
		fail_msg("delivered: %s", err.text);
}

static void
is_owed_once(void **state)
{
	struct taken *t;

	(void)state;
	put("hook", A, "firing", "warning", 10);
	put("hook", A, "firing", "warning", 10);
	put("am", A, "firing", "warning", 10);
	assert_int_equal(postgres_number(look, "SELECT count(*) FROM forebay.deliveries"), 2);
	assert_string_equal(take(&mine, "hook", 10, &t), "0123:firing:warning");
	assert_true(span_equal(t[0].payload, SPAN("{\"quoted\":\"\\\\ {},\"}")));
	delivered(&t[0], false);
	put("hook", A, "firing", "warning", 99);
	assert_string_equal(take(&mine, "hook", 10, &t), "");
	assert_int_equal(
	    postgres_number(look, "SELECT count(*) FROM forebay.deliveries WHERE state = 'delivered' "
				  "AND device = 'd' || repeat('?', 2) AND value = '\\x000102ff' AND schema_id IS NULL"),
	    1);
}

static void
is_taken_by_one(void **state)
{
	struct err err = ERR_INIT;
	struct taken *t;

	(void)state;
	put("hook", A, "firing", "warning", 10);
	put("hook", B, "firing", "warning", 11);
	assert_string_equal(take(&mine, "hook", 1, &t), "0123:firing:warning");
	assert_string_equal(take(&other, "hook", 10, &t), "fedc:firing:warning");
	assert_string_equal(take(&other, "hook", 10, &t), "");
	/* Born again, it takes what it was at, and nobody else's. */
	assert_int_equal(deliveries_release(&mine, &err), 0);
	assert_string_equal(take(&mine, "hook", 10, &t), "0123:firing:warning");
	/* The other is gone for good. */
	store_exec(look, "UPDATE forebay.deliveries SET due_at = now() WHERE owner = 'other'", &err);
	assert_string_equal(take(&mine, "hook", 10, &t), "fedc:firing:warning");
}

static void
keeps_the_order_of_an_alert(void **state)
{
	const int64_t soon = 1;
	struct err err = ERR_INIT;
	struct taken *t;

	(void)state;
	put("hook", A, "firing", "warning", 10);
	put("hook", A, "firing", "critical", 11);
	put("hook", A, "resolved", "critical", 12);
	put("hook", B, "firing", "warning", 13);
	assert_string_equal(take(&mine, "hook", 1, &t), "0123:firing:warning");
	assert_int_equal(deliveries_again(&mine, &t[0].seq, &(int64_t){ FAR_MS }, 1, 500, "bad \xff", &err), 0);
	assert_string_equal(take(&mine, "hook", 10, &t), "fedc:firing:warning");
	store_exec(look, "UPDATE forebay.deliveries SET due_at = now() WHERE attempts = 1", &err);
	assert_string_equal(take(&mine, "hook", 10, &t), "0123:firing:warning");
	assert_int_equal(t[0].attempts, 1);
	assert_true(t[0].trying_us > 0 && t[0].waiting_us >= t[0].trying_us);
	assert_int_equal(deliveries_again(&mine, &t[0].seq, &soon, 1, 0, "timed out", &err), 0);
	assert_int_equal(postgres_number(look, "SELECT count(*) FROM forebay.deliveries WHERE attempts = 2 AND "
					       "http_status IS NULL AND error = 'timed out'"),
			 1);
	store_exec(look, "SELECT pg_sleep(0.01)", &err);
	take(&mine, "hook", 10, &t);
	delivered(&t[0], false);
	assert_string_equal(take(&mine, "hook", 10, &t), "0123:firing:critical");
	delivered(&t[0], false);
	assert_string_equal(take(&mine, "hook", 10, &t), "0123:resolved:critical");
}

static void
knows_when_the_next_is_due(void **state)
{
	struct err err = ERR_INIT;
	struct taken *t;
	int64_t ms;

	(void)state;
	assert_int_equal(deliveries_next(&mine, "hook", 1000, &ms, &err), 0);
	assert_int_equal(ms, 1000);
	put("hook", A, "firing", "warning", 10);
	take(&mine, "hook", 10, &t);
	assert_int_equal(deliveries_again(&mine, &t[0].seq, &(int64_t){ FAR_MS }, 1, 500, "", &err), 0);
	assert_int_equal(deliveries_next(&mine, "hook", 2 * FAR_MS, &ms, &err), 0);
	assert_in_range(ms, FAR_MS - 60000, FAR_MS);
}

static void
stands_until_it_ends(void **state)
{
	struct err err = ERR_INIT;
	struct taken *t, *s;

	(void)state;
	put("am", A, "firing", "warning", 10);
	assert_string_equal(take_standing(&mine, 0, &s), "");
	take(&mine, "am", 10, &t);
	delivered(&t[0], true);
	assert_string_equal(take_standing(&mine, FAR_MS, &s), "");
	assert_string_equal(take_standing(&mine, 0, &s), "0123:firing");
	assert_string_equal(take_standing(&other, 0, &t), "");
	/* While it is told again the end must wait, or be overtaken. */
	put("am", A, "resolved", "warning", 11);
	assert_string_equal(take(&other, "am", 10, &t), "");
	assert_int_equal(deliveries_told(&mine, &s[0].seq, 1, true, &err), 0);
	assert_string_equal(take_standing(&mine, 0, &s), "");
	assert_string_equal(take(&other, "am", 10, &t), "0123:resolved:warning");
	delivered(&t[0], true);
	assert_string_equal(take_standing(&mine, 0, &s), "0123:resolved");
	assert_int_equal(
	    postgres_number(look, "SELECT count(*) FROM forebay.deliveries WHERE standing_until < 'infinity'"), 1);
}

static void
does_not_stand_when_it_was_late(void **state)
{
	struct taken *t, *s;

	(void)state;
	put("am", A, "firing", "warning", 10);
	take(&mine, "am", 10, &t);
	put("am", A, "resolved", "warning", 11); /* while the first is under way */
	delivered(&t[0], true);
	assert_string_equal(take_standing(&mine, 0, &s), "");
}

#define MANY 501 /* changes: more than go in one statement */

static void *
put_many(void *ids)
{
	char(*id)[33] = ids;
	struct debt debts[MANY] = { debt_of("am", A, "resolved", "warning", 1) };
	struct err err = ERR_INIT;

	for (int i = 1; i < MANY; i++)
		debts[i] = debt_of("am", id[i], "firing", "warning", 1 + i);
	return deliveries_put(&other, debts, MANY, &err) < 0 ? ids : NULL;
}

static void
await(const char *sql)
{
	int64_t until = clock_monotonic_us() + 60 * US_PER_SECOND;

	while (!postgres_number(look, sql)) {
		assert_true(clock_monotonic_us() < until);
		clock_sleep_us(10 * US_PER_MS);
	}
}

/* The end is put while the first is being written down: neither transaction sees the other. */
static void
does_not_stand_when_it_ends_meanwhile(void **state)
{
	static char ids[MANY][33];
	struct store *blocker = postgres_store(&server, 0);
	struct taken *t, *s;
	struct err err = ERR_INIT;
	char sql[400];
	pthread_t thread;
	void *failed;

	(void)state;
	for (int i = 0; i < MANY; i++)
		snprintf(ids[i], sizeof(ids[i]), "%032x", 0x1000 + i);
	put("am", A, "firing", "warning", 0);
	take(&mine, "am", 10, &t);
	/* Somebody else is about to put the last of them: the transaction that ends the alert stands still before its commit. */
	snprintf(
	    sql, sizeof(sql),
	    "BEGIN; INSERT INTO forebay.deliveries (notifier, receiver, alert_id, status, severity, device, metric, payload, "
	    "origin_topic, origin_partition, origin_offset, timestamp_us) VALUES ('n', 'am', '%s', 'firing', 'warning', '', "
	    "'', '', '', 0, 0, 0)",
	    ids[MANY - 1]);
	assert_int_equal(store_exec(blocker, sql, &err), 0);
	pthread_create(&thread, NULL, put_many, ids);
	await("SELECT count(*) FROM pg_locks WHERE NOT granted");
	delivered(&t[0], true);
	store_exec(blocker, "ROLLBACK", &err);
	pthread_join(thread, &failed);
	store_free(blocker);
	assert_null(failed);
	assert_string_equal(take(&mine, "am", 1, &t), "0123:resolved:warning");
	delivered(&t[0], true);
	assert_string_equal(take_standing(&mine, 0, &s), "0123:resolved");
}

static void
refuse(const struct taken *t, bool stands)
{
	struct err why = ERR_INIT, err = ERR_INIT;

	err_set(&why, REASON_DELIVERY_TIMEOUT, "am: no \xff");
	assert_int_equal(deliveries_refused(&mine, &t->seq, 1, 0, &why, stands, &err), 0);
}

static void
becomes_a_dead_letter(void **state)
{
	struct err err = ERR_INIT;
	struct refused *r;
	struct taken *t;
	size_t n;

	(void)state;
	put("hook", A, "firing", "warning", 10);
	take(&mine, "hook", 10, &t);
	refuse(&t[0], false);
	assert_int_equal(deliveries_take_refused(&mine, 10, LEASE_MS, arena, &r, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_true(span_equal(r[0].topic, SPAN("alerts")) && r[0].partition == 3 && r[0].offset == 10);
	assert_true(span_equal(r[0].key, SPAN("d\0\xff")) && span_equal(r[0].value, SPAN("\0\1\2\xff")));
	assert_null(r[0].schema_id.ptr);
	assert_int_equal(r[0].why.reason, REASON_DELIVERY_TIMEOUT);
	assert_string_equal(r[0].why.text, "am: no ?");
	assert_int_equal(deliveries_take_refused(&other, 10, LEASE_MS, arena, &r, &n, &err), 0);
	assert_int_equal(n, 0);
	assert_int_equal(deliveries_dead(&mine, &t[0].seq, 1, &err), 0);
	put("hook", A, "firing", "warning", 10); /* the same record once more */
	assert_string_equal(take(&mine, "hook", 10, &t), "");
	put("hook", A, "firing", "warning", 77); /* redriven */
	assert_string_equal(take(&mine, "hook", 10, &t), "0123:firing:warning");
	assert_int_equal(t[0].attempts, 0);
}

/* The receiver has taken the end: told of the beginning now, it would wait for another end for ever. */
static void
does_not_begin_after_its_end(void **state)
{
	struct err err = ERR_INIT;
	struct taken *t;

	(void)state;
	put("hook", A, "firing", "warning", 10);
	take(&mine, "hook", 10, &t);
	refuse(&t[0], false);
	assert_int_equal(deliveries_dead(&mine, &t[0].seq, 1, &err), 0);
	put("hook", A, "resolved", "warning", 11);
	take(&mine, "hook", 10, &t);
	delivered(&t[0], false);
	put("hook", A, "firing", "warning", 77); /* redriven */
	assert_string_equal(take(&mine, "hook", 10, &t), "");
}

static void
is_told_when_the_receiver_is_back(void **state)
{
	struct err err = ERR_INIT;
	struct taken *t, *s;

	(void)state;
	put("am", A, "firing", "warning", 10);
	take(&mine, "am", 10, &t);
	refuse(&t[0], true);
	assert_int_equal(deliveries_dead(&mine, &t[0].seq, 1, &err), 0);
	assert_string_equal(take_standing(&mine, 0, &s), "0123:firing");
	assert_int_equal(deliveries_told(&mine, &s[0].seq, 1, true, &err), 0);
	assert_int_equal(postgres_number(look, "SELECT count(*) FROM forebay.deliveries WHERE state = 'delivered'"), 1);
}

/* Rows left when those older than DAYS are forgotten. */
static long long
kept_of(int64_t days)
{
	static const char *const receivers[] = { "hook", "am" };
	struct err err = ERR_INIT;

	assert_int_equal(deliveries_forget(&mine, days, receivers, 2, &err), 0);
	return postgres_number(look, "SELECT count(*) FROM forebay.deliveries");
}

static void
looks_and_forgets(void **state)
{
	struct err err = ERR_INIT;
	struct taken *t;
	double oldest_s;
	int64_t count;

	(void)state;
	put("hook", A, "firing", "warning", 10);
	take(&mine, "hook", 10, &t);
	delivered(&t[0], false);
	put("hook", A, "resolved", "warning", 11);
	store_exec(look, "UPDATE forebay.deliveries SET stored_at = now() - interval '100 days'", &err);
	put("hook", B, "firing", "warning", 12);
	assert_int_equal(deliveries_backlog(&mine, "hook", &count, &oldest_s, &err), 0);
	assert_int_equal(count, 2);
	assert_true(oldest_s > 99 * 86400.0 && oldest_s < 101 * 86400.0);
	assert_int_equal(deliveries_backlog(&mine, "am", &count, &oldest_s, &err), 0);
	assert_true(count == 0 && oldest_s == 0);
	assert_int_equal(kept_of(101), 3);
	assert_int_equal(kept_of(99), 2);
	assert_string_equal(take(&mine, "hook", 1, &t), "0123:resolved:warning");
}

/* However old: what is owed, what stands, and what is to be a dead letter; not for a receiver that there is no more. */
static void
forgets_nothing_at_work(void **state)
{
	struct err err = ERR_INIT;
	struct taken *t;

	(void)state;
	put("hook", A, "firing", "warning", 10);
	put("gone", A, "firing", "warning", 10);
	put("hook", B, "firing", "warning", 11);
	take(&mine, "hook", 10, &t);
	refuse(&t[1], false);
	put("am", A, "firing", "warning", 10);
	take(&mine, "am", 10, &t);
	delivered(&t[0], true);
	store_exec(look, "UPDATE forebay.deliveries SET stored_at = now() - interval '100 days'", &err);
	assert_int_equal(kept_of(99), 3);
	assert_int_equal(postgres_number(look, "SELECT count(*) FROM forebay.deliveries WHERE receiver = 'gone'"), 0);
	put("am", A, "resolved", "warning", 12); /* the one before it does not stand any more */
	assert_int_equal(kept_of(99), 3);
	assert_int_equal(postgres_number(look, "SELECT count(*) FROM forebay.deliveries WHERE status = 'resolved'"), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(is_owed_once),
		TEST(is_taken_by_one),
		TEST(keeps_the_order_of_an_alert),
		TEST(knows_when_the_next_is_due),
		TEST(stands_until_it_ends),
		TEST(does_not_stand_when_it_was_late),
		TEST(does_not_stand_when_it_ends_meanwhile),
		TEST(becomes_a_dead_letter),
		TEST(does_not_begin_after_its_end),
		TEST(is_told_when_the_receiver_is_back),
		TEST(looks_and_forgets),
		TEST(forgets_nothing_at_work),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
