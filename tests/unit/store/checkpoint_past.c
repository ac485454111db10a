/* checkpoint_past.c -- the ladder of older states, and the states as they were at an earlier offset. */
#include "tests/unit/store/checkpoint_fixture.h"

/*
 * What most tests begin with.  Key a changes all the time, b never again, c is new at 25, and the last batch did not hold
 * all that had changed: the frontier stays behind.
 *	states a@40 b@10 c@30, rungs a@10 a@20 a@30, frontier {35,6,4}
 */
static struct checkpoint_claim
write_history(struct store *s, const struct checkpoint_name *name)
{
	static const struct {
		struct put states[2];
		size_t n;
		int64_t frontier[3];
	} steps[] = {
		{ { { "a", { 10, 1, 1 }, 2 }, { "b", { 10, 1, 1 }, 5 } }, 2, { 10, 1, 1 } },
		{ { { "a", { 20, 3, 2 }, 2 } }, 1, { 20, 3, 2 } },
		{ { { "a", { 30, 5, 3 }, 2 }, { "c", { 30, 5, 3 }, 25 } }, 2, { 30, 5, 3 } },
		{ { { "a", { 40, 7, 4 }, 2 } }, 1, { 35, 6, 4 } },
	};
	struct checkpoint_claim claim = claim_as(s, name, &three, "a");
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (write_states(s, &claim, (int64_t)(i + 1) * PERIOD, steps[i].frontier, steps[i].states, steps[i].n,
				 &err) < 0)
			fail_msg("%s", err.text);
	return claim_as(s, name, &three, "a");
}

/* ---- the ladder ---- */

static const struct ladder_row {
	const char *text;
	size_t n;               /* 0 with REASON: refused */
	int64_t every_us, keep; /* of the last */
	enum err_reason reason;
} ladder_rows[] = {
	{ "", 0, 0, 0, REASON_NONE },
	{ "30s:1", 1, MINUTE / 2, 1, REASON_NONE },
	{ "10m:6,1h:24,1d:7", 3, 1440 * MINUTE, 7, REASON_NONE },
	{ "1s:1,2s:1,3s:1,4s:1,5s:1,6s:1,7s:1,8s:1", 8, MINUTE / 60 * 8, 1, REASON_NONE },
	{ "1s:1,2s:1,3s:1,4s:1,5s:1,6s:1,7s:1,8s:1,9s:1", 0, 0, 0, REASON_OPTION_INVALID },
	{ "10m:6,", 0, 0, 0, REASON_OPTION_INVALID },
	{ ",10m:6", 0, 0, 0, REASON_OPTION_INVALID },
	{ "10m", 0, 0, 0, REASON_OPTION_INVALID },
	{ "10:6", 0, 0, 0, REASON_OPTION_INVALID },
	{ "10w:6", 0, 0, 0, REASON_OPTION_INVALID },
	{ "0m:6", 0, 0, 0, REASON_OPTION_INVALID },
	{ "10m:0", 0, 0, 0, REASON_OPTION_INVALID },
	{ "10m:-1", 0, 0, 0, REASON_OPTION_INVALID },
	{ "10m:6x", 0, 0, 0, REASON_OPTION_INVALID },
	{ "10m:6 ,1h:1", 0, 0, 0, REASON_OPTION_INVALID },
	{ "1h:6,10m:6", 0, 0, 0, REASON_OPTION_INVALID },
	{ "60m:6,1h:6", 0, 0, 0, REASON_OPTION_INVALID },
	{ "99999999999999999999s:1", 0, 0, 0, REASON_OPTION_INVALID },
	{ "1m:99999999999999999999", 0, 0, 0, REASON_OPTION_INVALID },
};

static void
parses_ladders(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ladder_rows); i++) {
		const struct ladder_row *row = &ladder_rows[i];
		struct checkpoint_ladder ladder = { 0 };
		struct err err = ERR_INIT;
		int rc = checkpoint_ladder_parse(row->text, &ladder, &err);

		if (err.reason != row->reason || rc != (row->reason ? -1 : 0) || ladder.n != row->n)
			fail_msg("\"%s\": %d, %zu rungs, %s", row->text, rc, ladder.n, err_reason_name(err.reason));
		if (row->n > 0) {
			assert_int_equal(ladder.rungs[row->n - 1].every_us, row->every_us);
			assert_int_equal(ladder.rungs[row->n - 1].keep, row->keep);
		}
	}
}

/* A state becomes a rung when the one that replaces it is of another period, once, and never without a ladder. */
static void
states_become_rungs(void **state)
{
	static const struct {
		int64_t taken_us, clock;
		long long rungs, sum; /* after the write: how many, and the sum of their clocks */
	} steps[] = {
		{ 0, 1, 0, 0 },
		{ PERIOD - 1, 2, 0, 0 },          /* the same period */
		{ PERIOD, 3, 1, 2 },              /* the last one of the period before */
		{ PERIOD + MINUTE, 4, 1, 2 },     /* */
		{ 7 * PERIOD + MINUTE, 5, 2, 6 }, /* after a long silence */
		{ 8 * PERIOD, 5, 2, 6 },          /* the same state again */
	};
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);
	struct checkpoint_claim claim = claim_as(s, &live, &three, "a");
	struct checkpoint_batch b = { .claim = claim, .n_sources = 3, .n = 1, .taken_us = 99 * PERIOD };
	struct checkpoint_state one = { .key = SPAN("a"), .bytes = SPAN(""), .positions = { 9 } };
	CLEANUP(buffer_clear)
	struct buffer encoded = BUFFER_INIT(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct put put = { "a", { steps[i].clock, 0, 0 }, 0 };

		assert_int_equal(
		    write_states(s, &claim, steps[i].taken_us, (int64_t[]){ steps[i].clock, 0, 0 }, &put, 1, NULL), 0);
		assert_int_equal(postgres_number(s, "SELECT count(*) FROM forebay.state_rungs"), steps[i].rungs);
		assert_int_equal(postgres_number(s, "SELECT coalesce(sum(clock), 0) FROM forebay.state_rungs"),
				 steps[i].sum);
	}
	assert_int_equal(checkpoint_encode(&encoded, &one, 3), 0);
	b.states = buffer_span(&encoded);
	assert_int_equal(checkpoint_write(s, &b, NULL), 0);
	assert_int_equal(postgres_number(s, "SELECT count(*) FROM forebay.state_rungs"), 2);
}

/* Rungs of two keys at every 5 minutes of three days; the clock counts minutes. */
static void
make_rungs(struct store *s, const struct checkpoint_claim *claim)
{
	char sql[500];

	snprintf(
	    sql, sizeof(sql),
	    "TRUNCATE forebay.state_rungs; INSERT INTO forebay.state_rungs SELECT %" PRId64
	    ", convert_to(k, 'UTF8'), m, ARRAY[m], 0, 0, 1, m * bigint '60000000', '' FROM unnest(ARRAY['x', 'y']) k, "
	    "generate_series(0, 3 * 1440 - 5, 5) m",
	    claim->id);
	assert_int_equal(store_exec(s, sql, NULL), 0);
}

static const struct thin_row {
	const char *ladder, *kept; /* of each key, in minutes */
} thin_rows[] = {
	{ "", "SELECT 0 LIMIT 0" },
	{ "10m:3", "VALUES (4315), (4305), (4295)" },
	{ "10m:3,1h:2", "VALUES (4315), (4305), (4295), (4255)" },
	{ "10m:3,1h:2,1d:9", "VALUES (4315), (4305), (4295), (4255), (2875), (1435)" },
	{ "1h:3,1d:2", "VALUES (4315), (4255), (4195), (2875)" },
	{ "1m:1000000", "SELECT generate_series(0, 4315, 5)" },
};

static void
thins_by_time(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);
	struct checkpoint_claim claim = claim_as(s, &live, &three, "a"), other;
	struct checkpoint_name elsewhere = live;

	(void)state;
	elsewhere.run = "replay";
	other = claim_as(s, &elsewhere, &three, "a");
	for (size_t i = 0; i < ARRAY_LEN(thin_rows); i++) {
		struct checkpoint_ladder ladder;
		int64_t dropped, all = 0;
		char sql[500];

		make_rungs(s, &claim);
		assert_int_equal(checkpoint_ladder_parse(thin_rows[i].ladder, &ladder, NULL), 0);
		assert_int_equal(checkpoint_thin(s, &other, &ladder, 4319 * MINUTE, 9999, &dropped, NULL), 0);
		assert_int_equal(dropped, 0); /* not that one's */
		do {
			assert_int_equal(checkpoint_thin(s, &claim, &ladder, 4319 * MINUTE, 700, &dropped, NULL), 0);
			assert_true(dropped <= 700);
			all += dropped;
		} while (dropped > 0);
		assert_int_equal(all, 2 * 864 - postgres_number(s, "SELECT count(*) FROM forebay.state_rungs"));
		snprintf(sql, sizeof(sql),
			 "WITH kept (m) AS (%s), expected AS (SELECT convert_to(k, 'UTF8') AS k, m FROM kept, "
			 "unnest(ARRAY['x', 'y']) k) SELECT count(*) FROM expected FULL JOIN forebay.state_rungs "
			 "ON key = k AND clock = m WHERE key IS NULL OR k IS NULL",
			 thin_rows[i].kept);
		if (postgres_number(s, sql) != 0)
			fail_msg("%s: %lld kept", thin_rows[i].ladder,
				 postgres_number(s, "SELECT count(*) FROM forebay.state_rungs"));
	}
	make_rungs(s, &claim);
	claim_as(s, &live, &three, "b"); /* an old owner drops nothing */
	{
		struct checkpoint_ladder none = { 0 };
		int64_t dropped;

		assert_int_equal(checkpoint_thin(s, &claim, &none, 0, 9999, &dropped, NULL), 0);
		assert_int_equal(dropped, 0);
	}
}

static void
rungs_are_found(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 4096);
	struct checkpoint_claim claim = write_history(s, &live);
	struct checkpoint_state one;
	bool found;

	(void)state;
	assert_int_equal(checkpoint_get_rung(s, &claim, 3, SPAN("a"), 30, arena, &one, &found, NULL), 0);
	assert_true(found);
	assert_string_equal(one.bytes.ptr, "a@20");
	expect_offsets(one.positions, (int64_t[]){ 20, 3, 2 }, 3);
	assert_int_equal(one.born, 2);
	assert_int_equal(checkpoint_get_rung(s, &claim, 3, SPAN("a"), INT64_MAX, arena, &one, &found, NULL), 0);
	assert_string_equal(one.bytes.ptr, "a@30");
	assert_int_equal(checkpoint_get_rung(s, &claim, 3, SPAN("a"), 10, arena, &one, &found, NULL), 0);
	assert_false(found);
	assert_int_equal(checkpoint_get_rung(s, &claim, 3, SPAN("c"), 99, arena, &one, &found, NULL), 0);
	assert_false(found);
}

/* ---- rewind and fork ---- */

static const struct past_row {
	int64_t at;
	const char *states; /* NULL: STATE_TOO_OLD, the message has TEXT */
	int64_t frontier[3], reached;
	const char *text;
} past_rows[] = {
	{ 50, "a@40 b@10 c@30", { 35, 6, 4 }, 40, NULL },
	{ 40, "a@40 b@10 c@30", { 35, 6, 4 }, 40, NULL },
	{ 38, "a@30 b@10 c@30", { 30, 5, 3 }, 30, NULL },
	{ 35, "a@30 b@10 c@30", { 30, 5, 3 }, 30, NULL },
	{ 31, "a@30 b@10 c@30", { 30, 5, 3 }, 30, NULL },
	{ 30, "a@30 b@10 c@30", { 30, 5, 3 }, 30, NULL },
	{ 27, NULL, { 0 }, 0, "key c has no state as old as offset 27; the earliest offset that all keys have is 30" },
	{ 25, "a@20 b@10", { 20, 3, 2 }, 20, NULL }, /* c is not born yet */
	{ 15, "a@10 b@10", { 10, 1, 1 }, 10, NULL },
	{ 10, "a@10 b@10", { 10, 1, 1 }, 10, NULL },
	{ 4, NULL, { 0 }, 0, "key a has no state as old as offset 4; the earliest offset that all keys have is 10" },
	{ 2, "", { 2, -1, -1 }, -1, NULL }, /* nobody is, and where the other sources stood is not known */
};

static void
expect_past(struct store *s, const struct checkpoint_claim *claim, const struct past_row *row)
{
	struct checkpoint_claim again = claim_as(s, &live, &three, "a");

	(void)again;
	expect_offsets(claim->frontier, row->frontier, 3);
	assert_int_equal(claim->reached, row->reached);
	assert_int_equal(claim->active_us, row->reached < 0 ? 0 : row->reached / 10 * PERIOD);
	expect_states(s, claim, row->states);
}

static void
rewinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(past_rows); i++) {
		const struct past_row *row = &past_rows[i];
		CLEANUP(store_free)
		struct store *s = postgres_store(&server, 1);
		struct checkpoint_claim claim = write_history(s, &live), before = claim;
		struct err err = ERR_INIT;
		char sql[200];

		if (checkpoint_rewind(s, &claim, &three, row->at, &err) < 0) {
			assert_int_equal(err.reason, REASON_STATE_TOO_OLD);
			assert_string_equal(err.text, row->text);
			assert_memory_equal(&claim, &before, sizeof(claim));
			expect_states(s, &claim, "a@40 b@10 c@30");
			continue;
		}
		assert_non_null(row->states);
		expect_past(s, &claim, row);
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM forebay.state_rungs WHERE clock > %" PRId64, row->at);
		assert_int_equal(postgres_number(s, sql), 0);
		claim = claim_as(s, &live, &three, "a"); /* what the row says is what the claim said */
		expect_past(s, &claim, row);
	}
}

static void
forks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(past_rows); i++) {
		const struct past_row *row = &past_rows[i];
		CLEANUP(store_free)
		struct store *s = postgres_store(&server, 1);
		struct checkpoint_claim source = write_history(s, &live), claim;
		struct checkpoint_name replay = live;
		struct err err = ERR_INIT;

		replay.run = "replay";
		replay.group = "g.replay";
		claim = claim_as(s, &replay, &three, "b");
		if (checkpoint_fork(s, &claim, &live, &three, row->at, &err) < 0) {
			assert_int_equal(err.reason, REASON_STATE_TOO_OLD);
			assert_string_equal(err.text, row->text);
			assert_true(claim.fresh);
			expect_states(s, &claim, "");
		} else {
			assert_non_null(row->states);
			assert_false(claim.fresh);
			expect_past(s, &claim, row);
			claim = claim_as(s, &replay, &three, "b");
			expect_past(s, &claim, row);
		}
		expect_states(s, &source, "a@40 b@10 c@30");
		assert_int_equal(postgres_number(s, "SELECT count(*) FROM forebay.state_rungs"), 3);
		assert_int_equal(
		    postgres_number(s, "SELECT count(*) FROM forebay.state_partitions WHERE frontier = '{35,6,4}' "
				       "AND run = 'live' AND reached = 40"),
		    1);
	}
}

/* Once there is a frontier a fork changes nothing: the answer to the first may have been lost. */
static void
forks_once(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);
	const struct put later = { "a", { 60, 9, 9 }, 2 };
	struct checkpoint_name replay = live, nobody = live;
	struct checkpoint_claim claim, old;
	struct err err = ERR_INIT;

	(void)state;
	write_history(s, &live);
	replay.run = "replay";
	nobody.topic = "t";
	nobody.run = "nobody";
	claim = old = claim_as(s, &replay, &three, "b");
	assert_int_equal(checkpoint_fork(s, &claim, &nobody, &three, 38, &err), 0); /* nothing to bring */
	assert_true(claim.fresh);
	assert_int_equal(checkpoint_fork(s, &claim, &live, &three, 38, &err), 0);
	assert_int_equal(write_states(s, &claim, 9 * PERIOD, (int64_t[]){ 60, 9, 9 }, &later, 1, &err), 0);
	claim = claim_as(s, &replay, &three, "b");
	assert_int_equal(checkpoint_fork(s, &claim, &live, &three, 15, &err), 0);
	expect_states(s, &claim, "a@60 b@10 c@30");
	expect_offsets(claim.frontier, (int64_t[]){ 60, 9, 9 }, 3);
	assert_int_equal(checkpoint_fork(s, &old, &live, &three, 15, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_FENCED);
}

/* The replay knows one source more and has the others in another order. */
static void
forks_other_sources(void **state)
{
	static const struct checkpoint_sources four = { .names = { "t", "fleet.journal", "v", "u" }, .n = 4 };
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 4096);
	struct checkpoint_name replay = live;
	struct checkpoint_claim claim;
	struct checkpoint_state one;
	bool found;

	(void)state;
	write_history(s, &live);
	replay.run = "replay";
	claim = claim_as(s, &replay, &four, "b");
	assert_int_equal(checkpoint_fork(s, &claim, &live, &four, 38, NULL), 0);
	expect_offsets(claim.frontier, (int64_t[]){ 30, 3, -1, 5 }, 4);
	expect_states(s, &claim, "a@30 b@10 c@30");
	assert_int_equal(checkpoint_get(s, &claim, 4, SPAN("a"), arena, &one, &found, NULL), 0);
	expect_offsets(one.positions, (int64_t[]){ 30, 3, -1, 5 }, 4);
}

/* AT is before the frontier and no key has a newer state: the other sources stood at AT where some state says at least. */
static void
rewinds_silence(void **state)
{
	static const struct put puts[] = { { "a", { 10, 4, 1 }, 3 }, { "b", { 40, 20, 5 }, 3 } };
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);
	struct checkpoint_claim claim = claim_as(s, &live, &three, "a");

	(void)state;
	assert_int_equal(write_states(s, &claim, 1, (int64_t[]){ 100, 50, 9 }, puts, 2, NULL), 0);
	assert_int_equal(checkpoint_rewind(s, &claim, &three, 100, NULL), 0);
	expect_offsets(claim.frontier, (int64_t[]){ 100, 50, 9 }, 3);
	assert_int_equal(checkpoint_rewind(s, &claim, &three, 60, NULL), 0);
	expect_offsets(claim.frontier, (int64_t[]){ 60, 20, 5 }, 3);
	expect_states(s, &claim, "a@10 b@40");
}

/* Key c is born at 10 by a record of u, which a's state of clock 10 stands behind: what lies between is read again. */
static void
rewinds_to_a_birth(void **state)
{
	static const struct put early = { "a", { 5, 2, 1 }, 3 }, then = { "a", { 10, 4, 2 }, 3 },
				late[] = { { "a", { 20, 9, 6 }, 3 }, { "c", { 20, 9, 6 }, 10 } };

	(void)state;
	for (int keep = 0; keep < 2; keep++) {
		CLEANUP(store_free)
		struct store *s = postgres_store(&server, 1);
		struct checkpoint_claim claim = claim_as(s, &live, &three, "a");

		if (keep)
			assert_int_equal(write_states(s, &claim, 1, (int64_t[]){ 5, 2, 1 }, &early, 1, NULL), 0);
		assert_int_equal(write_states(s, &claim, PERIOD, (int64_t[]){ 10, 4, 2 }, &then, 1, NULL), 0);
		assert_int_equal(write_states(s, &claim, 2 * PERIOD, (int64_t[]){ 10, 4, 2 }, late, 2, NULL), 0);
		assert_int_equal(checkpoint_rewind(s, &claim, &three, 10, NULL), 0);
		expect_offsets(claim.frontier, keep ? (int64_t[]){ 10, 2, 1 } : (int64_t[]){ 10, -1, -1 }, 3);
		expect_states(s, &claim, "a@10");
	}
}

/* A source that a rung does not know yet was not read: from its beginning. */
static void
rewinds_before_a_source(void **state)
{
	static const struct checkpoint_sources two = { .names = { "t", "fleet.journal" }, .n = 2 };
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);
	struct checkpoint_claim claim = claim_as(s, &live, &two, "a");

	(void)state;
	assert_int_equal(
	    write_states(s, &claim, PERIOD, (int64_t[]){ 10, 1 }, (struct put[]){ { "a", { 10, 1 }, 3 } }, 1, NULL), 0);
	claim = claim_as(s, &live, &three, "a");
	assert_int_equal(write_states(s, &claim, 2 * PERIOD, (int64_t[]){ 20, 8, 2 },
				      (struct put[]){ { "a", { 20, 8, 2 }, 3 } }, 1, NULL),
			 0);
	assert_int_equal(checkpoint_rewind(s, &claim, &three, 15, NULL), 0);
	expect_offsets(claim.frontier, (int64_t[]){ 10, -1, 1 }, 3);
	expect_states(s, &claim, "a@10");
}

/* Keys whose unknown times overlap: the earliest offset is behind all of them that touch. */
static void
too_old_for_several(void **state)
{
	static const struct put puts[] = {
		{ "a", { 10, 0, 0 }, 2 }, { "b", { 15, 0, 0 }, 8 }, { "c", { 20, 0, 0 }, 15 }, { "d", { 99, 0, 0 }, 50 }
	};
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);
	struct checkpoint_claim claim = claim_as(s, &live, &three, "a");
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(write_states(s, &claim, 1, (int64_t[]){ 99, 0, 0 }, puts, 4, NULL), 0);
	assert_int_equal(checkpoint_rewind(s, &claim, &three, 4, &err), -1);
	assert_string_equal(err.text,
			    "key a has no state as old as offset 4; the earliest offset that all keys have is 15");
	assert_int_equal(checkpoint_rewind(s, &claim, &three, 60, &err), -1);
	assert_string_equal(err.text,
			    "key d has no state as old as offset 60; the earliest offset that all keys have is 99");
	assert_int_equal(checkpoint_rewind(s, &claim, &three, 15, &err), 0); /* as was said */
	expect_states(s, &claim, "a@10 b@15");
}

static void
rewinds_nothing(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);
	struct checkpoint_claim claim = claim_as(s, &live, &three, "a");

	(void)state;
	assert_int_equal(checkpoint_rewind(s, &claim, &three, 5, NULL), 0);
	assert_true(claim.fresh);
	claim = claim_as(s, &live, &three, "a");
	assert_true(claim.fresh);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_ladders),
		cmocka_unit_test(states_become_rungs),
		cmocka_unit_test(thins_by_time),
		cmocka_unit_test(rungs_are_found),
		cmocka_unit_test(rewinds),
		cmocka_unit_test(forks),
		cmocka_unit_test(forks_once),
		cmocka_unit_test(forks_other_sources),
		cmocka_unit_test(rewinds_silence),
		cmocka_unit_test(rewinds_to_a_birth),
		cmocka_unit_test(rewinds_before_a_source),
		cmocka_unit_test(too_old_for_several),
		cmocka_unit_test(rewinds_nothing),
	};

	return cmocka_run_group_tests_name("checkpoint_past", tests, start, wipe);
}
