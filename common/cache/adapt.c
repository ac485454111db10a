/* adapt.c -- quickly up, slowly down: a life that is too long costs memory, one that is too short costs forecasts. */
#include "common/cache/adapt.h"

#define UP 1.25
#define DOWN 0.02

void
adapt_start(const struct adapt_rule *rule, struct adapt *a)
{
	*a = (struct adapt){ .ttl_ms = rule->ttl_ms };
}

void
adapt_step(const struct adapt_rule *rule, struct adapt *a, uint64_t hits, uint64_t misses)
{
	double all = (double)hits + (double)misses, longer = (double)(a->ttl_ms - rule->ttl_ms);

	a->warm = false;
	if (all < ADAPT_LOOKUPS_MIN)
		return;
	if ((double)hits < rule->target * all) {
		double ttl = (double)a->ttl_ms * UP + 1;

		a->warm = true;
		a->ttl_ms = ttl < (double)rule->ttl_max_ms ? (int64_t)ttl : rule->ttl_max_ms;
	} else {
		a->ttl_ms = rule->ttl_ms + (int64_t)(longer * (1 - DOWN));
	}
}

int64_t
adapt_ttl(const struct adapt *a, int64_t next_ms)
{
	return a->ttl_ms > next_ms ? a->ttl_ms : next_ms;
}
