/*
 * restart.c -- streams that were stored and read back go on as if they had stayed; so do those that were folded in silence,
 * with what Redis had said before.
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
#define RECORDS 900
#define STEPS 60
#define LEVELS 3

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

static char no_cache[] = "";

static struct scorer
scorer(char *cache)
{
	return (struct scorer){ .opt = support_alarmed(cache) };
}

static const char *
device_of(uint64_t i)
{
	return i % 3 ? "d1" : "d0";
}

static struct forecast
forecast_of(const char *device, int64_t origin_us, double values[STEPS * LEVELS])
{
	static double levels[LEVELS] = { 0.05, 0.5, 0.95 };

	for (int i = 0; i < STEPS * LEVELS; i++)
		values[i] = 20 + (i / LEVELS) % 7 + 2 * (i % LEVELS - 1);
	return (struct forecast){ .device = span_of(device),
				  .metric = SPAN("t"),
				  .origin_us = origin_us,
				  .step_us = 2 * SECOND,
				  .levels = levels,
				  .n_levels = LEVELS,
				  .values = values,
				  .n_steps = STEPS,
				  .model = SPAN("test"),
				  .version = SPAN("1") };
}

static void
give_forecast(struct workbench *b, uint64_t i)
{
	double values[STEPS * LEVELS];
	struct forecast f = forecast_of(device_of(i), (int64_t)i * SECOND, values);
	struct err err = ERR_INIT;

	if (workbench_record(b, "forecasts", &forecast_record, device_of(i), &f, &err) < 0)
		fail_msg("%s", err.text);
}

/* Two metrics: late, repeated and far-ahead values, gaps, spikes, flat lines, a new level, bad values; now and then forecasts. */
static void
give(struct workbench *b, uint64_t i)
{
	double dice = random_uniform(1, 0, i), spike = i % 250 > 247 ? 60 : 0, level = i > 600 ? 10 : 0;
	int64_t time = (int64_t)i + (i > 400 ? 500 : 0) - (dice < 0.05 ? 40 : 0) + (dice > 0.99 ? 100000 : 0);
	struct reading_value values[] = {
		{ .metric = SPAN("t"), .value = 22 + level + spike + random_normal(2, 0, i), .quality = QUALITY_GOOD },
		{ .metric = SPAN("h"),
		  .value = i % 7 == 0      ? NAN
			   : i % 300 > 250 ? 5
					   : random_normal(3, 0, i) * (dice > 0.5 && dice < 0.51 ? 1e15 : 1),
		  .quality = i % 7 == 0 ? QUALITY_NULL : QUALITY_GOOD },
	};
	struct reading r = { .device = span_of(device_of(i)),
			     .event_us = (dice > 0.1 && dice < 0.15 ? time - 3 : time) * SECOND,
			     .ingest_us = (int64_t)i,
			     .source = SPAN("test"),
			     .values = values,
			     .n_values = i % 5 ? 2 : 1 };
	struct err err = ERR_INIT;

	if (i >= 50 && i % 40 < 2)
		give_forecast(b, i);
	if (workbench_record(b, "telemetry.readings", &reading_record, device_of(i), &r, &err) < 0)
		fail_msg("%s", err.text);
}

/* Records [FROM, TO), a commit every 10 of them; after every RELOADS commits (0: never) all states are read back. */
static void
give_all(struct workbench *b, uint64_t from, uint64_t to, uint64_t reloads)
{
	for (uint64_t i = from; i < to; i++) {
		give(b, i);
		if ((i + 1) % 10)
			continue;
		workbench_commit(b);
		if (reloads && (i + 1) / 10 % reloads == 0)
			workbench_reload(b);
	}
}

static void
reading_back_changes_nothing(void **state)
{
	static const uint64_t reloads[] = { 1, 3, 17 };
	struct scorer s = scorer(no_cache);
	CLEANUP(workbench_free) struct workbench *plain = workbench_new(&spec, &s);

	give_all(plain, 0, RECORDS, 0);
	for (size_t i = 0; i < OUTCOME_COUNT; i++)
		assert_true(metric_value(s.outcomes[i]) > 2);
	assert_true(metric_value(s.emitter.onsets) > 5 && metric_value(s.emitter.rows[COLLECTIVE_JUDGED]) > 1000);
	assert_true(metric_value(s.emitter.opened) > 2 && metric_value(s.emitter.resolved) > 2);
	assert_true(metric_value(s.emitter.bases[BASIS_FORECAST]) > 100);
	for (size_t i = 0; i < ARRAY_LEN(reloads); i++) {
		struct scorer t = scorer(no_cache);
		CLEANUP(workbench_free) struct workbench *b = workbench_new(&spec, &t);

		give_all(b, 0, RECORDS, reloads[i]);
		workbench_assert_same(plain, b);
	}
}

/* The states are the same as if it had been loud, and what follows is, too. */
static void
silence_changes_nothing(void **state)
{
	static const uint64_t prefixes[] = { 10, 250, 600, RECORDS };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		struct scorer s = scorer(no_cache), t = scorer(no_cache);
		CLEANUP(workbench_free)
		struct workbench *loud = workbench_new(&spec, &s), *b = workbench_new(&spec, &t);
		size_t before[2];

		give_all(loud, 0, prefixes[i], 0);
		before[0] = strlen(workbench_sent(loud, "d0"));
		before[1] = strlen(workbench_sent(loud, "d1"));
		workbench_silent(b, true, NULL);
		give_all(b, 0, prefixes[i], 2);
		workbench_assert_same_states(loud, b);
		for (size_t k = 0; k < OUTCOME_COUNT; k++)
			assert_true(metric_value(t.outcomes[k]) == 0);
		assert_true(metric_value(t.emitter.opened) == 0 && metric_value(t.emitter.bases[BASIS_NONE]) == 0);
		workbench_silent(b, false, NULL);
		give_all(loud, prefixes[i], RECORDS, 0);
		give_all(b, prefixes[i], RECORDS, 0);
		assert_string_equal(workbench_sent(b, "d0"), workbench_sent(loud, "d0") + before[0]);
		assert_string_equal(workbench_sent(b, "d1"), workbench_sent(loud, "d1") + before[1]);
		workbench_assert_same_states(loud, b);
	}
}

static void
put(struct scorer *s, const char *device, const struct forecast *f)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	char key[CACHE_KEY_BYTES];
	struct err err = ERR_INIT;

	assert_int_equal(codec_encode(s->forecasts, f, &bytes, &err), 0);
	cache_forecast_key(span_of(device), SPAN("t"), key);
	cache_put(s->lookup.cache, span_of(key), buffer_span(&bytes), 60000);
	cache_flush(s->lookup.cache);
}

/* What Redis said once is said again, whatever Redis says now; what it did not say is not asked for again. */
static void
answers_are_repeated(void **state)
{
	char uri[64];
	int port = free_port();
	pid_t server = server_start(port, NULL);
	double values[STEPS * LEVELS];
	struct forecast f = forecast_of("d0", 0, values);
	struct scorer s, t;
	struct workbench *loud, *b;
	struct err err = ERR_INIT;

	assert_true(server > 0);
	snprintf(uri, sizeof(uri), "redis://127.0.0.1:%d", port);
	s = scorer(uri);
	t = scorer(uri);
	loud = workbench_new(&spec, &s);
	b = workbench_new(&spec, &t);
	put(&s, "d0", &f);
	assert_int_equal(workbench_bytes(loud, "telemetry.readings", "d0", SPAN("not Avro"), &err), -1);
	give(loud, 0);
	workbench_abort(loud); /* what was noted is forgotten, and asked again */
	assert_int_equal(workbench_bytes(loud, "telemetry.readings", "d0", SPAN("not Avro"), &err), -1);
	give_all(loud, 0, 20, 0);
	assert_true(workbench_count(loud, "d0", "\"expected\":2") >= 3 &&
		    workbench_count(loud, "d1", "\"expected\":2") == 0);
	values[1] += 0.25;
	put(&s, "d0", &f); /* another by now, and one that was not there */
	f.device = SPAN("d1");
	put(&s, "d1", &f);
	workbench_silent(b, true, loud);
	assert_int_equal(workbench_bytes(b, "telemetry.readings", "d0", SPAN("not Avro"), &err), -1);
	give_all(b, 0, 20, 1);
	workbench_assert_same_states(loud, b);
	workbench_silent(b, false, NULL);
	server_stop(server);
	give_all(loud, 20, 100, 0);
	give_all(b, 20, 100, 0);
	workbench_assert_same_states(loud, b);
	workbench_free(loud);
	workbench_free(b);
}

/* The second state of a record cannot be had: the first has not changed, and the record can be repeated. */
static void
all_or_nothing(void **state)
{
	struct scorer s = scorer(no_cache), t = scorer(no_cache);
	CLEANUP(workbench_free) struct workbench *plain = workbench_new(&spec, &s), *b = workbench_new(&spec, &t);
	CLEANUP(buffer_clear) struct buffer before = BUFFER_INIT(0), after = BUFFER_INIT(0);
	struct reading_value values[] = { { .metric = SPAN("t"), .value = 1 }, { .metric = SPAN("h"), .value = 1 } };
	struct reading r = { .device = SPAN("d1"), .source = SPAN("test"), .values = values, .n_values = 2 };

	give_all(plain, 0, 200, 0);
	give_all(b, 0, 21, 0);
	for (uint64_t i = 21; i < 200; i++) {
		struct err err = ERR_INIT;

		r.event_us = (int64_t)i * SECOND;
		before.len = after.len = 0;
		workbench_images(b, &before);
		workbench_store_down(b, 1);
		assert_int_equal(workbench_record(b, "telemetry.readings", &reading_record, "d1", &r, &err), -1);
		assert_int_equal(err.reason, REASON_STORE_DOWN);
		workbench_images(b, &after);
		assert_true(span_equal(buffer_span(&before), buffer_span(&after)));
		give_all(b, i, i + 1, 0);
	}
	workbench_assert_same(plain, b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_back_changes_nothing),
		cmocka_unit_test(silence_changes_nothing),
		cmocka_unit_test(answers_are_repeated),
		cmocka_unit_test(all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
