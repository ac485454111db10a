/*
 * hooks.c -- the worker's hooks with real records: a score for every good value, alerts where they are due, the same
 * whatever the transactions were; forecasts by the side input, and by a real Redis before the first of them has come.
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
#define READINGS 400
#define SPIKE 300 /* and the one after it */

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
	return (struct scorer){ .opt = support_options(cache) };
}

/* Temperature is around 20, but for the spike; humidity is of bad quality every second time. */
static int
give_as(struct workbench *b, const char *key, const char *device, int64_t second, struct err *err)
{
	struct reading_value values[] = {
		{ .metric = SPAN("t"),
		  .value = 20 + random_normal(1, random_hash(span_of(device)), (uint64_t)second) +
			   (second == SPIKE || second == SPIKE + 1 ? 40 : 0),
		  .quality = QUALITY_GOOD },
		{ .metric = SPAN("h"),
		  .value = second % 2 ? NAN : 50 + random_normal(2, 2, (uint64_t)second),
		  .quality = second % 2 ? QUALITY_NULL : QUALITY_GOOD },
	};
	struct reading r = { .device = span_of(device),
			     .event_us = second * SECOND,
			     .ingest_us = second * SECOND + 7,
			     .source = SPAN("test"),
			     .values = values,
			     .n_values = ARRAY_LEN(values) };

	return workbench_record(b, second % 3 ? "telemetry.readings" : "telemetry.deferred", &reading_record, key, &r,
				err);
}

static void
give(struct workbench *b, const char *device, int64_t second)
{
	struct err err = ERR_INIT;

	if (give_as(b, device, device, second, &err) < 0)
		fail_msg("%s", err.text);
}

static const struct forecast forecast_20 = {
	.device = SPAN("d1"),
	.metric = SPAN("t"),
	.step_us = 3600 * SECOND,
	.levels = (double[]){ 0.05, 0.5, 0.95 },
	.n_levels = 3,
	.values = (double[]){ 18.4, 20, 21.6 },
	.n_steps = 1,
	.model = SPAN("test"),
	.version = SPAN("1"),
};

static void
scores_and_alerts(void **state)
{
	struct scorer s = scorer(no_cache);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&spec, &s);
	struct err err = ERR_INIT;

	assert_int_equal(workbench_record(b, "forecasts", &forecast_record, "d1", &forecast_20, &err), 0);
	for (int64_t second = 0; second < READINGS; second++)
		give(b, "d1", second);
	give(b, "d1", 250);             /* late */
	give(b, "d1", READINGS - 1);    /* repeated */
	give(b, "d1", 400 * 24 * 3600); /* ahead */
	assert_string_equal(workbench_sent(b, "d1"), "");
	workbench_commit(b);
	assert_int_equal(workbench_states(b), 2);
	assert_int_equal(workbench_count(b, "d1", "\"metric\":\"t\""),
			 READINGS + 2 + 3); /* two of them alerts, and an anomaly */
	assert_int_equal(workbench_count(b, "d1", "scores: "), READINGS + 2 + READINGS / 2 + 2);
	assert_int_equal(workbench_count(b, "d1", "alerts: "), 2);
	assert_int_equal(workbench_count(b, "d1", "\"status\":\"firing\""), 1);
	assert_int_equal(workbench_count(b, "d1", "\"status\":\"resolved\""), 1);
	assert_int_equal(workbench_count(b, "d1", "is far above the expected 20 ("), 2);
	assert_int_equal(workbench_count(b, "d1", "anomalies: "), 1);
	assert_int_equal(workbench_count(b, "d1", "\"kind\":\"onset\""), 1);
	assert_int_equal(workbench_count(b, "d1", "\"model\":\"test/1\""), READINGS + 1 + 1);
	assert_int_equal(workbench_count(b, "d1", "\"note\":\"late\""), 2);
	assert_int_equal(workbench_count(b, "d1", "\"note\":\"ahead\""), 2);
	assert_int_equal(workbench_count(b, "d1", "t is as usual again"), 1);
	assert_int_equal(workbench_count(b, "d1", "\"expected\":20"), READINGS + 1 + 3); /* not the one ahead */
	assert_true(metric_value(s.outcomes[OUTCOME_TAKEN]) == READINGS + READINGS / 2);
	assert_true(metric_value(s.outcomes[OUTCOME_BAD_QUALITY]) == READINGS / 2 + 1);
	assert_true(metric_value(s.outcomes[OUTCOME_REPEATED]) == 1);
	assert_true(metric_value(s.outcomes[OUTCOME_LATE]) == 2 && metric_value(s.outcomes[OUTCOME_AHEAD]) == 2);
	assert_true(metric_value(s.emitter.bases[BASIS_FORECAST]) == READINGS + 1);
	assert_true(metric_value(s.emitter.opened) == 1 && metric_value(s.emitter.resolved) == 1);
}

static void
refuses(void **state)
{
	double levels[100], values[100];
	struct forecast many = forecast_20, other = forecast_20;
	struct scorer s = scorer(no_cache);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&spec, &s);
	struct err err = ERR_INIT;

	assert_int_equal(give_as(b, "d2", "d1", 1, &err), -1);
	assert_int_equal(err.reason, REASON_KEY_MISMATCH);
	assert_int_equal(workbench_record(b, "forecasts", &forecast_record, "d2", &other, &err), -1);
	assert_int_equal(err.reason, REASON_KEY_MISMATCH);
	for (int i = 0; i < 100; i++) {
		levels[i] = (i + 1) / 101.0;
		values[i] = i;
	}
	many.levels = levels;
	many.values = values;
	many.n_levels = 100;
	assert_int_equal(workbench_record(b, "forecasts", &forecast_record, "d1", &many, &err), -1);
	assert_int_equal(err.reason, REASON_RECORD_INVALID);
	assert_int_equal(workbench_bytes(b, "telemetry.readings", "d1", SPAN("not Avro"), &err), -1);
	assert_int_equal(err.reason, REASON_AVRO_FRAMING);
	assert_int_equal(workbench_bytes(b, "forecasts", "d1", SPAN_NONE, &err), -1);
	assert_int_equal(err.reason, REASON_EMPTY_VALUE);
	assert_int_equal(workbench_states(b), 0);
}

/* Wherever transactions end, and whether one was given up before it succeeded. */
static void
any_transactions(void **state)
{
	static char first[2000000];
	static const int64_t sizes[] = { 1000, 1, 7, 150, 299 };

	for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
		struct scorer s = scorer(no_cache);
		CLEANUP(workbench_free) struct workbench *b = workbench_new(&spec, &s);
		struct err err = ERR_INIT;

		for (int64_t from = 0; from < READINGS; from += sizes[k]) {
			int64_t to = from + sizes[k] < READINGS ? from + sizes[k] : READINGS;

			for (int attempt = 0; attempt < 2; attempt++) {
				int64_t end = attempt ? to : from + (to - from + 1) / 2; /* half, then all */

				for (int64_t second = from; second < end; second++) {
					if (second == 100)
						workbench_record(b, "forecasts", &forecast_record, "d1", &forecast_20,
								 &err);
					give(b, "d1", second);
					give(b, "d2", second);
				}
				if (!attempt)
					workbench_abort(b);
			}
			workbench_commit(b);
		}
		if (k == 0)
			snprintf(first, sizeof(first), "%s", workbench_sent(b, "d1"));
		assert_string_equal(workbench_sent(b, "d1"), first);
		assert_int_equal(workbench_count(b, "d1", "\"status\":\"firing\""), 1);
	}
}

/* The cache is asked for a stream without a forecast, once: what comes there later is not seen, what comes by topic is. */
static void
asks_the_cache_once(void **state)
{
	char uri[64], key[CACHE_KEY_BYTES];
	int port = free_port();
	pid_t server = server_start(port, NULL);
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	struct scorer s;
	struct workbench *b;
	struct forecast f = forecast_20;
	struct err err = ERR_INIT;

	assert_true(server > 0);
	snprintf(uri, sizeof(uri), "redis://127.0.0.1:%d", port);
	s = scorer(uri);
	b = workbench_new(&spec, &s);
	assert_int_equal(codec_encode(s.forecasts, &forecast_20, &bytes, &err), 0);
	give(b, "d1", 1); /* a miss */
	cache_forecast_key(SPAN("d1"), SPAN("t"), key);
	cache_put(s.lookup.cache, span_of(key), buffer_span(&bytes), 60000);
	cache_forecast_key(SPAN("d2"), SPAN("t"), key);
	cache_put(s.lookup.cache, span_of(key), buffer_span(&bytes), 60000); /* somebody else's */
	cache_flush(s.lookup.cache);
	give(b, "d1", 2); /* asked already */
	give(b, "d2", 2); /* names d1 */
	workbench_commit(b);
	assert_int_equal(workbench_count(b, "d1", "\"expected\":20"), 0);
	assert_int_equal(workbench_count(b, "d2", "\"expected\":20"), 0);

	bytes.len = 0;
	f.device = SPAN("d3");
	assert_int_equal(codec_encode(s.forecasts, &f, &bytes, &err), 0);
	cache_forecast_key(SPAN("d3"), SPAN("t"), key);
	cache_put(s.lookup.cache, span_of(key), buffer_span(&bytes), 60000);
	give(b, "d3", 2); /* a hit */
	server_stop(server);
	give(b, "d3", 3); /* held */
	give(b, "d4", 3); /* nobody answers */
	workbench_commit(b);
	assert_int_equal(workbench_count(b, "d3", "\"expected\":20"), 2);
	assert_int_equal(workbench_count(b, "d4", "scores: "), 1);
	assert_int_equal(workbench_record(b, "forecasts", &forecast_record, "d1", &forecast_20, &err), 0);
	give(b, "d1", 4);
	workbench_commit(b);
	assert_int_equal(workbench_count(b, "d1", "\"expected\":20"), 1);
	workbench_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scores_and_alerts),
		cmocka_unit_test(refuses),
		cmocka_unit_test(any_transactions),
		cmocka_unit_test(asks_the_cache_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
