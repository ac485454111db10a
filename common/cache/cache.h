/*
 * cache.h -- bytes by key in Redis (hiredis), which may vanish at any time: then a get is a miss and a put is forgotten,
 * both counted, and the connection is tried again after a growing pause, never on the caller's time for longer than the
 * time-out (a host that is a name is looked up by the system's resolver, which keeps its own time).  One owner, not
 * thread-safe.
 *
 * Redis is a cache with a bound of its own: maxmemory, with maxmemory-policy allkeys-lru (or volatile-lru: entries have a life,
 * the generation of keeper.h has none).  Under noeviction a full Redis refuses puts, which are errors here.
 *
 *	forebay_cache_hits_total	gets that found bytes
 *	forebay_cache_misses_total	gets that did not, for whatever reason
 *	forebay_cache_puts_total	puts handed to Redis
 *	forebay_cache_errors_total	connections lost or not made, error answers, puts that were forgotten
 *	forebay_cache_up		1 while Redis answers
 *	forebay_cache_hit_ratio		share of lookups that were hits over the window (cache_count); absent before the first
 *	forebay_cache_get_seconds	how long gets took
 */
#ifndef FOREBAY_CACHE_CACHE_H
#define FOREBAY_CACHE_CACHE_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/base/random.h"
#include "common/base/span.h"
#include "common/metrics/metrics.h"

struct cache;

#define CACHE_VALUE_MAX ((size_t)4 << 20) /* longer values are neither put nor got */

/*
 * URI is redis://[[user]:password@]host[:port][/db] (6379, 0; an IPv6 address in brackets); "" gives a cache that always
 * misses.  Does not connect yet.  TIMEOUT_MS > 0 bounds each call.  METRICS may be NULL.  -1 on OPTION_INVALID, NO_MEMORY.
 */
int cache_new(const char *uri, int64_t timeout_ms, struct metrics *metrics, struct cache **ret, struct err *err);
void cache_free(struct cache *c);
DEFINE_CLEANUP(struct cache, cache_free)

/* The window of forebay_cache_hit_ratio; 5 minutes without it. */
#define CACHE_WINDOW_MIN_MS 60
#define CACHE_WINDOW_MS 300000
void cache_set_window(struct cache *c, int64_t window_ms);

/*
 * What the caller looked up: HITS times a stored value was found, be it in Redis or in a copy of its own, MISSES times it was not.
 * The caller counts, and not cache_get(), because only it knows what it has copies of, and what of the bytes found is of use.
 * Counts are also added up in Redis, where writers read them (keeper.h): sent now and then, never waited for.
 */
void cache_count(struct cache *c, uint64_t hits, uint64_t misses);
double cache_ratio(const struct cache *c); /* NaN: nothing was looked up in the window */

/* SPAN_NONE when it is not there or Redis does not answer.  The bytes live in ARENA. */
struct span cache_get(struct cache *c, struct span key, struct arena *arena);

/* Store VALUE (not empty) for TTL_MS (> 0).  Pipelined: answers are read by later calls, or waited for by cache_flush. */
void cache_put(struct cache *c, struct span key, struct span value, int64_t ttl_ms);
void cache_flush(struct cache *c);

/*
 * The key of the newest forecast of a device's metric: "forebay:forecast:" and 32 hex digits.  Neither time range nor model is part of
 * it, because a reader knows neither before it has the forecast; the value, an encoded Forecast, says both: origin, step, number of
 * steps, version.  A reader checks that it covers the time in question.
 */
#define CACHE_KEY_BYTES (17 + RANDOM_NAME_BYTES)
void cache_forecast_key(struct span device, struct span metric, char key[CACHE_KEY_BYTES]);

#endif
