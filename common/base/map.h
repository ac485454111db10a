/*
 * map.h -- a hash table from byte strings to pointers.  Keys are copied, values are the caller's.  One owner, not
 * thread-safe.  Iteration order is by insertion, so that what walks a map is deterministic.
 */
#ifndef FOREBAY_BASE_MAP_H
#define FOREBAY_BASE_MAP_H

#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/span.h"

struct map;

struct map *map_new(void (*value_free)(void *)); /* value_free may be NULL.  NULL when memory is out */
void map_free(struct map *m);                    /* frees the values by value_free */
DEFINE_CLEANUP(struct map, map_free)

void *map_get(const struct map *m, struct span key); /* NULL: not there */

/* Store VALUE (not NULL) under KEY, replacing and freeing an older one.  -1 when memory is out: VALUE stays the caller's. */
int map_put(struct map *m, struct span key, void *value);

/* Remove KEY and return its value, now the caller's; NULL if it was not there. */
void *map_take(struct map *m, struct span key);

size_t map_count(const struct map *m);

/* Walk: for (size_t at = 0; map_next(m, &at, &key, &value);) -- the map must not grow meanwhile; map_take of the entry
 * at hand is allowed. */
int map_next(const struct map *m, size_t *at, struct span *key, void **value);

#endif
