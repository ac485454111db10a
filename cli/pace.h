/*
 * pace.h -- sending no faster than the fleet follows: how far behind each worker may be, and who is further.
 *
 * Devices speak in their own time, and a worker has all of it to answer.  Where days of telemetry are sent in a minute, whoever computes
 * comes too late for what he computes about, the more so the slower the machine.  A sender that waits for those who lag gives them
 * their time back.
 */
#ifndef FOREBAY_CLI_PACE_H
#define FOREBAY_CLI_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/fleet.h"
#include "common/base/cleanup.h"
#include "common/base/error.h"

#define PACE_LIMITS_MAX 16
#define PACE_BATCH_MAX 1000

/* A worker, and how many records it may lag by. */
struct pace_limit {
	const struct fleet_member *member;
	int64_t records;
	int64_t committed, moved_us; /* seen by pace_judge(): how far it was, and since when; 0: not behind */
};

struct pace_limits {
	struct pace_limit at[PACE_LIMITS_MAX];
	size_t n;
};

/* "WORKER=RECORDS,..." into *RET; a worker may be called by its consumer group.  Pure.  -1 on USAGE, naming the option. */
int pace_parse(const char *list, struct pace_limits *ret, struct err *err);

/*
 * Messages between two looks: as many as the greatest of the limits has records, at most PACE_BATCH_MAX.  By so many a worker may be
 * further behind than allowed before it is seen.  Pure.
 */
int64_t pace_batch(const struct pace_limits *limits);

enum pace_verdict {
	PACE_FOLLOWS, /* nobody is further behind than allowed */
	PACE_BEHIND,  /* somebody is */
	PACE_STUCK,   /* and *WHO has read nothing for longer than TIMEOUT_US */
};

/* LOOK has the groups of LIMITS, in their order.  Pure, but for what LIMITS remembers of the looks before. */
enum pace_verdict pace_judge(struct pace_limits *limits, const struct fleet_look *look, int64_t timeout_us,
			     size_t *who);

struct pace;

/*
 * Keep to LIMITS (copied; one at least).  TIMEOUT_MS: how long a worker may be behind and read nothing, and the cluster not answer.
 * -1 as cluster_open().
 */
int pace_open(const struct pace_limits *limits, int64_t timeout_ms, const struct client_config *config,
	      int request_timeout_ms, struct pace **ret, struct err *err);
void pace_close(struct pace *p); /* NULL is fine */
DEFINE_CLEANUP(struct pace, pace_close)

/* To be asked before each message: is it time for a look?  At the first one, and after pace_batch() of them or some milliseconds. */
bool pace_due(struct pace *p);

/*
 * One look.  0: go on; 1: somebody is too far behind, or the cluster does not answer for the moment: a pause was made, look
 * again.  -1 on STUCK (who, how far, for how long), TOPIC_MISSING, and what admin.h says when it lasts.
 */
int pace_look(struct pace *p, struct err *err);

#endif
