/*
 * partition.h -- tables split by time: partitions made when they are needed and dropped when they are old.
 *
 * The statements behind are functions of the schema (deploy/migrations): forebay.partition_for, forebay.retain.
 * Times are microseconds since 1970, UTC; periods begin at midnight UTC.
 */
#ifndef FOREBAY_STORE_PARTITION_H
#define FOREBAY_STORE_PARTITION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/store/connection.h"

enum period { PERIOD_DAY, PERIOD_MONTH, PERIOD_YEAR };

/* The period that US lies in: *START <= US < *END.  False outside of 1900-01-01 .. 2200-01-01: such stamps are errors of
 * a clock, and their rows live in the default partition. */
bool period_of(enum period p, int64_t us, int64_t *start, int64_t *end);

/*
 * Have a partition of TABLE ("schema.name", partitioned by range of a timestamptz) for [start, end).  Where another one
 * covers that time already, or the default partition holds rows of it, things stay as they are.  Outside of transactions.
 * -1 on STORE_DOWN (also when a long reader is in the way), STORE_SCHEMA.
 */
int partition_ensure(struct store *s, const char *table, enum period p, int64_t start_us, int64_t end_us,
		     struct err *err);

struct retained {
	int64_t partitions; /* dropped */
	int64_t rows;       /* deleted one by one: of the default partition, or of a table that is not partitioned */
};

/* Forget what is older than CUTOFF_US by COLUMN.  DRY_RUN counts only.  Outside of transactions. */
int partition_retain(struct store *s, const char *table, const char *column, int64_t cutoff_us, bool dry_run,
		     struct retained *ret, struct err *err);

#endif
