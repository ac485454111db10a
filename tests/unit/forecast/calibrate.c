/* calibrate.c -- coverage that holds in the long run, ranks that are exact. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "common/forecast/calibrate.h"

#define LEVELS 9
#define STEPS 20000

static const double levels[LEVELS] = { .025, .1, .2, .4, .5, .6, .8, .9, .975 };
static const double normal[LEVELS] = { -1.96, -1.2816, -.8416, -.2533, 0, .2533, .8416, 1.2816, 1.96 };

static struct ensemble_rule
rule_of(size_t horizon)
{
	struct ensemble_rule rule;

	ensemble_rule_default(1, LEVELS, horizon, &rule);
	return rule;
}

/* ---- online: streams that a forecaster who believes in N(0, 1) gets wrong, each in its way ---- */

static double
narrow(uint64_t t)
{
	return 2 * random_normal(1, 1, t);
}

static double
wide(uint64_t t)
{
	return 0.3 * random_normal(1, 2, t);
}

static double
skewed(uint64_t t)
{
	return -log(random_uniform(1, 3, t)) - 1;
}

static double
drifting(uint64_t t)
{
	return random_normal(1, 4, t) + 2.5 * sin((double)t / 700);
}

static double
breathing(uint64_t t)
{
	return random_normal(1, 5, t) * (1.2 + sin((double)t / 500));
}

static double
jumping(uint64_t t)
{
	return random_normal(1, 6, t) + (t / 4000 % 2 ? 2 : -1);
}

static const struct stream {
	const char *name;
	double (*next)(uint64_t t);
} streams[] = {
	{ "intervals too narrow", narrow }, { "intervals too wide", wide }, { "skewed", skewed },
	{ "drifting", drifting },           { "breathing", breathing },     { "jumping", jumping },
};

static void
covers(void **state)
{
	const struct stream *s = *state;
	struct ensemble_rule rule = rule_of(1);
	static const double scale = 10;
	struct calibration start = { 0 }, online = { 0 };
	double below[LEVELS] = { 0 }, inside80 = 0, inside95 = 0;

	start.shift[0][1] = 0.3F; /* of the class, and wrong for this series */
	for (uint64_t t = 0; t < STEPS; t++) {
		double q[LEVELS], raw[LEVELS], value = scale * s->next(t);

		for (size_t i = 0; i < LEVELS; i++)
			q[i] = raw[i] = scale * normal[i];
		calibration_apply(&rule, &start, &online, 0, scale, q);
		for (size_t i = 0; i < LEVELS; i++) {
			below[i] += value <= q[i];
			assert_true(!i || q[i] >= q[i - 1]);
			assert_true(fabs(q[i]) <= 10 * scale);
		}
		inside80 += q[1] <= value && value <= q[7];
		inside95 += q[0] <= value && value <= q[8];
		calibration_learn(&rule, &start, &online, levels, 0, 0.02, scale, raw, value);
	}
	print_message("%s: %.4f %.4f\n", s->name, inside80 / STEPS, inside95 / STEPS);
	assert_true(fabs(inside80 / STEPS - .8) < 0.01);
	assert_true(fabs(inside95 / STEPS - .95) < 0.01);
	for (size_t i = 0; i < LEVELS; i++)
		assert_true(fabs(below[i] / STEPS - levels[i]) < 0.015);
}

/* One value by hand: above by which each level rises, below by which it falls. */
static void
one_move(void **state)
{
	struct ensemble_rule rule = rule_of(10);
	struct calibration online = { 0 };
	double q[LEVELS];

	(void)state;
	for (size_t i = 0; i < LEVELS; i++)
		q[i] = 5 * normal[i];
	calibration_learn(&rule, NULL, &online, levels, 4, 0.5, 5, q, 0.1);
	for (size_t i = 0; i < LEVELS; i++) {
		double move = 0.1 <= q[i] ? 0.5 * (levels[i] - 1) : 0.5 * levels[i];

		assert_true(fabs((double)online.shift[2][i] - move) < 1e-7);
		assert_true(online.shift[0][i] == 0 && online.shift[1][i] == 0);
	}
	calibration_apply(&rule, NULL, &online, 0, 5, q);
	for (size_t i = 0; i < LEVELS; i++)
		assert_true(q[i] == 5 * normal[i]); /* another part of the horizon */
	calibration_apply(&rule, NULL, &online, 9, 5, q);
	for (size_t i = 1; i < LEVELS; i++)
		assert_true(q[i] >= q[i - 1]);
}

/* Values from another world: shifts stop at their bound, and are back in time. */
static void
bounded(void **state)
{
	struct ensemble_rule rule = rule_of(1);
	struct calibration online = { 0 };
	double q[LEVELS], covered = 0;

	(void)state;
	for (uint64_t t = 0; t < 6000; t++) {
		memcpy(q, normal, sizeof(q));
		calibration_learn(&rule, NULL, &online, levels, 0, 0.02, 1, q, t < 3000 ? 1e300 : narrow(t));
		calibration_apply(&rule, NULL, &online, 0, 1, q);
		for (size_t i = 0; i < LEVELS; i++)
			assert_true(fabs(q[i] - normal[i]) < 8);
		if (t >= 5000)
			covered += q[1] <= narrow(t + 1) && narrow(t + 1) <= q[7];
	}
	assert_true(fabs(covered / 1000 - .8) < 0.04);
}

static void
not_numbers(void **state)
{
	struct ensemble_rule rule = rule_of(1);
	struct calibration online = { 0 }, zero = { 0 };
	double q[LEVELS];

	(void)state;
	memcpy(q, normal, sizeof(q));
	calibration_learn(&rule, NULL, &online, levels, 0, 0.02, 1, q, NAN);
	calibration_learn(&rule, NULL, &online, levels, 0, 0.02, 1, q, -INFINITY);
	calibration_learn(&rule, NULL, &online, levels, 0, 0.02, 0, q, 1);
	calibration_learn(&rule, NULL, &online, levels, 0, 0.02, NAN, q, 1);
	assert_memory_equal(&online, &zero, sizeof(online));
	calibration_apply(&rule, NULL, NULL, 0, 1, q);
	assert_memory_equal(q, normal, sizeof(q));
	online.shift[0][0] = 1;
	q[0] = DBL_MAX;
	calibration_apply(&rule, NULL, &online, 0, DBL_MAX, q);
	for (size_t i = 0; i < LEVELS; i++)
		assert_true(isfinite(q[i]));
}

/* ---- online: intervals alone ---- */

/* In the long run intervals cover what they say, whoever sits in them; the middle stays where it was. */
static void
covers_by_width(void **state)
{
	static const size_t even[] = { 0, 1, 4 }; /* streams around 0: narrow, wide, breathing */
	static const double scale = 10;

	(void)state;
	for (size_t s = 0; s < sizeof(even) / sizeof(*even); s++) {
		struct ensemble_rule rule = rule_of(1);
		struct calibration start = { 0 }, online = { 0 };
		double inside80 = 0, inside95 = 0;

		start.shift[0][1] = -0.3F;
		for (uint64_t t = 0; t < STEPS; t++) {
			double q[LEVELS], raw[LEVELS], value = scale * streams[even[s]].next(t);

			for (size_t i = 0; i < LEVELS; i++)
				q[i] = raw[i] = scale * normal[i];
			calibration_apply(&rule, &start, &online, 0, scale, q);
			inside80 += q[1] <= value && value <= q[7];
			inside95 += q[0] <= value && value <= q[8];
			calibration_learn_width(&rule, &start, &online, levels, 0, 0.05, scale, raw, value);
		}
		print_message("%s: %.4f %.4f\n", streams[even[s]].name, inside80 / STEPS, inside95 / STEPS);
		assert_true(fabs(inside80 / STEPS - .8) < 0.01);
		assert_true(fabs(inside95 / STEPS - .95) < 0.01);
		assert_true(online.shift[0][4] == 0);
		for (size_t i = 0; i < 4; i++)
			assert_true(fabs((double)online.shift[0][i] + (double)online.shift[0][LEVELS - 1 - i]) < 1e-3);
	}
}

/* One value by hand; a level that has no counterpart stays, and so do others where a quantile is no number. */
static void
one_width(void **state)
{
	static const double odd[4] = { .1, .3, .5, .9 };
	struct calibration online = { 0 }, before;
	struct ensemble_rule rule;
	double q[4] = { -4, -1, 0, 4 };

	(void)state;
	ensemble_rule_default(1, 4, 1, &rule);
	calibration_learn_width(&rule, NULL, &online, odd, 0, 0.5, 2, q, 5); /* outside */
	assert_true(fabs((double)online.shift[0][0] + .2) < 1e-6 && fabs((double)online.shift[0][3] - .2) < 1e-6);
	assert_true(online.shift[0][1] == 0 && online.shift[0][2] == 0);
	calibration_learn_width(&rule, NULL, &online, odd, 0, 0.5, 2, q, 4.4); /* just inside what is wider now */
	assert_true(fabs((double)online.shift[0][0] + .15) < 1e-6 && fabs((double)online.shift[0][3] - .15) < 1e-6);
	before = online;
	calibration_learn_width(&rule, NULL, &online, odd, 0, 0.5, 2, q, NAN);
	calibration_learn_width(&rule, NULL, &online, odd, 0, 0.5, 0, q, 1);
	q[3] = NAN;
	calibration_learn_width(&rule, NULL, &online, odd, 0, 0.5, 2, q, 1);
	assert_memory_equal(&online, &before, sizeof(online));
	for (size_t i = 0; i < 100; i++) /* bounded like the others */
		calibration_learn_width(&rule, NULL, &online, odd, 0, 0.5, 2, (double[]){ -4, -1, 0, 4 }, 1e300);
	assert_true(fabs((double)online.shift[0][3] - 4) < 1e-6);
}

static void
adds(void **state)
{
	struct calibration sum = { 0 }, more = { 0 };

	(void)state;
	sum.shift[1][2] = 1;
	more.shift[1][2] = 0.5F;
	more.shift[3][31] = -2;
	calibration_add(&sum, &more);
	assert_true(sum.shift[1][2] == 1.5F && sum.shift[3][31] == -2 && sum.shift[0][0] == 0);
}

/* ---- split conformal ---- */

#define CASES 99

/* Scores 1 to 99, shuffled: with 99 cases level tau takes the (100 tau)-th, exactly. */
static void
exact_ranks(void **state)
{
	struct ensemble_rule rule = rule_of(1);
	struct calibration_case cases[CASES];
	double zero[LEVELS] = { 0 };
	struct calibration c;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < CASES; i++)
		cases[i] = (struct calibration_case){ zero, 0, (double)(i * 37 % 99 + 1) * 0.25, 25 };
	assert_int_equal(calibration_fit(&rule, levels, cases, CASES, CASES, &c, &err), 0);
	for (size_t q = 0; q < LEVELS; q++) {
		double rank = levels[q] == .025 ? 3 : levels[q] == .975 ? 98 : round(100 * levels[q]);

		assert_true(fabs((double)c.shift[0][q] - rank / 100) < 1e-6);
	}
}

/*
 * 990 cases of 99 forecasts: their tenth of them, and half a one more on the way out.  Of 9 forecasts the outermost tenths are the
 * last that can be known, and lie at half of a ninth from the ends.
 */
static void
steps_of_one_forecast(void **state)
{
	struct ensemble_rule rule = rule_of(1);
	static struct calibration_case cases[10 * CASES];
	double zero[LEVELS] = { 0 };
	struct calibration c;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 10 * CASES; i++)
		cases[i] = (struct calibration_case){ zero, 0, (double)(i * 37 % 990 + 1), 1000 };
	assert_int_equal(calibration_fit(&rule, levels, cases, 10 * CASES, CASES, &c, &err), 0);
	assert_true(fabs((double)c.shift[0][1] - .096) < 1e-6); /* 95.5 */
	assert_true(fabs((double)c.shift[0][4] - .496) < 1e-6); /* 495.5: the middle is the middle */
	assert_true(fabs((double)c.shift[0][7] - .896) < 1e-6); /* 895.5, from .891 */
	assert_int_equal(calibration_fit(&rule, levels, cases, 10 * CASES, 9, &c, &err), 0);
	assert_true(fabs((double)c.shift[0][1] - .056) < 1e-6 && fabs((double)c.shift[0][7] - .936) < 1e-6);
	assert_true(c.shift[0][0] == 0 && c.shift[0][8] == 0);
	assert_int_equal(calibration_fit(&rule, levels, cases, 10 * CASES, 0, &c, &err), 0);
	for (size_t q = 0; q < LEVELS; q++)
		assert_true(c.shift[0][q] == 0);
}

/* With n cases the levels within [1 / (n + 1), n / (n + 1)] can be known; what cannot keeps 0. */
static const struct few {
	size_t n, first, last; /* levels that move */
} fews[] = { { 0, 1, 0 }, { 1, 4, 4 }, { 2, 3, 5 }, { 4, 2, 6 }, { 8, 2, 6 }, { 9, 1, 7 }, { 38, 1, 7 }, { 39, 0, 8 } };

static void
few_cases(void **state)
{
	struct ensemble_rule rule = rule_of(1);
	double zero[LEVELS] = { 0 };

	(void)state;
	for (size_t f = 0; f < sizeof(fews) / sizeof(*fews); f++) {
		struct calibration_case cases[CASES];
		struct calibration c;
		struct err err = ERR_INIT;

		for (size_t i = 0; i < fews[f].n; i++)
			cases[i] = (struct calibration_case){ zero, 0, (double)(i + 1), 50 };
		assert_int_equal(calibration_fit(&rule, levels, cases, fews[f].n, CASES, &c, &err), 0);
		for (size_t q = 0; q < LEVELS; q++)
			assert_int_equal(c.shift[0][q] > 0, q >= fews[f].first && q <= fews[f].last);
	}
}

/* Fitted on one half of a skewed stream the other half is covered; parts of the horizon and useless cases are kept apart. */
static void
covers_what_it_has_not_seen(void **state)
{
	enum { N = 4000 };
	static struct calibration_case cases[N];
	static const double zero[LEVELS] = { 0 };
	struct ensemble_rule rule = rule_of(8);
	struct calibration c;
	struct err err = ERR_INIT;
	double inside = 0;

	(void)state;
	for (uint64_t i = 0; i < N; i++) {
		uint32_t step = (uint32_t)(i % 2) * 7;
		double scale = i % 3 ? 5 : 500;

		cases[i] = (struct calibration_case){ zero, step, scale * (step ? 3 : 1) * skewed(i), scale };
		if (i % 50 == 0)
			cases[i].value = NAN;
		if (i % 50 == 1)
			cases[i].scale = 0;
	}
	assert_int_equal(calibration_fit(&rule, levels, cases, N, N, &c, &err), 0);
	for (uint64_t i = N; i < 3 * N; i++) {
		double q[LEVELS] = { 0 }, value = 5 * (i % 2 ? 3 : 1) * skewed(i);

		calibration_apply(&rule, &c, NULL, i % 2 * 7, 5, q);
		inside += q[1] <= value && value <= q[7];
	}
	assert_true(fabs(inside / (2 * N) - .8) < 0.02);
	for (size_t q = 0; q < LEVELS; q++)
		assert_true(c.shift[1][q] == 0); /* steps 1: no case */
}

int
main(void)
{
	struct CMUnitTest tests[10 + sizeof(streams) / sizeof(*streams)] = {
		cmocka_unit_test(one_move),
		cmocka_unit_test(bounded),
		cmocka_unit_test(not_numbers),
		cmocka_unit_test(exact_ranks),
		cmocka_unit_test(few_cases),
		cmocka_unit_test(covers_what_it_has_not_seen),
		cmocka_unit_test(covers_by_width),
		cmocka_unit_test(one_width),
		cmocka_unit_test(adds),
		cmocka_unit_test(steps_of_one_forecast),
	};

	for (size_t i = 0; i < sizeof(streams) / sizeof(*streams); i++)
		tests[10 + i] = (struct CMUnitTest){ streams[i].name, covers, NULL, NULL, (void *)&streams[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
