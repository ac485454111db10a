/*
 * reader.h -- several partitions at once, each as a stream of its own: the owner decides which one to read on.  Committed
 * records only, outside of any group.  For re-folds and replays, where the interleaving is given and not chance.
 *
 * Each stream fetches ahead for itself, up to a share of queue_max_bytes; a stream that nobody reads waits.  One thread.
 */
#ifndef FOREBAY_KAFKA_READER_H
#define FOREBAY_KAFKA_READER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/kafka/client.h"
#include "common/kafka/consumer.h"

/* Offsets [from, to) of a partition. */
struct range {
	const char *topic;
	int32_t partition;
	int64_t from, to;
};

struct reader;

/*
 * Copies RANGES; no partition may be there twice.  Empty ones (from >= to) are at their end; one may go beyond the end of
 * its log, and is waited for.  A stream gets an equal share of QUEUE_MAX_BYTES, at least 256 KiB.  -1 on OPTION_INVALID,
 * NO_MEMORY, BROKER_DOWN (after ten seconds).
 */
int reader_new(const struct client_config *client, const struct range *ranges, size_t n, int64_t queue_max_bytes,
	       struct reader **ret, struct err *err);
void reader_free(struct reader *r);
DEFINE_CLEANUP(struct reader, reader_free)

enum reader_event {
	READER_RECORD,
	READER_END,     /* of the range: no record of it is left */
	READER_NOTHING, /* yet: within the time-out */
	READER_TROUBLE, /* *ERR: OFFSET_GONE (the log begins later), TOPIC_MISSING, BROKER_DOWN, ... */
};

/*
 * The record at the head of stream I, which stays there.  Valid until reader_pop() of that stream.  While brokers cannot be
 * reached there is NOTHING; a peek then takes up to 100 ms more than TIMEOUT_MS.  A stream does not get out of TROUBLE,
 * whatever its class: a new reader goes on from the first record not popped.
 */
enum reader_event reader_peek(struct reader *r, size_t i, int timeout_ms, struct consumed *ret, struct err *err);

/* Drop the record at the head of stream I; its memory goes with it. */
void reader_pop(struct reader *r, size_t i);

#endif
