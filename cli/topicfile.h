/*
 * topicfile.h -- the topics that should exist, read from a declarative file (properties; see deploy/topics.properties):
 *
 *	partitions = 6				of every topic that does not say otherwise
 *	defaults.SETTING = VALUE		for every topic
 *	dlq.SETTING = VALUE			for every dead-letter topic, before the defaults
 *	topic.NAME.doc = TEXT			declares a topic; TEXT is a line for docs/topics.md
 *	topic.NAME.dlq = true			declares NAME.dlq too
 *	topic.NAME.SETTING = VALUE
 *
 * SETTING is partitions, replication (a number, or `broker` for the broker's default) or one of Kafka's topic settings
 * that topicfile.c lists.
 */
#ifndef FOREBAY_CLI_TOPICFILE_H
#define FOREBAY_CLI_TOPICFILE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/base/span.h"
#include "common/kafka/admin.h"

struct topic_spec {
	struct cluster_topic topic; /* its settings: those that the file states, sorted by key */
	const char *doc;
};

struct topic_file {
	struct arena *arena; /* holds everything below */
	struct topic_spec *topics;
	size_t n_topics; /* in the order of the file, a dead-letter topic after its source */
};

/* 0: what the file says.  PARTITIONS replaces its `partitions` and `defaults.partitions`, REPLICATION every `replication`;
 * min.insync.replicas is then lowered to REPLICATION - 1 where it is more, and stays at least 1. */
struct topic_overrides {
	int64_t partitions, replication;
};

/* -1 on FILE_UNREADABLE, FILE_INVALID (with the line), NO_MEMORY. */
int topic_file_read(const char *path, const struct topic_overrides *overrides, struct topic_file **ret,
		    struct err *err);

/* The same for a text; NAME stands for the file in errors. */
int topic_file_parse(struct span text, const char *name, const struct topic_overrides *overrides,
		     struct topic_file **ret, struct err *err);
void topic_file_free(struct topic_file *f);
DEFINE_CLEANUP(struct topic_file, topic_file_free)

/* The value that SPEC states for KEY, or NULL. */
const char *topic_setting(const struct cluster_topic *topic, const char *key);

#endif
