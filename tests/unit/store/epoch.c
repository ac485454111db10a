/* epoch.c -- who may commit: claims, fences, a commit whose answer was lost, an owner that froze. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/store/epoch.h"
#include "tests/support/postgres.h"

static struct postgres server;

struct owner {
	struct store *store;
	struct epoch *epoch;
};

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

static void
owner_make(struct owner *o, const char *name, int fresh)
{
	o->store = postgres_store(&server, fresh);
	assert_int_equal(epoch_new(o->store, "g", name, &o->epoch, NULL), 0);
}

static void
owner_free_cleanup(struct owner *o)
{
	epoch_free(o->epoch);
	store_free(o->store);
}

static int64_t
claim(struct owner *o, int64_t fallback)
{
	struct err err = ERR_INIT;
	int64_t offset = -7;

	for (int tries = 0; tries < 5; tries++) {
		if (epoch_claim(o->epoch, "t", 3, fallback, &offset, &err) == 0)
			return offset;
		assert_int_equal(err_class(&err), ERR_RETRY);
	}
	fail_msg("claim: %s", err.text);
	return -1;
}

static int
advance(struct owner *o, int64_t next, struct err *err)
{
	struct epoch_step step = { .topic = "t", .partition = 3, .next_offset = next, .inserted = 5, .repeated = 2 };
	bool reached;

	if (store_exec(o->store, "BEGIN", err) < 0 || epoch_lock(o->epoch, &step, 1, &reached, err) < 0 ||
	    epoch_advance(o->epoch, &step, 1, err) < 0 || store_commit(o->store, err) < 0) {
		store_rollback(o->store);
		return -1;
	}
	return 0;
}

static void
claims_give_the_stored_offset(void **state)
{
	CLEANUP(owner_free)
	struct owner a = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	owner_make(&a, "a", 1);
	assert_int_equal(claim(&a, -1), -1); /* nothing known */
	assert_int_equal(claim(&a, 40), 40); /* Kafka's, and from now on stored */
	assert_int_equal(claim(&a, 90), 40); /* the stored one wins */
	assert_int_equal(advance(&a, 55, &err), 0);
	assert_int_equal(claim(&a, 90), 55);
	assert_int_equal(epoch_of(a.epoch, "t", 3), 4);
	assert_int_equal(
	    postgres_number(a.store, "SELECT rows_inserted * 100 + rows_repeated FROM forebay.sink_offsets"), 502);
	epoch_release(a.epoch, "t", 3);
	assert_int_equal(advance(&a, 60, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_FENCED);
}

static void
old_owner_is_fenced(void **state)
{
	CLEANUP(owner_free)
	struct owner a = { 0 };
	CLEANUP(owner_free)
	struct owner b = { 0 };
	struct epoch_step step = { .topic = "t", .partition = 3, .next_offset = 11 };
	struct err err = ERR_INIT;

	(void)state;
	owner_make(&a, "alpha", 1);
	owner_make(&b, "beta", 0);
	assert_int_equal(claim(&a, 0), 0);
	assert_int_equal(advance(&a, 10, &err), 0);
	assert_int_equal(claim(&b, 0), 10);
	assert_int_equal(advance(&a, 11, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_FENCED);
	assert_non_null(strstr(err.text, "beta"));
	assert_non_null(strstr(err.text, "t/3"));
	/* Also without the lock: the update itself is fenced. */
	assert_int_equal(store_exec(a.store, "BEGIN", NULL), 0);
	assert_int_equal(epoch_advance(a.epoch, &step, 1, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_FENCED);
	store_rollback(a.store);
	assert_int_equal(advance(&b, 12, &err), 0);
	assert_int_equal(postgres_number(b.store, "SELECT next_offset FROM forebay.sink_offsets"), 12);
}

/* The claim of a new owner meets the open transaction of the old one: it ends that session, and nothing of it is there. */
static void
frozen_owner_is_evicted(void **state)
{
	CLEANUP(owner_free)
	struct owner a = { 0 };
	CLEANUP(owner_free)
	struct owner b = { 0 };
	struct epoch_step step = { .topic = "t", .partition = 3, .next_offset = 50 };
	struct err err = ERR_INIT;
	bool reached;

	(void)state;
	owner_make(&a, "alpha", 1);
	owner_make(&b, "beta", 0);
	assert_int_equal(claim(&a, 7), 7);
	assert_int_equal(store_exec(a.store, "BEGIN; CREATE TABLE forebay.frozen (a int)", &err), 0);
	assert_int_equal(epoch_lock(a.epoch, &step, 1, &reached, &err), 0);
	assert_int_equal(epoch_advance(a.epoch, &step, 1, &err), 0);
	assert_int_equal(claim(&b, 0), 7);
	assert_int_equal(store_commit(a.store, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_DOWN);
	assert_int_equal(store_connect(a.store, &err), 0);
	assert_int_equal(advance(&a, 50, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_FENCED);
	assert_int_equal(postgres_number(b.store, "SELECT count(*) FROM pg_class WHERE relname = 'frozen'"), 0);
}

static void
lost_answer_is_recognised(void **state)
{
	CLEANUP(owner_free)
	struct owner a = { 0 };
	struct epoch_step steps[] = { { .topic = "t", .partition = 3, .next_offset = 20 },
				      { .topic = "u\"{\\", .partition = 0, .next_offset = 5 } };
	struct err err = ERR_INIT;
	int64_t offset;
	bool reached = true;

	(void)state;
	owner_make(&a, "a", 1);
	claim(&a, 0);
	assert_int_equal(epoch_claim(a.epoch, steps[1].topic, 0, 5, &offset, &err), 0);
	assert_int_equal(store_exec(a.store, "BEGIN", &err), 0);
	assert_int_equal(epoch_lock(a.epoch, steps, 2, &reached, &err), 0);
	assert_false(reached); /* one of the two is not there yet */
	assert_int_equal(epoch_advance(a.epoch, steps, 2, &err), 0);
	assert_int_equal(store_commit(a.store, &err), 0);
	store_disconnect(a.store); /* the answer never came */
	assert_int_equal(store_connect(a.store, &err), 0);
	assert_int_equal(store_exec(a.store, "BEGIN", &err), 0);
	assert_int_equal(epoch_lock(a.epoch, steps, 2, &reached, &err), 0);
	assert_true(reached);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_give_the_stored_offset),
		cmocka_unit_test(old_owner_is_fenced),
		cmocka_unit_test(frozen_owner_is_evicted),
		cmocka_unit_test(lost_answer_is_recognised),
	};

	return cmocka_run_group_tests_name("epoch", tests, start, wipe);
}
