/*
 * adapt.h -- what follows from a hit ratio: how long entries are to live, and whether they are to be put again before anybody
 * misses them.  Numbers in, decisions out; no clock, no connection.
 */
#ifndef FOREBAY_CACHE_ADAPT_H
#define FOREBAY_CACHE_ADAPT_H

#include <stdbool.h>
#include <stdint.h>

#define ADAPT_LOOKUPS_MIN 20 /* fewer in the window say nothing */

struct adapt_rule {
	double target;              /* hit ratio, in (0, 1) */
	int64_t ttl_ms, ttl_max_ms; /* 0 < ttl_ms <= ttl_max_ms */
};

struct adapt {
	int64_t ttl_ms; /* in [ttl_ms, ttl_max_ms] of the rule */
	bool warm;      /* put again what is missing or near its end */
};

void adapt_start(const struct adapt_rule *rule, struct adapt *a);

/*
 * One step, ten of them a window: HITS and MISSES are those of the window.  Below the target entries live 1.25 times as long
 * as before and are kept warm; at or above it the life falls back by a fiftieth of what it is longer than usual.
 */
void adapt_step(const struct adapt_rule *rule, struct adapt *a, uint64_t hits, uint64_t misses);

/* How long an entry is to live whose successor is expected in NEXT_MS: never shorter than that. */
int64_t adapt_ttl(const struct adapt *a, int64_t next_ms);

#endif
