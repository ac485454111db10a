/* tests/unit/forecast/backtest.c -- rolling origins: which there are, what is seen at each, what is learnt in between. */
#include "tests/unit/forecast/backtest_world.h"

/* ---- origins ---- */

static const struct row {
	const char *name;
	size_t length, windows, stride;
	uint64_t forecasts, too_short;
} rows[] = {
	{ "one window", LENGTH, 1, HORIZON, 1, 0 },
	{ "some windows", LENGTH, 5, HORIZON, 5, 0 },
	{ "windows that overlap", LENGTH, 5, 1, 5, 0 },
	{ "windows with gaps", LENGTH, 3, 50, 3, 0 },
	{ "only those with a past", 20, 5, HORIZON, 3, 0 }, /* origins 14, 8, 2 */
	{ "the last window alone", HORIZON + 1, 4, HORIZON, 1, 0 },
	{ "no past at all", HORIZON, 4, HORIZON, 0, 1 },
	{ "nothing", 0, 4, HORIZON, 0, 1 },
};

static void
has_origins(void **state)
{
	const struct row *row = *state;
	const struct panel_rule rule = rule_of("last,season");
	struct backtest b;

	waves();
	targets[0].n = row->length;
	b = run(&rule, row->windows, row->stride, 1);
	assert_int_equal(b.forecasts, row->forecasts);
	assert_int_equal(b.too_short, row->too_short);
	assert_int_equal(b.ensemble.points, row->forecasts * HORIZON);
	assert_int_equal(b.bases[FORECAST_NOTHING], 0);
}

/* ---- what is seen ---- */

/* Two windows far apart, the last not known: nothing of what lies between them matters, and all before the first does. */
static void
sees_no_later_value(void **state)
{
	const struct panel_rule rule = rule_of("last,season,ets,theta,ridge");
	const size_t first = LENGTH - 4 * HORIZON;
	struct backtest usual, wild;

	(void)state;
	waves();
	for (size_t i = LENGTH - HORIZON; i < LENGTH; i++)
		values[0][i] = NAN;
	usual = run(&rule, 2, 3 * HORIZON, 1);
	assert_int_equal(usual.forecasts, 2);
	assert_int_equal(usual.ensemble.points, HORIZON);
	for (size_t i = first + HORIZON; i < LENGTH - HORIZON; i++)
		values[0][i] = i % 2 ? 1e9 : -1e9;
	wild = run(&rule, 2, 3 * HORIZON, 1);
	assert_memory_equal(&wild.ensemble, &usual.ensemble, sizeof(usual.ensemble));
	assert_memory_equal(&wild.members, &usual.members, sizeof(usual.members));
	values[0][first - 1] += 1;
	wild = run(&rule, 2, 3 * HORIZON, 1);
	assert_true(crps_of(&rule, &wild.ensemble) != crps_of(&rule, &usual.ensemble));
}

/* As long as nothing is calibrated a chunk's series are judged as they would be alone. */
static void
series_are_by_themselves(void **state)
{
	const struct panel_rule rule = rule_of("last,season,ets");
	struct backtest all, sum = { 0 }, one;

	(void)state;
	waves();
	targets[3].n = 50;
	all = run(&rule, 3, HORIZON, SERIES);
	for (size_t s = 0; s < SERIES; s++) {
		const struct backtest_rule how = { .windows = 3, .stride = HORIZON };
		struct err err = ERR_INIT;

		one = (struct backtest){ 0 };
		assert_int_equal(backtest_run(&rule, NULL, &how, targets + s, 1, &one, &err), 0);
		accuracy_merge(&sum.ensemble, &one.ensemble);
		sum.forecasts += one.forecasts;
	}
	assert_int_equal(all.forecasts, sum.forecasts);
	assert_int_equal(all.ensemble.points, sum.ensemble.points);
	assert_true(fabs(crps_of(&rule, &all.ensemble) / crps_of(&rule, &sum.ensemble) - 1) < 1e-9);
}

static void
knows_nothing(void **state)
{
	const struct panel_rule rule = rule_of("last,season");
	struct backtest b;

	(void)state;
	waves();
	for (size_t i = 0; i < LENGTH - HORIZON; i++)
		values[1][i] = NAN;
	b = run(&rule, 2, HORIZON, 2);
	assert_int_equal(b.forecasts, 4);
	assert_int_equal(b.bases[FORECAST_NOTHING], 2);
	assert_int_equal(b.ensemble.points, 2 * HORIZON);
}

/* ---- what is learnt ---- */

/* The season forecasts a wave and the last value does not: weight moves there, step by step, also while forecasts overlap. */
static void
weights_are_learnt(void **state)
{
	const struct panel_rule rule = rule_of("last,season");
	struct backtest few, many, close;

	(void)state;
	waves();
	few = run(&rule, 1, HORIZON, 20);
	many = run(&rule, 20, HORIZON, 20);
	close = run(&rule, 20, 1, 20);
	assert_true(crps_of(&rule, &many.members[PANEL_SEASON]) < 0.5 * crps_of(&rule, &many.members[PANEL_LAST]));
	assert_true(many.weights[PANEL_SEASON] > few.weights[PANEL_SEASON]);
	assert_true(close.weights[PANEL_SEASON] > few.weights[PANEL_SEASON]);
	assert_true(many.awake[PANEL_SEASON] == 1 && many.awake[PANEL_LAST] == 1 && many.awake[PANEL_DEEPAR] == 0);
	assert_true(fabs(many.weights[PANEL_SEASON] + many.weights[PANEL_LAST] - 1) < 1e-5);
}

static void
calibration_moves_the_ensemble_alone(void **state)
{
	struct panel_rule rule = rule_of("last");
	struct backtest plain, moved;

	(void)state;
	waves();
	plain = run(&rule, 20, HORIZON, 10);
	assert_memory_equal(&plain.ensemble, &plain.uncalibrated, sizeof(plain.ensemble));
	rule.calibrate = true;
	moved = run(&rule, 20, HORIZON, 10);
	assert_memory_equal(&moved.uncalibrated, &plain.uncalibrated, sizeof(plain.uncalibrated));
	assert_true(crps_of(&rule, &moved.ensemble) != crps_of(&rule, &plain.ensemble));
}

/*
 * All series grow noisy at the end.  Each by itself is slow to see it; all together have wider intervals after a few origins, and
 * cover nearly what they say although the first ones count.
 */
static void
widths_are_learnt_together(void **state)
{
	struct panel_rule rule = rule_of("season");
	struct backtest one, all;
	const size_t windows = 20, first = LENGTH - windows * HORIZON;

	(void)state;
	rule.calibrate = true;
	waves();
	for (size_t s = 0; s < SERIES; s++)
		for (size_t i = first; i < LENGTH; i++)
			values[s][i] += 0.6 * random_normal(5, s, i);
	all = run(&rule, windows, HORIZON, BACKTEST_TOGETHER);
	one = (struct backtest){ 0 };
	for (size_t s = 0; s < BACKTEST_TOGETHER; s++) {
		const struct backtest_rule how = { .windows = windows, .stride = HORIZON };
		struct err err = ERR_INIT;

		assert_int_equal(backtest_run(&rule, NULL, &how, targets + s, 1, &one, &err), 0);
	}
	print_message("uncalibrated %.3f, alone %.3f, together %.3f\n",
		      accuracy_figures(&all.uncalibrated, rule.levels, LEVELS).coverage80,
		      accuracy_figures(&one.ensemble, rule.levels, LEVELS).coverage80,
		      accuracy_figures(&all.ensemble, rule.levels, LEVELS).coverage80);
	assert_true(accuracy_figures(&all.uncalibrated, rule.levels, LEVELS).coverage80 < .6);
	assert_true(fabs(accuracy_figures(&all.ensemble, rule.levels, LEVELS).coverage80 - .8) < .04);
	assert_true(accuracy_figures(&all.ensemble, rule.levels, LEVELS).coverage80 >
		    accuracy_figures(&one.ensemble, rule.levels, LEVELS).coverage80 + .08);
}

/*
 * Two series; of the second one window is known after all the others are not, in which it goes wild.  What all know of it moves the
 * first one's intervals, but not before it has come by the calendar.
 */
static void
sees_no_later_value_of_others(void **state)
{
	struct panel_rule rule = rule_of("season");
	const size_t first = LENGTH - 3 * HORIZON;

	(void)state;
	rule.calibrate = true;
	for (int64_t later = 0; later <= 1; later++) {
		const struct backtest_rule how = { .windows = 3, .stride = HORIZON };
		struct backtest quiet, wild, alone = { 0 };
		struct err err = ERR_INIT;
		double more = 0;

		waves();
		targets[1].start_us = later * 1000 * 3600000000;
		for (size_t i = first; i < LENGTH; i++)
			values[1][i] = NAN;
		quiet = run(&rule, 3, HORIZON, 2);
		for (size_t i = first; i < first + HORIZON; i++)
			values[1][i] = i % 2 ? 50 : -50;
		wild = run(&rule, 3, HORIZON, 2);
		assert_int_equal(backtest_run(&rule, NULL, &how, targets + 1, 1, &alone, &err), 0);
		assert_int_equal(wild.ensemble.points, quiet.ensemble.points + HORIZON);
		for (size_t q = 0; q < LEVELS; q++)
			more += fabs(wild.ensemble.pinball[q] - alone.ensemble.pinball[q] - quiet.ensemble.pinball[q]);
		assert_true(later ? more < 1e-9 : more > 1e-4);
	}
}

/* ---- rules and figures ---- */

static double last_share;

static void
note(void *self, double share)
{
	assert_true(share > last_share);
	last_share = share;
	++*(int *)self;
}

static void
reports(void **state)
{
	const struct panel_rule rule = rule_of("last");
	int told = 0;
	const struct backtest_rule how = { .windows = 1, .stride = 1, .report = note, .self = &told };
	struct backtest b = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	waves();
	last_share = 0;
	assert_int_equal(backtest_run(&rule, NULL, &how, targets, SERIES, &b, &err), 0);
	assert_int_equal(told, 2);
	assert_true(last_share == 1);
}

static void
refuses(void **state)
{
	const struct panel_rule rule = rule_of("last");
	const struct backtest_rule wrong[] = { { .windows = 0, .stride = 1 }, { .windows = 1, .stride = 0 } };

	(void)state;
	waves();
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct backtest b = { 0 };
		struct err err = ERR_INIT;

		assert_int_equal(backtest_run(&rule, NULL, &wrong[i], targets, 1, &b, &err), -1);
		assert_int_equal(err.reason, REASON_OPTION_INVALID);
	}
}

static void
outer_levels_are_for_coverage(void **state)
{
	const double levels[LEVELS] = { .05, .1, .5, .9, .95 };
	struct accuracy a = { .pinball = { 1000, 1, 2, 3, 1000 }, .absolute = 8 };

	(void)state;
	assert_true(fabs(backtest_wql(&a, levels, LEVELS) - 2 * (1 + 2 + 3) / 3. / 8) < 1e-12);
	a.absolute = 0;
	assert_true(isnan(backtest_wql(&a, levels, LEVELS)));
	a.absolute = 8;
	assert_true(isnan(backtest_wql(&a, levels, 1)));
}

int
main(void)
{
	const struct CMUnitTest more[] = {
		cmocka_unit_test(sees_no_later_value),
		cmocka_unit_test(series_are_by_themselves),
		cmocka_unit_test(knows_nothing),
		cmocka_unit_test(weights_are_learnt),
		cmocka_unit_test(reports),
		cmocka_unit_test(calibration_moves_the_ensemble_alone),
		cmocka_unit_test(widths_are_learnt_together),
		cmocka_unit_test(sees_no_later_value_of_others),
		cmocka_unit_test(refuses),
		cmocka_unit_test(outer_levels_are_for_coverage),
	};
	struct CMUnitTest tests[ARRAY_LEN(rows) + ARRAY_LEN(more)];

	for (size_t n = 0; n < ARRAY_LEN(rows); n++)
		tests[n] = (struct CMUnitTest){ .name = rows[n].name,
						.test_func = has_origins,
						.initial_state = (void *)(uintptr_t)&rows[n] };
	memcpy(tests + ARRAY_LEN(rows), more, sizeof(more));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
