/*
 * deadletter.h -- the headers of a dead letter: the record's own, Kafka Connect's ten (__connect.errors.*) and ours.
 *
 *	forebay.reason		stable name of schemas/reasons.def
 *	forebay.worker		who gave up
 *	forebay.device		device id where it is known (the key)
 *	forebay.attempt		1, and one more each time a redriven record fails again
 *	forebay.first.failed.at	ISO 8601, kept over redrives
 *	forebay.schema.id	id in the value's prefix, where it has one
 *	forebay.replay.id	of the replay that brought it, where one did
 *	forebay.timestamp.ms	original time stamp, only where the dead-letter topic refused it as such
 *
 * A record that was a dead letter before keeps its own headers; the error headers are replaced, not repeated.
 */
#ifndef FOREBAY_KAFKA_DEADLETTER_H
#define FOREBAY_KAFKA_DEADLETTER_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/kafka/client.h"

#define DEADLETTER_MESSAGE_BYTES 1024 /* texts are cut there, so that the record always fits */

struct deadletter_source {
	const char *topic;
	int32_t partition;
	int64_t offset;
	struct span key, value;
	const void *message; /* the consumed message with its headers; NULL: none */
};

struct deadletter_origin {
	const char *worker, *instance;
	const char *stage; /* Kafka Connect's: VALUE_CONVERTER, TRANSFORMATION, TASK_PUT, KAFKA_PRODUCE */
	int64_t now_us;
	int64_t original_timestamp_ms; /* -1: the record keeps its own */
};

/* All headers in *RET, in ARENA.  -1 on NO_MEMORY. */
int deadletter_headers(const struct deadletter_source *source, const struct deadletter_origin *origin,
		       const struct err *why, struct arena *arena, struct header **ret, size_t *n_ret, struct err *err);

/* Connect's name for the stage in which REASON arises. */
const char *deadletter_stage(enum err_reason reason);

#endif
