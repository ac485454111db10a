/*
 * epoch.h -- who owns a partition, and how far its owner has come, in table forebay.sink_offsets.
 *
 * A claim raises the partition's epoch.  What an owner commits is bound to its epoch by the database itself: the update of
 * its offsets finds the row only under its own epoch, in the same transaction as its results, so an owner that was
 * replaced without noticing (frozen, cut off) can commit nothing any more: STORE_FENCED.
 *
 * Order of a transaction:	BEGIN; epoch_lock; ...results...; epoch_advance; COMMIT
 * The lock first, so that a new owner's claim waits for a commit under way, and so that a commit whose answer was lost is
 * recognised with certainty: under the lock no older transaction of ours can still be at work.
 * A frozen owner would keep that lock: a claim that has waited EPOCH_CLAIM_WAIT_MS ends its session on the server.
 */
#ifndef FOREBAY_STORE_EPOCH_H
#define FOREBAY_STORE_EPOCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/store/connection.h"

#define EPOCH_CLAIM_WAIT_MS 2000

struct epoch;

/* A partition and what a commit adds to its row. */
struct epoch_step {
	const char *topic;
	int32_t partition;
	int64_t next_offset;
	int64_t inserted, repeated, dead_letters;
};

/* STORE must outlive it.  GROUP names the owners among themselves (the consumer group); INSTANCE is for people. */
int epoch_new(struct store *store, const char *group, const char *instance, struct epoch **ret, struct err *err);
void epoch_free(struct epoch *e);
DEFINE_CLEANUP(struct epoch, epoch_free)

/* Become the owner.  *OFFSET is the stored next offset; where none is stored, FALLBACK, which is then stored (-1: unknown).
 * -1 on STORE_DOWN (also while another owner's transaction is under way: call again). */
int epoch_claim(struct epoch *e, const char *topic, int32_t partition, int64_t fallback, int64_t *offset,
		struct err *err);

/* Forget the claim (the partition was revoked); the row stays. */
void epoch_release(struct epoch *e, const char *topic, int32_t partition);

/* Inside a transaction: lock the rows of STEPS.  *REACHED tells whether all of them stand at next_offset already.  -1 on
 * STORE_FENCED naming the new owner. */
int epoch_lock(struct epoch *e, const struct epoch_step *steps, size_t n, bool *reached, struct err *err);

/* Inside a transaction: write the offsets and add the counts.  -1 on STORE_FENCED. */
int epoch_advance(struct epoch *e, const struct epoch_step *steps, size_t n, struct err *err);

/* The epoch we hold, 0 when none. */
int64_t epoch_of(const struct epoch *e, const char *topic, int32_t partition);

#endif
