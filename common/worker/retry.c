/* retry.c -- see retry.h. */
#include "common/worker/retry.h"

#include "common/base/clock.h"
#include "common/base/random.h"

#define FIRST_DELAY_MS 300
#define MAX_DOUBLINGS 30

int64_t
retry_delay_ms(int attempt, int64_t max_ms, uint64_t seed)
{
	int doublings = attempt < 1 ? 0 : attempt - 1 > MAX_DOUBLINGS ? MAX_DOUBLINGS : attempt - 1;
	int64_t delay = (int64_t)FIRST_DELAY_MS << doublings;

	if (delay > max_ms)
		delay = max_ms;
	return delay / 2 + (int64_t)(random_uniform(seed, 0, (uint64_t)attempt) * (double)(delay - delay / 2));
}

bool
retry_failed(struct retry *r, int64_t now_us, int64_t max_ms, int64_t timeout_ms)
{
	if (!r->since_us)
		r->since_us = now_us;
	r->attempt++;
	r->at_us = now_us + retry_delay_ms(r->attempt, max_ms, (uint64_t)now_us) * US_PER_MS;
	return timeout_ms < 0 || now_us - r->since_us <= timeout_ms * US_PER_MS;
}

void
retry_succeeded(struct retry *r)
{
	*r = (struct retry){ 0 };
}
