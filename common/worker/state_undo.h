/*
 * state_undo.h -- memory for what states were before a transaction: handed out in one direction, taken back all at once, and kept
 * for the next transaction, so that a saved state costs its bytes and no allocation.  One owner.  Private to state.c.
 */
#ifndef FOREBAY_WORKER_STATE_UNDO_H
#define FOREBAY_WORKER_STATE_UNDO_H

#include <stddef.h>

struct undo_block;

/* Zeroed is new. */
struct undo {
	struct undo_block **blocks;
	size_t n, at; /* blocks there are; the one that is being filled */
};

/* BYTES of memory, aligned to 16 bytes, not zeroed; good until undo_reset().  NULL when memory is out. */
void *undo_room(struct undo *u, size_t bytes);

/* All that was handed out is free again.  What one transaction needs usually stays; more than that is given back. */
void undo_reset(struct undo *u);
void undo_clear(struct undo *u);

#endif
