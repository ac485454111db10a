/* group_reason.h -- why a row of a group is called unusual, in words for people; and its columns in the order of their blame. */
#ifndef FOREBAY_DETECT_GROUP_REASON_H
#define FOREBAY_DETECT_GROUP_REASON_H

#include "common/base/arena.h"
#include "common/base/span.h"
#include "common/detect/group.h"

/* A row and the verdict on it. */
struct group_circumstances {
	struct span name;           /* of the group */
	const struct span *columns; /* their names, N of them */
	size_t n;
	const double *row; /* not finite: missing */
	const struct group_verdict *verdict;
};

/*
 * "pump is unusual as a whole: flow 12.3 is low, expected 15.2 (61 %), pressure 9.1 is high, expected 7.4 (30 %); level is missing".
 * NULL: memory is out.
 */
char *group_reason_tell(const struct group_circumstances *c, struct arena *arena);

/* One column's part of what is strange. */
struct group_blame {
	size_t column;
	double share; /* of the score, in (0, 1] */
	bool high;    /* above what is usual, else below */
};

/* The columns of a V that is explained, largest share first, without those of none.  RET has room for N.  Returns their number. */
size_t group_blame(const struct group_verdict *v, size_t n, struct group_blame *ret);

#endif
