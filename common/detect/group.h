/*
 * group.h -- several columns of one device judged together: a Random Cut Forest over rows of them, calibrated, with an alert
 * machine of its own.  It sees what no column shows alone: values that are usual each by itself, but not together.
 *
 * A fold of (row, event time) and nothing else.
 */
#ifndef FOREBAY_DETECT_GROUP_H
#define FOREBAY_DETECT_GROUP_H

#include "common/base/error.h"
#include "common/base/image.h"
#include "common/detect/episode.h"
#include "common/detect/forest.h"

struct group_options {
	struct forest_rule forest; /* columns: of the rows */
	int warmup_rows;           /* up to so many rows p_value is 1 */
	struct episode_options episode;
};

struct group;

/* KEY as in forest_new().  -1 on OPTION_INVALID, NO_MEMORY. */
int group_new(const struct group_options *o, uint64_t key, struct group **ret, struct err *err);
int group_copy(const struct group *g, struct group **ret, struct err *err); /* shares as forest_copy() */
void group_free(struct group *g);                                          /* NULL is fine */

/* Columns that it was made for. */
size_t group_columns(const struct group *g);

struct group_verdict {
	double p_value;      /* in (0, 1] */
	double score;        /* the forest's, 0 until it is ready */
	double onset, state; /* see episode.h */
	enum episode_action action;
	int missing; /* columns of this row that were imputed */
	/* Set when p_value is below episode.pending: the columns' parts of the score, which they sum to. */
	bool explained;
	struct forest_share shares[FOREST_COLUMNS_MAX];
};

/*
 * Add ROW (as many values as columns; not finite: missing) of EVENT_US.  A row with less than half of its values is not
 * scored: p_value is 1.  -1 on NO_MEMORY: the group may be part of the way, and only good for group_free().
 */
int group_add(struct group *g, const struct group_options *o, const double *row, int64_t event_us,
	      struct group_verdict *ret, struct err *err);

/* The values of a row that would be least strange now: what was expected where a column is to blame. */
void group_expected(const struct group *g, const double *row, size_t column, double *ret);

const struct episode *group_episode(const struct group *g);

/* ---- to be stored ---- */

struct group_flat; /* everything that the next verdicts depend on */

extern const struct image_table group_image_table; /* struct group_flat */

size_t group_image_bytes(const struct group *g); /* in constant time */

#endif
