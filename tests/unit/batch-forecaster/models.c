/*
 * models.c -- trained models come, serve a share, live and retire: which series uses which version, that transactions, reading back
 * and folding again change nothing in it, and that what cannot be had is not used.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "tests/support/workbench_parts.h"
#include "tests/unit/batch-forecaster/bench.h"

#define WINDOW 5
#define DEVICES 8
#define ROUNDS 44

static void
give(struct workbench *b, int device, int64_t round, struct err *err)
{
	double target[WINDOW];
	uint8_t flags[WINDOW] = { 0 };
	char name[8];
	struct series s = { .device = { name, (size_t)snprintf(name, sizeof(name), "d%d", device) },
			    .metric = SPAN("a"),
			    .start_us = round * WINDOW * STEP,
			    .step_us = STEP,
			    .sequence = round,
			    .target = target,
			    .flags = flags,
			    .n_target = WINDOW,
			    .ingest_us = round };

	for (int64_t i = 0, at = round * WINDOW; i < WINDOW; i++, at++)
		target[i] = (double)(at % 6 + 10 * device) + random_normal(9, (uint64_t)device, (uint64_t)at) / 8;
	flags[2] = round % 7 == 3 ? POINT_IMPUTED : 0;
	workbench_record(b, "telemetry.series", &series_record, name, &s, err);
}

static void
give_round(struct workbench *b, int64_t round)
{
	struct err err = ERR_INIT;

	for (int device = 0; device < DEVICES; device++)
		give(b, device, round, &err);
	if (err.reason)
		fail_msg("%s", err.text);
}

static void
announce(struct workbench *b, const char *version, enum model_status status, double share)
{
	struct err err = ERR_INIT;

	if (bench_announce(b, "net", version, status, share, &err) < 0)
		fail_msg("%s", err.text);
}

/* The life of two versions, told before the round of that number. */
static const struct event {
	int64_t round;
	const char *version;
	enum model_status status;
	double share;
} events[] = {
	{ 5, "v1", MODEL_CANDIDATE, 0 }, { 5, "v1", MODEL_LIVE, 0 },     { 12, "v2", MODEL_CANARY, .5 },
	{ 22, "v2", MODEL_LIVE, 0 },     { 22, "v1", MODEL_RETIRED, 0 }, { 32, "v2", MODEL_RETIRED, 0 },
};

static void
play(struct workbench *b, int64_t from, int64_t to, int64_t commit_every)
{
	for (int64_t round = from; round < to; round++) {
		for (size_t i = 0; i < ARRAY_LEN(events); i++)
			if (events[i].round == round)
				announce(b, events[i].version, events[i].status, events[i].share);
		give_round(b, round);
		if ((round + 1) % commit_every == 0)
			workbench_commit(b);
	}
}

static int
shelf_up(void **state)
{
	bookshelf_add("v1", "1s", 4, 0, 1);
	bookshelf_add("v2", "1s", 8, 0, 2);
	bookshelf_add("short", "1s", 3, 0, 3);
	bookshelf_add("slow", "1min", 4, 0, 4);
	bookshelf_add("broken", "1s", 4, 0, 5);
	bookshelf.models[4].bytes.ptr[bookshelf.models[4].bytes.len / 2] ^= 1;
	bookshelf_add_special("special", "1s", 4, 0, 6);
	return 0;
}

static void
versions_by_device(void **state)
{
	struct forecaster f = bench_forecaster(100);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&bench_spec, &f);
	size_t canaries = 0;

	play(b, 0, ROUNDS, 1);
	for (int device = 0; device < DEVICES; device++) {
		char name[8];
		struct span d = { name, (size_t)snprintf(name, sizeof(name), "d%d", device) };
		bool canary = model_in_share(d, .5);

		canaries += canary;
		assert_int_equal(workbench_lines(b, name, "forecasts: ", ""), ROUNDS);
		assert_int_equal(workbench_lines(b, name, "forecasts: ", "\"version\":\"v1\""), canary ? 7 : 17);
		assert_int_equal(workbench_lines(b, name, "forecasts: ", "\"version\":\"v2\""), canary ? 20 : 10);
		assert_int_equal(workbench_lines(b, name, "forecasts: ", "\"version\":\"\""), 5 + 12);
		/*
		 * Of each forecast two steps are judged, of those by v2, which has other parts of the horizon, three; not
		 * step 2 where its value was made up.
		 */
		assert_int_equal(workbench_lines(b, name, "forecasts.outcomes: ", ""),
				 canary ? 2 * 23 + 3 * 20 - 3 : 2 * 33 + 3 * 10 - 4);
		assert_int_equal(workbench_lines(b, name, "forecasts.outcomes: ", "\"rival\":\"v1\""), canary ? 30 : 0);
		assert_int_equal(workbench_lines(b, name, "forecasts.outcomes: ", "\"rival\":\"v2\""), canary ? 0 : 19);
		assert_int_equal(workbench_lines(b, name, "\"model\":\"net\"", "\"deepar\":"),
				 canary ? 13 + 60 : 32 + 30);
	}
	assert_true(canaries > 0 && canaries < DEVICES);
	assert_int_equal(bookshelf.fetched, 2);
}

static void
any_transactions(void **state)
{
	struct forecaster f = bench_forecaster(100);
	CLEANUP(workbench_free) struct workbench *plain = workbench_new(&bench_spec, &f);

	play(plain, 0, ROUNDS, 1);
	for (int64_t size = 1; size <= 5; size += 4)
		for (int64_t every = 1; every <= 4; every *= 2) {
			struct forecaster g = bench_forecaster(size);
			CLEANUP(workbench_free) struct workbench *b = workbench_new(&bench_spec, &g);

			for (int64_t round = 0; round < ROUNDS; round += every) {
				play(b, round, round + every, ROUNDS + 1);
				workbench_abort(b);
				play(b, round, round + every, every);
				if (size == 5)
					workbench_reload(b);
			}
			workbench_assert_same(plain, b);
		}
}

/* Folded again from what was noted, on a roster that has been told of nothing. */
static void
folding_again_changes_nothing(void **state)
{
	static const int64_t prefixes[] = { 6, 13, 22, 33 };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		struct forecaster f = bench_forecaster(100), g = bench_forecaster(100);
		CLEANUP(workbench_free)
		struct workbench *loud = workbench_new(&bench_spec, &f), *b = workbench_new(&bench_spec, &g);

		play(loud, 0, prefixes[i], 1);
		workbench_silent(b, true, loud);
		play(b, 0, prefixes[i], 1);
		workbench_assert_same_states(loud, b);
		workbench_silent(b, false, NULL);
		play(loud, prefixes[i], ROUNDS, 2);
		play(b, prefixes[i], ROUNDS, 2);
		workbench_assert_same_states(loud, b);
	}
}

/* Folding again has to use what was used: it waits for it, and nothing has changed meanwhile. */
static void
folding_again_waits(void **state)
{
	struct forecaster f = bench_forecaster(100), g = bench_forecaster(100);
	CLEANUP(workbench_free)
	struct workbench *loud = workbench_new(&bench_spec, &f), *b = workbench_new(&bench_spec, &g);
	struct err err = ERR_INIT;

	play(loud, 0, 5, 1);
	workbench_silent(b, true, loud);
	play(b, 0, 5, 1);
	announce(loud, "v1", MODEL_LIVE, 0);
	announce(b, "v1", MODEL_LIVE, 0);
	give_round(loud, 5);
	workbench_commit(loud);
	bookshelf.down = true;
	give(b, 0, 5, &err);
	assert_int_equal(err.reason, REASON_STORE_DOWN);
	bookshelf.down = false;
	give_round(b, 5);
	workbench_assert_same_states(loud, b);
}

/* Versions that cannot be used are not, and what was used goes on. */
static void
what_cannot_be_used(void **state)
{
	static const char *const others[] = { "short", "slow", "special", "broken", "nowhere" };

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct forecaster f = bench_forecaster(100);
		CLEANUP(workbench_free) struct workbench *b = workbench_new(&bench_spec, &f);
		bool later = i >= 3; /* it is the version that is not there, not the model that is for others */

		announce(b, others[i], MODEL_LIVE, 0);
		for (int64_t round = 0; round < 3; round++)
			give_round(b, round);
		workbench_commit(b);
		assert_int_equal(workbench_lines(b, "d1", "forecasts: ", "\"version\":\"\""), 3);
		announce(b, others[i], MODEL_RETIRED, 0);
		announce(b, "v1", MODEL_LIVE, 0);
		give_round(b, 3);
		workbench_commit(b);
		announce(b, others[i], MODEL_LIVE, 0);
		give_round(b, 4);
		workbench_commit(b);
		assert_int_equal(workbench_lines(b, "d1", "forecasts: ", "\"version\":\"v1\""), later ? 2 : 1);
		assert_int_equal(workbench_lines(b, "d1", "forecasts: ", ""), 5);
	}
}

/* As after a restart. */
static void
forget_models(struct workbench *b, struct forecaster *f)
{
	workbench_reload(b);
	desks_clear(&f->desks);
	library_free(f->library);
	assert_int_equal(library_new(&f->source, NULL, &f->library, NULL), 0);
	f->desks.library = f->library;
}

/* Of d1, whatever part of the horizon and level it is about. */
static double
greatest_shift(const struct workbench *b)
{
	const struct entry *e = map_get(b->states, SPAN("d1\x1f"
							"a"));
	const struct track *t = e->now;
	struct learnt_flat f = learnt_lay(t->learnt);
	double most = 0;

	for (size_t i = f.n_numbers - (size_t)f.size.buckets * f.size.levels; i < f.n_numbers; i++)
		most = fmax(most, fabs((double)f.numbers[i]));
	return most;
}

/* What a series has learnt of widths counts no more once a model brings its class's, but for what came with that very window. */
static void
first_model_begins_anew(void **state)
{
	struct forecaster f = bench_forecaster(100);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&bench_spec, &f);
	const double once = .02; /* what one outcome may teach */

	for (int64_t round = 0; round < 20; round++)
		give_round(b, round);
	assert_true(greatest_shift(b) > 2 * once);
	announce(b, "v1", MODEL_CANDIDATE, 0);
	announce(b, "v1", MODEL_LIVE, 0);
	give_round(b, 20);
	assert_int_equal(workbench_lines(b, "d1", "forecasts: ", "\"version\":\"v1\""), 0);
	workbench_commit(b);
	assert_int_equal(workbench_lines(b, "d1", "forecasts: ", "\"version\":\"v1\""), 1);
	assert_true(greatest_shift(b) <= once);
}

/* After a restart the version in use turns out to be broken: nothing is folded, so the series goes on without. */
static void
broken_meanwhile(void **state)
{
	struct forecaster f = bench_forecaster(100);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&bench_spec, &f);
	struct buffer *bytes = &bookshelf.models[0].bytes;

	play(b, 0, 8, 1);
	bytes->ptr[bytes->len / 2] ^= 1;
	forget_models(b, &f);
	play(b, 8, 10, 1);
	bytes->ptr[bytes->len / 2] ^= 1;
	assert_int_equal(workbench_lines(b, "d1", "forecasts: ", "\"version\":\"v1\""), 3);
	assert_int_equal(workbench_lines(b, "d1", "forecasts: ", ""), 10);
}

/* The version in use was deleted: nobody waits for it, and what else is there goes on. */
static void
gone_meanwhile(void **state)
{
	struct forecaster f = bench_forecaster(100);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&bench_spec, &f);
	bool canary = model_in_share(SPAN("d1"), .5);

	play(b, 0, 14, 1);
	bookshelf.models[0].version = "another";
	forget_models(b, &f);
	play(b, 14, 16, 1);
	bookshelf.models[0].version = "v1";
	assert_int_equal(workbench_lines(b, "d1", "forecasts: ", ""), 16);
	assert_int_equal(workbench_lines(b, "d1", "forecasts: ", "\"version\":\"v1\""), canary ? 7 : 9);
	assert_int_equal(workbench_lines(b, "d1", "forecasts: ", "\"version\":\"v2\""), canary ? 4 : 0);
}

/* A canary that nobody can read holds up neither the next live version nor the way back. */
static void
beside_a_broken_canary(void **state)
{
	static const char *const canaries[] = { "broken", "nowhere" };

	for (size_t i = 0; i < ARRAY_LEN(canaries); i++) {
		struct forecaster f = bench_forecaster(100);
		CLEANUP(workbench_free) struct workbench *b = workbench_new(&bench_spec, &f);

		play(b, 0, 6, 1);
		announce(b, canaries[i], MODEL_CANARY, .5);
		play(b, 6, 7, 1);
		announce(b, "v2", MODEL_LIVE, 0);
		play(b, 7, 8, 1);
		announce(b, "v1", MODEL_LIVE, 0);
		play(b, 8, 9, 1);
		assert_int_equal(workbench_lines(b, "d1", "forecasts: ", "\"version\":\"v1\""), 3);
		assert_int_equal(workbench_lines(b, "d1", "forecasts: ", "\"version\":\"v2\""), 1);
	}
}

/* PostgreSQL is away while a canary is announced: what serves goes on; a version that has left the roster does not. */
static void
while_the_canary_is_away(void **state)
{
	struct forecaster f = bench_forecaster(100);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&bench_spec, &f);

	play(b, 0, 6, 1);
	announce(b, "v2", MODEL_LIVE, 0);
	play(b, 6, 7, 1);
	bookshelf.down = true;
	announce(b, "v3", MODEL_CANARY, 1);
	play(b, 7, 8, 1);
	announce(b, "v1", MODEL_LIVE, 0);
	play(b, 8, 9, 1);
	bookshelf.down = false;
	assert_int_equal(workbench_lines(b, "d1", "forecasts: ", "\"version\":\"v1\""), 2);
	assert_int_equal(workbench_lines(b, "d1", "forecasts: ", "\"version\":\"v2\""), 2);
}

/* So many versions that what was found out about them is forgotten: what is at hand stays in use. */
static void
a_thousand_versions(void **state)
{
	struct forecaster f = bench_forecaster(100);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&bench_spec, &f);

	play(b, 0, 7, 1);
	for (int i = 0; i < 1100; i++) {
		char version[16];

		snprintf(version, sizeof(version), "%d", i);
		library_look(f.library, SPAN("others"), span_of(version));
	}
	play(b, 7, 9, 1);
	assert_int_equal(workbench_lines(b, "d1", "forecasts: ", "\"version\":\"v1\""), 4);
}

/* A device whose name would end elsewhere. */
static void
separators_in_names(void **state)
{
	struct forecaster f = bench_forecaster(100);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&bench_spec, &f);
	double target[] = { 1 };
	uint8_t flags[] = { 0 };
	struct series s = { .device = SPAN("d\x1fx"),
			    .metric = SPAN("a"),
			    .step_us = STEP,
			    .target = target,
			    .flags = flags,
			    .n_target = 1 };
	struct err err = ERR_INIT;

	assert_int_equal(workbench_record(b, "telemetry.series", &series_record, "d\x1fx", &s, &err), -1);
	assert_int_equal(err.reason, REASON_RECORD_INVALID);
	assert_int_equal(workbench_states(b), 0);
}

/* Models of other families are no business of ours, and leave no state. */
static void
other_families(void **state)
{
	struct forecaster f = bench_forecaster(100);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&bench_spec, &f);
	static char other[] = "ets";
	struct err err = ERR_INIT;

	f.opt.models_family = other;
	assert_int_equal(bench_announce(b, "net", "v1", MODEL_LIVE, 0, &err), 0);
	assert_int_equal(workbench_states(b), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(versions_by_device, shelf_up, bookshelf_clear),
		cmocka_unit_test_setup_teardown(any_transactions, shelf_up, bookshelf_clear),
		cmocka_unit_test_setup_teardown(folding_again_changes_nothing, shelf_up, bookshelf_clear),
		cmocka_unit_test_setup_teardown(folding_again_waits, shelf_up, bookshelf_clear),
		cmocka_unit_test_setup_teardown(what_cannot_be_used, shelf_up, bookshelf_clear),
		cmocka_unit_test_setup_teardown(first_model_begins_anew, shelf_up, bookshelf_clear),
		cmocka_unit_test_setup_teardown(broken_meanwhile, shelf_up, bookshelf_clear),
		cmocka_unit_test_setup_teardown(gone_meanwhile, shelf_up, bookshelf_clear),
		cmocka_unit_test_setup_teardown(beside_a_broken_canary, shelf_up, bookshelf_clear),
		cmocka_unit_test_setup_teardown(while_the_canary_is_away, shelf_up, bookshelf_clear),
		cmocka_unit_test_setup_teardown(a_thousand_versions, shelf_up, bookshelf_clear),
		cmocka_unit_test(separators_in_names),
		cmocka_unit_test(other_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
