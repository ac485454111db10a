/*
 * topicplan.h -- from the topics that should exist and those that do, what to do.  Pure.
 *
 * What may change, changes: retention, sizes, time stamps.  What would break the line is refused, with what to do instead:
 * another number of partitions (a device would move to another partition, away from its history), another replication
 * (replicas are moved by Kafka's own tool), a clean-up policy that deletes or compacts what is kept now.
 */
#ifndef FOREBAY_CLI_TOPICPLAN_H
#define FOREBAY_CLI_TOPICPLAN_H

#include <stddef.h>

#include "cli/topicfile.h"
#include "common/base/arena.h"

enum topic_verdict { TOPIC_KEEP, TOPIC_CREATE, TOPIC_ALTER, TOPIC_REFUSE, TOPIC_EXTRA, TOPIC_VERDICT_COUNT };

const char *topic_verdict_name(enum topic_verdict v); /* "keep", "create", "alter", "refuse", "extra" */

/* One row of the plan.  A topic has one row of KEEP, CREATE or EXTRA, or one per setting to ALTER or REFUSE. */
struct topic_action {
	enum topic_verdict verdict;
	const char *topic;
	const struct topic_spec *want; /* NULL for EXTRA */
	const char *key;               /* ALTER, REFUSE: "retention.ms", "partitions" */
	const char *from, *to;
	const char *why; /* REFUSE: the reason, and what to do */
};

struct topic_plan {
	struct topic_action *actions;
	size_t n_actions;
	size_t count[TOPIC_VERDICT_COUNT];
};

/* HAVE holds settings.  Rows in the order of WANT, extra topics last; all in ARENA.  -1 on NO_MEMORY. */
int topic_plan_make(const struct topic_spec *want, size_t n_want, const struct cluster_topic *have, size_t n_have,
		    struct arena *arena, struct topic_plan *ret, struct err *err);

#endif
