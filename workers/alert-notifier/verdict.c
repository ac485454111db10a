/* verdict.c -- RFC 9110, section 15: classes of status; section 10.2.3: Retry-After.  Back-off with jitter as usual. */
#include "workers/alert-notifier/verdict.h"

#include "common/base/random.h"

#define RETRY_AFTER_MAX_MS (INT64_C(3600) * 1000)
#define JITTER_SEED 0x6e6f74696679

enum verdict
verdict_of(const struct http_answer *a, const char *place, struct err *why)
{
	const char *colon = a->text[0] ? ": " : "";

	if (a->status >= 200 && a->status < 300)
		return VERDICT_DELIVERED;
	if (a->status == 0) {
		err_set(why, REASON_DELIVERY_FAILED, "%s: %s", place, a->text);
		return VERDICT_AGAIN;
	}
	if (a->status >= 300 && a->status < 400) {
		err_set(why, REASON_DELIVERY_FAILED, "%s: %d: redirects are not followed%s%s: give the address itself",
			place, a->status, a->location[0] ? "; this one points to " : "", a->location);
		return VERDICT_AGAIN;
	}
	if (a->status >= 400 && a->status < 500 && a->status != 408 && a->status != 425 && a->status != 429) {
		err_set(why, REASON_DELIVERY_REFUSED, "%s: %d%s%s", place, a->status, colon, a->text);
		return VERDICT_REFUSED;
	}
	err_set(why, REASON_DELIVERY_FAILED, "%s: %d%s%s", place, a->status, colon, a->text);
	return VERDICT_AGAIN;
}

int64_t
schedule_pause_ms(const struct schedule *s, int64_t attempts, uint64_t who, int64_t retry_after_ms)
{
	double part = random_uniform(JITTER_SEED, who, (uint64_t)attempts);
	int64_t pause = s->initial_ms;

	for (int64_t i = 1; i < attempts && pause < s->max_ms; i++)
		pause *= 2;
	if (pause > s->max_ms)
		pause = s->max_ms;
	pause -= (int64_t)((double)pause * part / 2);
	if (retry_after_ms > RETRY_AFTER_MAX_MS)
		retry_after_ms = RETRY_AFTER_MAX_MS;
	return retry_after_ms > pause ? retry_after_ms : pause;
}
