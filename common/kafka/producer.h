/*
 * producer.h -- sends records: idempotent, acks=all, partitioner murmur2_random (as Java's clients choose).
 *
 * Plain (transactional_id NULL) or transactional (see transaction.h).  One owner thread.
 */
#ifndef FOREBAY_KAFKA_PRODUCER_H
#define FOREBAY_KAFKA_PRODUCER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/kafka/client.h"

#define PARTITION_BY_KEY (-1)

struct producer_options {
	const char *transactional_id; /* NULL: plain */
	int64_t transaction_timeout_ms;
	int64_t queue_max_bytes; /* what may wait for the broker; producer_send() blocks beyond it */
	int64_t linger_ms;
	int64_t message_max_bytes;
};

struct producer_record {
	const char *topic;
	int32_t partition; /* or PARTITION_BY_KEY */
	struct span key, value;
	int64_t timestamp_ms; /* 0: now */
	const struct header *headers;
	size_t n_headers;
	void *opaque; /* comes back in producer_refused */
};

/* Called from producer_send/_poll/_flush when the broker or the client refused a record for good. */
typedef void producer_refused(void *ctx, void *opaque, const char *topic, int32_t partition, const struct err *why);

struct producer;

int producer_new(const struct client_config *client, const struct producer_options *options, producer_refused *refused,
		 void *refused_ctx, struct producer **ret, struct err *err);
void producer_free(struct producer *p); /* does not wait for what is queued: flush first */
DEFINE_CLEANUP(struct producer, producer_free)

/* Learn where TOPIC's partitions are, now: the first record to an unknown topic would wait for it a second.  -1 on
 * TOPIC_MISSING, BROKER_DOWN. */
int producer_learn(struct producer *p, const char *topic, int timeout_ms, struct err *err);

/* Bytes are copied.  Blocks, serving reports, while the queue is full.  -1 on BROKER_REFUSED_SIZE, TOPIC_MISSING, FENCED,
 * BROKER_DOWN, INTERNAL. */
int producer_send(struct producer *p, const struct producer_record *record, struct err *err);

/* Serve delivery reports; returns how many records still wait for the broker. */
int producer_poll(struct producer *p, int timeout_ms);

/* Wait until everything sent is acknowledged; -1 on BROKER_DOWN after TIMEOUT_MS. */
int producer_flush(struct producer *p, int timeout_ms, struct err *err);

#endif
