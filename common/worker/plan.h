/*
 * plan.h -- a bounded run: the same worker over given offsets, with its own group and its own states.
 *
 *	run.plan	a line per partition: <topic>.<partition> = <start>..<end>; a partition without one is left alone
 *	run.source.group	whose states it starts from (as they were at <start>) and whose journal it follows, so that what was
 *			done once is done the same way again; "none": empty states, and other sources as they come
 *
 * Of a source that is not the primary input <start> means nothing: the journal says where it begins.
 */
#ifndef FOREBAY_WORKER_PLAN_H
#define FOREBAY_WORKER_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct worker;

struct plan_range {
	char *topic;
	int32_t partition;
	int64_t start, end;
};

struct plan {
	struct plan_range *ranges;
	size_t n;
};

/* Read run.plan; -1 on FILE_UNREADABLE, FILE_INVALID (names the line), OPTION_INVALID, NO_MEMORY. */
int plan_load(struct worker *w, struct err *err);
void plan_clear(struct plan *p);

/* NULL: not in the plan. */
const struct plan_range *plan_find(const struct worker *w, const char *topic, int32_t partition);

bool plan_bounded(const struct worker *w); /* there is a plan */
bool plan_follows(const struct worker *w); /* ... and a journal to be followed */
bool plan_names_sides(const struct worker *w);

/* The group whose journal tells the order: our own, unless another one's is followed. */
const char *plan_source_group(const struct worker *w);

#endif
