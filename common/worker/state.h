/*
 * state.h -- state per key, by partition number, with three ways back:
 *
 *	the call	a state that has grown too large becomes what it was before the call
 *	the transaction	every state it has touched becomes what it was before
 *	PostgreSQL	what is stored there may leave memory, and is asked for when its key comes again
 *
 * A partition number's sources (the input topics in their order, then fleet.journal) stand at a `vector` of offsets.  A state
 * that has changed since it was last stored is dirty: it remembers where its partition stood before the first such change (a
 * mark), and waits in a queue, oldest first.  So the head of the queue is the partition's frontier.
 *
 * Private to the loop; workers use context_state().
 */
#ifndef FOREBAY_WORKER_STATE_H
#define FOREBAY_WORKER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/store/checkpoint.h"
#include "common/worker/worker.h"

struct vector {
	int64_t at[CHECKPOINT_SOURCES_MAX];
};

struct state_limits {
	int64_t idle_us;  /* by the newest time stamp of all records; a key not used for longer may leave memory */
	size_t max_bytes; /* of all states; beyond it the longest silent ones leave */
	size_t key_bytes; /* of one state as encoded */
};

struct state_table;

struct state_table *state_table_new(const struct state_type *type, size_t n_sources,
				    const struct state_limits *limits); /* NULL when memory is out */
void state_table_free(struct state_table *t);
DEFINE_CLEANUP(struct state_table, state_table_free)

/* ---- one call ---- */

/* The record that the next calls of state_get() are for: its partition, source, offset, and time stamp. */
void state_call_begin(struct state_table *t, int32_t partition, size_t source, int64_t offset, int64_t timestamp_us);

enum state_found {
	STATE_HERE,
	STATE_ASLEEP, /* it is in PostgreSQL: state_restore() it, then ask again */
	STATE_NO_MEMORY,
};

/* The state of KEY, zeroed when new; what it is now is remembered when this is its first use in the transaction. */
enum state_found state_get(struct state_table *t, struct span key, void **ret);

/* A state that was used in this transaction, on whatever partition; NULL if there is none. */
void *state_in_use(struct state_table *t, struct span key);

/* The next call is for show: every state it gets is one to play with. */
void state_call_for_show(struct state_table *t);

/* Did the call get a state to play with, because the key's own holds the record already? */
bool state_call_played(const struct state_table *t);

enum state_size { STATE_FITS, STATE_UNDONE, STATE_TOO_LARGE_FOR_GOOD };

/*
 * The call is over.  CHECK: a state beyond limits.key_bytes makes all states of the call what they were before it
 * (STATE_UNDONE), or, when it grew too fast for that, asks for the transaction to be given up; *KEY names it, until the
 * next call.
 */
enum state_size state_call_end(struct state_table *t, bool check, struct span *key);

/* ---- one transaction ---- */

/* What is now, stays.  Touched states are dirty since where their partition stood, as state_stand() told last. */
int state_commit(struct state_table *t);
void state_rollback(struct state_table *t); /* every state used in this transaction becomes what it was before */

/* Where the sources of a partition stand from now on (after a commit); NOW_US on the monotonic clock. */
int state_stand(struct state_table *t, int32_t partition, const struct vector *v, int64_t now_us);

/* Forget all keys of a partition. */
void state_drop(struct state_table *t, int32_t partition);

/* ---- to PostgreSQL ---- */

struct state_view {
	struct span key;
	const void *state;
	int64_t born;      /* clock of the record it began with */
	int64_t active_us; /* time stamp of its newest record */
};

/* The frontier of a partition: where its oldest dirty state began to change, else where it stands.  False: unknown. */
bool state_frontier(const struct state_table *t, int32_t partition, struct vector *ret);
bool state_standing(const struct state_table *t, int32_t partition, struct vector *ret);

/* When the oldest dirty state of a partition began to change; INT64_MAX: none is dirty. */
int64_t state_dirty_since(const struct state_table *t, int32_t partition);

/*
 * Take the oldest dirty state, if it is so since BEFORE_US at the latest: it counts as stored once state_round_done() is
 * called for this round.  Between transactions only.
 */
bool state_take_dirty(struct state_table *t, int32_t partition, int64_t before_us, struct state_view *ret);
void state_round_begin(struct state_table *t);
void state_round_done(struct state_table *t);

/* Let idle and, beyond max_bytes, silent states go that are stored; at most MOST of them.  Between transactions only. */
size_t state_evict(struct state_table *t, size_t most);

/* ---- from PostgreSQL ---- */

/* Where a partition's stored states are complete up to; before the first state_restore() or state_asleep(). */
int state_floor(struct state_table *t, int32_t partition, const struct vector *frontier);

/*
 * A stored state, which holds its key's records before POSITIONS and all before the floor; with ALONE it is an older one, for
 * which the floor does not count.  Takes what STATE owns.
 */
int state_restore(struct state_table *t, int32_t partition, const struct state_view *v, void *state,
		  const struct vector *positions, bool alone);
int state_asleep(struct state_table *t, int32_t partition, struct span key);
void state_unknown(struct state_table *t, int32_t partition, struct span key); /* it is not stored after all */

/* While states are rebuilt, records reach a key only where they are not in its state yet. */
void state_refold(struct state_table *t, bool on);
/* The partition is rebuilt. */
void state_refold_end(struct state_table *t, int32_t partition);

/* ---- figures ---- */

size_t state_count(const struct state_table *t); /* keys in memory */
size_t state_sleepers(const struct state_table *t);
size_t state_bytes(const struct state_table *t); /* of the states in memory, roughly */

#endif
