/* retry.h -- when to try again: Kafka Connect's errors.retry.* (300 ms, doubled, capped, with jitter). */
#ifndef FOREBAY_WORKER_RETRY_H
#define FOREBAY_WORKER_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct retry {
	int64_t since_us; /* first failure of the trouble at hand; 0: none */
	int64_t at_us;    /* next attempt */
	int attempt;      /* failures so far */
};

/* Pause before attempt ATTEMPT (1 = after the first failure) in ms: in [d/2, d], d = min(300 * 2^(attempt-1), MAX_MS). */
int64_t retry_delay_ms(int attempt, int64_t max_ms, uint64_t seed);

/* Note a failure at NOW_US; false when TIMEOUT_MS (-1: none) since the first one is used up. */
bool retry_failed(struct retry *r, int64_t now_us, int64_t max_ms, int64_t timeout_ms);
void retry_succeeded(struct retry *r);

#endif
