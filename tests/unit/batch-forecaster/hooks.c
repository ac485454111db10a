/*
 * hooks.c -- the worker's hooks with real records: every new window gives one forecast from the history up to its end,
 * wherever transactions begin, end and fail, and whatever became of Redis.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "tests/unit/batch-forecaster/bench.h"

#define WINDOW 5
#define SERIES 3 /* d0 a, d0 b, d1 a */
#define WINDOWS 12

static struct forecaster
forecaster(int64_t batch_max_series)
{
	return bench_forecaster(batch_max_series);
}

static double
value_of(int series, int64_t step)
{
	return (double)(100 * series + step % 6) + floor(8 * random_uniform(7, (uint64_t)series, (uint64_t)step)) / 8;
}

static int
give(struct workbench *b, const char *key, int series, int64_t window, struct err *err)
{
	double target[WINDOW];
	uint8_t flags[WINDOW] = { 0 };
	struct series s = { .device = series < 2 ? SPAN("d0") : SPAN("d1"),
			    .metric = series == 1 ? SPAN("b") : SPAN("a"),
			    .start_us = window * WINDOW * STEP,
			    .step_us = STEP,
			    .sequence = window,
			    .target = target,
			    .flags = flags,
			    .n_target = WINDOW,
			    .ingest_us = window };

	for (int i = 0; i < WINDOW; i++)
		target[i] = value_of(series, window * WINDOW + i);
	return workbench_record(b, "telemetry.series", &series_record, key ? key : series < 2 ? "d0" : "d1", &s, err);
}

static void
give_all(struct workbench *b, int64_t from, int64_t to)
{
	struct err err = ERR_INIT;

	for (int64_t window = from; window < to && window < WINDOWS; window++)
		for (int series = 0; series < SERIES; series++)
			assert_int_equal(give(b, NULL, series, window, &err), 0);
}

/* The lines of one series out of what a device has sent: two series of a device may alternate differently. */
static void
lines_of(struct workbench *b, int series, char *lines, size_t bytes)
{
	const char *metric = series == 1 ? "\"metric\":\"b\"" : "\"metric\":\"a\"", *next;
	size_t n = 0;

	for (const char *at = workbench_sent(b, series < 2 ? "d0" : "d1"); *at; at = next + 1) {
		next = strchr(at, '\n');
		if (memmem(at, (size_t)(next - at), metric, strlen(metric)))
			n += (size_t)snprintf(lines + n, bytes - n, "%.*s\n", (int)(next - at), at);
		assert_true(n < bytes);
	}
}

static void
any_transactions(void **state)
{
	static char expected[SERIES][100000], lines[100000];
	CLEANUP(buffer_clear) struct buffer first = BUFFER_INIT(0), images = BUFFER_INIT(0);
	static const int64_t sizes[] = { 1, 2, 3, 100 };

	for (size_t size = 0; size < ARRAY_LEN(sizes); size++)
		for (int64_t commit_every = 1; commit_every <= WINDOWS; commit_every++) {
			struct forecaster f = forecaster(sizes[size]);
			CLEANUP(workbench_free) struct workbench *b = workbench_new(&bench_spec, &f);

			for (int64_t from = 0; from < WINDOWS; from += commit_every) {
				give_all(b, from, from + 1 + commit_every / 2);
				workbench_abort(b);
				give_all(b, from, from + commit_every);
				workbench_commit(b);
				assert_int_equal(map_count(f.waiting), 0);
			}
			for (int series = 0; series < SERIES; series++) {
				lines_of(b, series, lines, sizeof(lines));
				if (size == 0 && commit_every == 1)
					strcpy(expected[series], lines);
				assert_string_equal(lines, expected[series]);
			}
			images.len = 0;
			workbench_images(b, &images);
			if (size == 0 && commit_every == 1)
				assert_int_equal(buffer_append(&first, images.ptr, images.len), 0);
			assert_true(span_equal(buffer_span(&images), buffer_span(&first)));
			assert_int_equal(workbench_count(b, "d0", "forecasts: "), 2 * WINDOWS);
			assert_int_equal(workbench_count(b, "d1", "forecasts: "), WINDOWS);
		}
}

/* N numbers as they are kept: floats relative to BASE. */
static void
narrow(double *numbers, size_t n, double base)
{
	for (size_t i = 0; i < n; i++) {
		volatile float kept = (float)(numbers[i] - base); /* gcc 12 -O2 forgets to round two of them at once */

		numbers[i] = base + (double)kept;
	}
}

/* The line of the last window's forecast is the one that a panel gives for all values so far, knowing what was learnt. */
static void
tells_the_truth(void **state)
{
	struct forecaster f = forecaster(10);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&bench_spec, &f);
	CLEANUP(buffer_clear) struct buffer expected = BUFFER_INIT(0);
	CLEANUP(panel_free) struct panel *panel = NULL;
	double history[60], values[12], combined[12], members[12 * PANEL_MEMBERS];
	bool trained;
	const struct panel_rule rule = plan_rule(&f.plan, STEP, &trained);
	struct target target = { .start_us = 0, .values = history, .n = 60 };
	struct panelist learnt = { 0 };
	struct panel_request request = { &target, &learnt, 0 };
	struct panel_forecast forecast = { .values = values, .combined = combined, .members = members };
	struct err err = ERR_INIT;

	for (int i = 0; i < 60; i++)
		history[i] = value_of(2, i);
	assert_int_equal(panel_new(&rule, NULL, NULL, &panel, &err), 0);
	for (size_t window = 1; window <= WINDOWS;
	     window++) { /* steps 0 and 2 of each forecast come with the next one */
		static const size_t steps[] = { 0, 2 };

		target.n = window * WINDOW;
		assert_int_equal(panel_forecast(panel, &request, &forecast, 1, &err), 0);
		for (size_t i = 0; window < WINDOWS && i < 2; i++) {
			double *row = combined + steps[i] * 3, *said = members + steps[i] * PANEL_MEMBERS * 3;
			double base = row[1];

			narrow(row, 3, base);
			narrow(said, 3 * PANEL_MEMBERS, base);
			panel_learn(panel, &learnt, steps[i], forecast.awake, said, row, history[target.n + steps[i]],
				    forecast.scale);
		}
	}
	give_all(b, 0, WINDOWS);
	workbench_commit(b);
	buffer_text(&expected, "\"values\":[");
	for (int i = 0; i < 12; i++) {
		buffer_text(&expected, i ? "," : "");
		buffer_json_number(&expected, values[i]);
	}
	buffer_append(&expected, "]", 2);
	if (workbench_count(b, "d1", expected.ptr) != 1)
		fail_msg("%s\nis not in\n%s", expected.ptr, workbench_sent(b, "d1"));
	assert_int_equal(workbench_count(b, "d1", "\"ingest_time\":11"), 1 + 2);
	assert_true(workbench_count(b, "d1", "\"model\":\"ensemble\"") > 0);
	assert_true(metric_value(f.serving.bases[FORECAST_CLASSICAL]) > metric_value(f.serving.bases[FORECAST_NAIVE]));
	assert_true(metric_value(f.serving.bases[FORECAST_NAIVE]) > 0);
}

static void
repeats_are_ignored(void **state)
{
	struct forecaster f = forecaster(10);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&bench_spec, &f);

	give_all(b, 0, 3);
	give_all(b, 1, 2);
	workbench_commit(b);
	give_all(b, 0, 3);
	workbench_commit(b);
	assert_int_equal(workbench_count(b, "d1", "forecasts: "), 3);
	assert_true(metric_value(f.outcomes[WINDOW_OLD]) == 4 * SERIES);
}

static void
without_redis(void **state)
{
	static char dead_cache[] = "redis://127.0.0.1:1";
	struct forecaster f = forecaster(10);
	struct workbench *b;

	f.opt.cache_uri = dead_cache;
	b = workbench_new(&bench_spec, &f);
	give_all(b, 0, 3);
	workbench_commit(b);
	assert_int_equal(workbench_count(b, "d1", "forecasts: "), 3);
	workbench_free(b);
}

/* The greatest numbers there are, with either sign, alone and among small ones: what cannot be said of them stops nobody. */
static void
greatest_numbers(void **state)
{
	struct forecaster f = forecaster(10);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&bench_spec, &f);
	struct err err = ERR_INIT;

	for (int64_t window = 0; window < 60; window++) {
		double target[WINDOW];
		uint8_t flags[WINDOW] = { 0 };
		struct series s = { .device = SPAN("d0"),
				    .metric = SPAN("m"),
				    .start_us = window * WINDOW * STEP,
				    .step_us = STEP,
				    .target = target,
				    .flags = flags,
				    .n_target = WINDOW };

		for (int64_t i = 0; i < WINDOW; i++) {
			double sign = random_uniform(1, 0, (uint64_t)(window * WINDOW + i)) < .5 ? -1 : 1;

			target[i] = window % 20 < 5 ? sign : window % 20 < 10 ? sign * DBL_MAX : sign * 0x1p-1074;
		}
		if (workbench_record(b, "telemetry.series", &series_record, "d0", &s, &err) < 0)
			fail_msg("window %d: %s", (int)window, err.text);
		workbench_commit(b);
	}
	assert_int_equal(workbench_count(b, "d0", "forecasts: "), 60);
	assert_true(workbench_count(b, "d0", "forecasts.outcomes: ") > 30);
	workbench_reload(b);
}

static void
nothing_known(void **state)
{
	double target[] = { NAN, NAN };
	uint8_t flags[2] = { 0 };
	struct series s = { .device = SPAN("d"),
			    .metric = SPAN("m"),
			    .step_us = STEP,
			    .target = target,
			    .flags = flags,
			    .n_target = 2 };
	struct forecaster f = forecaster(10);
	CLEANUP(workbench_free) struct workbench *b = workbench_new(&bench_spec, &f);
	struct err err = ERR_INIT;

	assert_int_equal(workbench_record(b, "telemetry.series", &series_record, "d", &s, &err), 0);
	workbench_commit(b);
	assert_int_equal(workbench_count(b, "d", "forecasts: "), 0);
	s.start_us = INT64_C(253402300790000000); /* the last seconds of the year 9999 */
	assert_int_equal(workbench_record(b, "telemetry.series", &series_record, "d", &s, &err), 0);
	s.start_us += 5 * STEP;
	assert_int_equal(workbench_record(b, "telemetry.series", &series_record, "d", &s, &err), -1);
	assert_int_equal(err.reason, REASON_TIME_RANGE);
	assert_int_equal(give(b, "other", 0, 0, &err), -1);
	assert_int_equal(err.reason, REASON_KEY_MISMATCH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_transactions),    cmocka_unit_test(tells_the_truth),
		cmocka_unit_test(repeats_are_ignored), cmocka_unit_test(without_redis),
		cmocka_unit_test(nothing_known),       cmocka_unit_test(greatest_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
