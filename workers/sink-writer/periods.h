/*
 * periods.h -- the periods that a partitioned table's rows fell into, and which of them have a partition.
 *
 * At most PERIODS_MAX are remembered; rows of further ones live in the default partition.
 */
#ifndef FOREBAY_SINK_PERIODS_H
#define FOREBAY_SINK_PERIODS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/store/partition.h"

#define PERIODS_MAX 8192

struct periods;

int periods_new(enum period kind, struct periods **ret, struct err *err);
void periods_free(struct periods *p); /* NULL is fine */

/* A row falls on US. */
void periods_note(struct periods *p, int64_t us);

/*
 * Outside of transactions: make the partitions of TABLE that noted rows wait for, those with most rows first and at most
 * MOST of them.  What is left goes to the default partition, now and later.  -1 as partition_ensure().
 */
int periods_settle(struct periods *p, struct store *store, const char *table, size_t most, struct err *err);

#endif
