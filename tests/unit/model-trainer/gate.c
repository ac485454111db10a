/* gate.c -- candidates that are better, equal, worse; lucky ones; each condition by itself; the bootstrap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "workers/model-trainer/gate.h"

#define SERIES 200

static const struct gate_rule rule = { 1, 1.01, .76, .84, 50, 1, { 1000, .95, 7 } };

/* What is told of all series: how the candidate's loss compares, with so much noise from series to series. */
static const struct row {
	const char *name;
	size_t n;
	double ratio, noise, coverage, floor; /* candidate over live, its deviation, coverage, candidate over naive */
	double latency;
	uint64_t failures;
	bool live;
	unsigned refused; /* bits of conditions */
} rows[] = {
	{ "better", SERIES, .9, .2, .8, .5, 3, 0, true, 0 },
	{ "equal", SERIES, 1, 0, .8, .5, 3, 0, true, 0 },
	{ "a little better, much noise", 20, .99, .5, .8, .5, 3, 0, true, 1U << GATE_BOUND },
	{ "a little worse", SERIES, 1.005, 0, .8, .5, 3, 0, true, 1U << GATE_RATIO },
	{ "worse", SERIES, 1.1, .1, .8, .5, 3, 0, true, 1U << GATE_RATIO | 1U << GATE_BOUND },
	{ "worse than what is not there", SERIES, 1.1, .1, .8, .5, 3, 0, false, 0 },
	{ "narrow", SERIES, .9, 0, .7, .5, 3, 0, true, 1U << GATE_COVERAGE },
	{ "wide", SERIES, .9, 0, .9, .5, 3, 0, true, 1U << GATE_COVERAGE },
	{ "at the edge", SERIES, .9, 0, .76, .5, 3, 0, true, 0 },
	{ "slow", SERIES, .9, 0, .8, .5, 51, 0, true, 1U << GATE_LATENCY },
	{ "no number", SERIES, .9, 0, .8, .5, 3, 1, true, 1U << GATE_NUMBERS },
	{ "worse than naive", SERIES, .9, 0, .8, 1.01, 3, 0, true, 1U << GATE_FLOOR },
	{ "as good as naive", SERIES, .9, 0, .8, 1, 3, 0, false, 0 },
};

static void
judges(void **state)
{
	const struct row *row = *state;
	struct gate_series series[SERIES];
	const struct gate_evidence evidence = { series, row->n, row->live, row->failures, row->latency };
	struct gate_report report, once_more;
	struct err err = ERR_INIT;
	unsigned refused = 0;
	char text[500];

	for (size_t i = 0; i < row->n; i++) {
		double live = .2 + .1 * random_uniform(1, 0, i);
		double loss = live * row->ratio * (1 + row->noise * (i % 2 ? 1 : -1));

		series[i] = (struct gate_series){ loss, live, { 0 }, row->coverage * 100, 100 };
		series[i].naive[0] = 9;
		series[i].naive[1] = loss / row->floor;
		series[i].naive[2] = loss / row->floor * 1.5;
	}
	assert_int_equal(gate_judge(&rule, &evidence, &report, &err), 0);
	for (unsigned c = 0; c < GATE_CONDITIONS; c++)
		refused |= (unsigned)!report.of[c].passed << c;
	assert_int_equal(refused, row->refused);
	assert_int_equal(report.passed, row->refused == 0);
	assert_int_equal(report.naive, 1);
	assert_int_equal(report.of[GATE_RATIO].asked, row->live);
	gate_text(&report, text, sizeof(text));
	for (unsigned c = 1; c < GATE_CONDITIONS; c++) {
		const char *said = strstr(text, gate_condition_name((enum gate_condition)c));

		assert_int_equal(said != NULL, report.of[c].asked);
		if (said)
			assert_int_equal(strncmp(said - 4, "NOT ", 4) == 0, !report.of[c].passed);
	}
	assert_int_equal(gate_judge(&rule, &evidence, &once_more, &err), 0);
	assert_memory_equal(&report.of[GATE_BOUND], &once_more.of[GATE_BOUND], sizeof(report.of[GATE_BOUND]));
}

static void
few_series_say_little(void **state)
{
	struct gate_series series[4];
	const struct gate_evidence evidence = { series, ARRAY_LEN(series), false, 0, 1 };
	const double inside[] = { 40, 95, 60, 90 };
	struct gate_report report;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(series); i++)
		series[i] = (struct gate_series){ .1, NAN, { .2, .2, .2 }, inside[i], 100 };
	assert_int_equal(gate_judge(&rule, &evidence, &report, &err), 0);
	assert_true(report.of[GATE_COVERAGE].value < rule.coverage_min && report.of[GATE_COVERAGE].passed);
	for (size_t i = 0; i < ARRAY_LEN(series); i++)
		series[i].inside80 = 70;
	assert_int_equal(gate_judge(&rule, &evidence, &report, &err), 0);
	assert_false(report.of[GATE_COVERAGE].passed);
}

static void
nothing_is_no_proof(void **state)
{
	const struct gate_evidence evidence = { NULL, 0, true, 0, 0 };
	struct gate_report report;
	struct err err = ERR_INIT;
	char text[20];

	(void)state;
	assert_int_equal(gate_judge(&rule, &evidence, &report, &err), 0);
	assert_false(report.passed || report.of[GATE_NUMBERS].passed || report.of[GATE_RATIO].passed);
	assert_int_equal(strlen(gate_text(&report, text, sizeof(text))), sizeof(text) - 1);
}

static void
bootstraps(void **state)
{
	struct pair pairs[100], same[] = { { 2, 4 }, { 2, 4 } }, zeros[] = { { 0, 0 } }, naught[] = { { 1, 0 } };
	struct paired_rule r = { 2000, .95, 1 };
	struct paired a, b;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		pairs[i] = (struct pair){ 1 + .3 * random_normal(3, 0, i), 1 };
	assert_int_equal(paired_compare(&r, pairs, ARRAY_LEN(pairs), &a, &err), 0);
	assert_int_equal(paired_compare(&r, pairs, ARRAY_LEN(pairs), &b, &err), 0);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_true(a.lower < a.ratio && a.ratio < a.upper);
	/* Of a mean of 100 numbers of deviation .3: 1.645 standard errors to each side. */
	assert_true(fabs(a.upper - a.ratio - .0494) < .012 && fabs(a.ratio - a.lower - .0494) < .012);
	r.seed = 2;
	assert_int_equal(paired_compare(&r, pairs, ARRAY_LEN(pairs), &b, &err), 0);
	assert_true(a.ratio == b.ratio && a.upper != b.upper);
	r.confidence = .995;
	assert_int_equal(paired_compare(&r, pairs, ARRAY_LEN(pairs), &a, &err), 0);
	assert_true(a.lower < b.lower && a.upper > b.upper);
	assert_int_equal(paired_compare(&r, same, 2, &a, &err), 0);
	assert_true(a.ratio == .5 && a.lower == .5 && a.upper == .5);
	assert_int_equal(paired_compare(&r, zeros, 1, &a, &err), 0);
	assert_true(a.ratio == 1 && a.upper == 1);
	assert_int_equal(paired_compare(&r, naught, 1, &a, &err), 0);
	assert_true(isinf(a.lower));
	assert_int_equal(paired_compare(&r, NULL, 0, &a, &err), 0);
	assert_true(isnan(a.ratio) && isnan(a.upper));
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 3];
	size_t n = 0;

	for (; n < ARRAY_LEN(rows); n++)
		tests[n] = (struct CMUnitTest){ rows[n].name, judges, NULL, NULL, (void *)&rows[n] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(few_series_say_little);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(nothing_is_no_proof);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(bootstraps);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
