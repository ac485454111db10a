/* The states of keys come back as they were: from before a call, from before a transaction; and what is dirty, is known. */
#include "tests/unit/worker/counter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct state_limits wide = { .idle_us = INT64_MAX, .max_bytes = SIZE_MAX, .key_bytes = 1000 };

static void
add(struct state_table *t, int32_t partition, const char *key, int amount)
{
	struct span name;

	assert_true(counter_fold(t, partition, 1, key, amount));
	assert_int_equal(state_call_end(t, true, &name), STATE_FITS);
}

static int
value(struct state_table *t, int32_t partition, const char *key)
{
	struct span name;
	void *state;
	int n;

	state_call_begin(t, partition, 0, 1, 0);
	assert_int_equal(state_get(t, span_of(key), &state), STATE_HERE);
	n = ((struct counter *)state)->n ? *((struct counter *)state)->n : 0;
	state_call_end(t, false, &name);
	return n;
}

static struct state_table *
table(void **kind, const struct state_limits *limits)
{
	struct state_table *t = state_table_new(*kind, 2, limits);

	assert_non_null(t);
	return t;
}

static void
stand(struct state_table *t, int32_t partition, int64_t primary, int64_t side, int64_t now_us)
{
	const struct vector v = { { primary, side } };

	assert_int_equal(state_stand(t, partition, &v, now_us), 0);
}

/* ---- a transaction ---- */

static void
rollback_restores(void **state)
{
	CLEANUP(state_table_free)
	struct state_table *t = table(state, &wide);

	add(t, 0, "a", 1);
	add(t, 1, "b", 10);
	state_commit(t);
	add(t, 0, "a", 1);
	add(t, 0, "a", 1);
	add(t, 0, "new", 5);
	assert_int_equal(state_count(t), 3);
	state_rollback(t);
	assert_int_equal(state_count(t), 2);
	assert_int_equal(value(t, 0, "a"), 1);
	assert_int_equal(value(t, 1, "b"), 10);
	assert_int_equal(value(t, 0, "new"), 0);
}

static void
rollback_twice_and_go_on(void **state)
{
	CLEANUP(state_table_free)
	struct state_table *t = table(state, &wide);

	for (int round = 0; round < 5; round++) {
		add(t, 0, "a", 7);
		state_rollback(t);
		add(t, 0, "a", 1);
		state_commit(t);
	}
	assert_int_equal(value(t, 0, "a"), 5);
}

static void
dropping_a_partition_inside_a_transaction(void **state)
{
	CLEANUP(state_table_free)
	struct state_table *t = table(state, &wide);

	add(t, 0, "a", 1);
	add(t, 1, "a", 2);
	state_commit(t);
	add(t, 0, "a", 1);
	add(t, 1, "a", 1);
	state_drop(t, 0);
	state_rollback(t);
	assert_int_equal(value(t, 0, "a"), 0); /* forgotten */
	assert_int_equal(value(t, 1, "a"), 2); /* restored */
}

static void
in_use_means_this_transaction(void **state)
{
	CLEANUP(state_table_free)
	struct state_table *t = table(state, &wide);

	add(t, 3, "a", 1);
	assert_non_null(state_in_use(t, SPAN("a")));
	assert_null(state_in_use(t, SPAN("b")));
	state_commit(t);
	assert_null(state_in_use(t, SPAN("a")));
}

/* ---- a call ---- */

static void
too_large_is_undone(void **state)
{
	CLEANUP(state_table_free)
	struct state_table *t = table(state, &wide);
	struct span name;

	add(t, 0, "a", 900);
	add(t, 0, "b", 3);
	assert_true(counter_fold(t, 0, 1, "a", 101));
	assert_int_equal(state_call_end(t, true, &name), STATE_UNDONE);
	assert_true(span_equal(name, SPAN("a")));
	assert_int_equal(value(t, 0, "a"), 900);
	assert_int_equal(value(t, 0, "b"), 3);
	/* From far below the limit to far above it: only the transaction can be undone. */
	assert_true(counter_fold(t, 0, 1, "b", 2000));
	assert_int_equal(state_call_end(t, true, &name), STATE_TOO_LARGE_FOR_GOOD);
	assert_true(span_equal(name, SPAN("b")));
	state_rollback(t);
	assert_int_equal(state_count(t), 0);
}

/* ---- what is dirty ---- */

static void
expect_frontier(struct state_table *t, int32_t partition, int64_t primary, int64_t side)
{
	struct vector v;

	assert_true(state_frontier(t, partition, &v));
	assert_int_equal(v.at[0], primary);
	assert_int_equal(v.at[1], side);
}

static void
frontier_is_where_the_oldest_change_began(void **state)
{
	CLEANUP(state_table_free)
	struct state_table *t = table(state, &wide);
	struct state_view v;

	stand(t, 0, 100, 7, 1);
	add(t, 0, "a", 1);
	state_commit(t);
	stand(t, 0, 110, 8, 2);
	expect_frontier(t, 0, 100, 7);
	add(t, 0, "b", 1);
	add(t, 0, "a", 1);
	state_commit(t);
	stand(t, 0, 120, 9, 3);
	expect_frontier(t, 0, 100, 7);
	assert_int_equal(state_dirty_since(t, 0), 1);

	state_round_begin(t);
	assert_true(state_take_dirty(t, 0, 1, &v));
	assert_true(span_equal(v.key, SPAN("a")));
	assert_int_equal(*((const struct counter *)v.state)->n, 2);
	expect_frontier(t, 0, 110, 8);
	assert_false(state_take_dirty(t, 0, 1, &v)); /* the other one has not waited long enough */
	assert_true(state_take_dirty(t, 0, 2, &v));
	assert_true(span_equal(v.key, SPAN("b")));
	expect_frontier(t, 0, 120, 9);
	assert_int_equal(state_dirty_since(t, 0), INT64_MAX);

	add(t, 0, "a", 1);
	state_commit(t);
	expect_frontier(t, 0, 120, 9);
}

static void
what_was_rolled_back_is_not_dirty(void **state)
{
	CLEANUP(state_table_free)
	struct state_table *t = table(state, &wide);

	stand(t, 0, 5, 0, 1);
	add(t, 0, "a", 1);
	state_rollback(t);
	assert_int_equal(state_dirty_since(t, 0), INT64_MAX);
	expect_frontier(t, 0, 5, 0);
}

/* ---- leaving memory ---- */

static void
only_what_is_stored_leaves(void **state)
{
	CLEANUP(state_table_free)
	struct state_table *t =
	    table(state, &(struct state_limits){ .idle_us = 1000, .max_bytes = SIZE_MAX, .key_bytes = 1000 });
	struct state_view v;
	struct span name;

	stand(t, 0, 0, 0, 1);
	assert_true(counter_fold(t, 0, 1, "idle", 1));
	assert_true(counter_fold(t, 0, 9, "busy", 1));
	state_call_end(t, true, &name);
	assert_int_equal(state_evict(t, 10), 0); /* in a transaction */
	state_commit(t);
	assert_int_equal(state_evict(t, 10), 0); /* dirty */
	state_round_begin(t);
	while (state_take_dirty(t, 0, INT64_MAX, &v))
		;
	assert_int_equal(state_evict(t, 10), 0); /* on its way */
	state_round_done(t);
	assert_int_equal(state_evict(t, 10), 1);
	assert_int_equal(state_count(t), 1);
	assert_int_equal(state_sleepers(t), 1);
	assert_false(counter_fold(t, 0, 10, "idle", 1));
	assert_true(counter_fold(t, 0, 10, "busy", 1));
	state_unknown(t, 0, SPAN("idle"));
	assert_true(counter_fold(t, 0, 10, "idle", 1));
	state_call_end(t, true, &name);
}

static void
store_all(struct state_table *t, int32_t partition)
{
	struct state_view v;

	state_commit(t);
	state_round_begin(t);
	while (state_take_dirty(t, partition, INT64_MAX, &v))
		;
	state_round_done(t);
}

/* Of a partition that is behind the others, or beside a record with a time stamp of the far future. */
static void
what_is_in_use_stays_whatever_the_time_stamps(void **state)
{
	CLEANUP(state_table_free)
	struct state_table *t =
	    table(state, &(struct state_limits){ .idle_us = 1000, .max_bytes = SIZE_MAX, .key_bytes = 1000 });

	stand(t, 0, 0, 0, 1);
	stand(t, 1, 0, 0, 1);
	for (int turn = 0; turn < 3; turn++) {
		add(t, 1, "ahead", 1);
		assert_true(counter_fold(t, 1, 1000000 + turn, "ahead", 1));
		assert_true(counter_fold(t, 0, 1 + turn, "behind", 1));
		store_all(t, 0);
		store_all(t, 1);
		assert_int_equal(state_evict(t, 10), 0);
	}
	assert_true(counter_fold(t, 1, 2000000, "ahead", 1));
	store_all(t, 1);
	assert_int_equal(state_evict(t, 10), 1); /* the one that was silent meanwhile */
}

static void
memory_is_bounded(void **state)
{
	CLEANUP(state_table_free)
	struct state_table *t =
	    table(state, &(struct state_limits){ .idle_us = INT64_MAX, .max_bytes = 4000, .key_bytes = 1000 });
	struct state_view v;

	stand(t, 0, 0, 0, 1);
	for (int i = 0; i < 100; i++) {
		char key[8];

		snprintf(key, sizeof(key), "%d", i);
		add(t, 0, key, 10);
	}
	state_commit(t);
	state_round_begin(t);
	while (state_take_dirty(t, 0, INT64_MAX, &v))
		;
	state_round_done(t);
	assert_true(state_bytes(t) > 4000);
	state_evict(t, 1000);
	assert_true(state_bytes(t) <= 4000);
	assert_true(state_count(t) > 0);
	assert_int_equal(state_count(t) + state_sleepers(t), 100);
}

/* ---- rebuilding ---- */

static void
restore(struct state_table *t, const char *key, int n, int64_t primary, int64_t side, bool alone)
{
	const struct vector positions = { { primary, side } };
	const struct state_view v = { .key = span_of(key) };
	struct counter *c = calloc(1, sizeof(*c));

	c->n = malloc(sizeof(int));
	*c->n = n;
	assert_int_equal(state_restore(t, 0, &v, c, &positions, alone), 0);
}

static void
a_record_reaches_a_key_only_once(void **state)
{
	static const struct vector frontier = { { 100, 50 } };
	CLEANUP(state_table_free)
	struct state_table *t = table(state, &wide);
	struct span name;

	assert_int_equal(state_floor(t, 0, &frontier), 0);
	stand(t, 0, 80, 0, 1);
	restore(t, "old", 1, 60, 20, false);    /* untouched between 60 and the frontier */
	restore(t, "ahead", 1, 110, 55, false); /* stored later than the frontier */
	restore(t, "alone", 1, 80, 40, true);   /* an older state: the floor does not count */
	state_refold(t, true);
	for (int64_t offset = 80; offset < 120; offset++) {
		counter_fold(t, 0, offset, "old", 100);
		counter_fold(t, 0, offset, "ahead", 100);
		counter_fold(t, 0, offset, "alone", 100);
		counter_fold(t, 0, offset, "new", 100); /* had it a record before the frontier, it would be stored */
		assert_int_equal(state_call_end(t, false, &name), STATE_FITS);
	}
	assert_int_equal(state_commit(t), 0);
	state_refold(t, false);
	state_refold_end(t, 0);
	assert_int_equal(value(t, 0, "old"), 1 + 20 * 100);
	assert_int_equal(value(t, 0, "ahead"), 1 + 10 * 100);
	assert_int_equal(value(t, 0, "alone"), 1 + 40 * 100);
	assert_int_equal(value(t, 0, "new"), 20 * 100);
	assert_true(counter_fold(t, 0, 1, "old", 1)); /* live again: offsets do not matter */
	assert_int_equal(value(t, 0, "old"), 2 + 20 * 100);
}

static void
sources_are_told_apart(void **state)
{
	static const struct vector frontier = { { 100, 50 } };
	CLEANUP(state_table_free)
	struct state_table *t = table(state, &wide);
	struct span name;
	void *found;

	assert_int_equal(state_floor(t, 0, &frontier), 0);
	restore(t, "k", 1, 100, 60, false);
	state_refold(t, true);
	state_call_begin(t, 0, 1, 59, 0);
	assert_int_equal(state_get(t, SPAN("k"), &found), STATE_HERE);
	assert_null(((struct counter *)found)->n); /* one to play with */
	state_call_end(t, false, &name);
	state_call_begin(t, 0, 1, 60, 0);
	assert_int_equal(state_get(t, SPAN("k"), &found), STATE_HERE);
	assert_int_equal(*((struct counter *)found)->n, 1);
	state_call_end(t, false, &name);
}

#define BOTH(test)                                                         \
	{ #test " (copied)", test, NULL, NULL, (void *)&counter_copied },  \
	{                                                                  \
#test " (saved)", test, NULL, NULL, (void *)&counter_saved \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(rollback_restores),
		BOTH(rollback_twice_and_go_on),
		BOTH(dropping_a_partition_inside_a_transaction),
		BOTH(in_use_means_this_transaction),
		BOTH(too_large_is_undone),
		BOTH(frontier_is_where_the_oldest_change_began),
		BOTH(what_was_rolled_back_is_not_dirty),
		BOTH(only_what_is_stored_leaves),
		BOTH(what_is_in_use_stays_whatever_the_time_stamps),
		BOTH(memory_is_bounded),
		BOTH(a_record_reaches_a_key_only_once),
		BOTH(sources_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
