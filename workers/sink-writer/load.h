/*
 * load.h -- the inputs between two commits, and their rows in every table.
 *
 * An input is the unit: all its rows are written, or it is refused as a whole and none is.
 */
#ifndef FOREBAY_SINK_LOAD_H
#define FOREBAY_SINK_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workers/sink-writer/ledger.h"
#include "workers/sink-writer/table.h"

struct unit {
	const struct input *in; /* held by the loop until the commit */
	size_t account;         /* in the ledger */
	struct err *why;        /* the database refuses it; NULL: it does not */
	bool reported;          /* its dead letter is under way */
};

struct load {
	struct store *store;
	struct unit *units;
	size_t n_units, cap_units, n_refused;
	struct table **tables; /* all of the sink's; owned */
	size_t n_tables;
	struct ledger ledger, saved; /* saved: as it was at the savepoint */
	void (*beat)(void *ctx); /* told before each attempt of load_blame(), which may take thousands; NULL: nobody */
	void *beat_ctx;
};

void load_init(struct load *l, struct store *store);
void load_clear(struct load *l); /* gives everything back, tables too */

/* Takes the table. */
int load_add_table(struct load *l, struct table *t, struct err *err);

/* One input, decoded: RECORD is what its topic's kind says, NULL for kinds that are not decoded.  IN must stay valid until
 * load_done().  -1 on NO_MEMORY, RECORD_INVALID: nothing was added. */
int load_add(struct load *l, const struct input *in, const void *record, struct err *err);

/* Outside of transactions: see table_prepare(). */
int load_prepare(struct load *l, bool fresh, struct err *err);

/*
 * In a transaction: write all that is not refused, in one COPY per table.  -1: the transaction has failed; class RECORD
 * tells that a row is to blame, which load_blame() finds in a new transaction.  *AGAIN: a table only asks for a second
 * try, in a new transaction.
 */
int load_write(struct load *l, bool *again, struct err *err);

/* In a transaction: write what can be written and mark the rest refused, by savepoints. */
int load_blame(struct load *l, struct err *err);

/* The transaction was given up; the rows stay. */
void load_again(struct load *l);

/* The batch is over. */
void load_done(struct load *l, bool committed);

#endif
