/* hooks.c -- the worker's hooks with real records: which readings are refused, what of the others reaches which topic. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/record/reading.h"
#include "tests/support/workbench.h"
#include "workers/etl-preprocessor/preprocessor.h"
#include "workers/etl-preprocessor/state.h"

#define SECOND INT64_C(1000000)

static const struct worker_spec spec = {
	.name = "etl-preprocessor",
	.topics = "telemetry.readings,telemetry.deferred",
	.open = preprocessor_open,
	.record = preprocessor_record,
	.state = &etl_state,
};

static char series_topic[] = "telemetry.series", aggregates_topic[] = "telemetry.aggregates", nowhere[] = "";

/* Steps of a second, windows of two. */
static struct preprocessor
preprocessor(char *aggregates)
{
	return (struct preprocessor){ .opt = { .series_topic = series_topic,
					       .aggregates_topic = aggregates,
					       .step_ms = 1000,
					       .reorder_max = 100,
					       .outlier_policy = OUTLIER_KEEP,
					       .outlier_threshold = 3,
					       .outlier_warmup = 1000,
					       .gap_fill = GAP_LINEAR,
					       .gap_fill_max_steps = 10,
					       .gap_max_steps = 10,
					       .window_steps = 2 } };
}

/* Temperature is a number, humidity is of bad quality every second time. */
static int
give(struct workbench *b, const char *topic, const char *key, const char *device, int64_t second, struct err *err)
{
	struct reading_value values[] = {
		{ .metric = SPAN("t"), .value = 20 + (double)second, .unit = SPAN("Cel"), .quality = QUALITY_GOOD },
		{ .metric = SPAN("h"),
		  .value = second % 2 ? NAN : 50,
		  .quality = second % 2 ? QUALITY_NULL : QUALITY_GOOD },
	};
	struct reading r = { .device = span_of(device),
			     .event_us = second * SECOND,
			     .ingest_us = second * SECOND + 7,
			     .source = SPAN("test"),
			     .values = values,
			     .n_values = ARRAY_LEN(values) };

	return workbench_record(b, topic, &reading_record, key, &r, err);
}

static void
two_metrics(void **state)
{
	struct preprocessor p = preprocessor(aggregates_topic);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&spec, &p);
	struct err err = ERR_INIT;

	for (int64_t second = 0; second < 7; second++)
		assert_int_equal(
		    give(b, second % 2 ? "telemetry.deferred" : "telemetry.readings", "d1", "d1", second, &err), 0);
	assert_string_equal(workbench_sent(b, "d1"), "");
	workbench_commit(b);
	assert_int_equal(workbench_states(b), 2);
	assert_int_equal(workbench_count(b, "d1", "telemetry.series: "), 5);
	assert_int_equal(workbench_count(b, "d1", "telemetry.aggregates: "), 5);
	assert_int_equal(workbench_count(b, "d1", "\"target\":[20.0,21.0]"), 1);
	assert_int_equal(workbench_count(b, "d1", "\"target\":[22.0,23.0]"), 1);
	assert_int_equal(workbench_count(b, "d1", "\"target\":[24.0,25.0]"), 1);
	assert_int_equal(workbench_count(b, "d1", "\"target\":[50.0,50.0]"), 2);
	assert_int_equal(workbench_count(b, "d1", "\"unit\":\"Cel\""), 3);
	assert_int_equal(workbench_count(b, "d1", "\"mean\":22.5"), 1);
	assert_true(metric_value(p.outcomes[MISSING]) == 3 && metric_value(p.outcomes[LATE]) == 0);
}

/* Firmware that says Fahrenheit from the fourth second on: windows in one unit each, and a count. */
static void
another_unit(void **state)
{
	struct preprocessor p = preprocessor(nowhere);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&spec, &p);
	struct err err = ERR_INIT;

	for (int64_t second = 0; second < 7; second++) {
		struct reading_value value = { .metric = SPAN("t"),
					       .value = second < 3 ? 20 : 68,
					       .unit = second < 3 ? SPAN("Cel") : SPAN("[degF]"),
					       .quality = QUALITY_GOOD };
		const struct reading r = { .device = SPAN("d1"),
					   .event_us = second * SECOND,
					   .source = SPAN("test"),
					   .values = &value,
					   .n_values = 1 };

		assert_int_equal(workbench_record(b, "telemetry.readings", &reading_record, "d1", &r, &err), 0);
	}
	workbench_commit(b);
	assert_int_equal(workbench_count(b, "d1", "telemetry.series: "), 3);
	assert_int_equal(workbench_lines(b, "d1", "\"unit\":\"Cel\"", "\"target\":[20.0,20.0]"), 1);
	assert_int_equal(workbench_lines(b, "d1", "\"unit\":\"Cel\"", "\"target\":[20.0]"), 1);
	assert_int_equal(workbench_lines(b, "d1", "\"unit\":\"[degF]\"", "\"target\":[68.0,68.0]"), 1);
	assert_true(metric_value(p.unit_changes) == 1);
}

static void
without_aggregates(void **state)
{
	struct preprocessor p = preprocessor(nowhere);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&spec, &p);
	struct err err = ERR_INIT;

	for (int64_t second = 0; second < 4; second++)
		assert_int_equal(give(b, "telemetry.readings", "d1", "d1", second, &err), 0);
	workbench_commit(b);
	assert_int_equal(workbench_count(b, "d1", "telemetry.series: "), 2);
	assert_int_equal(workbench_count(b, "d1", "telemetry.aggregates: "), 0);
}

/* A refused reading leaves no state behind, and the next one is as if it had not been. */
static void
refuses(void **state)
{
	static const struct {
		const char *key, *device;
		int64_t second;
		enum err_reason reason;
	} rows[] = {
		{ "other", "d1", 0, REASON_KEY_MISMATCH },
		{ "d1", "d1", INT64_C(253402300799), REASON_TIME_RANGE },
		{ "d1", "d1", INT64_C(-62135596800), REASON_TIME_RANGE },
	};
	struct preprocessor p = preprocessor(aggregates_topic);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&spec, &p);
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		err_clear(&err);
		assert_int_equal(give(b, "telemetry.readings", rows[i].key, rows[i].device, rows[i].second, &err), -1);
		assert_int_equal(err.reason, rows[i].reason);
	}
	err_clear(&err);
	assert_int_equal(workbench_bytes(b, "telemetry.readings", "d1", SPAN("not Avro"), &err), -1);
	assert_int_equal(err.reason, REASON_AVRO_FRAMING);
	assert_int_equal(workbench_bytes(b, "telemetry.readings", "d1", SPAN_NONE, &err), -1);
	assert_int_equal(err.reason, REASON_EMPTY_VALUE);
	assert_int_equal(workbench_states(b), 0);
}

/* What is logged while 300 readings of a device come, the newest first or last; TEXT has SIZE bytes. */
static void
logged(bool newest_first, char *text, size_t size)
{
	struct preprocessor p = preprocessor(nowhere);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&spec, &p);
	int before = dup(STDERR_FILENO);
	FILE *file = tmpfile();
	struct err err = ERR_INIT;
	size_t n;

	assert_true(before >= 0 && file && dup2(fileno(file), STDERR_FILENO) >= 0);
	for (int64_t i = 0; i < 300; i++)
		assert_int_equal(give(b, "telemetry.readings", "d1", "d1", newest_first ? 1000 - i : i, &err), 0);
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	close(before);
	rewind(file);
	n = fread(text, 1, size - 1, file);
	text[n] = 0;
	fclose(file);
}

/* A file in the wrong order: next to nothing of it comes into the series, and that is said, once. */
static void
mostly_late(void **state)
{
	static const char *const says[] = { "\"level\":\"warn\"", "most readings are late", "\"device\":\"d1\"",
					    "lateness.ms" };
	char text[4000];

	logged(false, text, sizeof(text));
	assert_string_equal(text, "");
	logged(true, text, sizeof(text));
	for (size_t i = 0; i < ARRAY_LEN(says); i++)
		assert_non_null(strstr(text, says[i]));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

#define SECONDS 36

/* Two devices, the second one of half the rate. */
static void
give_both(struct workbench *b, int64_t from, int64_t to)
{
	struct err err = ERR_INIT;

	for (int64_t at = from; at < to && at < SECONDS; at++) {
		assert_int_equal(give(b, "telemetry.readings", "d1", "d1", at, &err), 0);
		assert_int_equal(give(b, "telemetry.readings", "d2", "d2", 2 * at, &err), 0);
	}
}

/* Wherever transactions end, and whether one was given up before it succeeded.  The last window stays open. */
static void
any_transactions(void **state)
{
	static char one[100000], two[100000];

	for (int64_t every = 1; every <= SECONDS; every++) {
		struct preprocessor p = preprocessor(aggregates_topic);
		CLEANUP(workbench_free) struct workbench *b = workbench_new(&spec, &p);

		for (int64_t from = 0; from < SECONDS; from += every) {
			give_both(b, from, from + 1 + every / 2);
			workbench_abort(b);
			give_both(b, from, from + every);
			workbench_commit(b);
		}
		if (every == 1) {
			snprintf(one, sizeof(one), "%s", workbench_sent(b, "d1"));
			snprintf(two, sizeof(two), "%s", workbench_sent(b, "d2"));
		}
		assert_string_equal(workbench_sent(b, "d1"), one);
		assert_string_equal(workbench_sent(b, "d2"), two);
		assert_int_equal(workbench_count(b, "d1", "telemetry.series: "), 2 * (SECONDS / 2 - 1));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_metrics), cmocka_unit_test(another_unit), cmocka_unit_test(without_aggregates),
		cmocka_unit_test(refuses),     cmocka_unit_test(mostly_late),  cmocka_unit_test(any_transactions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
