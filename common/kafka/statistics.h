/*
 * statistics.h -- librdkafka's statistics as metrics: queues, transaction state, broker round trips, rebalances.  Names of the values: STATISTICS.md of librdkafka.
 */
#ifndef FOREBAY_KAFKA_STATISTICS_H
#define FOREBAY_KAFKA_STATISTICS_H

#include <stddef.h>

#include "common/metrics/metrics.h"

struct statistics;

/* NULL when memory is out.  METRICS must outlive it. */
struct statistics *statistics_new(struct metrics *metrics, const char *client);
void statistics_free(struct statistics *s);

/* Read one document of librdkafka; what it does not hold stays as it was. */
void statistics_update(struct statistics *s, const char *json, size_t len);

#endif
