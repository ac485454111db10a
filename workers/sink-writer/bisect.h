/*
 * bisect.h -- finds the guilty among many by trying halves.
 *
 * With k guilty ones among n, at most about 2k log2(n) tries; everything innocent is tried in the largest groups that
 * succeed.  Pure: what a try is, the caller says.
 */
#ifndef FOREBAY_SINK_BISECT_H
#define FOREBAY_SINK_BISECT_H

#include <stddef.h>

#include "common/base/error.h"

struct bisect {
	void *ctx;
	/* Do [first, end): all of it or nothing.  A failure of class RECORD means that a guilty one is among them. */
	int (*attempt)(void *ctx, size_t first, size_t end, struct err *err);
	/* The one at AT is guilty, WHY being its failure. */
	int (*guilty)(void *ctx, size_t at, const struct err *why, struct err *err);
};

/* KNOWN_BAD: that [first, end) as a whole fails is known already.  -1 on the first failure that is not of class RECORD. */
int bisect_run(const struct bisect *b, size_t first, size_t end, int known_bad, struct err *err);

#endif
