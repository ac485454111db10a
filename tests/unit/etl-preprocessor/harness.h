/*
 * harness.h -- windows as text, so that a test row says what it expects in one line:
 *
 *	"#0 @0: 65 70i 75 | 2 readings; "	number, first step, points (i imputed, o outlier, c clipped, - unknown)
 *						and what the tally has beside zeros
 */
#ifndef FOREBAY_TEST_ETL_HARNESS_H
#define FOREBAY_TEST_ETL_HARNESS_H

#include "common/base/buffer.h"
#include "common/base/cleanup.h"
#include "workers/etl-preprocessor/cleaner.h"

/* A sink; CTX is a struct buffer. */
int harness_print(void *ctx, const struct cleaner *c, struct err *err);

/* What a transaction that is given up goes back to. */
void harness_replace_by_copy(struct cleaner *c);

/* Feed N samples to C, appending to OUT.  Every EVERY samples C is replaced by a copy of itself; 0: never. */
void harness_feed(const struct cleaner_rule *rule, struct cleaner *c, const struct sample *samples, size_t n,
		  size_t every, struct buffer *out, struct cleaner_count *count);

#endif
