/* Many keys on several partitions, transactions that end either way, states that are stored and leave: as a plain table says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "tests/unit/worker/counter.h"

#define KEYS 400
#define SHELVES 3
#define TURNS 60000

struct model {
	int now[SHELVES][KEYS], before[SHELVES][KEYS];  /* 0: no such key */
	int queue[SHELVES][KEYS], waiting[SHELVES];     /* dirty keys, oldest first */
	int entered[SHELVES][KEYS], n_entered[SHELVES]; /* by this transaction */
	bool touched[SHELVES][KEYS], queued[SHELVES][KEYS];
};

static void
model_end(struct model *m, bool commit)
{
	for (int p = 0; p < SHELVES; p++) {
		for (int i = 0; i < m->n_entered[p]; i++) {
			if (commit)
				m->queue[p][m->waiting[p]++] = m->entered[p][i];
			m->queued[p][m->entered[p][i]] = commit;
		}
		m->n_entered[p] = 0;
	}
	memset(m->touched, 0, sizeof(m->touched));
	if (commit)
		memcpy(m->before, m->now, sizeof(m->now));
	else
		memcpy(m->now, m->before, sizeof(m->now));
}

static void
model_add(struct model *m, int p, int k, int amount)
{
	m->now[p][k] += amount;
	m->touched[p][k] = true;
	if (m->queued[p][k])
		return;
	m->queued[p][k] = true;
	m->entered[p][m->n_entered[p]++] = k;
}

static void
model_drop(struct model *m, int p)
{
	memset(m->now[p], 0, sizeof(m->now[p]));
	memset(m->before[p], 0, sizeof(m->before[p]));
	memset(m->queued[p], 0, sizeof(m->queued[p]));
	m->waiting[p] = m->n_entered[p] = 0;
}

/* The oldest of the dirty ones, half of them or all. */
static void
take_some(struct state_table *t, struct model *m, int p)
{
	struct state_view v;
	int n = m->waiting[p] % 3 ? m->waiting[p] / 2 : m->waiting[p];

	state_round_begin(t);
	for (int i = 0; i < n; i++) {
		int k = m->queue[p][i];

		assert_true(state_take_dirty(t, p, INT64_MAX, &v));
		assert_int_equal(strtol(v.key.ptr, NULL, 10), k);
		assert_int_equal(*((const struct counter *)v.state)->n, m->now[p][k]);
		m->queued[p][k] = false;
	}
	memmove(m->queue[p], m->queue[p] + n, (size_t)(m->waiting[p] -= n) * sizeof(int));
	assert_int_equal(state_dirty_since(t, p) == INT64_MAX, m->waiting[p] == 0);
	state_round_done(t);
}

/* A record for key K; when it sleeps (it is stored nowhere here), it begins anew. */
static void
model_record(struct state_table *t, struct model *m, int p, int k, int64_t turn)
{
	char key[8];
	struct span name;
	int n;

	snprintf(key, sizeof(key), "%d.", k);
	n = counter_fold(t, p, turn, key, 1);
	if (!n) {
		assert_false(m->queued[p][k] || m->touched[p][k]);
		m->now[p][k] = m->before[p][k] = 0;
		state_unknown(t, p, span_of(key));
		n = counter_fold(t, p, turn, key, 1);
	}
	model_add(m, p, k, 1);
	assert_int_equal(n, m->now[p][k]);
	assert_int_equal(state_call_end(t, turn % 3 > 0, &name), STATE_FITS);
}

static void
as_the_plain_table_says(void **state)
{
	static const struct state_limits limits = { .idle_us = 3000 * 1000,
						    .max_bytes = SIZE_MAX,
						    .key_bytes = 1 << 20 };
	CLEANUP(state_table_free)
	struct state_table *t = state_table_new(*state, 2, &limits);
	struct model *m = calloc(1, sizeof(*m));
	uint64_t draws = 0;
	size_t left = 0;

	assert_true(t && m);
	for (int64_t turn = 1; turn <= TURNS; turn++) {
		int p = (int)(random_u64(1, 1, draws++) % SHELVES), what = (int)(random_u64(1, 2, draws++) % 1000);
		uint64_t k = random_u64(1, 3, draws++) % KEYS;

		model_record(t, m, p, (int)(turn / 5000 % 2 ? k : k % 40), turn);
		if (what < 20 || what >= 980) {
			if (what < 20)
				assert_int_equal(state_commit(t), 0);
			else
				state_rollback(t);
			model_end(m, what < 20);
		}
		if (what == 20) {
			state_drop(t, p);
			model_drop(m, p);
		}
		if (what < 10) {
			assert_int_equal(state_stand(t, p, &(struct vector){ { turn } }, turn), 0);
			take_some(t, m, p);
			left += state_evict(t, 20);
		}
	}
	assert_true(left > KEYS);
	free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "copied", as_the_plain_table_says, NULL, NULL, (void *)&counter_copied },
		{ "saved", as_the_plain_table_says, NULL, NULL, (void *)&counter_saved },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
