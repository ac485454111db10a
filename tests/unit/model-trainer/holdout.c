/* holdout.c -- series with a season, judged without any trained network: who takes part, what the losses are, stopping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "common/base/random.h"
#include "workers/model-trainer/holdout.h"

#define SERIES 6
#define POINTS 400

static double values[SERIES][POINTS];
static struct target targets[SERIES];

static bool
never(void)
{
	return false;
}

static bool
at_once(void)
{
	return true;
}

/* An artefact without networks would be no model: the panel is asked to go without DeepAR. */
static struct holdout_rule
rule(size_t most)
{
	struct holdout_rule r = { .windows = 2, .needs = 300, .most = most, .stop = never };
	struct err err = ERR_INIT;

	r.panel = (struct panel_rule){ .horizon = 24,
				       .levels = { .1, .5, .9 },
				       .n_levels = 3,
				       .members = 1U << PANEL_LAST | 1U << PANEL_SEASON,
				       .paths = 1,
				       .calibrate = true };
	assert_int_equal(frequency_parse("1h", &r.panel.frequency, &err), 0);
	return r;
}

static int
make(void **state)
{
	(void)state;
	for (size_t i = 0; i < SERIES; i++) {
		for (size_t t = 0; t < POINTS; t++)
			values[i][t] = i == 4 ? 0
					      : (double)(i + 1) * (10 + 5 * sin((double)t * 2 * M_PI / 24) +
								   .5 * random_normal(1, i, t));
		targets[i] = (struct target){ .values = values[i], .n = POINTS };
	}
	targets[5].n = 299; /* too short */
	return 0;
}

static void
judges(void **state)
{
	struct holdout_rule r = rule(100);
	struct holdout h = { 0 };
	struct err err = ERR_INIT;
	bool stopped;

	(void)state;
	assert_int_equal(holdout_run(&r, NULL, NULL, targets, SERIES, &h, &stopped, &err), 0);
	assert_false(stopped);
	assert_int_equal(h.n, 5);
	assert_int_equal(h.failures, 0);
	assert_true(h.latency_ms > 0);
	for (size_t i = 0; i < h.n; i++) {
		const struct gate_series *g = &h.series[i];

		assert_true(g->points == 48 && g->inside80 >= 0 && g->inside80 <= 48);
		if (i == 4) {
			assert_true(g->candidate == 0 && g->naive[0] == 0);
			continue;
		}
		assert_true(g->candidate > 0 && g->candidate < g->naive[0]); /* there is a season */
		assert_true(g->naive[1] < g->naive[0]);
		assert_true(g->naive[2] > 0 && g->naive[2] != g->naive[0]); /* no member, but part of the floor */
		assert_true(isnan(g->live));
	}
	/* Losses are pure numbers: the size of a series is not in them. */
	assert_true(fabs(h.series[3].candidate / h.series[0].candidate - 1) < .5);
	assert_int_equal(h.accuracy.points, 5 * 48);
	holdout_clear(&h);
}

static void
picks_evenly(void **state)
{
	struct holdout_rule r = rule(2);
	struct holdout h = { 0 }, again = { 0 };
	struct err err = ERR_INIT;
	bool stopped;

	(void)state;
	assert_int_equal(holdout_run(&r, NULL, NULL, targets, SERIES, &h, &stopped, &err), 0);
	assert_int_equal(holdout_run(&r, NULL, NULL, targets, SERIES, &again, &stopped, &err), 0);
	assert_int_equal(h.n, 2);
	assert_memory_equal(&h.series[0].candidate, &again.series[0].candidate, sizeof(double));
	holdout_clear(&h);
	holdout_clear(&again);
	r.stop = at_once;
	assert_int_equal(holdout_run(&r, NULL, NULL, targets, SERIES, &h, &stopped, &err), 0);
	assert_true(stopped && h.n == 0);
	holdout_clear(&h);
}

static void
nobody(void **state)
{
	struct holdout_rule r = rule(2);
	struct holdout h = { 0 };
	struct err err = ERR_INIT;
	bool stopped;

	(void)state;
	assert_int_equal(holdout_run(&r, NULL, NULL, targets + 5, 1, &h, &stopped, &err), 0);
	assert_int_equal(h.n, 0);
	holdout_clear(&h);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(judges), cmocka_unit_test(picks_evenly),
						   cmocka_unit_test(nobody) };

	return cmocka_run_group_tests(tests, make, NULL);
}
