/* layout.h -- a mapped table as PostgreSQL has it: the statements that write it, and whether it is what the mapping says. */
#ifndef FOREBAY_SINK_LAYOUT_H
#define FOREBAY_SINK_LAYOUT_H

#include <stdbool.h>

#include "common/store/connection.h"
#include "workers/sink-writer/mapping.h"

struct layout {
	char *stage;      /* creates the temporary table that rows are merged from */
	char *empty;      /* empties it inside a transaction (it empties itself at the end of one) */
	char *cut;        /* the same, and gives its dead rows back; outside of savepoints */
	char *copy_stage; /* COPY into it */
	char *copy_table; /* COPY into the table itself */
	char *merge;      /* temporary table -> table; gives topic, partition and number of the rows that changed it */
	bool direct; /* COPY into the table itself is possible: same types, and no row may change one that is there */
	bool partitioned; /* by the mapping's time column */
};

/* The statements, from the mapping alone.  N makes the temporary table's name.  -1 on NO_MEMORY. */
int layout_init(struct layout *l, const struct mapped_table *t, size_t n, struct err *err);
void layout_clear(struct layout *l);

/* Ask the database.  -1 on STORE_SCHEMA naming file, table and column, or as store_reason() says. */
int layout_verify(struct layout *l, const struct mapped_table *t, const char *mapping_path, struct store *store,
		  struct err *err);

/* In a transaction that has written to the table: is the identity still unique?  A direct COPY alone would not notice. */
int layout_verify_identity(const struct mapped_table *t, const char *mapping_path, struct store *store,
			   struct err *err);

#endif
