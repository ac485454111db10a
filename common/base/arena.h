/*
 * arena.h -- memory that lives for one batch.  Allocation moves a pointer; arena_reset() frees all at once and keeps one
 * block for the next batch.  One owner, not thread-safe.
 */
#ifndef FOREBAY_BASE_ARENA_H
#define FOREBAY_BASE_ARENA_H

#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/span.h"

struct arena;

/* Blocks of BLOCK_BYTES are taken from the heap as needed; the largest block of at most KEEP_BYTES stays after a reset.  NULL
 * when memory is out. */
struct arena *arena_new(size_t block_bytes, size_t keep_bytes);
void arena_free(struct arena *a); /* NULL is fine */
DEFINE_CLEANUP(struct arena, arena_free)

/* Aligned to 16 bytes; arena_zalloc is zeroed.  NULL when memory is out. */
void *arena_alloc(struct arena *a, size_t bytes);
void *arena_zalloc(struct arena *a, size_t bytes);

/* A copy with a final NUL (not counted in len); SPAN_NONE stays SPAN_NONE.  ptr NULL when memory is out. */
struct span arena_copy(struct arena *a, struct span s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void arena_reset(struct arena *a);

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *a);

#endif
