/*
 * gate.h -- may a version that was just trained serve?  Judged on windows that its training never saw, against the version that
 * serves now and against the naive floor.  Pure: numbers in, verdicts out.
 */
#ifndef FOREBAY_TRAINER_GATE_H
#define FOREBAY_TRAINER_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workers/model-trainer/paired.h"

#define GATE_NAIVE 3 /* members that make up the floor: last, season, long season */

struct gate_rule {
	double ratio_max, bound_max;       /* loss of ours over that of the live one: 1.00, and its upper bound: 1.01 */
	double coverage_min, coverage_max; /* of the 80 % interval: .76, .84 */
	double latency_ms;                 /* of one forecast, CPU time, the slowest in a hundred */
	double floor_max;                  /* loss of ours over that of the best naive member: 1.00 */
	struct paired_rule bootstrap;
};

/* What a series' held-back windows say.  Losses: mean pinball loss divided by the series' scale. */
struct gate_series {
	double candidate;
	double live; /* meaningless without a live version */
	double naive[GATE_NAIVE];
	double inside80, points; /* values inside the candidate's interval, of so many */
};

struct gate_evidence {
	const struct gate_series *series;
	size_t n;
	bool live;         /* there is one to compare with */
	uint64_t failures; /* forecasts of the candidate with a number that is none */
	double latency_ms; /* p99 */
};

enum gate_condition { GATE_NUMBERS, GATE_RATIO, GATE_BOUND, GATE_COVERAGE, GATE_LATENCY, GATE_FLOOR, GATE_CONDITIONS };

const char *
gate_condition_name(enum gate_condition c); /* "numbers", "ratio", "bound", "coverage80", "latency.ms", "floor" */

struct gate_verdict {
	bool asked, passed; /* not asked: passed */
	double value, least, most;
	double lower, upper; /* of the value, where it is an estimate with bounds; else NaN */
};

struct gate_report {
	struct gate_verdict of[GATE_CONDITIONS];
	size_t series;
	size_t naive; /* which naive member is the floor */
	bool passed;  /* all of them */
};

/*
 * Coverage counts as outside when it is so beyond doubt: few series say little about it, so the bootstrap bound on the near side
 * has to be outside as well.  Without any series nothing is passed.  -1 on NO_MEMORY.
 */
int gate_judge(const struct gate_rule *rule, const struct gate_evidence *evidence, struct gate_report *ret,
	       struct err *err);

/* One line for people: every condition that was asked, with its numbers, what failed first.  Returns TEXT. */
char *gate_text(const struct gate_report *r, char *text, size_t room);

#endif
