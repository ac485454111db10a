/*
 * scan.h -- reads topics once, from where they begin to where they end now, committed records only, outside of any group.
 * For commands that count and check; workers use consumer.h.
 */
#ifndef FOREBAY_KAFKA_SCAN_H
#define FOREBAY_KAFKA_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/kafka/client.h"
#include "common/kafka/consumer.h"

struct scan;

/* RECORD is valid during the call (message for consumed_header()).  -1 with *ERR ends the scan. */
typedef int scan_visit(void *ctx, const struct consumed *record, struct err *err);

/* -1 on OPTION_INVALID, NO_MEMORY.  Nothing is asked of the cluster yet. */
int scan_new(const struct client_config *config, struct scan **ret, struct err *err);
void scan_free(struct scan *s);
DEFINE_CLEANUP(struct scan, scan_free)

/*
 * Visit the records of N partitions, each from its offset (OFFSET_NONE: the beginning) to its end at this moment, and leave
 * in each offset where the next scan goes on.  Order is kept inside a partition.  Where a transaction is open, a partition
 * ends before it.  -1 on BROKER_DOWN (nothing arrived for TIMEOUT_MS), TOPIC_MISSING, BROKER_REFUSES_US, or what VISIT
 * says.
 */
int scan_partitions(struct scan *s, struct topic_partition *partitions, size_t n, int timeout_ms, scan_visit *visit,
		    void *ctx, struct err *err);

#endif
