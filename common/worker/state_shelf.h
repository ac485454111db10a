/*
 * state_shelf.h -- what the files behind state.h share: one shelf per partition number, an entry per key.  Private to them.
 *
 *	state_shelf.c	shelves and entries
 *	state_index.c	an entry by its key
 *	state_undo.c	memory for what states were
 *	state_ahead.c	states that will be wanted
 *	state.c		a call, a transaction
 *	state_store.c	to PostgreSQL and from there
 *
 * An entry is in its shelf's index and in one list of all entries, the longest silent first; when dirty, also in its shelf's
 * queue.  With many keys every one of them is found in memory far away: so an entry, its key and its state are one piece, what
 * every record needs comes first, and the end of a transaction looks at none of them.  What a shelf knows of keys that are not in
 * memory is a set of hashes: a wrong "it is stored" costs a question to PostgreSQL, and no more.
 */
#ifndef FOREBAY_WORKER_STATE_SHELF_H
#define FOREBAY_WORKER_STATE_SHELF_H

#include "common/base/keyset.h"
#include "common/worker/state.h"
#include "common/worker/state_index.h"
#include "common/worker/state_undo.h"

/* Where a partition stood, shared by the states that began to change then. */
struct mark {
	size_t users;
	int64_t time_us;
	struct vector v;
};

struct entry {
	uint64_t hash; /* of the key */
	struct span key;
	void *now;            /* the state: behind the key */
	uint64_t transaction; /* that used it last; before: what it was then, NULL when it is new in it */
	void *before;
	struct mark *since; /* dirty; NULL: stored, or nothing to store */
	size_t bytes;
	struct shelf *shelf;
	struct entry *older, *younger; /* in the order of their last use */
	struct entry *next_dirty;
	int64_t born, active_us;
	int64_t used_us;      /* newest_us of the table when it was used last: in the order of the list */
	uint64_t round;       /* in which it was stored last */
	uint64_t dirtied;     /* transaction in which it began to wait in the queue */
	void *call;           /* what it was before the call, see state_call_end() */
	struct vector *holds; /* while rebuilding: records before these are in it; NULL: those before the floor */
	bool sized;           /* `bytes` is of the state as it is now */
	bool in_call, alone;
	bool copied, call_copied; /* before, call: a copy, which may own memory; else it was saved */
	char key_bytes[];
};

struct shelf {
	int32_t partition;
	struct index entries;
	struct keyset *asleep;
	struct mark *stand;
	struct entry *dirty, *dirty_last,
	    *dirty_before; /* dirty_before: the last one that is not of this transaction */
	struct vector floor;
	bool has_floor;
};

struct list {
	struct entry **items;
	size_t n, cap;
};

#define STATE_EXPECTED 512

struct state_ahead {
	const struct entry *expected[STATE_EXPECTED]; /* addresses to compare with, and no more */
	int luck;
};

struct state_table {
	const struct state_type *type;
	size_t n_sources;
	struct state_limits limits;
	struct shelf **shelves;
	size_t n_shelves;
	struct list touched, called;
	uint64_t transaction;        /* its number, from 1 */
	struct undo undo, call_undo; /* what states were before it, and before the call */
	struct state_ahead ahead;
	bool unsettled; /* its end has to look at what was touched */
	struct entry *oldest, *youngest;
	size_t bytes;
	uint64_t round, durable;
	int64_t newest_us; /* time stamp that was seen, of whatever partition */
	bool refolds, show;
	/* the call */
	struct shelf *shelf;
	size_t source;
	int64_t offset, timestamp_us;
	void **spare; /* states to play with: of keys that have seen the record already */
	size_t n_spare;
};

void shelf_state_free(const struct state_type *type, void *state); /* NULL is fine */
void mark_release(struct mark *m);

struct shelf *shelf_find(const struct state_table *t, int32_t partition); /* NULL: there is none */
struct shelf *shelf_of(struct state_table *t, int32_t partition); /* made when missing; NULL when memory is out */

struct entry *entry_of(const struct shelf *s, struct span key);                   /* NULL: not in memory */
struct entry *entry_new(struct state_table *t, struct shelf *s, struct span key); /* zeroed; NULL when memory is out */
void entry_take(struct state_table *t, struct entry *e);                          /* out of its shelf, and free it */
void entry_used(struct state_table *t, struct entry *e);    /* now, so it is the last to leave memory */
void entry_measure(struct state_table *t, struct entry *e); /* its memory */
size_t entry_encoded(struct state_table *t,
		     struct entry *e); /* bytes of its state as encoded; 0: the type does not say */

void ahead_of(struct state_table *t, const struct entry *e); /* E is asked for: fetch what will be wanted next */

/* States to play with, of keys that have seen the record at hand already. */
void *spare_state(struct state_table *t); /* NULL when memory is out */
void spare_clear(struct state_table *t);

#endif
