/*
 * counter.h -- a state to test with: one number, in memory that it owns, so that a missing deep copy or a leak shows.  Of two kinds: put
 * aside by a copy, and without.
 */
#ifndef FOREBAY_TEST_WORKER_COUNTER_H
#define FOREBAY_TEST_WORKER_COUNTER_H

#include "common/worker/state.h"

struct counter {
	int *n; /* NULL: 0 */
};

extern const struct state_type counter_copied, counter_saved;

/* One record of KEY at OFFSET, of the primary input, that adds AMOUNT.  What is counted now; 0: the key sleeps. */
int counter_fold(struct state_table *t, int32_t partition, int64_t offset, const char *key, int amount);

#endif
