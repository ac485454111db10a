/* An alert in the three forms, as JSON to the letter; and what is posted to Alertmanager at a given time. */
#include "workers/alert-notifier/payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"

#define ID "0123456789abcdef0123456789abcdef"
#define T0 INT64_C(1709208000123456) /* 2024-02-29T12:00:00.123456Z */

static struct attribution parts[] = { { SPAN("flow"), 0.7, ATTRIBUTION_LOW }, { SPAN("load"), 0.3, ATTRIBUTION_HIGH } };

static const struct alert firing = {
	.id = SPAN(ID),
	.device = SPAN("pump \"7\""),
	.metric = SPAN("pressure"),
	.status = ALERT_FIRING,
	.severity = ALERT_WARNING,
	.starts_us = T0,
	.event_us = T0 + 5 * US_PER_SECOND,
	.p_value = 1e-9,
	.value = 35.5,
	.expected = 21,
	.lower = 19.5,
	.upper = 22.5,
	.summary = SPAN("pressure 35.5 is far above the expected 21 (5\u201395 %: 19.5\u201322.5)"),
	.ingest_us = T0 + 6 * US_PER_SECOND,
	.detector = SPAN("forecast"),
};

static struct alert
resolved(void)
{
	struct alert a = firing;

	a.status = ALERT_RESOLVED;
	a.severity = ALERT_CRITICAL;
	a.event_us = T0 + 3600 * US_PER_SECOND;
	return a;
}

static struct alert
of_a_group(void)
{
	struct alert a = firing;

	a.expected = a.lower = a.upper = NAN;
	a.detector = a.summary = SPAN("");
	a.attribution = (struct attributions){ parts, 2 };
	return a;
}

static struct alert
below(void)
{
	struct alert a = firing;

	a.value = 3;
	return a;
}

static const struct payload_label labels[] = { { SPAN("team"), SPAN("ops") } };
static const struct payload_rule plain = { .alertname = "ForebayAnomaly", .page_url = "" };
static const struct payload_rule rich = { "Strange", labels, 1, "https://g/d?device={device}&m={metric}&{id}&{what}" };

#define SUMMARY "pressure 35.5 is far above the expected 21 (5\u201395 %: 19.5\u201322.5)"
#define LABELS(name)                        \
	"\"labels\":{\"alertname\":\"" name \
	"\",\"device\":\"pump \\\"7\\\"\",\"metric\":\"pressure\",\"alert_id\":\"" ID "\""
#define TRIGGER(threshold)                                                                                                    \
	"\"Trigger\":{\"MetricName\":\"pressure\",\"Namespace\":\"Forebay\",\"StatisticType\":\"Statistic\",\
	\"Statistic\":\"Value\",\"Unit\":null,\"Dimensions\":[{\"value\":\"pump \\\"7\\\"\",\"name\":\"device\"}],\"Period\":0,\
	\"EvaluationPeriods\":1,\"ComparisonOperator\":\"LessThanLowerOrGreaterThanUpperThreshold\",\"Threshold\":" threshold \
	",\
	\"TreatMissingData\":\"ignore\"}"

static struct alert
as_is(void)
{
	return firing;
}

static const struct row {
	const char *name;
	enum payload_form form;
	const struct payload_rule *rule;
	struct alert (*make)(void);
	const char *json;
} rows[] = {
	{ "webhook, firing", PAYLOAD_FOREBAY, &plain, as_is,
	  "{\"version\":1,\"id\":\"" ID
	  "\",\"status\":\"firing\",\"severity\":\"warning\",\"device\":\"pump \\\"7\\\"\","
	  "\"metric\":\"pressure\",\"summary\":\"" SUMMARY "\",\"start_time\":\"2024-02-29T12:00:00.123456Z\","
	  "\"event_time\":\"2024-02-29T12:00:05.123456Z\",\"ingest_time\":\"2024-02-29T12:00:06.123456Z\",\"value\":35.5,"
	  "\"expected\":21,\"lower\":19.5,\"upper\":22.5,\"p_value\":1e-09,\"detector\":\"forecast\",\"attribution\":[]}" },
	{ "webhook, a group, with a page", PAYLOAD_FOREBAY, &rich, of_a_group,
	  "{\"version\":1,\"id\":\"" ID
	  "\",\"status\":\"firing\",\"severity\":\"warning\",\"device\":\"pump \\\"7\\\"\","
	  "\"metric\":\"pressure\",\"summary\":\"\",\"start_time\":\"2024-02-29T12:00:00.123456Z\","
	  "\"event_time\":\"2024-02-29T12:00:05.123456Z\",\"ingest_time\":\"2024-02-29T12:00:06.123456Z\",\"value\":35.5,"
	  "\"expected\":null,\"lower\":null,\"upper\":null,\"p_value\":1e-09,\"detector\":\"\",\"attribution\":["
	  "{\"column\":\"flow\",\"share\":0.7,\"direction\":\"low\"},{\"column\":\"load\",\"share\":0.3,\"direction\":\"high\"}],"
	  "\"page\":\"https://g/d?device=pump%20%227%22&m=pressure&" ID "&{what}\"}" },
	{ "Alertmanager, firing: no end", PAYLOAD_ALERTMANAGER, &plain, as_is,
	  "{" LABELS(
	      "ForebayAnomaly") "},\"annotations\":{\"severity\":\"warning\",\"summary\":\"" SUMMARY
				"\",\"value\":\"35.5\","
				"\"expected\":\"21\",\"lower\":\"19.5\",\"upper\":\"22.5\",\"p_value\":\"1e-09\",\"detector\":\"forecast\"},"
				"\"startsAt\":\"2024-02-29T12:00:00.123456Z\"}" },
	{ "Alertmanager, resolved: the same labels", PAYLOAD_ALERTMANAGER, &plain, resolved,
	  "{" LABELS(
	      "ForebayAnomaly") "},\"annotations\":{\"severity\":\"critical\",\"summary\":\"" SUMMARY
				"\",\"value\":\"35.5\","
				"\"expected\":\"21\",\"lower\":\"19.5\",\"upper\":\"22.5\",\"p_value\":\"1e-09\",\"detector\":\"forecast\"},"
				"\"startsAt\":\"2024-02-29T12:00:00.123456Z\",\"endsAt\":\"2024-02-29T13:00:00.123456Z\"}" },
	{ "Alertmanager, a group, more labels, a page", PAYLOAD_ALERTMANAGER, &rich, of_a_group,
	  "{" LABELS(
	      "Strange") ",\"team\":\"ops\"},\"annotations\":{\"severity\":\"warning\",\"value\":\"35.5\",\"p_value\":\"1e-09\","
			 "\"attribution\":\"flow 70 % low, load 30 % high\"},\"startsAt\":\"2024-02-29T12:00:00.123456Z\","
			 "\"generatorURL\":\"https://g/d?device=pump%20%227%22&m=pressure&" ID "&{what}\"}" },
	{ "SNS, firing", PAYLOAD_SNS, &plain, as_is,
	  "{\"AlarmName\":\"forebay/pump \\\"7\\\"/pressure\",\"AlarmDescription\":\"alert " ID ", warning\","
	  "\"NewStateValue\":\"ALARM\",\"NewStateReason\":\"" SUMMARY
	  "\",\"StateChangeTime\":\"2024-02-29T12:00:05.123+0000\","
	  "\"OldStateValue\":\"OK\"," TRIGGER("22.5") "}" },
	{ "SNS, resolved", PAYLOAD_SNS, &plain, resolved,
	  "{\"AlarmName\":\"forebay/pump \\\"7\\\"/pressure\",\"AlarmDescription\":\"alert " ID ", critical\","
	  "\"NewStateValue\":\"OK\",\"NewStateReason\":\"" SUMMARY
	  "\",\"StateChangeTime\":\"2024-02-29T13:00:00.123+0000\","
	  "\"OldStateValue\":\"ALARM\"," TRIGGER("22.5") "}" },
	{ "SNS, below what is expected", PAYLOAD_SNS, &plain, below,
	  "{\"AlarmName\":\"forebay/pump \\\"7\\\"/pressure\",\"AlarmDescription\":\"alert " ID ", warning\","
	  "\"NewStateValue\":\"ALARM\",\"NewStateReason\":\"" SUMMARY
	  "\",\"StateChangeTime\":\"2024-02-29T12:00:05.123+0000\","
	  "\"OldStateValue\":\"OK\"," TRIGGER("19.5") "}" },
	{ "SNS without a forecast", PAYLOAD_SNS, &plain, of_a_group,
	  "{\"AlarmName\":\"forebay/pump \\\"7\\\"/pressure\",\"AlarmDescription\":\"alert " ID ", warning\","
	  "\"NewStateValue\":\"ALARM\",\"NewStateReason\":\"\",\"StateChangeTime\":\"2024-02-29T12:00:05.123+0000\","
	  "\"OldStateValue\":\"OK\"," TRIGGER("null") "}" },
};

static void
assert_json(struct span got, const char *wanted)
{
	json_error_t why;
	json_t *a = json_loadb(got.ptr, got.len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &why);
	json_t *b = json_loads(wanted, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);

	assert_non_null(b);
	if (!a || !json_equal(a, b))
		fail_msg("%.*s\nis not\n%s\n%s", SPAN_ARG(got), wanted, a ? "" : why.text);
	json_decref(a);
	json_decref(b);
}

static void
makes(void **state)
{
	const struct row *row = *state;
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(PAYLOAD_MAX_BYTES);
	struct alert a = row->make();
	struct err err = ERR_INIT;

	assert_int_equal(payload_make(row->form, row->rule, &a, &out, &err), 0);
	assert_json(buffer_span(&out), row->json);
}

static void
is_bounded(void **state)
{
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(100);
	struct err err = ERR_INIT;

	(void)state;
	for (int form = PAYLOAD_FOREBAY; form <= PAYLOAD_ALERTMANAGER; form++) {
		assert_int_equal(payload_make((enum payload_form)form, &plain, &firing, &out, &err), -1);
		assert_int_equal(err.reason, REASON_RECORD_INVALID);
		assert_int_equal(out.len, 0);
	}
}

/* ---- what is posted ---- */

#define NOW INT64_C(1709300000000000) /* 2024-03-01T13:33:20Z */

static const struct post {
	const char *name, *stored, *posted;
} posts[] = {
	{ "firing: an end that is put off", "{\"labels\":{\"a\":\"b\"},\"startsAt\":\"2024-02-29T12:00:00.000000Z\"}",
	  "[{\"labels\":{\"a\":\"b\"},\"startsAt\":\"2024-02-29T12:00:00.000000Z\",\"endsAt\":\"2024-03-01T13:37:20.000000Z\"}]" },
	{ "a device whose clock is ahead", "{\"startsAt\":\"2031-01-01T00:00:00.000000Z\"}",
	  "[{\"startsAt\":\"2024-03-01T13:33:20.000000Z\",\"endsAt\":\"2024-03-01T13:37:20.000000Z\"}]" },
	{ "resolved", "{\"startsAt\":\"2024-02-29T12:00:00.000000Z\",\"endsAt\":\"2024-02-29T13:00:00.000000Z\"}",
	  "[{\"startsAt\":\"2024-02-29T12:00:00.000000Z\",\"endsAt\":\"2024-02-29T13:00:00.000000Z\"}]" },
	{ "resolved in the future is resolved now",
	  "{\"startsAt\":\"2031-01-01T00:00:00.000000Z\",\"endsAt\":\"2031-01-01T01:00:00.000000Z\"}",
	  "[{\"startsAt\":\"2024-03-01T13:33:20.000000Z\",\"endsAt\":\"2024-03-01T13:33:20.000000Z\"}]" },
};

static void
posts_at_a_time(void **state)
{
	const struct post *post = *state;
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(PAYLOAD_MAX_BYTES);
	struct span stored = span_of(post->stored);
	struct err err = ERR_INIT;

	assert_int_equal(payload_alertmanager_post(&stored, 1, NOW, 240 * US_PER_SECOND, &out, &err), 0);
	assert_json(buffer_span(&out), post->posted);
}

static void
posts_many(void **state)
{
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(PAYLOAD_MAX_BYTES);
	const struct span stored[] = { SPAN("{\"endsAt\":\"1\"}"), SPAN("{\"endsAt\":\"2\"}"), SPAN("no JSON") };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(payload_alertmanager_post(stored, 2, NOW, 1, &out, &err), 0);
	assert_json(buffer_span(&out), "[{\"endsAt\":\"1\"},{\"endsAt\":\"2\"}]");
	assert_int_equal(payload_alertmanager_post(stored, 3, NOW, 1, &out, &err), -1);
	assert_int_equal(err.reason, REASON_RECORD_INVALID);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + ARRAY_LEN(posts) + 2];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[n++] =
		    (struct CMUnitTest){ .name = rows[i].name, .test_func = makes, .initial_state = (void *)&rows[i] };
	for (size_t i = 0; i < ARRAY_LEN(posts); i++)
		tests[n++] = (struct CMUnitTest){ .name = posts[i].name,
						  .test_func = posts_at_a_time,
						  .initial_state = (void *)&posts[i] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(is_bounded);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(posts_many);
	return _cmocka_run_group_tests("payload", tests, n, NULL, NULL);
}
