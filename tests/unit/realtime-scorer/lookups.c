/*
 * lookups.c -- where forecasts come from when none is held: the worker's hooks with a real Redis and with forecasts made here, the same
 * through stores, silence and repetition.
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
#include "common/record/reading.h"
#include "tests/support/workbench.h"
#include "tests/unit/cache/server.h"
#include "tests/unit/realtime-scorer/support.h"
#include "workers/realtime-scorer/scorer.h"
#include "workers/realtime-scorer/state.h"

#define SECOND INT64_C(1000000)
#define RETRY_S 20
#define RECORDS 600

/* The bench knows no side inputs: the topic decides. */
static int
any_record(void *self, struct context *ctx, const struct input *in, struct err *err)
{
	return strcmp(in->topic, "forecasts") == 0 ? scorer_side(self, ctx, in, err)
						   : scorer_record(self, ctx, in, err);
}

static const struct worker_spec spec = {
	.name = "realtime-scorer",
	.topics = "telemetry.readings,telemetry.deferred",
	.open = scorer_open,
	.record = any_record,
	.close = scorer_close,
	.state = &scorer_state,
};

static char no_cache[] = "", no_groups[] = "";

static struct scorer
scorer(char *cache, int64_t steps)
{
	struct scorer s = { .opt = support_alarmed(cache) };

	s.opt.groups = no_groups;
	s.opt.forecast_retry_ms = RETRY_S * 1000;
	s.opt.ondemand_steps = steps;
	s.opt.ondemand_step_ms = 2000;
	return s;
}

/* Noise of a seed without a false alert: these options tell of every second stream of 240 values by chance, whatever is asked here. */
static void
give(struct workbench *b, const char *device, int64_t second)
{
	struct reading_value value = { .metric = SPAN("t"),
				       .value = 30 + random_normal(2, 0, (uint64_t)second),
				       .quality = QUALITY_GOOD };
	struct reading r = { .device = span_of(device),
			     .event_us = second * SECOND,
			     .ingest_us = second,
			     .source = SPAN("test"),
			     .values = &value,
			     .n_values = 1 };
	struct err err = ERR_INIT;

	if (workbench_record(b, "telemetry.readings", &reading_record, device, &r, &err) < 0)
		fail_msg("%s", err.text);
}

/* Of N seconds, around MEDIAN. */
static struct forecast
forecast_of(const char *device, int64_t from, size_t n, double median)
{
	static double levels[] = { 0.05, 0.5, 0.95 }, values[3 * 1000];

	for (size_t i = 0; i < 3 * n; i++)
		values[i] = median + 1.6 * ((double)(i % 3) - 1);
	return (struct forecast){ .device = span_of(device),
				  .metric = SPAN("t"),
				  .origin_us = from * SECOND,
				  .step_us = SECOND,
				  .levels = levels,
				  .n_levels = 3,
				  .values = values,
				  .n_steps = n,
				  .model = SPAN("test"),
				  .version = SPAN("1") };
}

static void
side(struct workbench *b, const struct forecast *f)
{
	struct err err = ERR_INIT;

	if (workbench_record(b, "forecasts", &forecast_record, "d", f, &err) < 0)
		fail_msg("%s", err.text);
}

static void
put(struct scorer *s, const struct forecast *f)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	char key[CACHE_KEY_BYTES];
	struct err err = ERR_INIT;

	assert_int_equal(codec_encode(s->forecasts, f, &bytes, &err), 0);
	cache_forecast_key(f->device, f->metric, key);
	cache_put(s->lookup.cache, span_of(key), buffer_span(&bytes), 60000);
	cache_flush(s->lookup.cache);
}

static size_t
commit_and_count(struct workbench *b, const char *text)
{
	workbench_commit(b);
	return workbench_count(b, "d", text);
}

#define FORECAST "\"basis\":\"forecast\""
#define ONDEMAND "\"basis\":\"ondemand\""
#define NONE "\"basis\":\"none\""

/* Run out, the stream asks again: not before its time, and what has run out as well is no answer. */
static void
asks_again(void **state)
{
	char uri[64];
	int port = free_port();
	pid_t server = server_start(port, NULL);
	struct scorer s;
	struct workbench *b;
	struct forecast f;

	assert_true(server > 0);
	snprintf(uri, sizeof(uri), "redis://127.0.0.1:%d", port);
	s = scorer(uri, 0);
	b = workbench_new(&spec, &s);
	f = forecast_of("d", 100, 10, 30);
	side(b, &f);
	for (int64_t t = 100; t < 110; t++)
		give(b, "d", t);
	assert_int_equal(commit_and_count(b, FORECAST), 10);
	put(&s, &f);       /* what it held already */
	give(b, "d", 110); /* asks */
	f = forecast_of("d", 108, 100, 30);
	put(&s, &f);
	for (int64_t t = 111; t < 110 + RETRY_S; t++)
		give(b, "d", t);
	assert_int_equal(commit_and_count(b, FORECAST), 10);
	assert_int_equal(commit_and_count(b, NONE), RETRY_S);
	give(b, "d", 110 + RETRY_S);
	give(b, "d", 111 + RETRY_S);
	assert_int_equal(commit_and_count(b, FORECAST), 12);
	assert_true(metric_value(s.lookup.outcomes[LOOKUP_CACHE]) == 1);
	assert_true(metric_value(s.lookup.outcomes[LOOKUP_NOTHING]) == 1);
	assert_true(cache_ratio(s.lookup.cache) == 12.0 / (12 + RETRY_S));
	server_stop(server);
	workbench_free(b);
}

/* Without forecasts from elsewhere; then those come, run out, and are too old. */
static void
makes_its_own(void **state)
{
	struct scorer s = scorer(no_cache, 40);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&spec, &s);
	struct forecast f;
	size_t own;

	for (int64_t t = 0; t < 200; t++)
		give(b, "d", t);
	own = commit_and_count(b, ONDEMAND);
	assert_int_equal(own, 200 - 2 * RETRY_S); /* twelve steps of two seconds are known at the third question */
	assert_int_equal(commit_and_count(b, NONE), 2 * RETRY_S);
	f = forecast_of("d", 200, 20, 30);
	side(b, &f);
	for (int64_t t = 200; t < 220; t++)
		give(b, "d", t);
	assert_int_equal(commit_and_count(b, FORECAST), 20);
	for (int64_t t = 220; t < 240; t++)
		give(b, "d", t);
	assert_int_equal(commit_and_count(b, ONDEMAND), own + 20);
	f = forecast_of("d", 210, 20, 30); /* over before the newest value */
	side(b, &f);
	give(b, "d", 240);
	assert_int_equal(commit_and_count(b, ONDEMAND), own + 21);
	f = forecast_of("d", 215, 100, 30); /* older than ours, and still of use */
	side(b, &f);
	give(b, "d", 241);
	assert_int_equal(commit_and_count(b, FORECAST), 21);
	assert_int_equal(commit_and_count(b, "\"status\":\"firing\""), 0);
	assert_true(metric_value(s.emitter.bases[BASIS_ONDEMAND]) == (double)own + 21);
	assert_true(metric_value(s.lookup.outcomes[LOOKUP_MADE]) >= 8);
}

/* Gaps, a clock that is set back, forecasts now and then. */
static void
give_any(struct workbench *b, uint64_t i)
{
	int64_t second = (int64_t)i + (i > 250 ? 500 : 0) - (i > 400 ? 300 : 0);

	if (i % 120 == 119) {
		struct forecast f = forecast_of("d", second, 30, 30);

		side(b, &f);
	}
	if (random_uniform(9, 0, i) < 0.9)
		give(b, i % 4 ? "d" : "e", second);
}

static void
give_all(struct workbench *b, uint64_t from, uint64_t to, uint64_t reloads)
{
	for (uint64_t i = from; i < to; i++) {
		give_any(b, i);
		if ((i + 1) % 5)
			continue;
		workbench_commit(b);
		if (reloads && (i + 1) / 5 % reloads == 0)
			workbench_reload(b);
	}
}

static void
stays_a_fold(void **state)
{
	struct scorer s = scorer(no_cache, 40), t = scorer(no_cache, 40), u = scorer(no_cache, 40);
	CLEANUP(workbench_free)
	struct workbench *plain = workbench_new(&spec, &s), *read = workbench_new(&spec, &t),
			 *silent = workbench_new(&spec, &u);
	size_t before;

	give_all(plain, 0, RECORDS, 0);
	assert_true(workbench_count(plain, "d", ONDEMAND) > 100 && workbench_count(plain, "d", NONE) > 20 &&
		    workbench_count(plain, "d", FORECAST) > 40);
	give_all(read, 0, RECORDS, 3);
	workbench_assert_same(plain, read);
	workbench_silent(silent, true, NULL);
	give_all(silent, 0, RECORDS, 7);
	workbench_assert_same_states(plain, silent);
	assert_true(metric_value(u.lookup.outcomes[LOOKUP_MADE]) == 0 && isnan(cache_ratio(u.lookup.cache)));
	workbench_silent(silent, false, NULL);
	before = strlen(workbench_sent(plain, "d"));
	give_all(plain, RECORDS, RECORDS + 100, 0);
	give_all(silent, RECORDS, RECORDS + 100, 0);
	assert_string_equal(workbench_sent(silent, "d"), workbench_sent(plain, "d") + before);
}

/* A transaction given up: nothing of it is left, near past included. */
static void
comes_back(void **state)
{
	struct scorer s = scorer(no_cache, 40), t = scorer(no_cache, 40);
	CLEANUP(workbench_free) struct workbench *plain = workbench_new(&spec, &s), *b = workbench_new(&spec, &t);

	for (int64_t at = 0; at < 300; at += 10) {
		for (int attempt = 0; attempt < 2; attempt++) {
			for (int64_t second = at; second < at + (attempt ? 10 : 7); second++)
				give(b, "d", second);
			if (!attempt)
				workbench_abort(b);
		}
		workbench_commit(b);
		for (int64_t second = at; second < at + 10; second++)
			give(plain, "d", second);
		workbench_commit(plain);
	}
	assert_true(workbench_count(plain, "d", ONDEMAND) > 100);
	workbench_assert_same(plain, b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_again),
		cmocka_unit_test(makes_its_own),
		cmocka_unit_test(stays_a_fold),
		cmocka_unit_test(comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
