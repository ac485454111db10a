/*
 * restart.c -- histories that were stored and read back go on as if they had stayed; so do those that were folded in silence.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "tests/unit/batch-forecaster/bench.h"

#define WINDOW 5
#define WINDOWS 120

/* Window I of one of three series: with unknown points, holes, long gaps, repetitions, other units and steps. */
static void
give(struct workbench *b, uint64_t i)
{
	static const struct span units[] = { SPAN("Cel"), { NULL, 0 }, SPAN("Cel"), SPAN("K") };
	uint64_t which = i % 3, n = i / 3;
	int64_t at = (int64_t)n + (n > 50 ? 1 : 0) + (n > 70 ? 30 : 0) - (random_uniform(1, 0, i) < 0.1);
	double target[WINDOW];
	uint8_t flags[WINDOW] = { 0 };
	struct series s = { .device = which < 2 ? SPAN("d0") : SPAN("d1"),
			    .metric = which == 1 ? SPAN("b") : SPAN("a"),
			    .unit = units[n / 25 % 4],
			    .start_us = at * WINDOW * STEP,
			    .step_us = n == 90 ? STEP / 2 : STEP,
			    .sequence = (int64_t)n,
			    .target = target,
			    .flags = flags,
			    .n_target = WINDOW,
			    .ingest_us = (int64_t)n };
	struct err err = ERR_INIT;

	for (int64_t k = 0; k < WINDOW; k++)
		target[k] =
		    random_uniform(2, which, (uint64_t)(at * WINDOW + k)) < 0.1
			? NAN
			: (double)((at * WINDOW + k) % 6) + random_normal(3, which, (uint64_t)(at * WINDOW + k)) / 8;
	if (workbench_record(b, "telemetry.series", &series_record, which < 2 ? "d0" : "d1", &s, &err) < 0)
		fail_msg("%s", err.text);
}

/* Windows [FROM, TO), a commit every 4 of them; after every RELOADS commits (0: never) all states are read back. */
static void
give_all(struct workbench *b, uint64_t from, uint64_t to, uint64_t reloads)
{
	for (uint64_t i = from; i < to; i++) {
		give(b, i);
		if ((i + 1) % 4)
			continue;
		workbench_commit(b);
		if (reloads && (i + 1) / 4 % reloads == 0)
			workbench_reload(b);
	}
}

static void
reading_back_changes_nothing(void **state)
{
	static const uint64_t reloads[] = { 1, 3, 17 };

	for (int64_t batch = 1; batch <= 10; batch *= 10) {
		struct forecaster f = bench_forecaster(batch);
		CLEANUP(workbench_free) struct workbench *plain = workbench_new(&bench_spec, &f);

		give_all(plain, 0, 3 * WINDOWS, 0);
		assert_true(workbench_count(plain, "d1", "forecasts: ") > 80);
		assert_true(metric_value(f.outcomes[WINDOW_RESTART]) > 6 && metric_value(f.outcomes[WINDOW_OLD]) > 6);
		for (size_t i = 0; i < ARRAY_LEN(reloads); i++) {
			struct forecaster g = bench_forecaster(batch);
			CLEANUP(workbench_free) struct workbench *b = workbench_new(&bench_spec, &g);

			give_all(b, 0, 3 * WINDOWS, reloads[i]);
			workbench_assert_same(plain, b);
		}
	}
}

/* The states are the same as if it had been loud, and what follows is, too. */
static void
silence_changes_nothing(void **state)
{
	static const uint64_t prefixes[] = { 4, 120, 272, 3 * WINDOWS };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		struct forecaster f = bench_forecaster(10), g = bench_forecaster(10);
		CLEANUP(workbench_free)
		struct workbench *loud = workbench_new(&bench_spec, &f), *b = workbench_new(&bench_spec, &g);
		size_t before[2];

		give_all(loud, 0, prefixes[i], 0);
		before[0] = strlen(workbench_sent(loud, "d0"));
		before[1] = strlen(workbench_sent(loud, "d1"));
		workbench_silent(b, true, NULL);
		give_all(b, 0, prefixes[i], 2);
		workbench_assert_same_states(loud, b);
		assert_int_equal(map_count(g.waiting), 0);
		for (size_t k = 0; k < ARRAY_LEN(g.serving.bases); k++)
			assert_true(metric_value(g.serving.bases[k]) == 0);
		assert_true(metric_value(g.outcomes[WINDOW_NEW]) == 0);
		workbench_silent(b, false, NULL);
		give_all(loud, prefixes[i], 3 * WINDOWS, 0);
		give_all(b, prefixes[i], 3 * WINDOWS, 0);
		assert_string_equal(workbench_sent(b, "d0"), workbench_sent(loud, "d0") + before[0]);
		assert_string_equal(workbench_sent(b, "d1"), workbench_sent(loud, "d1") + before[1]);
		workbench_assert_same_states(loud, b);
	}
}

/* Also in a transaction that is given up, where a series was waiting before the store went down. */
static void
the_store_is_down(void **state)
{
	struct forecaster f = bench_forecaster(10), g = bench_forecaster(10);
	CLEANUP(workbench_free)
	struct workbench *plain = workbench_new(&bench_spec, &f), *b = workbench_new(&bench_spec, &g);
	double target[] = { 1 };
	uint8_t flags[] = { 0 };
	struct series s = { .device = SPAN("d0"),
			    .metric = SPAN("a"),
			    .start_us = 1000 * WINDOW * STEP,
			    .step_us = STEP,
			    .target = target,
			    .flags = flags,
			    .n_target = 1 };
	struct err err = ERR_INIT;

	give_all(plain, 0, 200, 0);
	give_all(b, 0, 101, 0);
	workbench_store_down(b, 0);
	assert_int_equal(workbench_record(b, "telemetry.series", &series_record, "d0", &s, &err), -1);
	assert_int_equal(err.reason, REASON_STORE_DOWN);
	workbench_abort(b);
	give_all(b, 100, 200, 0);
	workbench_assert_same(plain, b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_back_changes_nothing),
		cmocka_unit_test(silence_changes_nothing),
		cmocka_unit_test(the_store_is_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
