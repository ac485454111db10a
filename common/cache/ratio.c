/* ratio.c -- a ring of counts with their sums kept beside it: a step that leaves the window is taken out of the sums. */
#include "common/cache/ratio.h"

#include <math.h>

static void
slide(struct ratio *r, int64_t step)
{
	int64_t gone = step - r->newest < RATIO_BUCKETS ? step - r->newest : RATIO_BUCKETS;

	for (int64_t i = 1; i <= gone; i++) {
		int64_t at = (r->newest + i) % RATIO_BUCKETS;

		r->all_hits -= r->hits[at];
		r->all_misses -= r->misses[at];
		r->hits[at] = r->misses[at] = 0;
	}
	if (step > r->newest)
		r->newest = step;
}

void
ratio_add(struct ratio *r, int64_t now_us, uint64_t hits, uint64_t misses)
{
	int64_t step = now_us / r->step_us;

	if (!r->begun)
		r->newest = step;
	r->begun = true;
	slide(r, step);
	r->hits[r->newest % RATIO_BUCKETS] += hits;
	r->misses[r->newest % RATIO_BUCKETS] += misses;
	r->all_hits += hits;
	r->all_misses += misses;
}

double
ratio_value(const struct ratio *r)
{
	uint64_t all = r->all_hits + r->all_misses;

	return all ? (double)r->all_hits / (double)all : NAN;
}
