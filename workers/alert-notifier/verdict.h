/* verdict.h -- what an answer means for what was sent, and when to try again.  Pure. */
#ifndef FOREBAY_NOTIFIER_VERDICT_H
#define FOREBAY_NOTIFIER_VERDICT_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/http/client.h"

enum verdict {
	VERDICT_DELIVERED, /* 2xx */
	VERDICT_AGAIN,     /* no answer, 408, 425, 429, 5xx, and a redirect, which is an error of the set-up */
	VERDICT_REFUSED    /* any other 4xx: it would be refused the next time, too */
};

/* *WHY says it to people (DELIVERY_FAILED, DELIVERY_REFUSED) unless it was delivered; PLACE names the receiver. */
enum verdict verdict_of(const struct http_answer *answer, const char *place, struct err *why);

struct schedule {
	int64_t initial_ms, max_ms;
};

/*
 * The pause after ATTEMPTS >= 1 failed ones: min(max, initial * 2^(attempts - 1)), less a part in [0, 1/2) that is drawn by
 * WHO and ATTEMPTS, so that what failed together does not come back together; RETRY_AFTER_MS when that is longer (-1: none;
 * at most an hour counts).
 */
int64_t schedule_pause_ms(const struct schedule *s, int64_t attempts, uint64_t who, int64_t retry_after_ms);

#endif
