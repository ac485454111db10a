/*
 * state_shelf.h -- what the files behind state.h share: one shelf per partition number, an entry per key.  Private to them.
 *
 *	state_shelf.c	shelves and entries
 *	state.c		a call, a transaction
 *	state_store.c	to PostgreSQL and from there
 *
 * An entry is in its shelf's map and in one list of all entries, the longest silent first; when dirty, also in its shelf's
 * queue.  What a shelf knows of keys that are not in memory is a set of hashes: a wrong "it is stored" costs a question to
 * PostgreSQL, and no more.
 */
#ifndef FOREBAY_WORKER_STATE_SHELF_H
#define FOREBAY_WORKER_STATE_SHELF_H

#include "common/base/keyset.h"
#include "common/base/map.h"
#include "common/worker/state.h"

/* Where a partition stood, shared by the states that began to change then. */
struct mark {
	size_t users;
	int64_t time_us;
	struct vector v;
};

struct entry {
	void *now, *before, *call; /* before: the copy of a touched state that is not new; call: see state_call_end() */
	struct shelf *shelf;
	struct mark *since; /* dirty; NULL: stored, or nothing to store */
	struct entry *next_dirty;
	struct entry *older, *younger; /* in the order of their last use */
	struct vector *holds; /* while rebuilding: records before these are in it; NULL: those before the floor */
	int64_t born, active_us;
	uint64_t round; /* in which it was stored last */
	size_t bytes;
	bool sized; /* `bytes` is of the state as it is now */
	bool touched, fresh, in_call, alone;
	struct span key;
	char key_bytes[];
};

struct shelf {
	int32_t partition;
	struct map *entries;
	struct keyset *asleep;
	struct mark *stand;
	struct entry *dirty, *dirty_last;
	struct vector floor;
	bool has_floor;
};

struct list {
	struct entry **items;
	size_t n, cap;
};

struct state_table {
	const struct state_type *type;
	size_t n_sources;
	struct state_limits limits;
	struct shelf **shelves;
	size_t n_shelves;
	struct list touched, called;
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

/* An entry that owns STATE; NULL when memory is out, STATE is the caller's then. */
struct entry *entry_new(struct state_table *t, struct shelf *s, struct span key, void *state);
void entry_free(struct state_table *t, struct entry *e);    /* it is in no map any more */
void entry_used(struct state_table *t, struct entry *e);    /* now, so it is the last to leave memory */
void entry_measure(struct state_table *t, struct entry *e); /* its memory */
size_t entry_encoded(struct state_table *t,
		     struct entry *e); /* bytes of its state as encoded; 0: the type does not say */

/* States to play with, of keys that have seen the record at hand already. */
void *spare_state(struct state_table *t); /* NULL when memory is out */
void spare_clear(struct state_table *t);

#endif
