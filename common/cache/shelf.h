/*
 * shelf.h -- what was put into the cache last, kept so that it can be put again: newest first, bounded by bytes.  One owner.
 */
#ifndef FOREBAY_CACHE_SHELF_H
#define FOREBAY_CACHE_SHELF_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/base/span.h"

struct shelf;

struct shelf_item {
	struct span key, value;
	int64_t put_us;  /* when it came here; monotonic, like the next */
	int64_t ends_us; /* when the cache forgets it, as far as we know */
	int64_t next_ms; /* after put_us its successor was expected */
};

/* Keys, values and what it costs to keep them take at most BYTES_MAX; 0: nothing is kept.  -1 on NO_MEMORY. */
int shelf_new(size_t bytes_max, struct shelf **ret, struct err *err);
void shelf_free(struct shelf *s);
DEFINE_CLEANUP(struct shelf, shelf_free)

/* Keep a copy of ITEM as the newest; the one with its key goes, and the oldest until there is room.  Without room: nothing. */
void shelf_put(struct shelf *s, const struct shelf_item *item);
void shelf_clear(struct shelf *s);

size_t shelf_count(const struct shelf *s);
size_t shelf_bytes(const struct shelf *s);

/*
 * A walk from the newest to the oldest: start, then step by step until NULL.  Items may be put and dropped between two steps; those
 * that were put after the start are not met.  An item stays valid until it is dropped, replaced or has to make room.
 */
void shelf_walk(struct shelf *s);
struct shelf_item *shelf_step(struct shelf *s);
void shelf_drop(struct shelf *s, struct shelf_item *item);

#endif
