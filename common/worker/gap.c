/* gap.c -- the record that is to be read next is not in the log. */
#include <inttypes.h>

#include "common/base/log.h"
#include "common/worker/internal.h"

/*
 * A log that does not reach the offset is another one (the topic was made anew, or the cluster).  To begin with it unasked would repeat what
 * was processed, or, with positions in a database, pass over what was not.
 */
int
gap_refuse(const struct worker *w, const char *topic, int32_t partition, int64_t next, int64_t high, struct err *err)
{
	return err_set(err, REASON_OFFSET_GONE,
		       "%s[%" PRId32 "]: offset %" PRId64 " is to be read next, but the log ends at %" PRId64
		       ": the topic or the cluster was made anew; to begin with it, %s",
		       topic, partition, next, high,
		       w->spec->store ? "delete the topic's rows of forebay.sink_offsets"
				      : "set the group's offsets back (kafka-consumer-groups.sh --reset-offsets)");
}

int
gap_pass(struct worker *w, struct held *h, int64_t low, int64_t high, struct err *err)
{
	if (h->next > high)
		return gap_refuse(w, h->topic, h->partition, h->next, high, err);
	if (h->next < 0 || h->next >= low)
		return 0;
	if (plan_find(w, h->topic, h->partition))
		return err_set(err, REASON_OFFSET_GONE,
			       "%s[%" PRId32 "]: the run begins at offset %" PRId64 ", but the log begins at %" PRId64,
			       h->topic, h->partition, h->next, low);
	log_event(LOG_ERROR, "records were deleted before they were read: retention is too short", "topic",
		  LOG_S(h->topic), "partition", LOG_I(h->partition), "from", LOG_I(h->next), "records",
		  LOG_I(low - h->next), NULL);
	meters_deleted(&w->meters, h->topic, low - h->next);
	process_passed(w, h, low);
	return 0;
}

int
gap_check(struct worker *w, struct held *h, struct err *err)
{
	int64_t low, high;

	if (consumer_watermarks(w->consumer, h->topic, h->partition, LOOKUP_TIMEOUT_MS, &low, &high, err) < 0)
		return -1;
	return gap_pass(w, h, low, high, err);
}

int
gap_found(struct worker *w, const struct consumed *at, struct err *err)
{
	struct held *h = assignment_find(w, at->topic, at->partition);

	if (w->phase != PHASE_RUNNING || !h || recovery_follows(w))
		return 0; /* nothing is fetched now; it will be found again */
	if (gap_check(w, h, err) < 0 || assignment_fetch(w, true, err) < 0)
		return loop_trouble(w, PHASE_LOADING, err);
	return 0;
}
