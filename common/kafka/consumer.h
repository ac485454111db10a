/*
 * consumer.h -- one member of a consumer group: eager assignment (range: partition n of every topic goes to the same
 * member), read_committed, offsets committed by hand.  One owner thread: everything happens inside consumer_poll().
 *
 * An assignment is not fetched from until consumer_fetch() says from where: the owner loads first, however long it takes,
 * and stays a live member meanwhile.
 */
#ifndef FOREBAY_KAFKA_CONSUMER_H
#define FOREBAY_KAFKA_CONSUMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/kafka/client.h"

#define OFFSET_NONE INT64_C(-1) /* the group has none for this partition */

struct topic_partition {
	const char *topic; /* in arrays made by this module: its own */
	int32_t partition;
	int64_t offset; /* of the next record; or OFFSET_NONE: from the beginning */
};

struct consumer_options {
	const char *group_id;
	const char *instance_id; /* static membership; NULL: dynamic */
	int64_t session_timeout_ms, max_poll_interval_ms;
	int64_t queue_max_bytes; /* what may be fetched ahead, all partitions together */
};

/* Called inside consumer_poll() and consumer_close(); the arrays are the module's and gone after the call. */
struct consumer_hooks {
	void *ctx;
	void (*assigned)(void *ctx, const struct topic_partition *partitions, size_t n);
	/* Finish and commit before returning -- unless LOST: then somebody else may own them already. */
	void (*revoked)(void *ctx, const struct topic_partition *partitions, size_t n, bool lost);
};

struct consumed {
	const char *topic;
	int32_t partition;
	int64_t offset;
	int64_t timestamp_ms; /* -1: none */
	struct span key, value;
	void *message; /* consumed_free() gives it back */
};

enum consumer_event { CONSUMER_NOTHING, CONSUMER_RECORD, CONSUMER_END, CONSUMER_GONE, CONSUMER_TROUBLE };

struct consumer;

int consumer_new(const struct client_config *client, const struct consumer_options *options,
		 const struct consumer_hooks *hooks, struct consumer **ret, struct err *err);
void consumer_free(struct consumer *c); /* closes first: hooks are called */
DEFINE_CLEANUP(struct consumer, consumer_free)

int consumer_subscribe(struct consumer *c, const char *const *topics, size_t n, struct err *err);

/*
 * Wait up to TIMEOUT_MS for what comes next.  CONSUMER_RECORD fills *RET; CONSUMER_END says that a partition is read to its
 * end (topic, partition, offset in *RET, no message); CONSUMER_GONE that the log does not hold the offset that is to be read next
 * (deleted by retention, or the log was made anew; topic and partition in *RET): nothing more comes of that partition until
 * consumer_fetch() says from where.  CONSUMER_TROUBLE fills *ERR (TOPIC_MISSING, BROKER_DOWN, FENCED ...).
 */
enum consumer_event consumer_poll(struct consumer *c, int timeout_ms, struct consumed *ret, struct err *err);
void consumed_free(void *message);
struct span consumed_header(const void *message, const char *name); /* the last of that name; SPAN_NONE */

/* Fetch from these partitions at these offsets, from now on; what was fetched before is dropped.  N 0: pause all. */
int consumer_fetch(struct consumer *c, const struct topic_partition *partitions, size_t n, struct err *err);

/* The group's committed offsets into partitions[].offset (OFFSET_NONE where there is none). */
int consumer_committed(struct consumer *c, struct topic_partition *partitions, size_t n, int timeout_ms,
		       struct err *err);

/* Commit for at_least_once; waits for the answer. */
int consumer_commit(struct consumer *c, const struct topic_partition *partitions, size_t n, struct err *err);

/* First and next offset of a partition, as the broker knows them now. */
int consumer_watermarks(struct consumer *c, const char *topic, int32_t partition, int timeout_ms, int64_t *low,
			int64_t *high, struct err *err);

/* The next offset of a partition as the latest fetch told it; OFFSET_NONE before the first.  No request is made. */
int64_t consumer_known_end(struct consumer *c, const char *topic, int32_t partition);

/* Number of partitions of a topic; TOPIC_MISSING when there is none such. */
int consumer_partition_count(struct consumer *c, const char *topic, int timeout_ms, int32_t *ret, struct err *err);

/* Leave the group (hooks are called); with static membership the broker keeps the seat until the session ends. */
void consumer_close(struct consumer *c);

/* The cluster's id, or NULL while it is not known; waits up to TIMEOUT_MS.  The caller frees it. */
char *consumer_cluster_id(struct consumer *c, int timeout_ms);

#endif
