/*
 * collect.h -- series to train on, out of windows as they come: the newest points of each, grouped by step.  Which windows came,
 * in order within a series, decides what comes out; the order among series does not.
 *
 * When there are more series than wanted those with the smallest hashes stay: the same ones every time.
 */
#ifndef FOREBAY_TRAINER_COLLECT_H
#define FOREBAY_TRAINER_COLLECT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/forecast/target.h"
#include "workers/model-trainer/past.h"

struct collector;

/* MAX_SERIES: of all steps together. */
int collector_new(const struct past_rule *rule, size_t max_series, struct collector **ret, struct err *err);
void collector_free(struct collector *c);
DEFINE_CLEANUP(struct collector, collector_free)

/* -1 on NO_MEMORY. */
int collector_add(struct collector *c, const struct series *s, struct err *err);

/* All series of one step, in an order of their own; everything points into the collector. */
struct group {
	int64_t step_us;
	struct target *targets; /* n; age is what was forgotten */
	const struct past **pasts;
	size_t n;
	uint64_t points;        /* that are known */
	int64_t from_us, to_us; /* event times, [from, to) */
	uint64_t hash;          /* of names, times and values */
};

/* Nothing may be added any more.  Groups by ascending step; *RET is the collector's. */
int collector_finish(struct collector *c, const struct group **ret, size_t *n, struct err *err);

/* NULL: there is none of that step. */
const struct group *group_find(const struct group *groups, size_t n, int64_t step_us);

#endif
