/* checkpoint_private.h -- what the files of checkpoint.h share: a row's own list of sources, and its owner's lock. */
#ifndef FOREBAY_STORE_CHECKPOINT_PRIVATE_H
#define FOREBAY_STORE_CHECKPOINT_PRIVATE_H

#include "common/store/checkpoint.h"
#include "common/store/query.h"

/* Columns of states and state_rungs, in the order in which all statements here name them. */
#define CHECKPOINT_COLUMNS "partition, key, clock, positions, born, active_us, epoch, taken_us, state"

/* What checkpoint_state_read() reads. */
#define CHECKPOINT_STATE "key, positions, born, active_us, state"

/* The source (of those given at the claim) at PLACE of the row's list; n_sources: none of them. */
size_t checkpoint_source_at(const struct checkpoint_claim *claim, size_t place);

/* Column COLUMN of binary ROWS, a list in the row's order, in the order of the sources given. */
void checkpoint_positions_read(const struct checkpoint_claim *claim, const struct rows *rows, size_t row, int column,
			       int64_t *ret);

/* Row ROW of binary ROWS with CHECKPOINT_STATE; key and bytes are copied into ARENA.  -1 on NO_MEMORY. */
int checkpoint_state_read(const struct checkpoint_claim *claim, const struct rows *rows, size_t row,
			  struct arena *arena, struct checkpoint_state *ret, struct err *err);

/* -1 unless the caller's idea of the number of sources is the claim's. */
int checkpoint_sources_check(const struct checkpoint_claim *claim, size_t n_sources, struct err *err);

/* Begin a transaction that sees one state of all tables and holds the partition's row, as its owner; the row's frontier, as it is stored, into *FRONTIER
 * (may be NULL).  -1 on STORE_FENCED, STORE_DOWN, with no transaction open. */
int checkpoint_begin(struct store *s, const struct checkpoint_claim *claim, struct rows **frontier, struct err *err);

/* Say who owns the partition now.  -1 always. */
int checkpoint_fenced(struct store *s, const struct checkpoint_claim *claim, struct err *err);

/* Commit when RC is 0, else roll back.  Returns -1 when either failed. */
int checkpoint_end(struct store *s, int rc, struct err *err);

#endif
