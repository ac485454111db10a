/* checkpoint.c -- states written under an epoch and read again; owners that were replaced, sessions that were lost. */
#include "common/store/query.h"
#include "tests/unit/store/checkpoint_fixture.h"

#define MANY 5000

static void
claims_raise_the_epoch(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);
	struct checkpoint_claim claim = claim_as(s, &live, &three, "alpha"), other;
	const struct put put = { "a", { 10, 5, 2 }, 3 };
	struct checkpoint_name elsewhere = live;

	(void)state;
	assert_int_equal(claim.epoch, 1);
	assert_true(claim.fresh);
	assert_int_equal(claim.reached, -1);
	assert_int_equal(claim.active_us, 0);
	expect_offsets(claim.frontier, (int64_t[]){ -1, -1, -1 }, 3);
	assert_int_equal(write_states(s, &claim, MINUTE, (int64_t[]){ 9, 4, 1 }, &put, 1, NULL), 0);
	assert_int_equal(write_states(s, &claim, MINUTE, (int64_t[]){ 10, 4, 1 }, NULL, 0, NULL), 0);

	claim = claim_as(s, &live, &three, "alpha");
	assert_int_equal(claim.epoch, 2);
	assert_false(claim.fresh);
	assert_int_equal(claim.reached, 10);
	assert_int_equal(claim.active_us, MINUTE);
	expect_offsets(claim.frontier, (int64_t[]){ 10, 4, 1 }, 3);

	elsewhere.run = "replay";
	other = claim_as(s, &elsewhere, &three, "alpha");
	assert_true(other.fresh);
	assert_int_not_equal(other.id, claim.id);
	expect_states(s, &other, "");
	expect_states(s, &claim, "a@10");
}

static void
old_owner_is_fenced(void **state)
{
	CLEANUP(store_free)
	struct store *a = postgres_store(&server, 1);
	CLEANUP(store_free)
	struct store *b = postgres_store(&server, 0);
	const struct put puts[] = { { "a", { 20, 5, 2 }, 3 }, { "b", { 20, 5, 2 }, 3 } };
	struct checkpoint_claim old = claim_as(a, &live, &three, "alpha"), new;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(write_states(a, &old, MINUTE, (int64_t[]){ 10, 5, 2 }, puts, 1, NULL), 0);
	new = claim_as(b, &live, &three, "beta");
	/* Another period: the old state would be moved, too. */
	assert_int_equal(write_states(a, &old, MINUTE + PERIOD, (int64_t[]){ 20, 5, 2 }, puts, 2, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_FENCED);
	assert_non_null(strstr(err.text, "t/3"));
	assert_non_null(strstr(err.text, "beta (epoch 2, ours 1)"));
	assert_false(store_in_transaction(a));
	assert_int_equal(checkpoint_rewind(a, &old, &three, 0, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_FENCED);
	assert_int_equal(postgres_number(b, "SELECT frontier[1] FROM forebay.state_partitions"), 10);
	assert_int_equal(postgres_number(b, "SELECT count(*) FROM forebay.states"), 1);
	assert_int_equal(postgres_number(b, "SELECT count(*) FROM forebay.state_rungs"), 0);

	/* The same session, whose temporary table went with the transaction, writes again once it owns. */
	assert_int_equal(write_states(b, &new, MINUTE, (int64_t[]){ 15, 5, 2 }, puts, 2, NULL), 0);
	old = claim_as(a, &live, &three, "alpha");
	assert_int_equal(write_states(a, &old, MINUTE, (int64_t[]){ 16, 5, 2 }, puts, 2, &err), 0);
	assert_int_equal(store_exec(b, "DELETE FROM forebay.state_partitions", NULL), 0);
	assert_int_equal(write_states(a, &old, MINUTE, (int64_t[]){ 17, 5, 2 }, puts, 2, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_FENCED);
	assert_int_equal(postgres_number(b, "SELECT count(*) FROM forebay.states"), 0);
}

/* The first write of a session is the one that makes its temporary table: when that is refused, the next makes it. */
static void
refused_first_write(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);
	const struct put put = { "a", { 20, 5, 2 }, 3 };
	struct checkpoint_claim old = claim_as(s, &live, &three, "a"), claim = claim_as(s, &live, &three, "a");
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(write_states(s, &old, MINUTE, (int64_t[]){ 20, 5, 2 }, &put, 1, &err), -1);
		assert_int_equal(err.reason, REASON_STORE_FENCED);
	}
	for (int i = 0; i < 2; i++)
		assert_int_equal(write_states(s, &claim, MINUTE, (int64_t[]){ 20, 5, 2 }, &put, 1, &err), 0);
	expect_states(s, &claim, "a@20");
}

/* A new owner meets a session that holds the row: it ends that one, whoever claimed with which session, and no other. */
static void
frozen_owner_is_evicted(void **state)
{
	CLEANUP(store_free)
	struct store *a = postgres_store(&server, 1);
	CLEANUP(store_free)
	struct store *writer = postgres_store(&server, 0);
	CLEANUP(store_free)
	struct store *bystander = postgres_store(&server, 0);
	CLEANUP(store_free)
	struct store *b = postgres_store(&server, 0);
	struct checkpoint_claim claim = claim_as(a, &live, &three, "alpha");
	struct checkpoint_name other = live;
	struct err err = ERR_INIT;
	char sql[200];

	(void)state;
	other.partition = 4;
	claim_as(bystander, &other, &three, "gamma");
	assert_int_equal(store_exec(bystander,
				    "BEGIN; UPDATE forebay.state_partitions SET updated_at = now() WHERE partition = 4",
				    NULL),
			 0);
	snprintf(sql, sizeof(sql),
		 "BEGIN; UPDATE forebay.state_partitions SET frontier = '{7,7,7}' WHERE id = %" PRId64, claim.id);
	assert_int_equal(store_exec(writer, sql, NULL), 0);

	claim = claim_as(b, &live, &three, "beta");
	assert_true(claim.fresh);
	assert_int_equal(store_commit(writer, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_DOWN);
	assert_int_equal(store_commit(bystander, &err), 0);
	assert_int_equal(store_exec(a, "SELECT 1", &err), 0);
}

/* ---- bytes ---- */

static size_t
load_all(struct store *s, const struct checkpoint_claim *claim, int64_t since, size_t *awake, size_t *portions)
{
	CLEANUP(arena_free)
	struct arena *arena = arena_new(1 << 16, 1 << 20);
	CLEANUP(checkpoint_load_free)
	struct checkpoint_load *load = NULL;
	struct checkpoint_state *states;
	size_t n, all = 0;

	*awake = *portions = 0;
	assert_int_equal(checkpoint_load_open(s, claim, 3, since, &load, NULL), 0);
	for (;;) {
		arena_reset(arena);
		assert_int_equal(checkpoint_load_next(load, arena, &states, &n, NULL), 0);
		if (n == 0)
			return all;
		++*portions;
		for (size_t i = 0; i < n; i++, all++) {
			int64_t number = states[i].born;

			assert_int_equal(states[i].key.len, 10);
			assert_int_equal(states[i].key.ptr[0], 0);
			assert_int_equal(states[i].active_us, number * MINUTE);
			expect_offsets(states[i].positions, (int64_t[]){ number + 1, -1, 7 }, 3);
			if (!states[i].bytes.ptr)
				continue;
			++*awake;
			assert_int_equal(states[i].bytes.len, number % 300);
			for (size_t j = 0; j < states[i].bytes.len; j++)
				assert_int_equal((unsigned char)states[i].bytes.ptr[j], (size_t)number * j % 256);
		}
	}
}

static void
write_many(struct store *s, const struct checkpoint_claim *claim)
{
	CLEANUP(buffer_clear)
	struct buffer encoded = BUFFER_INIT(8 << 20);
	struct checkpoint_batch b = { .claim = *claim,
				      .n_sources = 3,
				      .frontier = { MANY, -1, 7 },
				      .n = MANY,
				      .active_us = MANY * MINUTE,
				      .taken_us = MINUTE };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < MANY; i++) {
		char key[11], bytes[300];
		struct checkpoint_state one = { .key = { key, 10 },
						.bytes = { bytes, i % 300 },
						.born = (int64_t)i,
						.positions = { (int64_t)i + 1, -1, 7 },
						.active_us = (int64_t)i * MINUTE };

		snprintf(key, sizeof(key), "%c%09zu", 0, i);
		for (size_t j = 0; j < i % 300; j++)
			bytes[j] = (char)(i * j);
		assert_int_equal(checkpoint_encode(&encoded, &one, 3), 0);
	}
	b.states = buffer_span(&encoded);
	if (checkpoint_write(s, &b, &err) < 0)
		fail_msg("%s", err.text);
}

static void
bytes_come_back(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 4096);
	struct checkpoint_claim claim = claim_as(s, &live, &three, "a");
	static const char key[] = { 0, '0', '0', '0', '0', '0', '4', '7', '1', '1' };
	struct checkpoint_state one;
	size_t awake, portions;
	bool found;

	(void)state;
	assert_int_equal(load_all(s, &claim, 0, &awake, &portions), 0);
	write_many(s, &claim);
	write_many(s, &claim); /* over itself */
	assert_int_equal(load_all(s, &claim, 0, &awake, &portions), MANY);
	assert_int_equal(awake, MANY);
	assert_in_range(portions, 3, 20);
	assert_int_equal(load_all(s, &claim, 4000 * MINUTE, &awake, &portions), MANY);
	assert_int_equal(awake, MANY - 4000);
	claim = claim_as(s, &live, &three, "a");
	assert_int_equal(claim.reached, MANY);
	assert_int_equal(claim.active_us, MANY * MINUTE);

	assert_int_equal(checkpoint_get(s, &claim, 3, (struct span){ key, 9 }, arena, &one, &found, NULL), 0);
	assert_false(found);
	assert_int_equal(checkpoint_get(s, &claim, 3, (struct span){ key, 10 }, arena, &one, &found, NULL), 0);
	assert_true(found);
	assert_int_equal(one.born, 4711);
	assert_int_equal(one.bytes.len, 4711 % 300);
	assert_int_equal(one.bytes.ptr[1], (char)4711);
}

/* More than a page: stored outside of the row. */
static void
large_states_come_back(void **state)
{
	static char bytes[3 << 20];
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 4096);
	CLEANUP(buffer_clear)
	struct buffer encoded = BUFFER_INIT(8 << 20);
	struct checkpoint_claim claim = claim_as(s, &live, &three, "a");
	struct checkpoint_state one = { .key = SPAN("k"), .bytes = { bytes, sizeof(bytes) } };
	struct checkpoint_batch b = { .claim = claim, .n_sources = 3, .n = 1, .taken_us = 1 };
	bool found;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * i >> 8);
	assert_int_equal(checkpoint_encode(&encoded, &one, 3), 0);
	b.states = buffer_span(&encoded);
	for (int i = 0; i < 2; i++)
		assert_int_equal(checkpoint_write(s, &b, NULL), 0);
	assert_int_equal(checkpoint_get(s, &claim, 3, one.key, arena, &one, &found, NULL), 0);
	assert_int_equal(one.bytes.len, sizeof(bytes));
	assert_memory_equal(one.bytes.ptr, bytes, sizeof(bytes));
	encoded.max = encoded.len + 1000; /* no room for another: nothing is appended */
	b.states = buffer_span(&encoded);
	assert_int_equal(checkpoint_encode(&encoded, &one, 3), -1);
	assert_int_equal(encoded.len, b.states.len);
}

static void
reads_binary_values(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 0);
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	int64_t values[3] = { 9, 9, 9 };

	(void)state;
	assert_int_equal(store_query_binary(s,
					    "SELECT -5::bigint, NULL::bigint, 7::int, '{1,NULL,-3,4}'::bigint[], "
					    "'{}'::bigint[], NULL::bigint[], '\\x00ff00'::bytea, ''::bytea",
					    NULL, 0, &rows, NULL),
			 0);
	assert_int_equal(rows_binary_int(rows, 0, 0), -5);
	assert_int_equal(rows_binary_int(rows, 0, 1), 0);
	assert_int_equal(rows_binary_int(rows, 0, 2), 0); /* not a bigint */
	assert_int_equal(rows_binary_ints(rows, 0, 3, values, 3), 4);
	expect_offsets(values, (int64_t[]){ 1, 0, -3 }, 3);
	assert_int_equal(rows_binary_ints(rows, 0, 4, values, 3), 0);
	assert_int_equal(rows_binary_ints(rows, 0, 5, values, 3), 0);
	assert_int_equal(rows_text(rows, 0, 6).len, 3);
	assert_memory_equal(rows_text(rows, 0, 6).ptr, "\0\377\0", 3);
	assert_non_null(rows_text(rows, 0, 7).ptr);
	assert_int_equal(rows_text(rows, 0, 7).len, 0);
}

static void
layouts_are_kept(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);

	(void)state;
	assert_int_equal(checkpoint_layout(s, -77, SPAN("a double"), NULL), 0);
	assert_int_equal(checkpoint_layout(s, -77, SPAN("something else"), NULL), 0);
	assert_int_equal(checkpoint_layout(s, 5, SPAN("an int"), NULL), 0);
	assert_int_equal(postgres_number(s, "SELECT count(*) FROM forebay.state_layouts WHERE layout IN "
					    "('a double', 'an int') AND fingerprint IN (-77, 5)"),
			 2);
}

/* ---- sources ---- */

static void
sources_come_and_go(void **state)
{
	static const struct checkpoint_sources two = { .names = { "t", "fleet.journal" }, .n = 2 },
					       four = { .names = { "t", "v", "u", "fleet.journal" }, .n = 4 };
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 4096);
	struct checkpoint_claim claim = claim_as(s, &live, &three, "a");
	struct checkpoint_state one;
	struct err err = ERR_INIT;
	bool found;

	(void)state;
	assert_int_equal(write_states(s, &claim, 1, (int64_t[]){ 9, 4, 1 },
				      (struct put[]){ { "a", { 10, 5, 2 }, 3 }, { "b", { 10, 6, 2 }, 3 } }, 2, NULL),
			 0);
	claim = claim_as(s, &live, &two, "a");
	expect_offsets(claim.frontier, (int64_t[]){ 9, 1 }, 2);
	assert_int_equal(write_states(s, &claim, 2, (int64_t[]){ 19, 8 },
				      (struct put[]){ { "a", { 20, 9 }, 3 }, { "c", { 20, 9 }, 15 } }, 2, NULL),
			 0);
	expect_states(s, &claim, "a@20 b@10 c@20");

	claim = claim_as(s, &live, &four, "a");
	expect_offsets(claim.frontier, (int64_t[]){ 19, -1, 4, 8 }, 4);
	assert_int_equal(checkpoint_get(s, &claim, 4, SPAN("a"), arena, &one, &found, NULL), 0);
	expect_offsets(one.positions, (int64_t[]){ 20, -1, 5, 9 }, 4);
	assert_int_equal(checkpoint_get(s, &claim, 4, SPAN("b"), arena, &one, &found, NULL), 0);
	expect_offsets(one.positions, (int64_t[]){ 10, -1, 6, 2 }, 4);
	assert_int_equal(checkpoint_get(s, &claim, 4, SPAN("c"), arena, &one, &found, NULL), 0);
	expect_offsets(one.positions, (int64_t[]){ 20, -1, -1, 9 }, 4);
	assert_int_equal(write_states(s, &claim, 3, (int64_t[]){ 30, 1, 7, 12 },
				      (struct put[]){ { "b", { 31, 2, 8, 13 }, 3 } }, 1, NULL),
			 0);
	claim = claim_as(s, &live, &three, "a");
	expect_offsets(claim.frontier, (int64_t[]){ 30, 7, 12 }, 3);
	assert_int_equal(checkpoint_get(s, &claim, 3, SPAN("b"), arena, &one, &found, NULL), 0);
	expect_offsets(one.positions, (int64_t[]){ 31, 8, 13 }, 3);
	assert_int_equal(postgres_number(s, "SELECT count(*) FROM forebay.states WHERE positions[1] = clock AND "
					    "key = 'b' AND positions = '{31,8,13,2}'"),
			 1);
	assert_int_equal(checkpoint_get(s, &claim, 2, SPAN("b"), arena, &one, &found, &err), -1);
	assert_int_equal(err.reason, REASON_INTERNAL);
}

static void
too_many_sources(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);
	struct err err = ERR_INIT;
	int rc = 0, claims = 0;

	(void)state;
	for (; rc == 0 && claims < 100; claims++) {
		struct checkpoint_sources sources = { .names = { "t" }, .n = 2 };
		struct checkpoint_claim claim;
		char name[16];

		snprintf(name, sizeof(name), "u%d", claims);
		sources.names[1] = name;
		rc = checkpoint_claim(s, &live, &sources, "a", &claim, &err);
	}
	assert_int_equal(claims, CHECKPOINT_STORED_MAX);
	assert_int_equal(err.reason, REASON_STORE_SCHEMA);
	assert_int_equal(postgres_number(s, "SELECT epoch FROM forebay.state_partitions"), CHECKPOINT_STORED_MAX - 1);
}

/* ---- lost sessions ---- */

static void
kill_session(struct store *s)
{
	CLEANUP(store_free)
	struct store *other = postgres_store(&server, 0);
	char sql[100];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM (SELECT pg_terminate_backend(%lld, 5000)) x",
		 postgres_number(s, "SELECT pg_backend_pid()"));
	assert_int_equal(postgres_number(other, sql), 1);
}

static void
session_is_lost(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 4096);
	CLEANUP(checkpoint_load_free)
	struct checkpoint_load *load = NULL;
	struct checkpoint_claim claim = claim_as(s, &live, &three, "a");
	struct checkpoint_state *states;
	const struct put first = { "a", { 10, 5, 2 }, 3 }, then = { "a", { 20, 5, 2 }, 3 };
	struct err err = ERR_INIT;
	size_t n;

	(void)state;
	assert_int_equal(write_states(s, &claim, MINUTE, (int64_t[]){ 10, 5, 2 }, &first, 1, &err), 0);
	kill_session(s);
	assert_int_equal(write_states(s, &claim, MINUTE + PERIOD, (int64_t[]){ 20, 5, 2 }, &then, 1, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_DOWN);
	/* The answer to this one never came: once more, later, by another session. */
	assert_int_equal(write_states(s, &claim, MINUTE + PERIOD, (int64_t[]){ 20, 5, 2 }, &then, 1, &err), 0);
	store_disconnect(s);
	assert_int_equal(write_states(s, &claim, MINUTE + 3 * PERIOD, (int64_t[]){ 20, 5, 2 }, &then, 1, &err), 0);
	expect_states(s, &claim, "a@20");
	assert_int_equal(postgres_number(s, "SELECT count(*) FROM forebay.state_rungs"), 1);
	assert_int_equal(postgres_number(s, "SELECT clock FROM forebay.state_rungs"), 10);

	assert_int_equal(checkpoint_load_open(s, &claim, 3, 0, &load, &err), 0);
	kill_session(s);
	assert_int_equal(checkpoint_load_next(load, arena, &states, &n, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_DOWN);
	assert_int_equal(store_connect(s, &err), 0); /* a new session knows no cursor of the old one */
	assert_int_equal(checkpoint_load_next(load, arena, &states, &n, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_DOWN);
	expect_states(s, &claim, "a@20");
}

/* A load that is given up leaves the session as it was. */
static void
load_is_given_up(void **state)
{
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 4096);
	struct checkpoint_claim claim = claim_as(s, &live, &three, "a");
	struct checkpoint_load *load = NULL;
	struct checkpoint_state *states;
	size_t n;

	(void)state;
	write_many(s, &claim);
	assert_int_equal(checkpoint_load_open(s, &claim, 3, 0, &load, NULL), 0);
	assert_int_equal(checkpoint_load_next(load, arena, &states, &n, NULL), 0);
	assert_true(n > 0);
	checkpoint_load_free(load);
	assert_false(store_in_transaction(s));
	write_many(s, &claim);
}

/* ---- check ---- */

static const struct lack {
	const char *name, *sql, *undo; /* UNDO is run as the session's own user again */
	enum err_reason reason;
	const char *text;
} lacks[] = {
	{ "nothing", "SELECT 1", "", REASON_NONE, "" },
	{ "no schema", "DROP SCHEMA forebay CASCADE", "", REASON_STORE_SCHEMA, "forebay db migrate" },
	{ "no table", "DROP TABLE forebay.state_rungs", "", REASON_STORE_SCHEMA, "no table forebay.state_rungs" },
	{ "no column", "ALTER TABLE forebay.states DROP born", "", REASON_STORE_SCHEMA,
	  "forebay.states has no column born" },
	{ "read-only", "SET default_transaction_read_only = on", "", REASON_STORE_REFUSED, "read-only" },
	{ "no right to the schema", "CREATE ROLE someone; SET ROLE someone", "DROP ROLE someone", REASON_STORE_REFUSED,
	  "schema forebay" },
	{ "no right to write",
	  "CREATE ROLE someone; GRANT USAGE ON SCHEMA forebay TO someone; GRANT SELECT ON ALL TABLES IN SCHEMA forebay "
	  "TO someone; GRANT INSERT, UPDATE ON forebay.state_partitions, forebay.states TO someone; SET ROLE someone",
	  "DROP OWNED BY someone; DROP ROLE someone", REASON_STORE_REFUSED,
	  "no right to DELETE on table forebay.states" },
	{ "no temporary tables",
	  "CREATE ROLE someone; REVOKE TEMPORARY ON DATABASE forebay FROM PUBLIC; SET ROLE someone",
	  "GRANT TEMPORARY ON DATABASE forebay TO PUBLIC; DROP ROLE someone", REASON_STORE_REFUSED,
	  "temporary tables" },
};

static void
checks_the_tables(void **state)
{
	const struct lack *lack = *state;
	CLEANUP(store_free)
	struct store *s = postgres_store(&server, 1);
	struct err err = ERR_INIT;

	if (store_exec(s, lack->sql, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(checkpoint_check(s, &err), lack->reason == REASON_NONE ? 0 : -1);
	assert_string_equal(err_reason_name(err.reason), err_reason_name(lack->reason));
	assert_non_null(strstr(err.text, lack->text));
	assert_int_equal(store_exec(s, "RESET ROLE; RESET default_transaction_read_only", NULL), 0);
	if (store_exec(s, lack->undo, &err) < 0)
		fail_msg("%s", err.text);
}

int
main(void)
{
	struct CMUnitTest tests[12 + ARRAY_LEN(lacks)] = {
		cmocka_unit_test(claims_raise_the_epoch), cmocka_unit_test(old_owner_is_fenced),
		cmocka_unit_test(refused_first_write),    cmocka_unit_test(frozen_owner_is_evicted),
		cmocka_unit_test(bytes_come_back),        cmocka_unit_test(large_states_come_back),
		cmocka_unit_test(reads_binary_values),    cmocka_unit_test(layouts_are_kept),
		cmocka_unit_test(sources_come_and_go),    cmocka_unit_test(too_many_sources),
		cmocka_unit_test(session_is_lost),        cmocka_unit_test(load_is_given_up),
	};

	for (size_t i = 0; i < ARRAY_LEN(lacks); i++)
		tests[12 + i] = (struct CMUnitTest){ .name = lacks[i].name,
						     .test_func = checks_the_tables,
						     .initial_state = (void *)(uintptr_t)&lacks[i] };
	return cmocka_run_group_tests_name("checkpoint", tests, start, wipe);
}
