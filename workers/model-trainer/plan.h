/*
 * plan.h -- what a training was begun with: the records it learns from, offset by offset, and hashes of its options and its data.
 * Kept beside its progress, so that another process goes on with the very same training or knows that it cannot.
 */
#ifndef FOREBAY_TRAINER_PLAN_H
#define FOREBAY_TRAINER_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/error.h"

struct plan_range {
	int32_t partition;
	int64_t from, to; /* offsets, [from, to) */
};

struct training_plan {
	struct span topic;
	struct plan_range *ranges;
	size_t n_ranges;
	int64_t step_us;
	uint64_t options, data; /* hashes */
};

/* One JSON object.  -1: OUT may not grow. */
int plan_write(const struct training_plan *p, struct buffer *out);

/* TEXT may be anything; what *RET points to lives in ARENA.  -1 on STATE_CORRUPT, NO_MEMORY. */
int plan_read(struct span text, struct arena *arena, struct training_plan *ret, struct err *err);

#endif
