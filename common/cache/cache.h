/*
 * cache.h -- bytes by key in Redis (hiredis), which may vanish at any time: then a get is a miss and a put is forgotten,
 * both counted, and the connection is tried again after a growing pause, never on the caller's time for longer than the
 * time-out.  One owner, not thread-safe.
 */
#ifndef FOREBAY_CACHE_CACHE_H
#define FOREBAY_CACHE_CACHE_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/base/span.h"
#include "common/metrics/metrics.h"

struct cache;

/* URI is redis://host:port/db; "" gives a cache that always misses.  Does not connect yet.  -1 on OPTION_INVALID. */
int cache_new(const char *uri, int64_t timeout_ms, struct metrics *metrics, struct cache **ret, struct err *err);
void cache_free(struct cache *c);
DEFINE_CLEANUP(struct cache, cache_free)

/* SPAN_NONE when it is not there or Redis does not answer.  The bytes live in ARENA. */
struct span cache_get(struct cache *c, struct span key, struct arena *arena);

/* Store for TTL_MS.  Pipelined: answers are read by the next get or by cache_flush. */
void cache_put(struct cache *c, struct span key, struct span value, int64_t ttl_ms);
void cache_flush(struct cache *c);

#endif
