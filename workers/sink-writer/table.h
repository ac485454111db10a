/*
 * table.h -- the rows of one batch for one table, ready to be written as often as it takes.
 *
 * Rows wait as bytes of COPY, piece by piece: a piece is what one input record gave.  Any range of inputs can be written
 * alone, and the whole again after a lost connection.
 */
#ifndef FOREBAY_SINK_TABLE_H
#define FOREBAY_SINK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/metrics/metrics.h"
#include "common/store/connection.h"
#include "common/store/partition.h"
#include "workers/sink-writer/ledger.h"
#include "workers/sink-writer/mapping.h"

struct table;

struct table_options {
	const char *mapping_path;
	enum period period;      /* for tables whose mapping does not say */
	size_t new_partitions;   /* at most so many per batch */
	size_t number;           /* among the sink's tables */
	struct metrics *metrics; /* NULL: none */
};

/* MAPPED and STORE must outlive it. */
int table_new(const struct mapped_table *mapped, struct store *store, const struct table_options *options,
	      struct table **ret, struct err *err);
void table_free(struct table *t);
DEFINE_CLEANUP(struct table, table_free)

const struct mapped_table *table_mapped(const struct table *t);

/* Append the rows of RECORD as the piece of input number UNIT (ascending).  *ROWS is how many.  -1 on NO_MEMORY: then
 * nothing was appended. */
int table_add(struct table *t, uint32_t unit, const struct input *in, const void *record, uint32_t *rows,
	      struct err *err);

/* Take back the pieces from input number UNIT on. */
void table_cut(struct table *t, uint32_t unit);

/* Outside of transactions: is the table what the mapping says (asked once per session, or now if FRESH), is there a
 * temporary table, are the partitions there? */
int table_prepare(struct table *t, bool fresh, struct err *err);

struct account_of { /* from the number of an input to its account */
	const void *units;
	size_t (*account)(const void *units, uint32_t unit);
	bool (*refused)(const void *units, uint32_t unit); /* such inputs are left out */
};

/*
 * In a transaction: write the pieces of inputs [first, end), adding to the accounts of LEDGER.  MERGE: never directly.
 * -1 as store_reason() says.
 */
int table_write(struct table *t, uint32_t first, uint32_t end, bool merge, const struct account_of *of,
		struct ledger *ledger, struct err *err);

/* Outside of savepoints, before a further table_write() in one transaction: the temporary table holds nothing. */
int table_clean(struct table *t, struct err *err);

/* Around a savepoint: what was counted and staged since table_save() is forgotten by table_restore(). */
void table_save(struct table *t);
void table_restore(struct table *t);

/* After a failed transaction: was it a direct COPY that met a row which is there already?  Then the next try merges. */
bool table_collided(struct table *t);

/* The transaction is over: the batch is counted (COMMITTED) and forgotten. */
void table_done(struct table *t, bool committed);

/* A transaction is given up, the rows stay for the next. */
void table_again(struct table *t);

#endif
