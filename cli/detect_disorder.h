/*
 * detect_disorder.h -- the rows of a table that were not in their turn and so taught nothing: how many, why, and what to do about it.
 * Pure.
 */
#ifndef FOREBAY_CLI_DETECT_DISORDER_H
#define FOREBAY_CLI_DETECT_DISORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/detect_judge.h"
#include "common/base/buffer.h"

#define DISORDER_STEPS 99

/* Zeroed is new. */
struct disorder {
	int64_t rows, marks[JUDGE_MARKS];
	bool begun;
	int64_t last_us;               /* the time of the row before */
	int64_t steps[DISORDER_STEPS]; /* the first ones forwards, in microseconds */
	int n_steps;
};

void disorder_add(struct disorder *d, const struct sheet_row *row, enum judge_mark mark);

enum disorder_degree {
	DISORDER_SMALL,
	DISORDER_NOTABLE, /* from 5 % of the rows on */
	DISORDER_GREAT,   /* more than half: the file has hardly been judged, whatever its rows say one by one */
};

enum disorder_degree disorder_degree(const struct disorder *d);

/* Append what there is and the advice that fits its largest part.  -1 when the buffer may not grow. */
int disorder_tell(const struct disorder *d, int64_t jump_max_us, struct buffer *out);

#endif
