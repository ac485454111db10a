/*
 * recovery.h -- the states of newly assigned partitions: from PostgreSQL, and from there by folding again what was processed
 * since, without outputs.  In small steps, between which the loop stays a member of its group.
 *
 *	CLAIM	epoch + 1; states stored beyond the committed offset (it was set back) are taken back, by the ladder
 *	LOAD	stored states, in portions; those that have been silent for long stay where they are
 *	FOLD	records [frontier, committed)
 *	LIVE	a bounded run that follows a journal goes on here: its records come in the order that the journal says
 */
#ifndef FOREBAY_WORKER_RECOVERY_H
#define FOREBAY_WORKER_RECOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/span.h"

struct worker;
struct context;
struct recovery;
struct fold_record;

/* Connect, check the tables, make known what our states' bytes mean.  Waits while PostgreSQL is away. */
int recovery_open(struct worker *w, struct err *err);

struct recovery_need {
	int32_t partition; /* number */
	bool rebuild;      /* its states are not in memory; else they only need to be claimed */
};

int recovery_begin(struct worker *w, const struct recovery_need *needs, size_t n, struct err *err);

enum recovery_progress { RECOVERY_FAILED = -1, RECOVERY_DONE, RECOVERY_GOES_ON };

/* Some milliseconds' work.  After RECOVERY_FAILED: recovery_cancel(), then begin anew. */
enum recovery_progress recovery_step(struct worker *w, struct err *err);

/* Give up; half-built states are dropped. */
void recovery_cancel(struct worker *w);

/* A bounded run: process the next record of the order given.  False in *MORE: there is none yet, or none any more. */
int recovery_follow(struct worker *w, bool *more, struct err *err);
bool recovery_follows(const struct worker *w);  /* records come from here and not from the consumer */
bool recovery_followed(const struct worker *w); /* all of them have been processed */

/* From where on the journal is needed for what is still to come; -1: not known. */
int64_t recovery_journal_position(const struct worker *w, int32_t partition);

/* The state of KEY sleeps in PostgreSQL: wake it.  -1 on STORE_DOWN, STATE_CORRUPT ... */
int recovery_wake(struct worker *w, int32_t partition, struct span key, struct err *err);

/* While a record is repeated: what was noted under KEY. */
bool recovery_recall(struct context *ctx, struct span key, struct span *value);

#endif
