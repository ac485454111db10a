/*
 * models.c -- forecasts on demand that rest on a trained model: which version takes part, that it makes no difference when the same
 * records are folded again, whatever models there are by then, and that what cannot be had is not used.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "common/record/reading.h"
#include "tests/support/bookshelf.h"
#include "tests/support/workbench_parts.h"
#include "tests/unit/realtime-scorer/support.h"
#include "workers/realtime-scorer/scorer.h"
#include "workers/realtime-scorer/state.h"

#define SECOND INT64_C(1000000)
#define RETRY_S 20
#define FIRST 40  /* second of the first forecast: twelve steps of two seconds are known */
#define TERM_S 22 /* of a forecast: RETRY_S and the step begun */
#define DEVICES 6
#define LAGS 3

static const struct worker_spec spec = {
	.name = "realtime-scorer",
	.topics = "telemetry.readings,telemetry.deferred",
	.open = scorer_open,
	.record = scorer_record,
	.close = scorer_close,
	.state = &scorer_state,
};

static char no_cache[] = "", no_groups[] = "", with_model[] = "season,last,deepar", without[] = "season,last";

static struct scorer
scorer(char *members)
{
	struct scorer s = { .opt = support_alarmed(no_cache),
			    .models = { { bookshelf_get, &bookshelf }, bookshelf_list, &bookshelf } };

	s.opt.groups = no_groups;
	s.opt.forecast_retry_ms = RETRY_S * 1000;
	s.opt.ondemand_steps = 40;
	s.opt.ondemand_step_ms = 2000;
	s.opt.ondemand_members = members;
	return s;
}

static int
give_one(struct workbench *b, int device, int64_t second, struct err *err)
{
	char name[8];
	struct reading_value value = { .metric = SPAN("t"),
				       .value = 30 + random_normal(1, 0, (uint64_t)second),
				       .quality = QUALITY_GOOD };
	struct reading r = { .device = { name, (size_t)snprintf(name, sizeof(name), "d%d", device) },
			     .event_us = second * SECOND,
			     .ingest_us = second,
			     .source = SPAN("test"),
			     .values = &value,
			     .n_values = 1 };

	return workbench_record(b, "telemetry.readings", &reading_record, name, &r, err);
}

/* All devices say the same. */
static void
give(struct workbench *b, int64_t from, int64_t to)
{
	struct err err = ERR_INIT;

	for (int64_t second = from; second < to; second++) {
		for (int device = 0; device < DEVICES; device++)
			if (give_one(b, device, second, &err) < 0)
				fail_msg("%s", err.text);
		workbench_commit(b);
	}
}

static size_t
scores_by(struct workbench *b, const char *device, const char *version)
{
	char text[64];

	snprintf(text, sizeof(text), "\"model\":\"ondemand/%s\"", version);
	return workbench_lines(b, device, "scores: ", text);
}

static void
stand(size_t model, enum model_status status, double share)
{
	bookshelf.models[model].status = status;
	bookshelf.models[model].share = share;
}

static int
shelf_up(void **state)
{
	bookshelf_add("v1", "2s", 11, LAGS, 1); /* as far as a forecast reaches */
	bookshelf_add("v2", "2s", 12, LAGS, 2);
	bookshelf_add("short", "2s", 10, LAGS, 3);
	bookshelf_add("slow", "1min", 20, LAGS, 4);
	bookshelf_add("far", "2s", 11, 0, 5); /* looks back farther than is kept */
	bookshelf_add("broken", "2s", 11, LAGS, 6);
	bookshelf.models[5].bytes.ptr[bookshelf.models[5].bytes.len / 2] ^= 1;
	return 0;
}

static void
rests_on_the_one_that_lives(void **state)
{
	struct scorer s = scorer(with_model);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&spec, &s);

	stand(0, MODEL_LIVE, 0);
	give(b, 0, FIRST);
	give(b, FIRST, 100);
	assert_int_equal(scores_by(b, "d0", "v1"), 60);
	assert_int_equal(workbench_lines(b, "d0", "scores: ", "\"basis\":\"ondemand\""), 60);
	assert_true(metric_value(s.lookup.outcomes[LOOKUP_MODEL]) == 3 * DEVICES);
	assert_true(metric_value(s.lookup.outcomes[LOOKUP_MADE]) == 0);
	assert_int_equal(bookshelf.fetched, 1);
	stand(0, MODEL_RETIRED, 0);
	stand(1, MODEL_LIVE, 0);
	give(b, 100, 140);
	assert_int_equal(scores_by(b, "d0", "v1"), 3 * TERM_S);
	assert_int_equal(scores_by(b, "d0", "v2"), 140 - FIRST - 3 * TERM_S);
	assert_int_equal(bookshelf.fetched, 2);
}

/* The devices that the forecaster's canary serves. */
static void
canaries_by_share(void **state)
{
	struct scorer s = scorer(with_model);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&spec, &s);
	size_t canaries = 0;

	stand(0, MODEL_LIVE, 0);
	stand(1, MODEL_CANARY, .5);
	give(b, 0, 80);
	for (int device = 0; device < DEVICES; device++) {
		char name[8];
		struct span d = { name, (size_t)snprintf(name, sizeof(name), "d%d", device) };
		bool canary = model_in_share(d, .5);

		canaries += canary;
		assert_int_equal(scores_by(b, name, "v1"), canary ? 0 : 40);
		assert_int_equal(scores_by(b, name, "v2"), canary ? 40 : 0);
	}
	assert_true(canaries > 0 && canaries < DEVICES);
}

/* TEXT without any WORD, in place. */
static void
strike_out(char *text, const char *word)
{
	for (char *at = text; (at = strstr(at, word));)
		memmove(at, at + strlen(word), strlen(at + strlen(word)) + 1);
}

/* Nobody lives, or who does is of no use: the forecasts are those of a scorer that knows no models, and say so. */
static void
falls_back(void **state)
{
	struct scorer plain = scorer(without);
	CLEANUP(workbench_free) struct workbench *p = workbench_new(&spec, &plain);

	bookshelf_add_special("special", "2s", 11, LAGS, 7);
	give(p, 0, 100);
	assert_int_equal(bookshelf.listed, 0);
	for (size_t i = 0; i < 8; i++) {
		struct scorer s = scorer(with_model);
		CLEANUP(workbench_free) struct workbench *b = workbench_new(&spec, &s);

		stand(i < 7 ? i : 0, i < 2 ? MODEL_CANDIDATE : MODEL_LIVE, 0);
		bookshelf.down = i == 7;
		give(b, 0, 100);
		bookshelf.down = false;
		stand(i < 7 ? i : 0, MODEL_RETIRED, 0);
		assert_true(bookshelf.listed > 0 && metric_value(s.lookup.outcomes[LOOKUP_MODEL]) == 0);
		assert_int_equal(scores_by(b, "d0", "classical"), 60);
		for (int device = 0; device < DEVICES; device++) {
			char name[8], *sent;

			snprintf(name, sizeof(name), "d%d", device);
			sent = strdup(workbench_sent(b, name));
			strike_out(sent, "/classical");
			assert_string_equal(sent, workbench_sent(p, name));
			free(sent);
		}
	}
}

/* What a seed and a name are for. */
static void
draws_by_seed_and_key(void **state)
{
	struct scorer s = scorer(with_model), t = scorer(with_model), u = scorer(with_model);
	CLEANUP(workbench_free)
	struct workbench *a = workbench_new(&spec, &s), *b = workbench_new(&spec, &t), *c = NULL;
	char *one, *other;

	u.opt.ondemand_seed = 2;
	c = workbench_new(&spec, &u);
	stand(0, MODEL_LIVE, 0);
	give(a, 0, 60);
	give(b, 0, 60);
	give(c, 0, 60);
	workbench_assert_same(a, b);
	assert_string_not_equal(workbench_sent(a, "d0"), workbench_sent(c, "d0"));
	one = strdup(workbench_sent(a, "d0"));
	other = strdup(workbench_sent(a, "d1"));
	strike_out(one, "\"d0\"");
	strike_out(other, "\"d1\"");
	assert_string_not_equal(one, other);
	free(one);
	free(other);
}

/* The life of two versions; at 80 nobody lives. */
static void
play(struct workbench *b, int64_t from, int64_t to)
{
	for (int64_t at = from; at < to; at += 10) {
		stand(0, at < 80 ? MODEL_LIVE : MODEL_RETIRED, 0);
		stand(1,
		      at < 60    ? MODEL_CANDIDATE
		      : at < 80  ? MODEL_CANARY
		      : at < 100 ? MODEL_REJECTED
				 : MODEL_LIVE,
		      .5);
		give(b, at, at + 10);
	}
}

static size_t
by_all(struct workbench *b, const char *version)
{
	size_t n = 0;

	for (int device = 0; device < DEVICES; device++) {
		char name[8];

		snprintf(name, sizeof(name), "d%d", device);
		n += scores_by(b, name, version);
	}
	return n;
}

/* By then other versions live, or none can be listed: what was used is used again, and what was not is not. */
static void
folding_again_changes_nothing(void **state)
{
	static const int64_t prefixes[] = { 50, 70, 90, 140 };

	for (size_t i = 0; i < 2 * ARRAY_LEN(prefixes); i++) {
		int64_t prefix = prefixes[i / 2];
		struct scorer s = scorer(with_model), t = scorer(with_model);
		CLEANUP(workbench_free)
		struct workbench *loud = workbench_new(&spec, &s), *b = workbench_new(&spec, &t);
		size_t listed;

		play(loud, 0, prefix);
		workbench_silent(b, true, loud);
		stand(0, i % 2 ? MODEL_RETIRED : MODEL_LIVE, 0);
		stand(1, i % 2 ? MODEL_LIVE : MODEL_RETIRED, 0);
		listed = bookshelf.listed;
		give(b, 0, prefix);
		assert_int_equal(bookshelf.listed, listed);
		workbench_assert_same_states(loud, b);
		workbench_silent(b, false, NULL);
		play(loud, prefix, 180);
		play(b, prefix, 180);
		workbench_assert_same_states(loud, b);
		assert_true(by_all(loud, "v1") > 100 && by_all(loud, "v2") > 100 && by_all(loud, "classical") > 100);
	}
}

/* Folding again has to use what was used: it waits for it, and nothing has changed meanwhile. */
static void
folding_again_waits(void **state)
{
	struct scorer s = scorer(with_model), t = scorer(with_model);
	CLEANUP(workbench_free)
	struct workbench *loud = workbench_new(&spec, &s), *b = workbench_new(&spec, &t);
	struct err err = ERR_INIT;

	stand(0, MODEL_LIVE, 0);
	give(loud, 0, FIRST + 1);
	workbench_silent(b, true, loud);
	give(b, 0, FIRST);
	bookshelf.down = true;
	for (int attempt = 0; attempt < 2; attempt++) {
		assert_int_equal(give_one(b, 0, FIRST, &err), -1);
		assert_int_equal(err.reason, REASON_STORE_DOWN);
		workbench_abort(b);
	}
	bookshelf.down = false;
	give(b, FIRST, FIRST + 1);
	workbench_assert_same_states(loud, b);
}

/* More versions than are kept at hand, each for a while, twice. */
static void
many_versions(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f" };
	struct scorer s = scorer(with_model), t = scorer(with_model);
	CLEANUP(workbench_free)
	struct workbench *loud = workbench_new(&spec, &s), *b = workbench_new(&spec, &t);
	int64_t at = FIRST;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		bookshelf_add(names[i], "2s", 11, LAGS, 10 + i);
	give(loud, 0, FIRST);
	for (size_t i = 0; i < 2 * bookshelf.n; i++, at += TERM_S) {
		stand(i % bookshelf.n, MODEL_LIVE, 0);
		give(loud, at, at + TERM_S);
		stand(i % bookshelf.n, MODEL_RETIRED, 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(scores_by(loud, "d0", names[i]), 2 * TERM_S);
	workbench_silent(b, true, loud);
	give(b, 0, at);
	workbench_assert_same_states(loud, b);
}

/* Asked for with nowhere to come from. */
static void
needs_a_place(void **state)
{
	struct scorer s = scorer(without), t = scorer(with_model), u = scorer(with_model);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&spec, &s);
	struct err err = ERR_INIT;

	t.models = (struct versions_source){ 0 };
	assert_int_equal(scorer_open(&t, &b->worker, &err), -1);
	assert_int_equal(err.reason, REASON_OPTION_INVALID);
	assert_non_null(strstr(err.text, "postgres.uri"));
	scorer_close(&t);
	u.models = t.models;
	u.opt.ondemand_steps = 0; /* nothing is made at all */
	workbench_free(workbench_new(&spec, &u));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rests_on_the_one_that_lives, shelf_up, bookshelf_clear),
		cmocka_unit_test_setup_teardown(canaries_by_share, shelf_up, bookshelf_clear),
		cmocka_unit_test_setup_teardown(falls_back, shelf_up, bookshelf_clear),
		cmocka_unit_test_setup_teardown(draws_by_seed_and_key, shelf_up, bookshelf_clear),
		cmocka_unit_test_setup_teardown(folding_again_changes_nothing, shelf_up, bookshelf_clear),
		cmocka_unit_test_setup_teardown(folding_again_waits, shelf_up, bookshelf_clear),
		cmocka_unit_test_setup_teardown(many_versions, shelf_up, bookshelf_clear),
		cmocka_unit_test(needs_a_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
