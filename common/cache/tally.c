/*
 * tally.c -- counters that end by themselves: INCRBY on a name with the time in it, which was given a life of two windows before.  In
 * that order: a counter without a life, left by a connection that broke in between, would stay for ever.
 */
#include <inttypes.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/cache/private.h"

int64_t
tally_bucket(int64_t window_ms)
{
	int64_t each_us = window_ms * US_PER_MS / TALLY_BUCKETS;

	return clock_real_us() / (each_us > 0 ? each_us : 1);
}

void
tally_key(int64_t window_ms, int64_t bucket, bool hits, char key[TALLY_KEY_BYTES])
{
	snprintf(key, TALLY_KEY_BYTES, "forebay:lookups:%" PRId64 ":%" PRId64 ":%s", window_ms / TALLY_BUCKETS, bucket,
		 hits ? "hits" : "misses");
}

void
tally_send(struct cache *c, int64_t window_ms, uint64_t hits, uint64_t misses)
{
	const uint64_t counts[] = { misses, hits };
	char key[TALLY_KEY_BYTES], amount[24], life[24];
	int64_t bucket = tally_bucket(window_ms);

	snprintf(life, sizeof(life), "%" PRId64, 2 * window_ms);
	for (int i = 0; i < 2; i++) {
		if (!counts[i])
			continue;
		tally_key(window_ms, bucket, i, key);
		snprintf(amount, sizeof(amount), "%" PRIu64, counts[i]);
		if (!cache_tell(c, 6,
				(struct span[]){ SPAN("SET"), span_of(key), SPAN("0"), SPAN("PX"), span_of(life),
						 SPAN("NX") }) ||
		    !cache_tell(c, 3, (struct span[]){ SPAN("INCRBY"), span_of(key), span_of(amount) }))
			return;
	}
}
