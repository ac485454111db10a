/*
 * checkpointer.h -- takes states to PostgreSQL while the loop goes on.
 *
 * The loop encodes states that have been dirty for checkpoint.interval.ms, oldest first, between two transactions, a batch of
 * one partition at a time; a thread of its own writes the batch, and tries again for as long as the database is away.  When it
 * is written, the partition's frontier is there too.  A newer owner's claim makes the database refuse it.
 */
#ifndef FOREBAY_WORKER_CHECKPOINTER_H
#define FOREBAY_WORKER_CHECKPOINTER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/store/checkpoint.h"

struct worker;
struct checkpointer;

/* What we hold in the database for a partition number. */
struct claim {
	int32_t partition;
	struct checkpoint_claim row;
	int64_t durable;    /* clock of the frontier as stored */
	int64_t written_us; /* of the last batch, monotonic */
};

int checkpointer_new(struct worker *w, struct checkpointer **ret, struct err *err);
void checkpointer_stop(struct checkpointer *c); /* ends the thread, and with it what it asks of the consumer */
void checkpointer_free(struct checkpointer *c); /* NULL is fine */

/* Take note of a batch that is done; *BUSY: one is still under way.  -1 as checkpointer_step(). */
int checkpointer_settle(struct checkpointer *c, bool *busy, struct err *err);

/* A batch is under way, or done and not settled. */
bool checkpointer_busy(struct checkpointer *c);

/* Between transactions: hand over a batch if one is due.  -1 on TRANSACTION_ABORTED (somebody else has claimed a partition:
 * load all states anew, if we still hold it), NO_MEMORY, and what else the database refuses for good. */
int checkpointer_step(struct checkpointer *c, struct err *err);

/* Everything that is dirty, now; gives up at UNTIL_US (monotonic). */
void checkpointer_drain(struct checkpointer *c, int64_t until_us);

/* Records of the primary input that are in no stored state. */
int64_t checkpointer_backlog(const struct checkpointer *c);

/* The end of fleet.journal's partition as known: not behind any entry that is still to be written.  -1: not known. */
int64_t checkpointer_journal_end(const struct checkpointer *c, int32_t partition);
/* How many partitions the journal has; before the first of the next two. */
int checkpointer_partitions(struct checkpointer *c, int32_t n, struct err *err);
void checkpointer_learn_journal_end(struct checkpointer *c, int32_t partition, int64_t offset);

/* ---- claims ---- */

int claims_set(struct worker *w, int32_t partition, const struct checkpoint_claim *row, struct err *err);
struct claim *claims_find(struct worker *w, int32_t partition);
void claims_release(struct worker *w, int32_t partition);
int64_t claims_epoch(struct worker *w, int32_t partition); /* 0: none */

#endif
