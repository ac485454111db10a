/*
 * group.h -- several columns of one device judged together: a Random Cut Forest over rows of them, calibrated, with an alert
 * machine of its own.  It sees what no column shows alone: values that are usual each by itself, but not together.
 *
 * A fold of (row, event time) and of nothing else.
 */
#ifndef FOREBAY_DETECT_GROUP_H
#define FOREBAY_DETECT_GROUP_H

#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/detect/episode.h"
#include "common/detect/forest.h"
#include "common/detect/tails.h"

struct group_options {
	struct forest_rule forest; /* columns: of the rows */
	int warmup_rows;           /* up to so many rows p_value is 1 */
	struct episode_options episode;
};

struct group;

/* KEY as in forest_new().  -1 on OPTION_INVALID, NO_MEMORY. */
int group_new(const struct group_options *o, uint64_t key, struct group **ret, struct err *err);
int group_copy(const struct group *g, struct group **ret, struct err *err); /* shares as forest_copy() */
void group_free(struct group *g);                                           /* NULL is fine */
DEFINE_CLEANUP(struct group, group_free)

/* Was it made by these options, as far as its forest goes?  Else it takes no rows of theirs before it is renewed. */
bool group_fits(const struct group *g, const struct group_options *o);

/* Forget what was learnt, for rows of other columns or another forest.  The episode stays: what was strange can still end. */
int group_renew(struct group *g, const struct group_options *o, uint64_t key, struct err *err);

struct group_verdict {
	bool judged;         /* false: the row has less than half of its values, and nothing but `state` is said */
	double p_value;      /* in (0, 1] */
	double score;        /* the forest's, 0 until it is ready */
	double onset, state; /* see episode.h */
	enum episode_action action;
	bool learning; /* too few rows so far, or since all was learnt anew: p_value is 1 whatever came */
	bool capped;   /* an alert would have opened, but for the number of those before it */
	bool shifted;  /* what has lasted is the new normal; an open alert closes */
	/*
	 * Set when p_value is below episode.pending: the columns' parts of the score, which they sum to; and what would have been least
	 * strange instead, NaN for columns of a smaller part than GROUP_TOLD of the score.
	 */
	bool explained;
	struct forest_share shares[FOREST_COLUMNS_MAX];
	double expected[FOREST_COLUMNS_MAX];
};

#define GROUP_TOLD 0.1

/* Right before a group_add(), for a group among many others: see forest_fetch(). */
void group_fetch(const struct group *g);

/*
 * Add ROW (as many values as columns; not finite: missing) of EVENT_US.  Of a row with less than half of its values only the
 * forest's shingle learns.  O fits.  -1 on NO_MEMORY: the group may be part of the way, and only good for group_free().
 */
int group_add(struct group *g, const struct group_options *o, const double *row, int64_t event_us,
	      struct group_verdict *ret, struct err *err);

const struct episode *group_episode(const struct group *g);

#endif
