/* Each member of a structure under its own name in the schema: C literals against the examples. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/record/aggregate.h"
#include "common/record/alert.h"
#include "common/record/anomaly.h"
#include "common/record/audit.h"
#include "common/record/forecast.h"
#include "common/record/heartbeat.h"
#include "common/record/identity_link.h"
#include "common/record/journal.h"
#include "common/record/model.h"
#include "common/record/reading.h"
#include "common/record/score.h"
#include "common/record/series.h"
#include "tests/unit/record/support.h"

#define T0 INT64_C(1709208000000000)

static struct reading_value reading_values[] = {
	{ SPAN("temperature"), NAN, SPAN("Cel"), QUALITY_NOT_A_NUMBER, SPAN("n/a") },
	{ SPAN("humidity"), NAN, { NULL, 0 }, QUALITY_NULL, { NULL, 0 } },
	{ SPAN("pressure"), NAN, SPAN("hPa"), QUALITY_OUT_OF_RANGE, SPAN("-9999") },
	{ SPAN("wind"), 3.25, SPAN("m/s"), QUALITY_GOOD, { NULL, 0 } },
};
static const struct reading reading = { .device = SPAN("Ger\xc3\xa4t-\xc3\x9f/7"),
					.event_us = -1,
					.ingest_us = T0 + 200000,
					.source = SPAN(""),
					.values = reading_values,
					.n_values = 4 };

static double target[] = { 100, 110, 112.5, NAN };
static uint8_t flags[] = { 0, POINT_IMPUTED | POINT_OUTLIER, 1, 1 };
static const struct series series = { .device = SPAN("mote-7"),
				      .metric = SPAN("temperature"),
				      .unit = SPAN("Cel"),
				      .start_us = T0,
				      .step_us = 60000000,
				      .target = target,
				      .flags = flags,
				      .n_target = 4,
				      .readings = 3,
				      .imputed = 2,
				      .outliers = 1,
				      .repeated = 1,
				      .ingest_us = T0 + 300000000 };

static const struct aggregate aggregate = {
	SPAN("mote-7"), SPAN("temperature"), T0, T0 + 3600000000, 3, 70, 5, 65, 75, 65, 75
};

static double levels[] = { .05, .5, .95 }, values[] = { 19.5, 20, 20.75, 19, 20.25, 21.5 };
static double one_level[] = { .5 }, one_value[] = { -0.0 };
static struct forecast_member members[] = { { SPAN("ets"), .25 }, { SPAN("theta"), .75 } };
static const struct forecast forecast = { .device = SPAN("mote-7"),
					  .metric = SPAN("temperature"),
					  .origin_us = T0,
					  .step_us = 3600000000,
					  .levels = levels,
					  .n_levels = 3,
					  .values = values,
					  .n_steps = 2,
					  .model = SPAN("seasonal-naive"),
					  .version = SPAN("1"),
					  .ingest_us = T0 - 1000000 };
static const struct forecast ensemble = { .device = SPAN("mote-7"),
					  .metric = SPAN("temperature"),
					  .origin_us = T0,
					  .step_us = 60000000,
					  .levels = one_level,
					  .n_levels = 1,
					  .values = one_value,
					  .n_steps = 1,
					  .model = SPAN("ensemble"),
					  .version = SPAN(""),
					  .members = members,
					  .n_members = 2,
					  .ingest_us = T0 - 1000000 };

static const struct score score = { SPAN("mote-7"),
				    SPAN("temperature"),
				    T0 + 123456,
				    35.5,
				    1e-9,
				    9,
				    2.5,
				    .0001,
				    1e-7,
				    21,
				    19.5,
				    22.5,
				    T0 + 200000,
				    SPAN("forecast"),
				    1e-5,
				    .01,
				    T0,
				    SPAN("ensemble/1"),
				    { NULL, 0 } };

static struct attribution columns[] = { { SPAN("flow"), .75, ATTRIBUTION_LOW },
					{ SPAN("pressure"), .25, ATTRIBUTION_HIGH },
					{ SPAN("temperature"), 0, ATTRIBUTION_MISSING } };
static const struct score group_score = { .device = SPAN("pump-3"),
					  .metric = SPAN("group:pump"),
					  .event_us = T0 + 123456,
					  .value = 3.25,
					  .p_value = 1e-7,
					  .onset = 7,
					  .state = 1.5,
					  .p_scalar = NAN,
					  .p_forecast = NAN,
					  .expected = NAN,
					  .lower = NAN,
					  .upper = NAN,
					  .ingest_us = T0 + 200000,
					  .basis = SPAN("none"),
					  .p_forest = 1e-7,
					  .p_neighbours = NAN,
					  .forecast_origin_us = TIME_NONE,
					  .attribution = { columns, ARRAY_LEN(columns) } };

static const struct anomaly onset = {
	.device = SPAN("mote-7"),
	.metric = SPAN("temperature"),
	.event_us = T0 + 123456,
	.kind = ANOMALY_ONSET,
	.value = 35.5,
	.expected = 21,
	.lower = 19.5,
	.upper = 22.5,
	.p_value = 1e-9,
	.onset = 9,
	.state = 2.5,
	.p_scalar = .0001,
	.p_forecast = 1e-7,
	.p_forest = 1e-5,
	.p_neighbours = NAN,
	.forecast_origin_us = T0,
	.model = SPAN("ensemble/1"),
	.detector = SPAN("forecast"),
	.reason = SPAN("temperature 35.5 is far above the expected 21 (5–95 %: 19.5–22.5)"),
	.alert = SPAN("0123456789abcdef0123456789abcdef"),
	.ingest_us = T0 + 200000,
};

static const struct alert alert = {
	.id = SPAN("0123456789abcdef0123456789abcdef"),
	.device = SPAN("mote-7"),
	.metric = SPAN("temperature"),
	.status = ALERT_RESOLVED,
	.severity = ALERT_WARNING,
	.starts_us = T0 + 123456,
	.event_us = T0 + 600000000,
	.p_value = 1e-9,
	.value = 21.5,
	.expected = NAN,
	.lower = NAN,
	.upper = NAN,
	.summary = SPAN(""),
	.ingest_us = T0 + 600100000,
};
static const struct alert firing = {
	.id = SPAN("0123456789abcdef0123456789abcdef"),
	.device = SPAN("mote-7"),
	.metric = SPAN("temperature"),
	.status = ALERT_FIRING,
	.severity = ALERT_CRITICAL,
	.starts_us = T0 + 123456,
	.event_us = T0 + 123456,
	.p_value = 1e-9,
	.value = 35.5,
	.expected = 21,
	.lower = 19.5,
	.upper = 22.5,
	.summary = SPAN("temperature of mote-7 is 35.5, 19.5 to 22.5 was expected"),
	.ingest_us = T0 + 200000,
	.detector = SPAN("forecast"),
};

static struct model_figure figures[] = { { SPAN("wql"), .0417 }, { SPAN("coverage.95"), .93 } };
static const struct model model = {
	.name = SPAN("ets-hourly"),
	.version = SPAN("2024-02-29.1"),
	.family = SPAN("ets"),
	.status = MODEL_LIVE,
	.created_us = T0,
	.from_us = T0 - INT64_C(2592000000000),
	.to_us = T0,
	.parent = SPAN("2024-02-22.1"),
	.figures = figures,
	.n_figures = 2,
	.artefact = SPAN("\0\1\2\3\4\xff"),
	.sha256 = SPAN(
	    "\0\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"),
};
static const struct model elsewhere = {
	.name = SPAN("deepar-hourly"),
	.version = SPAN("7"),
	.family = SPAN("deepar"),
	.status = MODEL_CANARY,
	.created_us = T0,
	.from_us = T0 - INT64_C(2592000000000),
	.to_us = T0,
	.canary_share = .05,
	.uri = SPAN("s3://models/deepar-hourly/7"),
};

static struct span sealed[] = { SPAN("owner.name"), SPAN("owner.phone") };
static const struct identity_link link = {
	.pseudonym = SPAN("p-6f1c2a"),
	.device = SPAN("meter-12"),
	.source = SPAN("billing"),
	.fields = sealed,
	.n_fields = 2,
	.algorithm = SPAN("AES-256-GCM"),
	.key_id = SPAN("file:2024-01"),
	.wrapped_key = SPAN("\xff\0\1\2\3\4\5\6"),
	.nonce = SPAN("\0\1\2\3\4\5\6\7\x8\x9\xa\xb"),
	.ciphertext = SPAN("\xde\xad\xbe\xef\0\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf"),
	.ingest_us = T0 + 200000,
};

static struct heartbeat_partition partitions[] = { { SPAN("telemetry.readings"), 0, 120345, 17 },
						   { SPAN("telemetry.deferred"), 0, -1, LAG_UNKNOWN } };
static const struct heartbeat heartbeat = { SPAN("realtime-scorer"), SPAN("realtime-scorer-0"), SPAN("0.1.0"), T0,
					    T0 - 8000000000,         SPAN("running"),           partitions,    2 };

static struct audit_detail details[] = { { SPAN("wql"), SPAN("0.0400") }, { SPAN("wql.live"), SPAN("0.0417") } };
static const struct audit audit = { T0,
				    SPAN("model-trainer-0"),
				    SPAN("model.promote"),
				    SPAN("deepar-hourly/7"),
				    SPAN("wql 0.0400 against 0.0417"),
				    details,
				    2 };

static const struct journal journal = {
	SPAN("realtime-scorer"),
	SPAN("telemetry.readings"),
	3,
	120345,
	SPAN("models"),
	3,
	10,
	12,
	4,
	JOURNAL_APPLIED,
	{ NULL, 0 },
	{ NULL, 0 },
};
static const struct journal note = {
	SPAN("realtime-scorer"),
	SPAN("telemetry.readings"),
	3,
	120345,
	SPAN("telemetry.readings"),
	3,
	120345,
	120346,
	4,
	JOURNAL_NOTED,
	SPAN("forecast:dev-1"),
	{ "\0\1\xff", 3 },
};

static const struct row {
	const char *example;
	const struct record_type *type;
	const void *record;
} rows[] = {
	{ "Reading-bad-value.json", &reading_record, &reading },
	{ "Series-window.json", &series_record, &series },
	{ "Aggregate-hour.json", &aggregate_record, &aggregate },
	{ "Forecast-two-steps.json", &forecast_record, &forecast },
	{ "Forecast-ensemble.json", &forecast_record, &ensemble },
	{ "Score-forecast.json", &score_record, &score },
	{ "Score-group.json", &score_record, &group_score },
	{ "Anomaly-onset.json", &anomaly_record, &onset },
	{ "Alert-resolved.json", &alert_record, &alert },
	{ "Alert-firing.json", &alert_record, &firing },
	{ "Model-inline.json", &model_record, &model },
	{ "Model-elsewhere.json", &model_record, &elsewhere },
	{ "IdentityLink-sealed.json", &identity_link_record, &link },
	{ "Heartbeat-running.json", &heartbeat_record, &heartbeat },
	{ "Audit-promote.json", &audit_record, &audit },
	{ "Journal-models.json", &journal_record, &journal },
	{ "Journal-noted.json", &journal_record, &note },
};

static void
structures_are_examples(void **state)
{
	CLEANUP(registry_free)
	struct registry *registry = support_registry();

	for (const struct row *row = rows; row < rows + ARRAY_LEN(rows); row++) {
		CLEANUP(buffer_clear)
		struct buffer text = BUFFER_INIT(0), bytes = BUFFER_INIT(0), shown = BUFFER_INIT(0);
		CLEANUP(codec_free)
		struct codec *codec = NULL;
		json_t *want, *got;

		support_example(row->example, &text);
		OK(codec_new(registry, row->type, "any", &codec, why));
		OK(codec_encode(codec, row->record, &bytes, why));
		OK(codec_to_json(registry, buffer_span(&bytes), SPAN_NONE, &shown, why));
		want = json_loads(text.ptr, 0, NULL);
		got = json_loadb(shown.ptr, shown.len, 0, NULL);
		if (!want || !json_equal(want, got))
			fail_msg("%s: became %.*s", row->example, (int)shown.len, shown.ptr);
		json_decref(want);
		json_decref(got);
	}
}

/* The way back, for what JSON does not show: NaN for null, SPAN_NONE for null, an empty text that is not SPAN_NONE. */
static void
nulls_come_back(void **state)
{
	CLEANUP(registry_free)
	struct registry *registry = support_registry();
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(0);
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	CLEANUP(codec_free)
	struct codec *codec = NULL;
	struct reading r;

	OK(codec_new(registry, &reading_record, "telemetry.readings", &codec, why));
	OK(codec_encode(codec, &reading, &bytes, why));
	OK(codec_decode(codec, buffer_span(&bytes), SPAN_NONE, arena, &r, why));
	memset(bytes.ptr, 0, bytes.len); /* what was read does not point into the value */
	assert_int_equal(r.event_us, -1);
	assert_int_equal(r.n_values, 4);
	assert_non_null(r.source.ptr);
	assert_int_equal(r.source.len, 0);
	assert_true(isnan(r.values[0].value));
	assert_true(span_equal(r.values[0].text, SPAN("n/a")));
	assert_int_equal(r.values[0].quality, QUALITY_NOT_A_NUMBER);
	assert_null(r.values[1].unit.ptr);
	assert_null(r.values[3].text.ptr);
	assert_true(r.values[3].value == 3.25);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structures_are_examples),
		cmocka_unit_test(nulls_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
