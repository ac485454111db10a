/* ratio.h -- the share of lookups that were hits, over a window that slides in sixty steps.  Time comes as an argument. */
#ifndef FOREBAY_CACHE_RATIO_H
#define FOREBAY_CACHE_RATIO_H

#include <stdbool.h>
#include <stdint.h>

#define RATIO_BUCKETS 60

/* Zeroed but for step_us: nothing has been looked up. */
struct ratio {
	int64_t step_us; /* > 0: the window's length / RATIO_BUCKETS */
	int64_t newest;  /* number of the step that is being filled */
	bool begun;
	uint64_t hits[RATIO_BUCKETS], misses[RATIO_BUCKETS];
	uint64_t all_hits, all_misses; /* in the window */
};

/* NOW_US never goes back; an earlier one counts as the latest that was seen. */
void ratio_add(struct ratio *r, int64_t now_us, uint64_t hits, uint64_t misses);

/* In [0, 1], as of the last ratio_add(); NaN: no lookup in the window. */
double ratio_value(const struct ratio *r);

#endif
