/* source.h -- topics into series: what is learnt from, between offsets that were frozen when a training began. */
#ifndef FOREBAY_TRAINER_SOURCE_H
#define FOREBAY_TRAINER_SOURCE_H

#include "common/kafka/consumer.h"
#include "workers/model-trainer/collect.h"
#include "workers/model-trainer/job.h"
#include "workers/model-trainer/plan.h"

/* Zeroed: nothing. */
struct collection {
	struct plan_range *ranges;
	size_t n_ranges;
	struct collector *collector; /* owner of the groups */
	const struct group *groups;
	size_t n_groups;
	uint64_t records, unreadable;
};

void collection_clear(struct collection *c);

static inline void
collection_clear_cleanup(struct collection *c)
{
	collection_clear(c);
}

/* All that the topic of series holds at this moment, offset by offset; nothing is read.  -1 as admin.h says. */
int source_freeze(struct job *j, struct collection *ret, struct err *err);

int64_t source_size(const struct collection *c); /* records that could be in there */
int64_t source_end(const struct collection *c);  /* and with those that were there before: only ever grows */

/* Read them.  Records that were deleted meanwhile are not there any more; what cannot be decoded is counted.  -1 as reader.h
 * says; also when asked to stop: BROKER_DOWN. */
int source_read(struct job *j, struct collection *c, struct err *err);

/* The partitions of a topic, each from its first record on; the caller frees *RET.  TIME_MS: from the first record at or after it;
 * -1: all. */
int source_partitions(struct job *j, const char *topic, int64_t time_ms, struct topic_partition **ret, size_t *n,
		      struct err *err);

#endif
