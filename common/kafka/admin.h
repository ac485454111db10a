/*
 * admin.h -- the cluster as its keeper sees it: topics and their settings, offsets, groups.  One owner thread; every call
 * waits for its answer, at most as long as cluster_open() was told.
 *
 * What comes back lives in the caller's arena.  Partitions are never added to a topic: which partition a device lives on
 * follows from their number, so another number is another topic.
 *
 * Failures of all calls: BROKER_DOWN (worth a retry), TOPIC_MISSING, TOPIC_MISMATCH (the cluster refuses the setting),
 * BROKER_REFUSES_US (authentication, rights), NO_MEMORY.
 */
#ifndef FOREBAY_KAFKA_ADMIN_H
#define FOREBAY_KAFKA_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/cleanup.h"
#include "common/kafka/client.h"
#include "common/kafka/consumer.h" /* struct topic_partition, OFFSET_NONE */

#define REPLICATION_BROKER (-1) /* as many replicas as the broker's default.replication.factor says */

struct cluster;

struct cluster_setting {
	const char *key, *value;
	bool own; /* set on this topic; else the broker's default */
};

struct cluster_topic {
	const char *name;
	int32_t partitions;
	int32_t replication; /* the smallest of its partitions; REPLICATION_BROKER only when creating */
	struct cluster_setting *settings;
	size_t n_settings;
};

struct cluster_group {
	const char *id;
	const char *state; /* "Stable", "Empty", "Dead", ... */
};

/* Make a client and wait until a broker answers.  -1 also on OPTION_INVALID (a client property). */
int cluster_open(const struct client_config *config, int timeout_ms, struct cluster **ret, struct err *err);
void cluster_close(struct cluster *c); /* NULL is fine */
DEFINE_CLEANUP(struct cluster, cluster_close)

/* The cluster's id, in ARENA; NULL while it is not known. */
const char *cluster_id(struct cluster *c, struct arena *arena);

/* All topics but Kafka's own (__...), by name, without settings. */
int cluster_topics(struct cluster *c, struct arena *arena, struct cluster_topic **ret, size_t *n, struct err *err);

/* Fill settings of N topics. */
int cluster_settings(struct cluster *c, struct cluster_topic *topics, size_t n, struct arena *arena, struct err *err);

/* Create one topic, or with VALIDATE_ONLY let the cluster say what it would answer.  One that exists already is fine. */
int cluster_create(struct cluster *c, const struct cluster_topic *topic, bool validate_only, struct err *err);

/* Change N settings of a topic; its other settings stay as they are. */
int cluster_alter(struct cluster *c, const char *topic, const struct cluster_setting *settings, size_t n,
		  bool validate_only, struct err *err);

/* First and next offset of a partition, open transactions included. */
int cluster_watermarks(struct cluster *c, const char *topic, int32_t partition, int64_t *low, int64_t *high,
		       struct err *err);

/* Into each partition's offset: that of its first record at or after TIME_MS; the end of the partition if there is none. */
int cluster_offsets_at(struct cluster *c, int64_t time_ms, struct topic_partition *partitions, size_t n,
		       struct err *err);

/* The group's committed offsets into each partition's offset; OFFSET_NONE where there is none. */
int cluster_committed(struct cluster *c, const char *group, struct topic_partition *partitions, size_t n,
		      struct err *err);

/* Every consumer group that the cluster knows, by id. */
int cluster_groups(struct cluster *c, struct arena *arena, struct cluster_group **ret, size_t *n, struct err *err);

#endif
