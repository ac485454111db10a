/*
 * state_undo.c -- blocks that are filled one after the other.  They are as large as a huge page and asked to be one: what is saved
 * here is written once, front to back, and hardly ever read.
 */
#include "common/worker/state_undo.h"

#include <stdlib.h>
#include <sys/mman.h>

#define BLOCK_BYTES ((size_t)2 << 20)
#define KEEP_BLOCKS 32
#define HEAD_BYTES 64

struct undo_block {
	size_t used, size;
};

_Static_assert(sizeof(struct undo_block) <= HEAD_BYTES, "the head of a block");

static struct undo_block *
block_new(size_t bytes)
{
	size_t size = (bytes + HEAD_BYTES + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
	struct undo_block *b = aligned_alloc(BLOCK_BYTES, size);

	if (!b)
		return NULL;
	madvise(b, size, MADV_HUGEPAGE); /* slower without, that is all */
	b->used = HEAD_BYTES;
	b->size = size;
	return b;
}

static struct undo_block *
block_add(struct undo *u, size_t bytes)
{
	struct undo_block **grown = realloc(u->blocks, (u->n + 1) * sizeof(struct undo_block *)), *b;

	if (!grown)
		return NULL;
	u->blocks = grown;
	b = block_new(bytes);
	if (!b)
		return NULL;
	u->at = u->n;
	return grown[u->n++] = b;
}

void *
undo_room(struct undo *u, size_t bytes)
{
	struct undo_block *b = u->at < u->n ? u->blocks[u->at] : NULL;
	void *room;

	bytes = (bytes + 15) & ~(size_t)15;
	while (b && b->size - b->used < bytes)
		b = ++u->at < u->n ? u->blocks[u->at] : NULL;
	if (!b && !(b = block_add(u, bytes)))
		return NULL;
	room = (char *)b + b->used;
	b->used += bytes;
	return room;
}

void
undo_reset(struct undo *u)
{
	while (u->n > KEEP_BLOCKS)
		free(u->blocks[--u->n]);
	for (size_t i = 0; i < u->n; i++)
		u->blocks[i]->used = HEAD_BYTES;
	u->at = 0;
}

void
undo_clear(struct undo *u)
{
	while (u->n)
		free(u->blocks[--u->n]);
	free(u->blocks);
	*u = (struct undo){ 0 };
}
