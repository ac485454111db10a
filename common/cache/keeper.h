/*
 * keeper.h -- the writer's side of the cache: how long entries live and when they are put again follows from the hits and misses
 * that readers report (cache_count in cache.h).  Readers and writer are processes that meet in Redis alone, which may vanish.  One
 * owner, not thread-safe; works on its caller's time, within the cache's time-out.
 *
 *	lost		Redis is empty (it was restarted or flushed): its key "forebay:generation" is gone or another.  All that is
 *			remembered is put again, newest first, at most warm_per_second
 *	missing		the ratio is below the target, and some of the entries are not there (evicted, run out): they are put again
 *	ending		the ratio is below the target, and an entry has less than half of its life left: it lives longer
 *
 * An entry that is there is never overwritten by one put again: somebody else may have put a newer one.
 *
 *	forebay_cache_ttl_seconds		how long entries live at present
 *	forebay_cache_readers_hit_ratio		what readers report, over the window; absent before the first report
 *	forebay_cache_warmed_total{why}		entries put again, or prolonged: lost, missing, ending
 *	forebay_cache_warm_bytes		what is remembered to be put again
 */
#ifndef FOREBAY_CACHE_KEEPER_H
#define FOREBAY_CACHE_KEEPER_H

#include "common/cache/adapt.h"
#include "common/cache/cache.h"

struct keeper;

struct keeper_options {
	struct adapt_rule adapt;
	int64_t window_ms;       /* of the ratio; the same as the readers', else their reports are not found */
	size_t warm_bytes;       /* of entries that are remembered, the newest; 0: nothing is put again */
	int64_t warm_per_second; /* entries put again, at most */
};

/* CACHE must outlive it.  METRICS may be NULL.  -1 on OPTION_INVALID (target, TTLs, window), NO_MEMORY. */
int keeper_new(struct cache *cache, const struct keeper_options *opt, struct metrics *metrics, struct keeper **ret,
	       struct err *err);
void keeper_free(struct keeper *k);
DEFINE_CLEANUP(struct keeper, keeper_free)

/* As cache_put(), for as long as is right at present.  NEXT_MS: after which the next VALUE of this key is expected. */
void keeper_put(struct keeper *k, struct span key, struct span value, int64_t next_ms);

/*
 * Look at the reports and put again what has to be.  Call it often, at the end of a transaction, say: costs nothing as long
 * as nothing is due, which is every sixtieth of the window (at least 0.1 s, at most 5 s).
 */
void keeper_work(struct keeper *k);

/* The keys are somebody else's from now on (partitions were revoked): nothing of before is put again. */
void keeper_forget(struct keeper *k);

int64_t keeper_ttl_ms(const struct keeper *k);

#endif
