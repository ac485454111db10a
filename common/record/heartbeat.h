/* heartbeat.h -- fleet.heartbeats: one instance of a worker says what it does, every few seconds. */
#ifndef FOREBAY_RECORD_HEARTBEAT_H
#define FOREBAY_RECORD_HEARTBEAT_H

#include <stddef.h>
#include <stdint.h>

#include "common/record/codec.h"

#define LAG_UNKNOWN (-1)

struct heartbeat_partition {
	struct span topic;
	int32_t partition;
	int64_t offset; /* committed: the next record to be read after a restart; -1: none yet */
	int64_t lag;    /* records behind the end of the partition; LAG_UNKNOWN */
};

struct heartbeat {
	struct span worker;   /* "sink-writer" */
	struct span instance; /* distinct within the fleet */
	struct span version;  /* of the program */
	int64_t time_us;
	int64_t started_us;
	struct span state; /* "starting", "running", "paused", "waiting", "draining", "failed" */
	struct heartbeat_partition *partitions;
	size_t n_partitions; /* 0: nothing is assigned */
};

extern const struct record_type heartbeat_record;

#endif
