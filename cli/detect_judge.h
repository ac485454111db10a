/*
 * detect_judge.h -- the rows of a table, judged one after the other: a detector per column as the scorer keeps it per metric, and over
 * several columns one p-value and one alert machine.  A fold of the rows; what comes later changes nothing.
 */
#ifndef FOREBAY_CLI_DETECT_JUDGE_H
#define FOREBAY_CLI_DETECT_JUDGE_H

#include "cli/detect_sheet.h"
#include "common/detect/detector.h"
#include "common/detect/group.h"
#include "common/detect/group_reason.h"
#include "common/detect/order.h"

struct judge_rule {
	struct detector_options detector;
	struct order_rule order;
	bool grouped;               /* several columns are also judged as rows ... */
	struct group_options group; /* ... like this */
};

struct judge;

/*
 * A judge of N columns, whose NAMES stay; a column's random numbers are its name's.  -1 on OPTION_INVALID (more columns than a group may
 * have), NO_MEMORY.
 */
int judge_new(const struct judge_rule *rule, const char *const *names, size_t n, struct judge **ret, struct err *err);
void judge_free(struct judge *j);
DEFINE_CLEANUP(struct judge, judge_free)

enum judge_mark {
	JUDGE_SCORED,
	JUDGE_LEARNING,
	JUDGE_LATE,
	JUDGE_AHEAD,
	JUDGE_REPEATED,
	JUDGE_NO_VALUE,
	JUDGE_NO_TIME,
	JUDGE_MARKS
};

extern const char *const judge_mark_names[JUDGE_MARKS]; /* "scored", "learning", ... */

struct judgement {
	enum judge_mark mark;
	double p;            /* of all together, in (0, 1]; 1 where nothing was judged */
	double onset, state; /* see episode.h */
	enum episode_action action;
	size_t column;                    /* that is most to blame */
	double members[DETECTOR_MEMBERS]; /* that column's p-values */
	double group;                     /* the p-value of the row as such; NaN: none */
	/* The columns' parts of what is strange in the row as such, where `group` is small: n_blame of them, the largest first.  Both are
	 * good until the next row. */
	const struct group_blame *blame;
	size_t n_blame;
	const char *reason; /* NULL: nothing to say */
};

/* -1 on NO_MEMORY. */
int judge_add(struct judge *j, const struct sheet_row *row, struct judgement *ret, struct err *err);

/* Onset as a number in [0, 1) that means the same in every file: onset / (onset + 6); one half is a p-value of 1e-6. */
double judge_score(double onset);

#endif
