/* ledger.h -- how many rows of a batch came from each partition, and how many of them changed a table. */
#ifndef FOREBAY_SINK_LEDGER_H
#define FOREBAY_SINK_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct account {
	const char *topic; /* the first input's: valid as long as the batch */
	int32_t partition;
	int64_t rows;     /* sent to the database, all tables together */
	int64_t inserted; /* that changed a table */
};

struct ledger {
	struct account *accounts;
	size_t n, cap, last;
};

void ledger_clear(struct ledger *l); /* gives the memory back */
void ledger_empty(struct ledger *l);

/* The index of the partition's account, opened when new.  -1 on NO_MEMORY. */
int ledger_find(struct ledger *l, const char *topic, int32_t partition, size_t *ret, struct err *err);

/* All counts back to 0. */
void ledger_zero(struct ledger *l);

#endif
