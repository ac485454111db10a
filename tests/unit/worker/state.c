/* The states of keys come back as they were when a transaction is given up. */
#include "common/worker/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct counter {
	int *n; /* owned, so that a missing deep copy or a leak shows */
};

static int
counter_copy(void *to, const void *from)
{
	const struct counter *f = from;
	struct counter *t = to;

	t->n = NULL;
	if (f->n) {
		t->n = malloc(sizeof(int));
		*t->n = *f->n;
	}
	return 0;
}

static void
counter_clear(void *state)
{
	free(((struct counter *)state)->n);
}

static const struct state_type counter_type = { sizeof(struct counter), counter_copy, counter_clear };

static void
add(struct state_table *t, int32_t partition, const char *key, int amount)
{
	struct counter *c = state_get(t, partition, span_of(key));

	assert_non_null(c);
	if (!c->n)
		c->n = calloc(1, sizeof(int));
	*c->n += amount;
}

static int
value(struct state_table *t, int32_t partition, const char *key)
{
	struct counter *c = state_get(t, partition, span_of(key));

	return c->n ? *c->n : 0;
}

static void
rollback_restores(void **state)
{
	CLEANUP(state_table_free)
	struct state_table *t = state_table_new(&counter_type);

	(void)state;
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
	struct state_table *t = state_table_new(&counter_type);

	(void)state;
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
	struct state_table *t = state_table_new(&counter_type);

	(void)state;
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
	struct state_table *t = state_table_new(&counter_type);

	(void)state;
	add(t, 3, "a", 1);
	assert_non_null(state_in_use(t, SPAN("a")));
	assert_null(state_in_use(t, SPAN("b")));
	state_commit(t);
	assert_null(state_in_use(t, SPAN("a")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rollback_restores),
		cmocka_unit_test(rollback_twice_and_go_on),
		cmocka_unit_test(dropping_a_partition_inside_a_transaction),
		cmocka_unit_test(in_use_means_this_transaction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
