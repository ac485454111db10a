/* evidence.c -- what rules would have lost in their own history, and how a panel leans on it. */
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
#include "common/forecast/evidence.h"
#include "common/forecast/panel.h"

#define N 600
#define HORIZON 12
#define LEVELS 9

static const double levels[LEVELS] = { .1, .2, .3, .4, .5, .6, .7, .8, .9 };
static const int32_t lags[] = { 1, 2, 3, 23, 24, 25 };

static struct classical_input
input(const double *history, size_t n)
{
	return (struct classical_input){ .history = history,
					 .n = n,
					 .season = 24,
					 .long_season = 168,
					 .lags = lags,
					 .n_lags = sizeof(lags) / sizeof(lags[0]),
					 .horizon = HORIZON,
					 .levels = levels,
					 .n_levels = LEVELS };
}

/* A day's wave around LEVEL with noise of the size NOISE. */
static void
wave(double level, double noise, double *history, size_t n)
{
	for (size_t t = 0; t < n; t++)
		history[t] = level + 10 * sin(2 * M_PI * (double)t / 24) + noise * random_normal(1, 0, t);
}

/* ---- losses ---- */

static void
pinball_by_hand(void **state)
{
	static const double residuals[] = {
		-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5
	}; /* each decile is one of them, or none */
	const struct spread plain = { residuals, 11, INFINITY, 0, 0, 1, 0 },
			    aside = { residuals, 11, INFINITY, 0, 1, 1, 0 },
			    wide = { residuals, 11, INFINITY, 0, 0, 2, 0 },
			    one = { residuals + 5, 1, INFINITY, 0, 2, 9, 0 };
	double sum = 0;

	(void)state;
	for (int decile = 1; decile < 10; decile++)
		for (size_t i = 0; i < 11; i++)
			sum += (decile / 10. - (residuals[i] < decile - 5)) * (residuals[i] - (decile - 5)) / 99;
	assert_true(fabs(evidence_loss(&plain) - sum) < 1e-12);
	assert_true(fabs(evidence_loss(&one) - 1) < 1e-12); /* 0, when all of them said 2 */
	assert_true(evidence_loss(&aside) > sum && evidence_loss(&wide) > sum);
}

/* Of normal misses the mean loss over the deciles is about .27 deviations: a wave's last value loses the wave, its season the noise. */
static void
losses_follow_the_misses(void **state)
{
	static double history[N], values[HORIZON * LEVELS], losses[CLASSICAL_COUNT][HORIZON];
	struct classical_input in = input(history, N);
	struct err err = ERR_INIT;
	bool awake;

	(void)state;
	wave(100, 1, history, N);
	for (int kind = 0; kind < CLASSICAL_COUNT; kind++) {
		assert_int_equal(classical_forecast((enum classical_kind)kind, &in, values, losses[kind], &awake, &err),
				 0);
		assert_true(awake);
		for (size_t h = 0; h < HORIZON; h++)
			assert_true(losses[kind][h] > .15);
	}
	for (size_t h = 0; h < HORIZON; h++) {
		assert_true(fabs(losses[CLASSICAL_SEASON][h] - .27 * sqrt(2)) < .1); /* of the difference of two */
		assert_true(fabs(losses[CLASSICAL_ETS][h] - .27) < .1);
	}
	assert_true(losses[CLASSICAL_LAST][HORIZON - 1] > 8 * losses[CLASSICAL_SEASON][HORIZON - 1]);
	for (size_t t = 0; t < N; t++)
		history[t] *= 1024; /* in the unit of the history */
	for (int kind = 0; kind < CLASSICAL_COUNT; kind++) {
		double before = losses[kind][0];

		assert_int_equal(classical_forecast((enum classical_kind)kind, &in, values, losses[kind], &awake, &err),
				 0);
		assert_true(fabs(losses[kind][0] - 1024 * before) < 1e-6 * 1024 * before);
	}
}

/* Too little to have missed anything yet: not known, and no crash; the same without being asked for it. */
static void
unknown_is_said(void **state)
{
	static double history[N], values[HORIZON * LEVELS], losses[HORIZON];
	struct err err = ERR_INIT;

	(void)state;
	wave(100, 1, history, N);
	for (size_t n = 1; n < 80; n += 3)
		for (int kind = 0; kind < CLASSICAL_COUNT; kind++) {
			struct classical_input in = input(history, n);
			bool awake, again;

			losses[0] = -1;
			assert_int_equal(
			    classical_forecast((enum classical_kind)kind, &in, values, losses, &awake, &err), 0);
			assert_true(isnan(losses[0]) || (awake && losses[0] >= 0));
			assert_int_equal(classical_forecast((enum classical_kind)kind, &in, values, NULL, &again, &err),
					 0);
			assert_int_equal(awake, again);
		}
	for (size_t t = 0; t < N; t++)
		history[t] = t + 30 < N ? history[t] : NAN; /* the points that the naive rules start from */
	for (int kind = 0; kind < CLASSICAL_THETA; kind++) {
		struct classical_input in = input(history, N);
		bool awake;

		assert_int_equal(classical_forecast((enum classical_kind)kind, &in, values, losses, &awake, &err), 0);
		for (size_t h = 0; h < HORIZON; h++)
			assert_true(isnan(losses[h]) || losses[h] > 0);
	}
}

/* Whoever asks for other quantiles gets the same evidence, and so the same forecast at those that both ask for. */
static void
levels_do_not_matter(void **state)
{
	static double history[N], values[HORIZON * LEVELS], losses[HORIZON], again[HORIZON];
	static const double far[] = { .5, .99 };
	struct err err = ERR_INIT;

	(void)state;
	wave(100, 1, history, N);
	for (int kind = 0; kind < CLASSICAL_COUNT; kind++) {
		struct classical_input in = input(history, N);
		bool awake;

		assert_int_equal(classical_forecast((enum classical_kind)kind, &in, values, losses, &awake, &err), 0);
		in.levels = far;
		in.n_levels = 2;
		assert_int_equal(classical_forecast((enum classical_kind)kind, &in, values, again, &awake, &err), 0);
		assert_memory_equal(losses, again, sizeof(losses));
	}
}

static void
few_forecasts_fit_into_a_short_history(void **state)
{
	static double history[N];
	struct classical_input in = input(history, 72);

	(void)state;
	assert_true(fabs(evidence_cycles(&in) - sqrt(2)) < 1e-12); /* a third is one day, two forecasts */
	in.n = N;
	assert_true(evidence_cycles(&in) > 8);
	in.horizon = 48;
	assert_true(evidence_cycles(&in) < 5);
}

/* ---- on the panel ---- */

static struct panel *
panel_of(const char *members, const char *frequency, struct panel_rule *rule)
{
	struct panel *p = NULL;
	struct err err = ERR_INIT;

	*rule = (struct panel_rule){ .horizon = HORIZON, .n_levels = LEVELS, .history_max = 1000, .calibrate = true };
	memcpy(rule->levels, levels, sizeof(levels));
	assert_int_equal(frequency_parse(frequency, &rule->frequency, &err), 0);
	assert_int_equal(panel_members_parse(members, &rule->members, &err), 0);
	if (panel_new(rule, NULL, NULL, &p, &err) < 0)
		fail_msg("%s", err.text);
	return p;
}

static void
forecast(struct panel *p, double *values, size_t n, const struct panelist *learnt, struct panel_forecast *f)
{
	const struct target t = { .values = values, .n = n };
	const struct panel_request request = { &t, learnt, 0, NULL };
	struct err err = ERR_INIT;

	assert_int_equal(panel_forecast(p, &request, f, 1, &err), 0);
}

/* Months with a season of their own: the frequency's prior thinks most of the last value, their history thinks nothing of it. */
static void
a_first_forecast_leans_on_the_history(void **state)
{
	static double values[96], row[HORIZON * LEVELS];
	struct panel_forecast f = { .values = row };
	struct panel_rule rule;
	struct panel *p = panel_of("all", "1M", &rule);
	const struct ensemble_rule *prior = panel_ensemble(p);

	(void)state;
	for (size_t t = 0; t < 96; t++)
		values[t] = 100 + 40 * sin(2 * M_PI * (double)t / 12) + random_normal(2, 0, t);
	forecast(p, values, 96, NULL, &f);
	assert_true(f.weights[PANEL_LAST] < 0.25F * prior->prior[1][PANEL_LAST]);
	assert_true(f.weights[PANEL_SEASON] + f.weights[PANEL_THETA] + f.weights[PANEL_ETS] + f.weights[PANEL_RIDGE] >
		    0.9F);
	for (size_t t = 1; t < 96; t++)
		values[t] = values[t - 1] + random_normal(3, 0, t); /* a walk: it thinks the better of it */
	forecast(p, values, 96, NULL, &f);
	assert_true(f.weights[PANEL_LAST] > prior->prior[1][PANEL_LAST]);
	assert_true(f.weights[PANEL_LAST] > 2 * f.weights[PANEL_SEASON]);
	panel_free(p);
}

/* Two days of hours: no fitted rule can see the day yet, the seasonal naive one can. */
static void
who_cannot_see_the_season_stands_back(void **state)
{
	static double values[60], row[HORIZON * LEVELS];
	struct panel_forecast f = { .values = row };
	struct panel_rule rule;
	struct panel *p = panel_of("season,theta,ets", "1h", &rule);
	const struct ensemble_rule *prior = panel_ensemble(p);
	float given = prior->prior[1][PANEL_SEASON] /
		      (prior->prior[1][PANEL_SEASON] + prior->prior[1][PANEL_THETA] + prior->prior[1][PANEL_ETS]);

	(void)state;
	wave(100, .5, values, 60);
	forecast(p, values, 60, NULL, &f);
	assert_true(f.weights[PANEL_SEASON] > 1.6F * given);
	panel_free(p);
}

/* A day and a half of hours: from some hours ahead on only the day before counts, however steep the last hours were. */
static void
a_second_day_is_as_the_first(void **state)
{
	static double values[36], row[HORIZON * LEVELS];
	struct panel_forecast f = { .values = row };
	struct panel_rule rule;
	struct panel *p = panel_of("all", "1h", &rule);

	(void)state;
	wave(100, .5, values, 36);
	forecast(p, values, 36, NULL, &f);
	assert_true(f.awake >> PANEL_THETA & f.awake >> PANEL_ETS & f.awake >> PANEL_RIDGE & 1);
	for (size_t h = 3; h < HORIZON; h++)
		assert_true(fabs(row[h * LEVELS + LEVELS / 2] - 100 - 10 * sin(2 * M_PI * (double)(36 + h) / 24)) < 2);
	assert_true(f.weights[PANEL_SEASON] > .6F);
	panel_free(p);
}

/* A counter, a walk: no day is like the one before, and who carries on what has been is right. */
static void
a_series_without_days_has_none(void **state)
{
	static double values[60], row[HORIZON * LEVELS];
	struct panel_forecast f = { .values = row };
	struct panel_rule rule;
	struct panel *p = panel_of("all", "1h", &rule);
	float season = 0;

	(void)state;
	for (size_t n = 34; n <= 60; n += 13) {
		for (size_t t = 0; t < n; t++)
			values[t] = 100 + 2 * (double)t + .3 * random_normal(5, 0, t);
		forecast(p, values, n, NULL, &f);
		for (size_t h = 0; h < HORIZON; h++) {
			double is = 100 + 2 * (double)(n + h), *said = row + h * LEVELS;

			assert_true(fabs(said[LEVELS / 2] - is) < 1);
			assert_true(said[LEVELS - 1] - said[0] < 3);
		}
	}
	for (size_t round = 0; round < 50; round++) {
		for (size_t t = 1; t < 40; t++)
			values[t] = values[t - 1] + random_normal(6, round, t);
		forecast(p, values, 40, NULL, &f);
		season += f.weights[PANEL_SEASON] / 50;
	}
	assert_true(season < .5F); /* some walk comes back by chance */
	panel_free(p);
}

/* A day that comes again exactly loses nothing, and nobody is measured by it; still the others cannot see it. */
static void
a_first_day_without_noise(void **state)
{
	static double values[36], row[HORIZON * LEVELS];
	struct panel_forecast f = { .values = row };
	struct panel_rule rule;
	struct panel *p = panel_of("all", "1h", &rule);

	(void)state;
	wave(100, 0, values, 36);
	forecast(p, values, 36, NULL, &f);
	for (size_t h = 3; h < HORIZON; h++)
		assert_true(fabs(row[h * LEVELS + LEVELS / 2] - values[12 + h]) < 1e-6);
	panel_free(p);
}

/* Nobody has seen a day yet: the last value counts among the others, not at the first step alone. */
static void
a_first_day_has_no_season(void **state)
{
	static double values[19], row[HORIZON * LEVELS];
	struct panel_forecast f = { .values = row };
	struct panel_rule rule;
	struct panel *p = panel_of("all", "1h", &rule);

	(void)state;
	for (size_t t = 0; t < 19; t++)
		values[t] = 50 + random_normal(4, 0, t);
	forecast(p, values, 19, NULL, &f);
	assert_true(!(f.awake >> PANEL_SEASON & 1) && f.weights[PANEL_LAST] > .1F);
	panel_free(p);
	p = panel_of("last,theta,ets,ridge", "1h",
		     &rule); /* nobody is asked for a season: this is no sign that there is none */
	forecast(p, values, 19, NULL, &f);
	assert_true(f.weights[PANEL_LAST] < .1F);
	panel_free(p);
}

/* Equal forecasts, or none that missed anything: what the frequency says. */
static void
no_difference_is_no_evidence(void **state)
{
	static double values[N], row[HORIZON * LEVELS];
	struct panel_forecast f = { .values = row };
	struct panel_rule rule;
	struct panel *p = panel_of("season,long-season", "1h", &rule);

	(void)state;
	for (size_t t = 0; t < N; t++)
		values[t] = (double)(t % 24);
	forecast(p, values, N, NULL, &f);
	assert_true(fabs((double)(f.weights[PANEL_SEASON] - f.weights[PANEL_LONG_SEASON])) < 1e-6);
	for (size_t i = 0; i < HORIZON * LEVELS; i++)
		assert_true(fabs(row[i] - (double)((N + i / LEVELS) % 24)) < 1e-9);
	panel_free(p);
}

/* What has been learnt is learnt from what was said: who said the same as the panel has nothing to gain from it. */
static void
regrets_what_was_said(void **state)
{
	static const double level = .5, x[2] = { 0, 10 };
	struct ensemble_rule rule;
	struct ensemble lean = { 0 }, plain = { 0 };
	float w[2], v[2];

	(void)state;
	ensemble_rule_default(2, 1, 1, &rule);
	for (size_t t = 0; t < 50; t++) {
		ensemble_learn(&rule, &lean, 0, 3, &level, x, &x[0], -1, 10); /* the panel said 0 */
		ensemble_learn(&rule, &plain, 0, 3, &level, x, NULL, -1, 10);
	}
	ensemble_weights(&rule, &lean, 0, 0, 3, w);
	ensemble_weights(&rule, &plain, 0, 0, 3, v);
	assert_true(lean.variance[0][0][0] == 0); /* nothing to regret in the first */
	assert_true(plain.variance[0][0][0] > 0);
	assert_true(w[0] > w[1] && v[0] > v[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pinball_by_hand),
		cmocka_unit_test(losses_follow_the_misses),
		cmocka_unit_test(unknown_is_said),
		cmocka_unit_test(levels_do_not_matter),
		cmocka_unit_test(few_forecasts_fit_into_a_short_history),
		cmocka_unit_test(a_first_forecast_leans_on_the_history),
		cmocka_unit_test(who_cannot_see_the_season_stands_back),
		cmocka_unit_test(a_second_day_is_as_the_first),
		cmocka_unit_test(a_series_without_days_has_none),
		cmocka_unit_test(a_first_day_without_noise),
		cmocka_unit_test(a_first_day_has_no_season),
		cmocka_unit_test(no_difference_is_no_evidence),
		cmocka_unit_test(regrets_what_was_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
