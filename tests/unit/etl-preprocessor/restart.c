/*
 * restart.c -- states that were stored and read back go on as if they had stayed; so do those that were folded in silence.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "common/record/reading.h"
#include "tests/support/workbench.h"
#include "workers/etl-preprocessor/preprocessor.h"
#include "workers/etl-preprocessor/state.h"

#define SECOND INT64_C(1000000)
#define RECORDS 900
#define DEVICES 3

static const struct worker_spec spec = {
	.name = "etl-preprocessor",
	.topics = "telemetry.readings,telemetry.deferred",
	.open = preprocessor_open,
	.record = preprocessor_record,
	.state = &etl_state,
};

static char series_topic[] = "telemetry.series", aggregates_topic[] = "telemetry.aggregates";

static struct preprocessor
preprocessor(uint64_t round)
{
	return (struct preprocessor){ .opt = { .series_topic = series_topic,
					       .aggregates_topic = aggregates_topic,
					       .step_ms = 1000,
					       .lateness_ms = 5000,
					       .reorder_max = 8,
					       .repeat_policy = (int)(round % 2),
					       .late_policy = 1,
					       .resample = (int)(round % 2),
					       .outlier_policy = (int)(round % 3),
					       .outlier_threshold = 3,
					       .outlier_warmup = 20,
					       .outlier_restart = 10,
					       .gap_fill = (int)(round / 2 % 3),
					       .gap_fill_max_steps = 5,
					       .gap_max_steps = 20,
					       .window_steps = 1 + (int64_t)(round % 12),
					       .window_ms = round % 4 == 3 ? 7000 : 0 } };
}

/* In disorder, with gaps, jumps, wild stamps, repetitions, bad values, outliers; units come, go and are empty. */
static void
give(struct workbench *b, uint64_t i)
{
	static const char *const devices[DEVICES] = { "d0", "d1", "d2" };
	static const struct span units[] = { SPAN("Cel"), { NULL, 0 }, SPAN(""), SPAN("K") };
	double dice = random_uniform(1, 0, i);
	int64_t time = (int64_t)i * SECOND / 4 - (int64_t)(6e6 * random_uniform(2, 0, i)) +
		       (i > 500 ? 100 * SECOND : 0) + (i > 700 ? 30 * SECOND : 0) + (dice > 0.99 ? 50000 * SECOND : 0);
	int64_t event_us = dice < 0.2 ? time - time % SECOND : time;
	struct reading_value values[] = {
		{ .metric = SPAN("t"),
		  .value = random_normal(3, 0, i) * (dice < 0.03 ? 50 : 1),
		  .unit = units[i / 50 % 4],
		  .quality = QUALITY_GOOD },
		{ .metric = SPAN("h"),
		  .value = i % 7 ? (double)(i % 50) / 4 : NAN,
		  .quality = i % 7 ? QUALITY_GOOD : QUALITY_NULL },
	};
	struct reading r = { .device = span_of(devices[i % DEVICES]),
			     .event_us = event_us,
			     .ingest_us = (int64_t)i * SECOND,
			     .source = SPAN("test"),
			     .values = values,
			     .n_values = i % 5 ? 2 : 1 };
	struct err err = ERR_INIT;

	if (workbench_record(b, "telemetry.readings", &reading_record, devices[i % DEVICES], &r, &err) < 0)
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

	for (uint64_t round = 0; round < 12; round++) {
		struct preprocessor p = preprocessor(round);
		CLEANUP(workbench_free) struct workbench *plain = workbench_new(&spec, &p);

		give_all(plain, 0, RECORDS, 0);
		assert_true(workbench_count(plain, "d0", "telemetry.series: ") > 5);
		for (size_t i = 0; i < ARRAY_LEN(reloads); i++) {
			struct preprocessor q = preprocessor(round);
			CLEANUP(workbench_free) struct workbench *b = workbench_new(&spec, &q);

			give_all(b, 0, RECORDS, reloads[i]);
			workbench_assert_same(plain, b);
		}
	}
}

static double
sum_of_outcomes(const struct preprocessor *p)
{
	double sum = 0;

	for (size_t i = 0; i < OUTCOMES; i++)
		sum += metric_value(p->outcomes[i]);
	return sum;
}

/* The states are the same as if it had been loud, and what follows is, too. */
static void
silence_changes_nothing(void **state)
{
	static const uint64_t prefixes[] = { 10, 250, 600, RECORDS };

	for (uint64_t round = 0; round < 12; round++) {
		for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
			struct preprocessor p = preprocessor(round), q = preprocessor(round);
			CLEANUP(workbench_free) struct workbench *loud = workbench_new(&spec, &p);
			CLEANUP(workbench_free) struct workbench *b = workbench_new(&spec, &q);
			size_t before[DEVICES];
			char device[] = "d0";

			give_all(loud, 0, prefixes[i], 0);
			for (int d = 0; d < DEVICES; d++)
				before[d] = strlen(workbench_sent(loud, (device[1] = (char)('0' + d), device)));
			give_all(loud, prefixes[i], RECORDS, 0);
			workbench_silent(b, true, NULL);
			give_all(b, 0, prefixes[i], 2);
			assert_true(sum_of_outcomes(&q) == 0);
			assert_string_equal(workbench_sent(b, "d0"), "");
			workbench_silent(b, false, NULL);
			give_all(b, prefixes[i], RECORDS, 0);
			for (int d = 0; d < DEVICES; d++) {
				device[1] = (char)('0' + d);
				assert_string_equal(workbench_sent(b, device),
						    workbench_sent(loud, device) + before[d]);
			}
			workbench_assert_same_states(loud, b);
		}
	}
}

/* The second state of a record cannot be had: the first has not changed, and the record can be repeated. */
static void
all_or_nothing(void **state)
{
	struct preprocessor p = preprocessor(0), q = preprocessor(0);
	CLEANUP(workbench_free) struct workbench *plain = workbench_new(&spec, &p), *b = workbench_new(&spec, &q);
	CLEANUP(buffer_clear) struct buffer before = BUFFER_INIT(0), after = BUFFER_INIT(0);

	give_all(plain, 0, 200, 0);
	for (uint64_t i = 0; i < 200; i++) {
		if (i % 5 && i > 20) {
			struct reading_value values[] = { { .metric = SPAN("t"), .value = 1 },
							  { .metric = SPAN("h"), .value = 1 } };
			struct reading r = { .device = SPAN("d1"),
					     .event_us = (int64_t)i * SECOND,
					     .source = SPAN("test"),
					     .values = values,
					     .n_values = 2 };
			struct err err = ERR_INIT;

			before.len = after.len = 0;
			workbench_images(b, &before);
			workbench_store_down(b, 1);
			assert_int_equal(workbench_record(b, "telemetry.readings", &reading_record, "d1", &r, &err),
					 -1);
			assert_int_equal(err.reason, REASON_STORE_DOWN);
			workbench_images(b, &after);
			assert_int_equal(before.len, after.len);
			assert_memory_equal(before.ptr, after.ptr, before.len);
		}
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
		cmocka_unit_test(all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
