/*
 * fleet.h -- the workers as their consumer groups show them: who reads what, how far each has come.
 *
 * Lag counts offsets, and so control records of open transactions, too: it is 0 when there is nothing left to read.
 */
#ifndef FOREBAY_CLI_FLEET_H
#define FOREBAY_CLI_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/base/span.h"
#include "common/kafka/admin.h"

/* A worker, its group (group.id's default) and its inputs (topics' default, and the side input that every device's records come to). */
struct fleet_member {
	const char *worker, *group;
	const char *const *topics; /* ended by NULL */
	bool optional;             /* not everybody runs it: looked at where its group is known, or when it is named */
};

extern const struct fleet_member fleet_members[];
extern const size_t fleet_member_count;

/* By the worker's name or its group's; NULL: nobody's. */
const struct fleet_member *fleet_find(struct span name);

/* One partition as one group sees it. */
struct fleet_partition {
	const char *topic;
	int32_t partition;
	int64_t low, end;  /* first and next offset */
	int64_t committed; /* OFFSET_NONE */
	int64_t lag;
};

struct fleet_group {
	const struct fleet_member *member;
	const char *state; /* "Stable", "Empty", ...; "absent"; NULL: not asked for */
	struct fleet_partition *partitions;
	size_t n_partitions;
	int64_t lag, committed; /* sums */
};

struct fleet_topic {
	const char *name;
	int32_t partitions;
	int64_t low, end; /* sums over the partitions */
};

/* One look. */
struct fleet_look {
	int64_t at_us; /* monotonic */
	struct fleet_group *groups;
	size_t n_groups;
	struct fleet_topic *topics; /* the fleet's and dead letters', by name */
	size_t n_topics;
};

/* Look at the members that WORKERS lists (comma separated names; "": all).  Everything is in ARENA.  -1 on USAGE (a name
 * that is none) and what admin.h says. */
int fleet_look(struct cluster *cluster, const char *workers, struct arena *arena, struct fleet_look *ret,
	       struct err *err);

/*
 * Look at the lag of N members and at nothing else, so that it can be done several times a second: no states of groups, no topics but what
 * these members read.  RET's groups are in their order; one that has never committed lags by all there is.
 */
int fleet_lag(struct cluster *cluster, const struct fleet_member *const *members, size_t n, struct arena *arena,
	      struct fleet_look *ret, struct err *err);

/* Nothing to read, and nothing has come since THEN. */
bool fleet_is_idle(const struct fleet_look *now, const struct fleet_look *then);

/* Records per second between two looks; 0 without a first one. */
double fleet_rate(int64_t now, int64_t then, const struct fleet_look *look, const struct fleet_look *before);

bool fleet_is_dead_letters(const char *topic); /* NAME.dlq */

#endif
