/* panel_learning.c -- what is learnt from values that have come: weights, widths, alone and together. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "common/forecast/accuracy.h"
#include "common/forecast/engine.h"
#include "common/forecast/panel.h"

#include "tests/unit/forecast/panel_made.h"

/* A series whose daily wave grows without end: weights go to who follows, and the 80 % interval covers about 80 %. */
static void
learns(void **state)
{
	enum { WINDOWS = 150, START = 200 };
	struct panel_rule rule = rule_of("last,season,long-season,ridge");
	struct panel *p = panel_of(&rule, NULL);
	static double values[START + WINDOWS * HORIZON];
	static struct panelist learnt;
	static struct made m;
	struct accuracy fresh = { 0 }, kept = { 0 };
	struct accuracy_figures f, k;

	(void)state;
	memset(&learnt, 0, sizeof(learnt));
	wave(100, 9, values, START + WINDOWS * HORIZON);
	for (size_t i = 0; i < START + WINDOWS * HORIZON; i++)
		values[i] += 0.2 * (double)i;
	for (size_t w = 0; w < WINDOWS; w++) {
		struct target t = { .values = values, .n = START + w * HORIZON };

		forecast(p, &t, NULL, &m);
		accuracy_add(&fresh, rule.levels, LEVELS, values + t.n, m.combined, HORIZON, NAN);
		forecast(p, &t, &learnt, &m);
		check_sane(&m);
		if (w >= WINDOWS / 3)
			accuracy_add(&kept, rule.levels, LEVELS, values + t.n, m.values, HORIZON, NAN);
		for (size_t h = 0; h < HORIZON; h++)
			panel_learn(p, &learnt, h, m.f.awake, m.members + h * PANEL_MEMBERS * LEVELS,
				    m.combined + h * LEVELS, values[t.n + h], m.f.scale);
	}
	f = accuracy_figures(&fresh, rule.levels, LEVELS);
	k = accuracy_figures(&kept, rule.levels, LEVELS);
	print_message("wQL %.5f -> %.5f, coverage %.3f -> %.3f\n", f.wql, k.wql, f.coverage80, k.coverage80);
	assert_true(k.wql < 0.95 * f.wql);
	assert_true(fabs(k.coverage80 - .8) < .06);
	panel_free(p);
}

static void
learns_shifts_only_if_told(void **state)
{
	struct panel_rule rule = rule_of("season,long-season");
	struct panel *p;
	double values[LENGTH];
	static struct panelist learnt, nothing;
	static struct made m;

	(void)state;
	rule.calibrate = false;
	p = panel_of(&rule, NULL);
	wave(9, 4, values, LENGTH);
	forecast(p, &(struct target){ .values = values, .n = LENGTH }, NULL, &m);
	panel_learn(p, &learnt, 0, m.f.awake, m.members, m.combined, NAN, m.f.scale);
	assert_memory_equal(&learnt, &nothing, sizeof(nothing));
	panel_learn(p, &learnt, 0, m.f.awake, m.members, m.combined, 9, m.f.scale);
	assert_memory_not_equal(&learnt.ensemble, &nothing.ensemble, sizeof(nothing.ensemble));
	assert_memory_equal(&learnt.calibration, &nothing.calibration, sizeof(nothing.calibration));
	panel_free(p);
}

/* A miss of one series makes the intervals of all wider, by the less the fewer series there are; without calibration nothing is learnt. */
static void
learns_together(void **state)
{
	struct panel_rule rule = rule_of("season,long-season");
	struct panel *p;
	double values[LENGTH];
	struct target t = { .values = values, .n = LENGTH };
	struct calibration few = { 0 }, many = { 0 }, none = { 0 };
	struct panel_request request = { .target = &t, .noise = 7, .together = &few };
	static struct panelist nothing;
	static struct made plain, wide;
	struct panel_forecast f = into(&wide);
	struct err err = ERR_INIT;

	(void)state;
	wave(9, 4, values, LENGTH);
	p = panel_of(&rule, NULL);
	forecast(p, &t, NULL, &plain);
	panel_learn_together(p, &nothing, &few, 1, 0, plain.combined, 1000, plain.f.scale);
	panel_learn_together(p, &nothing, &many, 3, 0, plain.combined, 1000, plain.f.scale);
	panel_learn_together(p, &nothing, &many, 3, 0, plain.combined, 1000, plain.f.scale);
	assert_true(many.shift[0][8] > 1.5F * few.shift[0][8] && many.shift[0][8] < 2 * few.shift[0][8]);
	assert_int_equal(panel_forecast(p, &request, &f, 1, &err), 0);
	assert_memory_equal(wide.combined, plain.combined, sizeof(plain.combined));
	assert_true(wide.values[0] < plain.values[0] && wide.values[8] > plain.values[8]);
	assert_true(fabs(wide.values[4] - plain.values[4]) < 1e-12);
	assert_memory_equal(wide.values + LEVELS, plain.values + LEVELS, LEVELS * sizeof(double)); /* another part */
	panel_free(p);
	rule.calibrate = false;
	p = panel_of(&rule, NULL);
	panel_learn_together(p, &nothing, &none, 3, 0, plain.combined, 1000, plain.f.scale);
	assert_true(none.shift[0][8] == 0);
	panel_free(p);
}

/* With a model of counts none below 0 are forecast, though other members and shifts would. */
static void
counts_stay_counts(void **state)
{
	struct panel_rule rule = rule_of("last,deepar");
	static double values[LENGTH];
	struct target t = { .values = values, .n = LENGTH, .cats = &category, .n_cats = 1 };
	static struct made m;

	(void)state;
	for (size_t i = 0; i < LENGTH; i++)
		values[i] = i % 9 == 4 ? 30 : 0.01 * (double)(i % 7); /* nothing so often that 0 is held anyway */
	for (int counts = 0; counts < 2; counts++) {
		static struct artefact a;
		struct panel *p;
		bool below = false;

		model_of(&a, &rule, 1, counts ? HEAD_NEGATIVE_BINOMIAL : HEAD_STUDENT_T);
		p = panel_of(&rule, &a);
		forecast(p, &t, NULL, &m);
		assert_true(m.f.awake >> PANEL_DEEPAR & 1);
		for (size_t i = 0; i < CELLS; i++)
			below |= m.values[i] < 0;
		assert_true(below == !counts);
		panel_free(p);
		artefact_clear(&a);
	}
}

/* A fleet is told one step of each part of a forecast: all parts learn alike; a backtest is told all steps, and weighs them as one. */
static void
learns_of_single_steps(void **state)
{
	static double values[LENGTH];
	struct target t = { .values = values, .n = LENGTH };
	struct made m;

	(void)state;
	wave(9, 4, values, LENGTH);
	for (int single = 0; single < 2; single++) {
		struct panel_rule rule = rule_of("last,season");
		static struct panelist learnt[2];
		struct panel *p;

		rule.single_steps = single;
		p = panel_of(&rule, NULL);
		forecast(p, &t, NULL, &m);
		memset(learnt, 0, sizeof(learnt));
		for (int i = 0; i < 40; i++) {
			panel_learn(p, &learnt[0], 0, m.f.awake, m.members, m.combined, 20, m.f.scale);
			panel_learn(p, &learnt[1], HORIZON - 1, m.f.awake, m.members, m.combined, 20, m.f.scale);
		}
		for (size_t q = 0; q < LEVELS; q++) {
			float near = learnt[0].calibration.shift[0][q], far = learnt[1].calibration.shift[2][q];

			assert_true(near > 0);
			assert_true(single ? far == near : far < near / 2);
		}
		panel_free(p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(learns),
		cmocka_unit_test(learns_shifts_only_if_told),
		cmocka_unit_test(learns_together),
		cmocka_unit_test(learns_of_single_steps),
		cmocka_unit_test(counts_stay_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
