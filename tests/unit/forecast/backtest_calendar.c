/*
 * tests/unit/forecast/backtest_calendar.c -- origins that are moments of the calendar, whenever each series ends; and what is told of
 * each series.
 */
#include "tests/unit/forecast/backtest_world.h"

#define HOUR INT64_C(3600000000)

static struct backtest
run_by_calendar(const struct panel_rule *rule, size_t windows, size_t n)
{
	const struct backtest_rule how = { .windows = windows, .stride = HORIZON, .calendar = true };
	struct backtest ret = { 0 };
	struct err err = ERR_INIT;

	if (backtest_run(rule, NULL, &how, targets, n, &ret, &err) < 0)
		fail_msg("%s", err.text);
	return ret;
}

/* Series that end together are judged alike, however origins are counted. */
static void
one_end_is_one_calendar(void **state)
{
	struct panel_rule rule = rule_of("last,season");
	struct backtest b, c;

	(void)state;
	rule.calibrate = true;
	waves();
	for (size_t s = 0; s < SERIES; s++) { /* of different lengths, to the same end */
		targets[s].values = values[s] + s;
		targets[s].n = LENGTH - s;
		targets[s].start_us = (int64_t)s * HOUR;
	}
	b = run(&rule, 5, HORIZON, SERIES);
	c = run_by_calendar(&rule, 5, SERIES);
	assert_memory_equal(&b, &c, sizeof(b));
	assert_int_equal(c.forecasts, 5 * SERIES);
	assert_int_equal(c.cut_short + c.ended + c.too_short, 0);
}

/* Each row: how much earlier the second of two series ends, when it begins, and what of its three windows is left. */
static const struct ragged {
	const char *name;
	size_t earlier, begins;
	uint64_t forecasts, points, cut_short, ended, too_short;
} ragged[] = {
	{ "ends a step earlier", 1, 0, 3, 3 * HORIZON - 1, 1, 0, 0 },
	{ "ends with the second window", HORIZON, 0, 2, 2 * HORIZON, 0, 0, 0 },
	{ "ends within the first", 2 * HORIZON + 2, 0, 1, HORIZON - 2, 1, 0, 0 },
	{ "ends where the first begins", 3 * HORIZON, 0, 0, 0, 0, 1, 0 },
	{ "ended long ago", 5 * HORIZON, 0, 0, 0, 0, 1, 0 },
	{ "begins within the first", 0, LENGTH - 3 * HORIZON + 2, 2, 2 * HORIZON, 0, 0, 0 },
	{ "begins where the last does", 0, LENGTH - HORIZON, 0, 0, 0, 0, 1 },
};

static void
ends_count(void **state)
{
	const struct ragged *row = *state;
	const struct panel_rule rule = rule_of("last");
	struct backtest b;

	waves();
	targets[1] = (struct target){ .values = values[1] + row->begins,
				      .n = LENGTH - row->begins - row->earlier,
				      .start_us = (int64_t)row->begins * HOUR };
	b = run_by_calendar(&rule, 3, 2);
	assert_int_equal(b.forecasts, 3 + row->forecasts);
	assert_int_equal(b.ensemble.points, 3 * HORIZON + row->points);
	assert_int_equal(b.cut_short, row->cut_short);
	assert_int_equal(b.ended, row->ended);
	assert_int_equal(b.too_short, row->too_short);
}

/* What a series that has stopped was, and what another one is later, changes nothing of what is forecast before. */
static void
sees_nothing_behind_the_calendar(void **state)
{
	struct panel_rule rule = rule_of("last,season,ridge");
	struct backtest usual, wild;

	(void)state;
	rule.calibrate = true;
	waves();
	targets[1].n = LENGTH - 2 * HORIZON - 2;
	for (size_t i = LENGTH - HORIZON; i < LENGTH; i++)
		values[0][i] = NAN;
	usual = run_by_calendar(&rule, 2, 2);
	for (size_t i = LENGTH - HORIZON - 3; i < LENGTH - HORIZON; i++)
		values[0][i] = NAN;
	wild = run_by_calendar(&rule, 2, 2);
	assert_int_equal(usual.ensemble.points, HORIZON);
	assert_int_equal(wild.ensemble.points, HORIZON - 3);
	assert_int_equal(usual.ended, 1);
	values[0][LENGTH - 2 * HORIZON - 1] += 1;
	wild = run_by_calendar(&rule, 2, 2);
	assert_true(crps_of(&rule, &wild.ensemble) != crps_of(&rule, &usual.ensemble));
}

/* More windows than anything has cost nothing. */
static void
windows_are_as_many_as_there_are(void **state)
{
	const struct panel_rule rule = rule_of("last");
	struct backtest few, many;

	(void)state;
	waves();
	few = run(&rule, LENGTH / HORIZON, HORIZON, 3);
	many = run(&rule, 1000000000, HORIZON, 3);
	assert_memory_equal(&few, &many, sizeof(few));
	many = run_by_calendar(&rule, 1000000000, 3);
	assert_int_equal(many.forecasts, few.forecasts);
}

/* ---- of each series ---- */

struct own {
	struct accuracy sum;
	size_t next;
	double mase[SERIES];
};

static void
take_own(void *self, size_t i, const struct accuracy *own)
{
	const double levels[LEVELS] = { .05, .1, .5, .9, .95 };
	struct own *o = self;

	assert_int_equal(i, o->next++);
	accuracy_merge(&o->sum, own);
	o->mase[i] = accuracy_figures(own, levels, LEVELS).mase;
}

/* In order, each once, and together all there is. */
static void
tells_of_each_series(void **state)
{
	const struct panel_rule rule = rule_of("last");
	struct own own = { 0 };
	const struct backtest_rule how = { .windows = 3, .stride = HORIZON, .each = take_own, .self = &own };
	struct backtest b = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	waves();
	targets[7].n = HORIZON;
	assert_int_equal(backtest_run(&rule, NULL, &how, targets, SERIES, &b, &err), 0);
	assert_int_equal(own.next, SERIES);
	assert_true(isnan(own.mase[7]) && own.mase[8] > 0);
	assert_int_equal(own.sum.points, b.ensemble.points);
	assert_true(fabs(own.sum.absolute / b.ensemble.absolute - 1) < 1e-12);
	assert_true(fabs(crps_of(&rule, &own.sum) / crps_of(&rule, &b.ensemble) - 1) < 1e-12);
}

/* A series begins to move more between two windows: each window's errors are counted in what was usual before it, as if it were alone. */
static void
each_window_has_its_own_scale(void **state)
{
	const struct panel_rule rule = rule_of("last");
	const size_t first = LENGTH - 10 * HORIZON; /* where the first window ends */
	double mase[3];

	(void)state;
	waves();
	for (size_t i = first; i < LENGTH; i++)
		values[0][i] = 10 + 10 * (values[0][i] - 10);
	for (size_t i = 0; i < 3; i++) {
		struct backtest b;

		targets[0].n = i == 1 ? first : LENGTH;
		b = run(&rule, i == 0 ? 2 : 1, 10 * HORIZON, 1);
		mase[i] = accuracy_figures(&b.ensemble, rule.levels, LEVELS).mase;
	}
	assert_true(mase[1] > 0 && mase[2] > 0);
	assert_true(fabs(mase[0] / ((mase[1] + mase[2]) / 2) - 1) < 1e-12);
}

int
main(void)
{
	const struct CMUnitTest more[] = {
		cmocka_unit_test(one_end_is_one_calendar),          cmocka_unit_test(sees_nothing_behind_the_calendar),
		cmocka_unit_test(windows_are_as_many_as_there_are), cmocka_unit_test(tells_of_each_series),
		cmocka_unit_test(each_window_has_its_own_scale),
	};
	struct CMUnitTest tests[ARRAY_LEN(ragged) + ARRAY_LEN(more)];

	for (size_t n = 0; n < ARRAY_LEN(ragged); n++)
		tests[n] = (struct CMUnitTest){ .name = ragged[n].name,
						.test_func = ends_count,
						.initial_state = (void *)(uintptr_t)&ragged[n] };
	memcpy(tests + ARRAY_LEN(ragged), more, sizeof(more));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
