/* panel.c -- from a series to its forecast: who takes part, what happens to odd series. */
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

/* ---- names and rules ---- */

static void
names(void **state)
{
	struct err err = ERR_INIT;
	uint32_t set = 77;

	(void)state;
	assert_int_equal(panel_members_parse("all", &set, &err), 0);
	assert_int_equal(set, BIT(PANEL_MEMBERS) - 1);
	assert_int_equal(panel_members_parse("season, deepar ,theta", &set, &err), 0);
	assert_int_equal(set, BIT(PANEL_SEASON) | BIT(PANEL_DEEPAR) | BIT(PANEL_THETA));
	for (int m = 0; m < PANEL_MEMBERS; m++) {
		assert_int_equal(panel_members_parse(panel_member_name((enum panel_member)m), &set, &err), 0);
		assert_int_equal(set, BIT(m));
	}
	set = 77;
	assert_int_equal(panel_members_parse("season,arima", &set, &err), -1);
	assert_int_equal(err.reason, REASON_OPTION_INVALID);
	assert_non_null(strstr(err.text, "arima"));
	assert_int_equal(panel_members_parse("", &set, &err), -1);
	assert_int_equal(panel_members_parse("season,", &set, &err), -1);
	assert_int_equal(set, 77);
}

static void
refuses(void **state)
{
	struct panel_rule rule = rule_of("all"), wrong = rule;
	struct artefact a;
	struct panel *p = NULL;
	struct err err = ERR_INIT;

	(void)state;
	model_of(&a, &rule, 1, HEAD_STUDENT_T);
	wrong.horizon = HORIZON + 1;
	assert_int_equal(panel_new(&wrong, &a, NULL, &p, &err), -1);
	assert_int_equal(err.reason, REASON_OPTION_INVALID);
	assert_non_null(strstr(err.text, "12"));
	assert_non_null(strstr(err.text, "13"));
	wrong = rule;
	assert_int_equal(frequency_parse("1D", &wrong.frequency, &err), 0);
	assert_int_equal(panel_new(&wrong, &a, NULL, &p, &err), -1);
	assert_non_null(strstr(err.text, "1h"));
	wrong = rule;
	wrong.levels[3] = wrong.levels[2];
	assert_int_equal(panel_new(&wrong, NULL, NULL, &p, &err), -1);
	wrong = rule;
	wrong.n_levels = 0;
	assert_int_equal(panel_new(&wrong, NULL, NULL, &p, &err), -1);
	wrong = rule;
	wrong.members = 0;
	assert_int_equal(panel_new(&wrong, NULL, NULL, &p, &err), -1);
	assert_null(p);
	artefact_clear(&a);
}

/* ---- odd series ---- */

static void
no_value_no_forecast(void **state)
{
	struct panel_rule rule = rule_of("all");
	struct panel *p = panel_of(&rule, NULL);
	double values[30];
	struct target t = { .values = values, .n = 30, .cats = &category, .n_cats = 1 };
	static struct made m;

	(void)state;
	for (size_t i = 0; i < 30; i++)
		values[i] = NAN;
	for (t.n = 0; t.n <= 30; t.n += 15) {
		forecast(p, &t, NULL, &m);
		assert_int_equal(m.f.basis, FORECAST_NOTHING);
		assert_int_equal(m.f.awake, 0);
		assert_true(isnan(m.values[0]) && isnan(m.combined[CELLS - 1]));
	}
	panel_free(p);
}

/* Whatever is known, there is a forecast; whoever cannot speak sleeps. */
static void
short_and_flat(void **state)
{
	struct panel_rule rule = rule_of("all"), lonely = rule_of("ridge");
	struct artefact a;
	struct panel *p, *q = panel_of(&lonely, NULL);
	double values[LENGTH];
	static struct made m;

	(void)state;
	model_of(&a, &rule, 2, HEAD_STUDENT_T);
	p = panel_of(&rule, &a);
	for (size_t n = 1; n < 60; n += n < 6 ? 1 : 9) {
		struct target t = { .values = values, .n = n, .cats = &category, .n_cats = 1 };

		wave(10, 3, values, n);
		forecast(p, &t, NULL, &m);
		check_sane(&m);
		assert_int_equal(m.f.awake >> PANEL_DEEPAR & 1, n > 1);
		forecast(q, &t, NULL, &m);
		check_sane(&m);
		assert_true(n > 1 || (m.f.basis == FORECAST_NAIVE && m.f.awake == BIT(PANEL_LAST)));
	}
	for (size_t i = 0; i < LENGTH; i++)
		values[i] = 5;
	forecast(p, &(struct target){ .values = values, .n = LENGTH }, NULL, &m);
	check_sane(&m);
	assert_false(m.f.awake >> PANEL_DEEPAR & 1);
	assert_true(fabs(m.values[CELLS - 5] - 5) < 0.01);
	for (size_t i = 0; i < LENGTH; i++)
		values[i] = i < LENGTH / 2 ? (double)i : NAN; /* has fallen silent: the context is empty */
	forecast(p, &(struct target){ .values = values, .n = LENGTH }, NULL, &m);
	check_sane(&m);
	assert_false(m.f.awake >> PANEL_DEEPAR & 1);
	panel_free(p);
	panel_free(q);
	artefact_clear(&a);
}

/* Young is who has few values, wherever a file begins: forecasts are the same bits with holes before the first one. */
static void
holes_before_the_first_value_are_no_age(void **state)
{
	static const size_t lengths[] = { 5, 19, 36, 60, 100 };
	struct panel_rule rule = rule_of("all");
	struct panel *p = panel_of(&rule, NULL);
	struct made *alone = calloc(2, sizeof(*alone)), *late = alone + 1;
	double values[LENGTH];

	(void)state;
	assert_non_null(alone);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t before = LENGTH - lengths[i];
		struct target whole = { .values = values, .n = LENGTH }, known = {
			.start_us = (int64_t)before * 3600000000, .values = values + before, .n = lengths[i]
		};

		wave(10, i, values + before, lengths[i]);
		for (size_t t = 0; t < before; t++)
			values[t] = NAN;
		forecast(p, &known, NULL, alone);
		forecast(p, &whole, NULL, late);
		assert_int_equal(late->f.awake, alone->f.awake);
		assert_memory_equal(late->values, alone->values, sizeof(alone->values));
	}
	free(alone);
	panel_free(p);
}

/* A category that the model does not know puts DeepAR to sleep for that series; the others are as if it were not there. */
static void
one_bad_series_spoils_no_other(void **state)
{
	enum { SERIES = 70 }; /* more than one batch */
	struct panel_rule rule = rule_of("all");
	struct artefact a;
	struct panel *p;
	static double values[SERIES][LENGTH];
	static struct made together[SERIES], alone;
	struct panel_request requests[SERIES];
	struct panel_forecast out[SERIES];
	struct target targets[SERIES];
	int32_t good = 2, bad = 3;
	struct err err = ERR_INIT;

	(void)state;
	model_of(&a, &rule, 2, HEAD_STUDENT_T);
	p = panel_of(&rule, &a);
	for (size_t i = 0; i < SERIES; i++) {
		wave(10 * (double)i, i, values[i], LENGTH);
		if (i == 5)
			values[i][LENGTH - 1] = DBL_MAX;
		targets[i] = (struct target){
			.values = values[i], .n = LENGTH - i, .cats = i % 8 == 3 ? &bad : &good, .n_cats = 1
		};
		requests[i] = (struct panel_request){ &targets[i], NULL, 7 };
		out[i] = into(&together[i]);
	}
	assert_int_equal(panel_forecast(p, requests, out, SERIES, &err), 0);
	for (size_t i = 0; i < SERIES; i++) {
		together[i].f = out[i];
		check_sane(&together[i]);
		assert_int_equal(out[i].awake >> PANEL_DEEPAR & 1, i % 8 != 3);
		assert_int_equal(out[i].basis, i % 8 == 3 ? FORECAST_CLASSICAL : FORECAST_MODEL);
		if (i % 10 > 3)
			continue;
		forecast(p, &targets[i], NULL, &alone);
		assert_memory_equal(alone.values, together[i].values, sizeof(alone.values));
	}
	panel_free(p);
	artefact_clear(&a);
}

/* Level by level the mean of what each network says by its own noise; twice the same. */
static void
networks_are_averaged(void **state)
{
	struct panel_rule rule = rule_of("deepar");
	struct artefact a;
	struct panel *p;
	double values[LENGTH], one[CELLS], mean[CELLS] = { 0 };
	struct target t = { .values = values, .n = LENGTH, .cats = &category, .n_cats = 1 };
	static struct made both, again;
	struct err err = ERR_INIT;

	(void)state;
	rule.calibrate = false;
	wave(50, 1, values, LENGTH);
	model_of(&a, &rule, 2, HEAD_STUDENT_T);
	p = panel_of(&rule, &a);
	forecast(p, &t, NULL, &both);
	forecast(p, &t, NULL, &again);
	for (size_t e = 0; e < 2; e++) {
		struct engine_request request = { &t, random_u64(rule.seed, 7, e) };
		struct engine *engine = NULL;

		assert_int_equal(engine_new(a.networks[e], NULL, rule.paths, &engine, &err), 0);
		engine_quantiles(engine, &request, 1, HORIZON, rule.levels, LEVELS, one);
		for (size_t i = 0; i < CELLS; i++)
			mean[i] += one[i] / 2;
		engine_free(engine);
	}
	for (size_t i = 0; i < CELLS; i++)
		assert_true(fabs(both.values[i] - mean[i]) < 1e-9);
	assert_memory_equal(both.values, again.values, sizeof(both.values));
	assert_memory_equal(both.values, both.combined, sizeof(both.values));
	assert_true(both.f.weights[PANEL_DEEPAR] > 0.999F);
	panel_free(p);
	artefact_clear(&a);
}

/* Who waits for a forecast does not wait longer because a model has more networks. */
static void
networks_share_paths(void **state)
{
	static const struct {
		size_t paths, networks, each;
	} cases[] = { { 100, 1, 100 }, { 100, 2, 64 }, { 100, 3, 48 }, { 100, 5, 32 }, { 50, 5, 32 }, { 20, 2, 20 } };
	double values[LENGTH];
	struct target t = { .values = values, .n = LENGTH, .cats = &category, .n_cats = 1 };

	(void)state;
	wave(50, 1, values, LENGTH);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct panel_rule rule = rule_of("deepar"), each;
		static struct made shared, apart;
		struct artefact a;
		struct panel *p, *q;

		rule.calibrate = false;
		each = rule;
		rule.paths = cases[i].paths;
		rule.share_paths = true;
		each.paths = cases[i].each;
		model_of(&a, &rule, cases[i].networks, HEAD_STUDENT_T);
		p = panel_of(&rule, &a);
		q = panel_of(&each, &a);
		forecast(p, &t, NULL, &shared);
		forecast(q, &t, NULL, &apart);
		assert_memory_equal(shared.values, apart.values, sizeof(shared.values));
		panel_free(p);
		panel_free(q);
		artefact_clear(&a);
	}
}

/* ---- weights and shifts of a model ---- */

static void
levels_between(void **state)
{
	struct panel_rule rule = rule_of("season");
	struct artefact a = { .n_levels = 3, .levels = { .2, .5, .8 } };
	struct panel *p;
	double values[LENGTH], unit;
	static const double want[LEVELS] = { -2, -2, -4.0 / 3, -2.0 / 3, 0, 1.0 / 3, 2.0 / 3, 1, 1 };
	static struct made m;

	(void)state;
	ensemble_rule_default(PANEL_MEMBERS, 3, HORIZON, &a.ensemble);
	for (size_t b = 0; b < a.ensemble.n_buckets; b++)
		memcpy(a.calibration.shift[b], (float[]){ -2, 0, 1 }, 3 * sizeof(float));
	p = panel_of(&rule, &a);
	wave(9, 4, values, LENGTH);
	forecast(p, &(struct target){ .values = values, .n = LENGTH }, NULL, &m);
	unit = panel_unit(p, m.combined, m.f.scale);
	assert_true(fabs(unit - (m.combined[8] - m.combined[0])) < 1e-9);
	for (size_t q = 0; q < LEVELS; q++)
		assert_true(fabs(m.values[q] - m.combined[q] - want[q] * unit) < 1e-5);
	for (size_t i = 0; i < LENGTH; i++)
		values[i] = 5; /* what has no width is not moved */
	forecast(p, &(struct target){ .values = values, .n = LENGTH }, NULL, &m);
	for (size_t i = 0; i < CELLS; i++)
		assert_true(fabs(m.values[i] - 5) < 1e-7);
	panel_free(p);
}

static void
keeps_the_models_weights(void **state)
{
	struct panel_rule rule = rule_of("all");
	struct artefact a = { .n_levels = 3, .levels = { .2, .5, .8 } };
	struct panel *p;
	double values[LENGTH];
	static struct made m;

	(void)state;
	ensemble_rule_default(PANEL_MEMBERS, 3, HORIZON, &a.ensemble);
	memset(a.ensemble.prior, 0, sizeof(a.ensemble.prior));
	for (size_t b = 0; b < a.ensemble.n_buckets; b++) {
		a.ensemble.prior[b][PANEL_SEASON] = 0.5F;
		a.ensemble.prior[b][PANEL_DEEPAR] = 0.5F; /* there is no network: it sleeps */
	}
	p = panel_of(&rule, &a);
	wave(9, 4, values, LENGTH);
	forecast(p, &(struct target){ .values = values, .n = LENGTH }, NULL, &m);
	assert_true(m.f.weights[PANEL_SEASON] > 0.999F);
	assert_int_equal(m.f.basis, FORECAST_NAIVE);
	panel_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(refuses),
		cmocka_unit_test(no_value_no_forecast),
		cmocka_unit_test(short_and_flat),
		cmocka_unit_test(holes_before_the_first_value_are_no_age),
		cmocka_unit_test(one_bad_series_spoils_no_other),
		cmocka_unit_test(networks_are_averaged),
		cmocka_unit_test(networks_share_paths),
		cmocka_unit_test(levels_between),
		cmocka_unit_test(keeps_the_models_weights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
