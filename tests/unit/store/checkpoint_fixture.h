/* checkpoint_fixture.h -- what the tests of checkpoints share: a server, a partition of three sources, states in one line. */
#ifndef FOREBAY_TESTS_CHECKPOINT_FIXTURE_H
#define FOREBAY_TESTS_CHECKPOINT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/store/checkpoint.h"
#include "tests/support/postgres.h"

#define MINUTE INT64_C(60000000)
#define PERIOD (10 * MINUTE) /* finest rung */

static struct postgres server;

static const struct checkpoint_name live = { .run = "live", .group = "g", .topic = "t", .partition = 3 };
static const struct checkpoint_sources three = { .names = { "t", "u", "fleet.journal" }, .n = 3 };

/* A state: its bytes are "<key>@<clock>". */
struct put {
	const char *key;
	int64_t positions[4], born;
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

static struct checkpoint_claim
claim_as(struct store *s, const struct checkpoint_name *name, const struct checkpoint_sources *sources,
	 const char *instance)
{
	struct checkpoint_claim claim;
	struct err err = ERR_INIT;

	for (int tries = 0; tries < 5; tries++) {
		if (checkpoint_claim(s, name, sources, instance, &claim, &err) == 0)
			return claim;
		assert_int_equal(err_class(&err), ERR_RETRY);
	}
	fail_msg("claim: %s", err.text);
	return claim;
}

/* Write STATES, taken at TAKEN_US, which make FRONTIER. */
static int
write_states(struct store *s, const struct checkpoint_claim *claim, int64_t taken_us, const int64_t *frontier,
	     const struct put *states, size_t n, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer encoded = BUFFER_INIT(1 << 20);
	struct checkpoint_batch b = { .claim = *claim,
				      .n_sources = claim->n_sources,
				      .n = n,
				      .taken_us = taken_us,
				      .active_us = taken_us,
				      .rung_us = PERIOD };

	for (size_t i = 0; i < n; i++) {
		char bytes[64];
		struct checkpoint_state state = { .key = span_of(states[i].key),
						  .born = states[i].born,
						  .active_us = taken_us };

		snprintf(bytes, sizeof(bytes), "%s@%" PRId64, states[i].key, states[i].positions[0]);
		state.bytes = span_of(bytes);
		memcpy(state.positions, states[i].positions, sizeof(states[i].positions));
		assert_int_equal(checkpoint_encode(&encoded, &state, claim->n_sources), 0);
	}
	memcpy(b.frontier, frontier, claim->n_sources * sizeof(*frontier));
	b.states = buffer_span(&encoded);
	return checkpoint_write(s, &b, err);
}

/* All states as "key@clock" (their bytes) in the order of their keys, with a blank between. */
static void
expect_states(struct store *s, const struct checkpoint_claim *claim, const char *expected)
{
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 4096);
	CLEANUP(checkpoint_load_free)
	struct checkpoint_load *load = NULL;
	struct checkpoint_state *states;
	char text[26][64] = { 0 }, all[26 * 65 + 1] = "";
	size_t len = 0;
	struct err err = ERR_INIT;
	size_t n;

	assert_int_equal(checkpoint_load_open(s, claim, claim->n_sources, 0, &load, &err), 0);
	do {
		assert_int_equal(checkpoint_load_next(load, arena, &states, &n, &err), 0);
		for (size_t i = 0; i < n; i++) {
			char expect[64];

			snprintf(expect, sizeof(expect), "%s@%" PRId64, states[i].key.ptr, states[i].positions[0]);
			assert_string_equal(states[i].bytes.ptr, expect);
			strcpy(text[states[i].key.ptr[0] - 'a'], expect);
		}
	} while (n > 0);
	for (size_t i = 0; i < ARRAY_LEN(text); i++)
		if (text[i][0])
			len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%.63s", len ? " " : "", text[i]);
	assert_string_equal(all, expected);
}

static void
expect_offsets(const int64_t *actual, const int64_t *expected, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(actual[i], expected[i]);
}

#endif
