/* gate.c -- each condition is a verdict of its own, so that a refusal says all that was wrong. */
#include "workers/model-trainer/gate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/cleanup.h"

const char *
gate_condition_name(enum gate_condition c)
{
	static const char *const names[] = { "numbers", "ratio", "bound", "coverage80", "latency.ms", "floor" };

	return names[c];
}

static void
set(struct gate_report *r, enum gate_condition c, double value, double least, double most)
{
	r->of[c] = (struct gate_verdict){
		.asked = true,
		.passed = value >= least && value <= most,
		.value = value,
		.least = least,
		.most = most,
		.lower = NAN,
		.upper = NAN,
	};
}

static int
against_live(const struct gate_rule *rule, const struct gate_evidence *e, struct pair *pairs, struct gate_report *r,
	     struct err *err)
{
	struct paired p;

	for (size_t i = 0; i < e->n; i++)
		pairs[i] = (struct pair){ e->series[i].candidate, e->series[i].live };
	if (paired_compare(&rule->bootstrap, pairs, e->n, &p, err) < 0)
		return -1;
	set(r, GATE_RATIO, p.ratio, 0, rule->ratio_max);
	set(r, GATE_BOUND, p.upper, 0, rule->bound_max);
	return 0;
}

static int
coverage(const struct gate_rule *rule, const struct gate_evidence *e, struct pair *pairs, struct gate_report *r,
	 struct err *err)
{
	struct gate_verdict *v = &r->of[GATE_COVERAGE];
	struct paired p;

	for (size_t i = 0; i < e->n; i++)
		pairs[i] = (struct pair){ e->series[i].inside80, e->series[i].points };
	if (paired_compare(&rule->bootstrap, pairs, e->n, &p, err) < 0)
		return -1;
	set(r, GATE_COVERAGE, p.ratio, rule->coverage_min, rule->coverage_max);
	v->lower = p.lower;
	v->upper = p.upper;
	v->passed = p.upper >= rule->coverage_min && p.lower <= rule->coverage_max;
	return 0;
}

static void
against_floor(const struct gate_rule *rule, const struct gate_evidence *e, struct gate_report *r)
{
	double ours = 0, naive[GATE_NAIVE] = { 0 };

	for (size_t i = 0; i < e->n; i++) {
		ours += e->series[i].candidate;
		for (size_t m = 0; m < GATE_NAIVE; m++)
			naive[m] += e->series[i].naive[m];
	}
	for (size_t m = 1; m < GATE_NAIVE; m++)
		if (naive[m] < naive[r->naive])
			r->naive = m;
	set(r, GATE_FLOOR, naive[r->naive] > 0 ? ours / naive[r->naive] : ours > 0 ? INFINITY : 1, 0, rule->floor_max);
}

int
gate_judge(const struct gate_rule *rule, const struct gate_evidence *e, struct gate_report *ret, struct err *err)
{
	CLEANUP(heap_free)
	struct pair *pairs = calloc(e->n + 1, sizeof(*pairs));

	if (!pairs)
		return err_set(err, REASON_NO_MEMORY, "gate");
	*ret = (struct gate_report){ .series = e->n };
	for (size_t c = 0; c < GATE_CONDITIONS; c++)
		ret->of[c].passed = true;
	set(ret, GATE_NUMBERS, (double)e->failures, 0, 0);
	ret->of[GATE_NUMBERS].passed &= e->n > 0;
	set(ret, GATE_LATENCY, e->latency_ms, 0, rule->latency_ms);
	if ((e->live && against_live(rule, e, pairs, ret, err) < 0) || coverage(rule, e, pairs, ret, err) < 0)
		return -1;
	against_floor(rule, e, ret);
	ret->passed = true;
	for (size_t c = 0; c < GATE_CONDITIONS; c++)
		ret->passed &= ret->of[c].passed;
	return 0;
}

static size_t
put_verdict(const struct gate_report *r, enum gate_condition c, char *text, size_t room)
{
	const struct gate_verdict *v = &r->of[c];
	const char *name = gate_condition_name(c);
	int n;

	if (c == GATE_NUMBERS)
		n = snprintf(text, room, "; %s%zu series, %.0f forecasts that are no numbers", v->passed ? "" : "NOT ",
			     r->series, v->value);
	else if (c == GATE_COVERAGE)
		n = snprintf(text, room, "; %s%s %.3f (%.3f to %.3f) within %g to %g", v->passed ? "" : "NOT ", name,
			     v->value, v->lower, v->upper, v->least, v->most);
	else
		n = snprintf(text, room, "; %s%s %.4g <= %g", v->passed ? "" : "NOT ", name, v->value, v->most);
	return n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

char *
gate_text(const struct gate_report *r, char *text, size_t room)
{
	int n = snprintf(text, room, "gate %s", r->passed ? "passed" : "not passed");
	size_t at = n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;

	for (int failed = 1; failed >= 0; failed--)
		for (size_t c = 0; c < GATE_CONDITIONS; c++)
			if (r->of[c].asked && !r->of[c].passed == failed)
				at += put_verdict(r, (enum gate_condition)c, text + at, room - at);
	return text;
}
