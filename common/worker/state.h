/*
 * state.h -- state per key, by partition, with a way back: what a key's state was before the transaction is kept until
 * the transaction ends.  Private to the loop; workers use context_state().
 */
#ifndef FOREBAY_WORKER_STATE_H
#define FOREBAY_WORKER_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/worker/worker.h"

struct state_table;

struct state_table *state_table_new(const struct state_type *type); /* NULL when memory is out */
void state_table_free(struct state_table *t);
DEFINE_CLEANUP(struct state_table, state_table_free)

/* The state of KEY, zeroed when new; remembered as it is now if this is its first use in the transaction. */
void *state_get(struct state_table *t, int32_t partition, struct span key);

/* A state that was used in this transaction, on whatever partition; NULL if there is none. */
void *state_in_use(struct state_table *t, struct span key);

void state_commit(struct state_table *t);   /* what is now, stays */
void state_rollback(struct state_table *t); /* every state used in this transaction becomes what it was before */
void state_drop(struct state_table *t, int32_t partition); /* forget all keys of a partition */

size_t state_count(const struct state_table *t); /* keys held */

#endif
