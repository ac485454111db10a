/*
 * outbox.h -- dead letters that are durable in PostgreSQL but not yet known to be in Kafka, in table forebay.sink_outbox.
 *
 * They are put in with the offsets that pass them, and forgotten once Kafka's own offset of the group has passed them.
 * Headers of the original record are not kept: a letter delivered again carries the reason, key, value and coordinates.
 */
#ifndef FOREBAY_SINK_OUTBOX_H
#define FOREBAY_SINK_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/store/connection.h"
#include "common/worker/worker.h"

/* In a transaction. */
int outbox_put(struct store *s, const char *sink, const struct dead_letter *letters, size_t n, struct err *err);

/* Forget the partition's letters below OFFSET. */
int outbox_forget(struct store *s, const char *sink, const char *topic, int32_t partition, int64_t below,
		  struct err *err);

/* Give every letter of the partition at or after OFFSET to VISIT, in order.  What it is given lives in A. */
int outbox_each(struct store *s, const char *sink, const char *topic, int32_t partition, int64_t from, struct arena *a,
		int (*visit)(void *ctx, const struct input *in, const struct err *why, struct err *err), void *ctx,
		struct err *err);

#endif
