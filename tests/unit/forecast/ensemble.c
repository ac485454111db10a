/* ensemble.c -- weights that follow realised losses, on streams small enough to know what is right. */
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
#include "common/forecast/ensemble.h"

#define MEDIAN 0.5

static double
pinball(double level, double quantile, double value)
{
	return value > quantile ? level * (value - quantile) : (1 - level) * (quantile - value);
}

static struct ensemble_rule
one_level(size_t members)
{
	struct ensemble_rule rule;

	ensemble_rule_default(members, 1, 1, &rule);
	return rule;
}

/* ---- parts of a horizon ---- */

static const struct parts {
	size_t horizon, n_buckets;
	uint32_t edges[ENSEMBLE_BUCKETS_MAX];
} parts[] = {
	{ 1, 1, { 0 } }, { 2, 2, { 0, 1 } }, { 5, 3, { 0, 1, 2 } }, { 24, 3, { 0, 1, 6 } }, { 48, 3, { 0, 1, 12 } },
};

static void
buckets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		struct ensemble_rule rule;

		ensemble_rule_default(3, 9, parts[i].horizon, &rule);
		assert_int_equal(rule.n_buckets, parts[i].n_buckets);
		for (size_t b = 0; b < rule.n_buckets; b++) {
			assert_int_equal(rule.edges[b], parts[i].edges[b]);
			assert_int_equal(ensemble_bucket(&rule, rule.edges[b]), b);
			if (b)
				assert_int_equal(ensemble_bucket(&rule, rule.edges[b] - 1), b - 1);
		}
		assert_int_equal(ensemble_bucket(&rule, 100000), rule.n_buckets - 1);
	}
}

/* ---- weights ---- */

static void
nothing_learnt_is_the_prior(void **state)
{
	struct ensemble_rule rule = one_level(4);
	struct ensemble e;
	float w[4];

	(void)state;
	memset(&e, 0, sizeof(e));
	memcpy(rule.prior[0], (float[]){ 0.5F, 0.25F, 0.25F, 0 }, sizeof(w));
	ensemble_weights(&rule, &e, 0, 0, 0xf, w);
	assert_memory_equal(w, rule.prior[0], sizeof(w));
	ensemble_weights(&rule, &e, 0, 0, 0x6, w);
	assert_memory_equal(w, ((float[]){ 0, 0.5F, 0.5F, 0 }), sizeof(w));
	ensemble_weights(&rule, &e, 0, 0, 0x8, w); /* it has no prior, but nobody else is there */
	assert_memory_equal(w, ((float[]){ 0, 0, 0, 1 }), sizeof(w));
	ensemble_weights(&rule, &e, 0, 0, 0, w);
	assert_memory_equal(w, ((float[]){ 0, 0, 0, 0 }), sizeof(w));
}

static void
check_weights(const struct ensemble_rule *rule, const struct ensemble *e, uint32_t awake)
{
	for (size_t b = 0; b < rule->n_buckets; b++)
		for (size_t q = 0; q < rule->n_levels; q++) {
			float w[ENSEMBLE_MEMBERS_MAX];
			double sum = 0;

			ensemble_weights(rule, e, b, q, awake, w);
			for (size_t m = 0; m < rule->n_members; m++) {
				assert_true(w[m] >= 0 && w[m] <= 1);
				assert_true(awake >> m & 1 || w[m] == 0);
				sum += (double)w[m];
			}
			assert_true(fabs(sum - (awake ? 1 : 0)) < 1e-5);
		}
}

/*
 * Feed N values around CENTRE, members always say X; what the combination says at the end.  Weights go to *RET (NULL: not wanted):
 * where other mixtures say the same as the best member does, only the combination is determined.
 */
static double
run_constants(const struct ensemble_rule *rule, struct ensemble *e, const double *x, uint64_t from, uint64_t n,
	      double centre, float *ret)
{
	static const double level = MEDIAN;
	double said;

	for (uint64_t t = from; t < from + n; t++)
		ensemble_learn(rule, e, 0, UINT32_MAX, &level, x, NULL, centre + random_normal(3, 0, t), 1);
	if (ret)
		ensemble_weights(rule, e, 0, 0, UINT32_MAX, ret);
	ensemble_combine(rule, e, 0, UINT32_MAX, x, &said);
	return said;
}

static void
finds_the_best_constant(void **state)
{
	struct ensemble_rule rule = one_level(5);
	struct ensemble e;
	double x[5] = { -3, -1.5, 4, 6, 9 };
	float w[5];

	(void)state;
	for (size_t best = 0; best < 5; best++) {
		memset(&e, 0, sizeof(e));
		assert_true(fabs(run_constants(&rule, &e, x, 0, 500, x[best], w) - x[best]) < 0.8);
		assert_true((best != 0 && best != 4) || w[best] > 0.8F);
	}
}

/* The value lies between two members: a third of one and two thirds of the other is right, neither alone is. */
static void
finds_a_mixture(void **state)
{
	struct ensemble_rule rule = one_level(2);
	struct ensemble e;
	double x[2] = { 0, 6 };
	float w[2];

	(void)state;
	memset(&e, 0, sizeof(e));
	run_constants(&rule, &e, x, 0, 2000, 4, w);
	assert_true(fabs((double)w[1] - 2.0 / 3) < 0.08);
}

/* What was best is so no more: the new best has the greatest weight soon, also after long of the old. */
static void
follows_a_change(void **state)
{
	struct ensemble_rule rule = one_level(3);
	struct ensemble e;
	double x[3] = { 0, 5, 20 };
	float w[3];

	(void)state;
	memset(&e, 0, sizeof(e));
	assert_true(fabs(run_constants(&rule, &e, x, 0, 20000, 0, NULL)) < 0.8);
	assert_true(fabs(run_constants(&rule, &e, x, 20000, 100, 5, NULL) - 5) < 1);
	assert_true(fabs(run_constants(&rule, &e, x, 20100, 150, 20, w) - 20) < 1);
	assert_true(w[2] > 0.9F);
	for (size_t m = 0; m < 3; m++)
		assert_true(isfinite(e.regret[0][0][m]) && fabsf(e.regret[0][0][m]) < 1e4F);
}

/* Quantiles of different levels learn apart: one member knows the lower, the other the upper tail. */
static void
levels_are_apart(void **state)
{
	static const double levels[2] = { .1, .9 };
	double x[2][2] = { { -1.2816, 5 }, { -6, 1.2816 } };
	struct ensemble_rule rule;
	struct ensemble e;
	float w[2];

	(void)state;
	ensemble_rule_default(2, 2, 1, &rule);
	memset(&e, 0, sizeof(e));
	for (uint64_t t = 0; t < 3000; t++)
		ensemble_learn(&rule, &e, 0, 3, levels, &x[0][0], NULL, random_normal(4, 0, t), 1);
	ensemble_weights(&rule, &e, 0, 0, 3, w);
	assert_true(w[0] > 0.8F);
	ensemble_weights(&rule, &e, 0, 1, 3, w);
	assert_true(w[1] > 0.8F);
}

/* A member that sleeps for long keeps its rank against the others and is neither king nor lost when it wakes. */
static void
sleeps_and_wakes(void **state)
{
	static const double level = MEDIAN;
	struct ensemble_rule rule = one_level(3);
	struct ensemble e;
	double x[3] = { 0, 3, NAN };
	float w[3], before[3], after[3];

	(void)state;
	memset(&e, 0, sizeof(e));
	for (uint64_t t = 0; t < 5000; t++)
		ensemble_learn(&rule, &e, 0, 0x3, &level, x, NULL, random_normal(5, 0, t), 1);
	ensemble_weights(&rule, &e, 0, 0, 0x3, w);
	assert_true(w[0] > 0.8F && w[2] == 0);
	ensemble_weights(&rule, &e, 0, 0, 0x7, w);
	assert_true(w[2] > 0.1F && w[2] < 0.6F); /* nothing is known of it: about the prior */
	x[2] = 2;
	for (uint64_t t = 5000; t < 6000; t++)
		ensemble_learn(&rule, &e, 0, 0x7, &level, x, NULL, random_normal(5, 0, t), 1);
	ensemble_weights(&rule, &e, 0, 0, 0x7, before);
	assert_true(before[2] < 0.2F);
	for (uint64_t t = 6000; t < 9000; t++)
		ensemble_learn(&rule, &e, 0, 0x3, &level, x, NULL, random_normal(5, 0, t), 1);
	ensemble_weights(&rule, &e, 0, 0, 0x7, after);
	assert_true(fabsf(after[2] - before[2]) < 0.1F);
}

/* ---- numbers of all sorts ---- */

static void
not_numbers_are_ignored(void **state)
{
	static const double levels[2] = { .25, .75 };
	double x[3][2] = { { 0, 1 }, { NAN, INFINITY }, { -2, 3 } }, ret[2];
	struct ensemble_rule rule;
	struct ensemble e, zero;

	(void)state;
	ensemble_rule_default(3, 2, 1, &rule);
	memset(&e, 0, sizeof(e));
	memset(&zero, 0, sizeof(zero));
	ensemble_learn(&rule, &e, 0, 7, levels, &x[0][0], NULL, NAN, 1);
	ensemble_learn(&rule, &e, 0, 7, levels, &x[0][0], NULL, INFINITY, 1);
	ensemble_learn(&rule, &e, 0, 7, levels, &x[0][0], NULL, 1, 0);
	ensemble_learn(&rule, &e, 0, 7, levels, &x[0][0], NULL, 1, NAN);
	assert_memory_equal(&e, &zero, sizeof(e));
	ensemble_combine(&rule, &e, 0, 7, &x[0][0], ret);
	assert_true(ret[0] == -1 && ret[1] == 2); /* members 0 and 2, equally */
	for (uint64_t t = 0; t < 200; t++)
		ensemble_learn(&rule, &e, 0, 7, levels, &x[0][0], NULL, random_normal(6, 0, t), 1);
	check_weights(&rule, &e, 7);
	x[1][0] = DBL_MAX;
	x[1][1] = -DBL_MAX;
	for (uint64_t t = 0; t < 200; t++)
		ensemble_learn(&rule, &e, 0, 7, levels, &x[0][0], NULL, t % 2 ? DBL_MAX : 1, DBL_MIN);
	check_weights(&rule, &e, 7);
	ensemble_combine(&rule, &e, 0, 0, &x[0][0], ret);
	assert_true(isnan(ret[0]) && isnan(ret[1]));
}

/* Random members of random temper, random sleep, random parts: weights sum to one, rows ascend, twice the same. */
static void
anything_goes(void **state)
{
	enum { LEVELS = 9, MEMBERS = 7 };
	double levels[LEVELS], x[MEMBERS][LEVELS], ret[LEVELS], again[LEVELS];
	static struct ensemble e, f;
	struct ensemble_rule rule;

	(void)state;
	ensemble_rule_default(MEMBERS, LEVELS, 24, &rule);
	for (size_t q = 0; q < LEVELS; q++)
		levels[q] = (double)(q + 1) / 10;
	for (uint64_t t = 0; t < 3000; t++) {
		uint32_t awake = (uint32_t)random_u64(7, 1, t) & 0x7f;
		double scale = pow(10, 6 * random_normal(7, 2, t)), value = scale * random_normal(7, 3, t);

		for (size_t i = 0; i < (size_t)MEMBERS * LEVELS; i++) /* not even sorted */
			x[i / LEVELS][i % LEVELS] = scale * random_normal(7, 4 + i, t);
		ensemble_combine(&rule, &e, t % 24, awake, &x[0][0], ret);
		ensemble_combine(&rule, &f, t % 24, awake, &x[0][0], again);
		assert_memory_equal(ret, again, sizeof(ret));
		for (size_t q = 1; awake && q < LEVELS; q++)
			assert_true(ret[q] >= ret[q - 1]);
		ensemble_learn(&rule, &e, t % 24, awake, levels, &x[0][0], NULL, value, scale);
		ensemble_learn(&rule, &f, t % 24, awake, levels, &x[0][0], NULL, value, scale);
		check_weights(&rule, &e, awake);
	}
	assert_memory_equal(&e, &f, sizeof(e));
}

/* The unit of a series has no say. */
static void
scale_free(void **state)
{
	struct ensemble_rule rule = one_level(2);
	double x[2] = { 0, 1 }, large[2] = { 0, 1048576 };
	static const double level = MEDIAN;
	struct ensemble e, f;

	(void)state;
	memset(&e, 0, sizeof(e));
	memset(&f, 0, sizeof(f));
	for (uint64_t t = 0; t < 300; t++) {
		double value = random_normal(8, 0, t);

		ensemble_learn(&rule, &e, 0, 3, &level, x, NULL, value, 1);
		ensemble_learn(&rule, &f, 0, 3, &level, large, NULL, value * 1048576, 1048576);
	}
	assert_memory_equal(&e, &f, sizeof(e));
}

/*
 * Against whatever comes: the loss over T values exceeds that of the best single member by at most a few times sqrt(T ln K).
 * Members are in [0, 1]; values are drawn, alternate, or are set where they hurt the combination most.
 */
static void
regret_is_bounded(void **state)
{
	enum { MEMBERS = 6, T = 4000 };

	(void)state;
	for (uint64_t kind = 0; kind < 6; kind++) {
		struct ensemble_rule rule = one_level(MEMBERS);
		double level = kind % 2 ? .9 : .3, x[MEMBERS], losses[MEMBERS] = { 0 }, loss = 0, least = INFINITY;
		struct ensemble e;

		rule.share = kind < 3 ? 0 : 0.01F;
		memset(&e, 0, sizeof(e));
		for (uint64_t t = 0; t < T; t++) {
			double ret, value = random_uniform(9, kind, t);

			for (size_t m = 0; m < MEMBERS; m++)
				x[m] = random_uniform(10 + kind, m, kind == 1 ? t / 50 : t);
			ensemble_combine(&rule, &e, 0, UINT32_MAX, x, &ret);
			if (kind % 3 == 1)
				value = (double)(t % 2);
			if (kind % 3 == 2)
				value = ret < 0.5 ? 1 : 0;
			loss += pinball(level, ret, value);
			for (size_t m = 0; m < MEMBERS; m++)
				losses[m] += pinball(level, x[m], value);
			ensemble_learn(&rule, &e, 0, UINT32_MAX, &level, x, NULL, value, 1);
		}
		for (size_t m = 0; m < MEMBERS; m++)
			least = fmin(least, losses[m]);
		assert_true(loss - least < 2 * sqrt(T * log(MEMBERS)) + (kind < 3 ? 0 : 0.01 * T));
	}
}

/* ---- offline ---- */

#define CASES 600

struct table {
	struct ensemble_case cases[CASES];
	double quantiles[CASES][3]; /* three members, one level */
};

/* The value is a + b with noise; member 0 says a + b + 1, member 1 says a + b - 1, member 2 says 9. */
static void
fill(struct table *t)
{
	for (size_t i = 0; i < CASES; i++) {
		double truth = 3 * random_normal(11, 0, i);

		t->quantiles[i][0] = truth + 1;
		t->quantiles[i][1] = truth - 1;
		t->quantiles[i][2] = 9;
		t->cases[i] = (struct ensemble_case){ t->quantiles[i], 7, (uint32_t)(i % 4), truth };
	}
}

static void
selects_a_mixture(void **state)
{
	static struct table t;
	struct ensemble_rule rule;
	struct err err = ERR_INIT;
	double level = MEDIAN;

	(void)state;
	ensemble_rule_default(3, 1, 4, &rule);
	fill(&t);
	assert_int_equal(ensemble_select(&rule, &level, t.cases, CASES, 20, &err), 0);
	for (size_t b = 0; b < rule.n_buckets; b++)
		assert_memory_equal(rule.prior[b], ((float[]){ 0.5F, 0.5F, 0 }), 3 * sizeof(float));
}

/* Parts of the horizon are apart, one without cases keeps what it had, sleeping members and unknown values do not count. */
static void
selects_by_part(void **state)
{
	static struct table t;
	struct ensemble_rule rule;
	struct err err = ERR_INIT;
	double level = MEDIAN;

	(void)state;
	ensemble_rule_default(3, 1, 40, &rule);
	fill(&t);
	for (size_t i = 0; i < CASES; i++) {
		t.cases[i].step = i % 2 ? 0 : 3;
		if (i % 2) {
			t.cases[i].awake = 5; /* member 1 sleeps */
			t.quantiles[i][1] = NAN;
		}
		if (i % 10 == 2)
			t.cases[i].value = NAN;
		if (i % 10 == 4) {
			t.cases[i].awake = 0;
			t.cases[i].value = 1e9;
		}
	}
	assert_int_equal(ensemble_select(&rule, &level, t.cases, CASES, 20, &err), 0);
	assert_memory_equal(rule.prior[0], ((float[]){ 1, 0, 0 }), 3 * sizeof(float));
	assert_memory_equal(rule.prior[1], ((float[]){ 0.5F, 0.5F, 0 }), 3 * sizeof(float));
	assert_memory_equal(rule.prior[2], ((float[]){ 1 / 3.0F, 1 / 3.0F, 1 / 3.0F }), 3 * sizeof(float));
}

static void
ties_go_to_the_lower(void **state)
{
	static struct table t;
	struct ensemble_rule rule;
	struct err err = ERR_INIT;
	double level = MEDIAN;

	(void)state;
	ensemble_rule_default(3, 1, 1, &rule);
	fill(&t);
	for (size_t i = 0; i < CASES; i++)
		t.quantiles[i][1] = t.quantiles[i][2] = t.quantiles[i][0];
	assert_int_equal(ensemble_select(&rule, &level, t.cases, CASES, 7, &err), 0);
	assert_memory_equal(rule.prior[0], ((float[]){ 1, 0, 0 }), 3 * sizeof(float));
	assert_int_equal(ensemble_select(&rule, &level, t.cases, 0, 7, &err), 0); /* nothing to learn from */
	assert_memory_equal(rule.prior[0], ((float[]){ 1, 0, 0 }), 3 * sizeof(float));
}

static void
what_all_say_is_said(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		struct ensemble_rule rule = one_level(7);
		struct ensemble e = { 0 };
		double x[7], value = random_normal(9, 0, i) * 100, said;

		for (uint64_t m = 0; m < 7; m++) {
			x[m] = value;
			rule.prior[0][m] = (float)random_uniform(9, i, m + 1);
		}
		ensemble_combine(&rule, &e, 0, 0x7f, x, &said);
		assert_true(said == value);
	}
}

/* Where one step of each part is told, far parts learn from it as the first one does; where all are, less from each. */
static void
single_steps_count_in_full(void **state)
{
	const double level = .5, x[3] = { 0, 1, 4 };
	float w[2][3];

	(void)state;
	for (int single = 0; single < 2; single++) {
		struct ensemble_rule rule;
		struct ensemble e = { 0 };

		ensemble_rule_default(3, 1, 12, &rule);
		rule.single_steps = single;
		for (uint64_t t = 0; t < 50; t++) {
			double value = random_normal(8, 0, t);

			ensemble_learn(&rule, &e, 0, 7, &level, x, NULL, value, 1);
			ensemble_learn(&rule, &e, 11, 7, &level, x, NULL, value, 1);
		}
		ensemble_weights(&rule, &e, 0, 0, 7, w[0]);
		ensemble_weights(&rule, &e, 2, 0, 7, w[1]);
		assert_true(w[0][0] > .5F && w[1][0] > 1 / 3.F);
		assert_true(single ? memcmp(w[0], w[1], sizeof(w[0])) == 0 : w[1][0] < w[0][0]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets),
		cmocka_unit_test(nothing_learnt_is_the_prior),
		cmocka_unit_test(finds_the_best_constant),
		cmocka_unit_test(finds_a_mixture),
		cmocka_unit_test(follows_a_change),
		cmocka_unit_test(levels_are_apart),
		cmocka_unit_test(sleeps_and_wakes),
		cmocka_unit_test(not_numbers_are_ignored),
		cmocka_unit_test(anything_goes),
		cmocka_unit_test(scale_free),
		cmocka_unit_test(regret_is_bounded),
		cmocka_unit_test(selects_a_mixture),
		cmocka_unit_test(selects_by_part),
		cmocka_unit_test(ties_go_to_the_lower),
		cmocka_unit_test(single_steps_count_in_full),
		cmocka_unit_test(what_all_say_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
