/* tables.c -- every kind of record as rows of the shipped mapping: what goes in comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "tests/unit/sink-writer/fixture.h"

#define T0 INT64_C(1709210096123457) /* 2024-02-29 12:34:56.123457 */

static void
add(struct fixture *f, const char *topic, int64_t offset, const void *record)
{
	struct err err = ERR_INIT;
	int64_t from;

	if (epoch_of(f->sink.epoch, topic, 1) == 0)
		assert_int_equal(sink_claim(&f->sink, topic, 1, 0, &from, &err), 0);
	if (load_add(&f->sink.load, fixture_input(f, topic, 1, offset), record, &err) < 0)
		fail_msg("%s", err.text);
}

static void
commit(struct fixture *f, const char *topic, int64_t next)
{
	const struct position at = { topic, 1, next };
	struct err err = ERR_INIT;

	if (sink_flush(&f->sink, &err) < 0 || sink_commit(&f->sink, &at, 1, NULL, 0, &err) < 0)
		fail_msg("%s: %s", err_reason_name(err.reason), err.text);
	assert_int_equal(f->sink.load.n_refused, 0);
}

static void
readings(void **state)
{
	struct fixture *f = *state;
	struct reading_value values[] = {
		{ .metric = SPAN("temp"),
		  .value = 0.1,
		  .unit = SPAN("\xc2\xb0"
			       "C") },
		{ .metric = SPAN("state"), .value = NAN, .quality = QUALITY_NOT_A_NUMBER, .text = SPAN("on\t\\N\n") },
	};
	struct reading r = { .device = SPAN("d'1"),
			     .event_us = T0,
			     .ingest_us = T0 + 1,
			     .source = SPAN("s"),
			     .values = values,
			     .n_values = 2 };

	add(f, "telemetry.deferred", 8, &r);
	commit(f, "telemetry.deferred", 9);
	assert_int_equal(
	    fixture_number(f, "SELECT count(*) FROM forebay.readings WHERE device = 'd''1' AND metric = 'temp' AND "
			      "event_time = '2024-02-29 12:34:56.123457Z' AND value = 0.1 AND unit = '°C' AND "
			      "quality = 'good' AND text IS NULL AND ingest_time = '2024-02-29 12:34:56.123458Z' AND "
			      "source = 's' AND origin_topic = 'telemetry.deferred' AND origin_partition = 1 AND "
			      "origin_offset = 8"),
	    1);
	assert_int_equal(
	    fixture_number(f, "SELECT count(*) FROM forebay.readings WHERE metric = 'state' AND value IS NULL AND "
			      "unit IS NULL AND quality = 'not_a_number' AND text = E'on\\t\\\\N\\n'"),
	    1);
}

static void
series_and_aggregates(void **state)
{
	struct fixture *f = *state;
	double target[] = { 1, NAN, 3 };
	uint8_t flags[] = { 0, 1, 6 };
	struct series s = { .device = SPAN("d"),
			    .metric = SPAN("m"),
			    .start_us = T0,
			    .step_us = 60000000,
			    .sequence = 4,
			    .target = target,
			    .flags = flags,
			    .n_target = 3,
			    .readings = 2,
			    .imputed = 1,
			    .late = 9,
			    .ingest_us = T0 };
	struct aggregate a = { .device = SPAN("d"),
			       .metric = SPAN("m"),
			       .start_us = T0,
			       .end_us = T0 + 5,
			       .count = 0,
			       .mean = NAN,
			       .deviation = NAN,
			       .minimum = -1e308,
			       .maximum = 1e308,
			       .first = 5e-324,
			       .last = NAN };

	add(f, "telemetry.series", 0, &s);
	commit(f, "telemetry.series", 1);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.series WHERE target = '{1,NULL,3}' AND "
					   "flags = '\\x000106' AND step_us = 60000000 AND late = 9 AND unit IS NULL"),
			 1);
	add(f, "telemetry.aggregates", 0, &a);
	commit(f, "telemetry.aggregates", 1);
	assert_int_equal(fixture_number(f,
					"SELECT count(*) FROM forebay.aggregates WHERE mean IS NULL AND count = 0 AND "
					"minimum = -1e308 AND maximum = 1e308 AND first = 5e-324"),
			 1);
}

static void
forecasts(void **state)
{
	struct fixture *f = *state;
	double levels[] = { 0.1, 0.5, 0.9 }, values[] = { 1, 2, 3, 4, 5, 6 };
	struct forecast_member members[] = { { SPAN("naive"), 0.25 }, { SPAN("ets"), 0.75 } };
	struct forecast c = { .device = SPAN("d"),
			      .metric = SPAN("m"),
			      .origin_us = T0,
			      .step_us = 60000000,
			      .levels = levels,
			      .n_levels = 3,
			      .values = values,
			      .n_steps = 2,
			      .model = SPAN("ensemble"),
			      .version = SPAN("1"),
			      .members = members,
			      .n_members = 2,
			      .ingest_us = T0 };

	add(f, "forecasts", 0, &c);
	commit(f, "forecasts", 1);
	assert_int_equal(
	    fixture_number(f, "SELECT count(*) FROM forebay.forecasts WHERE quantiles = '{{1,2,3},{4,5,6}}' AND "
			      "levels = '{0.1,0.5,0.9}' AND members = '{naive,ets}' AND weights = '{0.25,0.75}'"),
	    1);
	assert_int_equal(fixture_number(f, "SELECT value FROM forebay.forecast_points WHERE level = 0.9 AND "
					   "step_time = '2024-02-29 12:35:56.123457Z'"),
			 6);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.forecast_points"), 6);
}

static void
outcomes(void **state)
{
	struct fixture *f = *state;
	struct outcome_loss losses[] = { { SPAN("season"), 0.25 }, { SPAN("deepar"), 0.125 } };
	struct outcome o = { .device = SPAN("d"),
			     .metric = SPAN("m"),
			     .origin_us = T0,
			     .event_us = T0 + 120000000,
			     .step = 2,
			     .value = 3,
			     .scale = 20,
			     .loss = 0.5,
			     .lower = 1,
			     .upper = 4,
			     .model = SPAN("deepar-1h"),
			     .version = SPAN("v1"),
			     .model_loss = 0.125,
			     .rival = SPAN("v2"),
			     .rival_loss = 0.75,
			     .members = losses,
			     .n_members = 2,
			     .drift = true,
			     .ingest_us = T0 };

	add(f, "forecasts.outcomes", 0, &o);
	add(f, "forecasts.outcomes", 1, &o);
	o.origin_us -= 1;
	o.n_members = 0;
	o.drift = false;
	o.version = o.rival = SPAN_NONE;
	o.model_loss = o.rival_loss = NAN;
	add(f, "forecasts.outcomes", 2, &o);
	commit(f, "forecasts.outcomes", 3);
	assert_int_equal(
	    fixture_number(f,
			   "SELECT count(*) FROM forebay.outcomes_p202402 WHERE step = 2 AND drift AND version = 'v1' "
			   "AND rival = 'v2' AND model_loss = 0.125 AND rival_loss = 0.75 AND members = "
			   "'{season,deepar}' AND losses = '{0.25,0.125}' AND origin_offset = 0 AND "
			   "event_time = '2024-02-29 12:36:56.123457Z'"),
	    1);
	assert_int_equal(fixture_number(f,
					"SELECT count(*) FROM forebay.outcomes WHERE NOT drift AND version IS NULL AND "
					"model_loss IS NULL AND rival IS NULL AND rival_loss IS NULL AND members IS "
					"NULL AND losses IS NULL"),
			 1);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.outcomes"), 2);
}

static void
scores(void **state)
{
	struct fixture *f = *state;
	struct score s = { .device = SPAN("d"),
			   .metric = SPAN("m"),
			   .event_us = T0,
			   .value = 1,
			   .p_value = 1e-9,
			   .onset = 9,
			   .state = 2,
			   .p_scalar = 0.5,
			   .p_forecast = NAN,
			   .expected = NAN,
			   .lower = NAN,
			   .upper = NAN,
			   .p_forest = NAN,
			   .p_neighbours = 0.25,
			   .forecast_origin_us = TIME_NONE,
			   .ingest_us = T0 };

	add(f, "scores", 0, &s);
	add(f, "scores", 1, &s);
	commit(f, "scores", 2);
	assert_int_equal(
	    fixture_number(f, "SELECT count(*) FROM forebay.scores_p202402 WHERE p_value = 1e-9 AND "
			      "p_forecast IS NULL AND expected IS NULL AND origin_offset = 0 AND p_forest IS "
			      "NULL AND p_neighbours = 0.25 AND forecast_origin IS NULL AND columns IS NULL AND "
			      "shares IS NULL AND directions IS NULL"),
	    1);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.scores"), 1);
}

/* Which columns are to blame are arrays side by side; one value may begin something and be accepted as usual. */
static void
anomalies(void **state)
{
	struct fixture *f = *state;
	struct attribution columns[] = { { SPAN("flow"), 0.75, ATTRIBUTION_LOW },
					 { SPAN("level"), 0, ATTRIBUTION_MISSING } };
	struct anomaly a = { .device = SPAN("d"),
			     .metric = SPAN("group:pump"),
			     .event_us = T0,
			     .kind = ANOMALY_ONSET,
			     .value = 3,
			     .expected = NAN,
			     .lower = NAN,
			     .upper = NAN,
			     .p_value = 1e-9,
			     .p_scalar = NAN,
			     .p_forecast = NAN,
			     .p_forest = 1e-9,
			     .p_neighbours = NAN,
			     .forecast_origin_us = T0 - 60,
			     .model = SPAN("m/1"),
			     .detector = SPAN("group"),
			     .attribution = { columns, ARRAY_LEN(columns) },
			     .reason = SPAN("why"),
			     .alert = SPAN(""),
			     .ingest_us = T0 };

	add(f, "anomalies", 0, &a);
	add(f, "anomalies", 1, &a);
	a.kind = ANOMALY_SHIFT_ACCEPTED;
	add(f, "anomalies", 2, &a);
	commit(f, "anomalies", 3);
	assert_int_equal(
	    fixture_number(f, "SELECT count(*) FROM forebay.anomalies_p202402 WHERE kind = 'onset' AND columns = "
			      "'{flow,level}' AND shares = '{0.75,0}' AND directions = '{low,missing}' AND "
			      "event_time - forecast_origin = '60 microseconds' AND reason = 'why' AND "
			      "expected IS NULL AND p_forest = 1e-9 AND origin_offset = 0"),
	    1);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.anomalies WHERE kind = 'shift_accepted'"), 1);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.anomalies"), 2);
}

static void
alert(struct fixture *f, int64_t offset, const char *id, enum alert_status status, int64_t event_us)
{
	struct alert a = { .id = span_of(id),
			   .device = SPAN("d"),
			   .metric = SPAN("m"),
			   .status = status,
			   .starts_us = T0,
			   .event_us = event_us,
			   .p_value = 0.001,
			   .value = (double)offset,
			   .expected = NAN,
			   .lower = NAN,
			   .upper = NAN,
			   .summary = SPAN("high"),
			   .ingest_us = T0 };

	add(f, "alerts", offset, &a);
}

/* The state of an alert is that of its newest record, in whatever order and batches they come, and however often. */
static void
alerts_keep_the_newest(void **state)
{
	struct fixture *f = *state;

	alert(f, 0, "one", ALERT_FIRING, T0);
	alert(f, 1, "one", ALERT_RESOLVED, T0 + 100);
	alert(f, 2, "two", ALERT_RESOLVED, T0 + 100);
	alert(f, 3, "two", ALERT_FIRING, T0);
	commit(f, "alerts", 4);
	alert(f, 4, "three", ALERT_FIRING, T0);
	alert(f, 5, "one", ALERT_FIRING, T0); /* again */
	commit(f, "alerts", 6);
	alert(f, 6, "three", ALERT_RESOLVED, T0 + 100);
	alert(f, 7, "three", ALERT_FIRING, T0 + 100); /* equally new: the first stays */
	commit(f, "alerts", 8);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.alerts WHERE status = 'resolved'"), 3);
	assert_int_equal(fixture_number(f, "SELECT sum(value) FROM forebay.alerts"), 1 + 2 + 6);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.alert_changes"), 7);
	/* alerts: one + two, three, three newer; changes: 4, 1, 2; repeated: superseded, again twice, equally new */
	assert_int_equal(fixture_number(f, "SELECT rows_inserted * 1000 + rows_repeated FROM forebay.sink_offsets "
					   "WHERE topic = 'alerts'"),
			 11005);
}

/* Of every two rows the second, shorter one fits into what is left of a page before the first one's. */
static void
first_sent_wins(void **state)
{
	enum { N = 4000, LONGEST = 250 };
	struct fixture *f = *state;
	char *text = arena_alloc(f->arena, LONGEST);

	memset(text, 'x', LONGEST);
	for (int64_t offset = 0; offset < N; offset++) {
		bool second = offset % 2;
		struct score s = { .device = SPAN("d"),
				   .metric = SPAN("m"),
				   .event_us = T0 + offset / 2,
				   .value = second,
				   .basis = { text, second ? 0 : (size_t)(offset * 7919 % LONGEST) },
				   .ingest_us = T0 };

		add(f, "scores", offset, &s);
	}
	commit(f, "scores", N);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.scores WHERE value = 0"), N / 2);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.scores"), N / 2);
}

static void
dead_letters(void **state)
{
	struct fixture *f = *state;
	struct span headers[] = { SPAN("forebay.reason=JSON_SYNTAX"), SPAN("forebay.device=\xff\0x"),
				  SPAN("__connect.errors.exception.message=line 1") };
	const struct position at = { "telemetry.raw.dlq", 1, 3 };
	struct err err = ERR_INIT;
	int64_t from;

	assert_int_equal(sink_claim(&f->sink, "telemetry.raw.dlq", 1, 0, &from, &err), 0);
	for (int i = 0; i < 3; i++) {
		struct input *in = fixture_input(f, "telemetry.raw.dlq", 1, i);

		in->value = i == 2 ? SPAN_NONE : (struct span){ "{\0\xff", 3 };
		in->message = &headers[i];
		assert_int_equal(load_add(&f->sink.load, in, NULL, &err), 0);
	}
	assert_int_equal(sink_flush(&f->sink, &err), 0);
	assert_int_equal(f->sink.load.n_refused, 0);
	assert_int_equal(sink_commit(&f->sink, &at, 1, NULL, 0, &err), 0);
	assert_int_equal(
	    fixture_number(f, "SELECT count(*) FROM forebay.dead_letters WHERE payload = '\\x7b00ff' AND key = 'd'"),
	    2);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.dead_letters WHERE reason = 'JSON_SYNTAX' AND "
					   "device IS NULL AND partition = 1 AND time = to_timestamp(1700000000)"),
			 1);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.dead_letters WHERE device = '??x'"), 1);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM forebay.dead_letters WHERE payload IS NULL AND "
					   "message = 'line 1'"),
			 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(readings, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(series_and_aggregates, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(forecasts, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(outcomes, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(scores, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(anomalies, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(alerts_keep_the_newest, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(first_sent_wins, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(dead_letters, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("tables", tests, fixture_group_setup, fixture_group_teardown);
}
