/*
 * bisect.h -- finds the guilty among many by trying some of them at a time.
 *
 * With k guilty ones among n, about 2k log2(n/k) tries and never more than 1.5 n; all tries together take in fewer than
 * 4 n of them (each may take part in several).  Pure: what a try is, the caller says.
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

/*
 * Every one of [first, end), in order: done by an attempt that succeeded, or guilty.  KNOWN_BAD: that all of them
 * together fail is known already.  -1 on the first failure that is not of class RECORD.
 */
int bisect_run(const struct bisect *b, size_t first, size_t end, int known_bad, struct err *err);

#endif
