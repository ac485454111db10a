/* alerts.c -- what alerts and anomalies say: the line for people, the severity, the derived id, what is expected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "workers/realtime-scorer/alerts.h"
#include "workers/realtime-scorer/words.h"

#define OUTLOOK                                                                                 \
	{                                                                                       \
		.p = 1e-9, .expected = 71.2, .lower = 69.8, .upper = 72.9, .model = SPAN("m/1") \
	}

static const struct row {
	const char *name;
	enum episode_action action;
	bool forecast;
	double value, smallest_p;
	uint32_t run;
	enum alert_status status;
	enum alert_severity severity;
	const char *summary;
} rows[] = {
	{ "far above", EPISODE_OPENED, true, 93.1, 1e-9, 0, ALERT_FIRING, ALERT_CRITICAL,
	  "temperature 93.1 is far above the expected 71.2 (5–95 %: 69.8–72.9)" },
	{ "above", EPISODE_OPENED, true, 75, 1e-5, 0, ALERT_FIRING, ALERT_WARNING,
	  "temperature 75 is above the expected 71.2 (5–95 %: 69.8–72.9)" },
	{ "below", EPISODE_OPENED, true, 69, 1e-5, 0, ALERT_FIRING, ALERT_WARNING,
	  "temperature 69 is below the expected 71.2 (5–95 %: 69.8–72.9)" },
	{ "far below", EPISODE_OPENED, true, 0, 1e-300, 0, ALERT_FIRING, ALERT_CRITICAL,
	  "temperature 0 is far below the expected 71.2 (5–95 %: 69.8–72.9)" },
	{ "inside", EPISODE_OPENED, true, 71, 1e-5, 2, ALERT_FIRING, ALERT_WARNING,
	  "temperature 71 behaves unusually, though it is near the expected 71.2 (5–95 %: 69.8–72.9)" },
	{ "flat, as expected by the forecast", EPISODE_OPENED, true, 71, 1e-7, 44, ALERT_FIRING, ALERT_CRITICAL,
	  "temperature stands still at 71 for 45 readings" },
	{ "flat, no forecast", EPISODE_OPENED, false, 71, 1e-7, 44, ALERT_FIRING, ALERT_CRITICAL,
	  "temperature stands still at 71 for 45 readings" },
	{ "no forecast", EPISODE_OPENED, false, 93.1, 1e-7, 0, ALERT_FIRING, ALERT_CRITICAL,
	  "temperature 93.1 is unusual: 8.2 deviations above its mean of 70" },
	{ "no forecast, low", EPISODE_OPENED, false, 60, 1e-5, 0, ALERT_FIRING, ALERT_WARNING,
	  "temperature 60 is unusual: 3.6 deviations below its mean of 70" },
	{ "over", EPISODE_CLOSED, true, 71.25, 1e-9, 0, ALERT_RESOLVED, ALERT_CRITICAL,
	  "temperature is as usual again: 71.25, expected 71.2" },
	{ "over, no forecast", EPISODE_CLOSED, false, 71.25, 1e-5, 0, ALERT_RESOLVED, ALERT_WARNING,
	  "temperature is as usual again: 71.25" },
};

static struct arena *arena;

static struct alert
alert_of(const struct row *row, struct span device, struct span metric, int64_t starts_us)
{
	struct stream_score score = { .forecast = row->forecast,
				      .usual = { .mean = 70, .deviation = 2.8 },
				      .run = row->run };
	const struct score record = { .device = device,
				      .metric = metric,
				      .value = row->value,
				      .event_us = 1234,
				      .ingest_us = 77,
				      .expected = NAN };
	const struct episode episode = { .starts_us = starts_us, .smallest_p = row->smallest_p };
	const struct outlook outlook = OUTLOOK;
	struct finding finding = { .record = &record, .episode = &episode, .detector = SPAN("scalar") };
	struct err err = ERR_INIT;
	struct alert alert;

	score.verdict = (struct verdict){ .p = { 1e-6, NAN, NAN, NAN }, .action = row->action };
	score.outlook = outlook;
	finding.reason = words_of_stream(row->action == EPISODE_OPENED ? OCCASION_STRANGE : OCCASION_OVER, metric,
					 row->value, &score, arena);
	assert_int_equal(alert_make(&finding, row->action, 1e-6, arena, &alert, &err), 0);
	return alert;
}

static void
speaks(void **state)
{
	const struct row *row = *state;
	struct alert a = alert_of(row, SPAN("d"), SPAN("temperature"), 1000);

	print_message("%.*s\n", SPAN_ARG(a.summary));
	assert_true(span_equal(a.summary, span_of(row->summary)));
	assert_int_equal(a.status, row->status);
	assert_int_equal(a.severity, row->severity);
	assert_true(a.starts_us == 1000 && a.event_us == 1234 && a.ingest_us == 77);
	assert_true(a.p_value == row->smallest_p && a.value == row->value && isnan(a.expected));
	assert_true(span_equal(a.detector, row->action == EPISODE_OPENED ? SPAN("scalar") : SPAN("")));
}

/* Opening and end of one episode share an id; another device, metric or beginning has another one. */
static void
derives_ids(void **state)
{
	struct span id = alert_of(&rows[0], SPAN("d1"), SPAN("m"), 1000).id;

	assert_int_equal(id.len, 32);
	for (size_t i = 0; i < id.len; i++)
		assert_non_null(strchr("0123456789abcdef", id.ptr[i]));
	assert_true(span_equal(alert_of(&rows[9], SPAN("d1"), SPAN("m"), 1000).id, id));
	assert_false(span_equal(alert_of(&rows[0], SPAN("d2"), SPAN("m"), 1000).id, id));
	assert_false(span_equal(alert_of(&rows[0], SPAN("d"), SPAN("1m"), 1000).id, id));
	assert_false(span_equal(alert_of(&rows[0], SPAN("d1"), SPAN("n"), 1000).id, id));
	assert_false(span_equal(alert_of(&rows[0], SPAN("d1"), SPAN("m"), 1001).id, id));
	assert_false(span_equal(alert_of(&rows[0], SPAN("d1"), SPAN("m"), -1000).id, id));
}

/* The stream's clock was set back while the alert was open: the record keeps its rule, start <= event. */
static void
never_ends_before_it_begins(void **state)
{
	struct alert a = alert_of(&rows[9], SPAN("d"), SPAN("m"), 99999);

	assert_true(a.starts_us == 99999 && a.event_us == 99999);
}

/* The anomaly takes over what the score says; its alert is named where one is open, by the very id of the alert's own record. */
static void
anomalies_name_the_alert(void **state)
{
	struct attribution columns[] = { { SPAN("flow"), .75, ATTRIBUTION_LOW } };
	const struct score record = { .device = SPAN("d"),
				      .metric = SPAN("m"),
				      .event_us = 5,
				      .value = 3,
				      .p_value = 1e-7,
				      .onset = 7,
				      .p_forest = 1e-7,
				      .model = SPAN("m/1"),
				      .attribution = { columns, 1 } };
	struct episode episode = { .starts_us = 1000, .status = EPISODE_FIRING };
	const struct finding finding = { .record = &record,
					 .episode = &episode,
					 .detector = SPAN("group"),
					 .expected = 2,
					 .lower = 1,
					 .upper = 4,
					 .reason = SPAN("why") };
	struct err err = ERR_INIT;
	struct anomaly a;

	assert_int_equal(anomaly_make(&finding, ANOMALY_ONSET, arena, &a, &err), 0);
	assert_true(span_equal(a.alert, alert_of(&rows[0], SPAN("d"), SPAN("m"), 1000).id));
	assert_true(a.kind == ANOMALY_ONSET && a.event_us == 5 && a.value == 3 && a.p_value == 1e-7 &&
		    a.p_forest == 1e-7);
	assert_true(a.expected == 2 && a.lower == 1 && a.upper == 4 && a.attribution.n == 1);
	assert_true(span_equal(a.reason, SPAN("why")) && span_equal(a.detector, SPAN("group")));
	episode.status = EPISODE_PENDING;
	assert_int_equal(anomaly_make(&finding, ANOMALY_SHIFT_ACCEPTED, arena, &a, &err), 0);
	assert_true(a.kind == ANOMALY_SHIFT_ACCEPTED && span_equal(a.alert, SPAN("")));
}

static void
names_who_minds_most(void **state)
{
	assert_true(span_equal(words_detector((double[]){ 0.1, 0.2, 0.01, 0.02 }), SPAN("forest")));
	assert_true(span_equal(words_detector((double[]){ NAN, 0.2, NAN, 0.3 }), SPAN("forecast")));
	assert_true(span_equal(words_detector((double[]){ 0.5, 0.5, NAN, NAN }), SPAN("scalar")));
	assert_true(span_equal(words_detector((double[]){ NAN, NAN, NAN, NAN }), SPAN("")));
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 4];
	size_t n = 0;
	int failed;

	arena = arena_new(1 << 12, 1 << 16);
	for (; n < ARRAY_LEN(rows); n++)
		tests[n] = (struct CMUnitTest){ .name = rows[n].name,
						.test_func = speaks,
						.initial_state = (void *)(uintptr_t)&rows[n] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(derives_ids);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(never_ends_before_it_begins);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(anomalies_name_the_alert);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(names_who_minds_most);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(arena);
	return failed;
}
