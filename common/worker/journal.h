/*
 * journal.h -- what a partition's states were made of besides the primary input, in the order in which it happened: written to
 * fleet.journal with the transaction it belongs to, so that folding again repeats it.
 *
 *	applied	records [from, to) of another source, just before primary offset `primary`
 *	skipped	records that were dead-lettered without reaching the worker (of the primary input: primary = from)
 *	noted	an answer from outside, under a key, while record `from` of `source` was processed
 */
#ifndef FOREBAY_WORKER_JOURNAL_H
#define FOREBAY_WORKER_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/span.h"
#include "common/record/journal.h"

#define JOURNAL_TOPIC "fleet.journal"

struct worker;
struct held;

struct journal_entry {
	enum journal_kind kind;
	int32_t partition;
	size_t source;
	int64_t primary, from, to;
	struct span key, value; /* in the batch's arena */
};

/* Record OFFSET of H was processed (or SKIPPED) now. */
int journal_record_done(struct worker *w, const struct held *h, int64_t offset, bool skipped, struct err *err);
int journal_note(struct worker *w, const struct held *h, int64_t offset, struct span key, struct span value,
		 struct err *err);

/* Send what the transaction has gathered. */
int journal_send(struct worker *w, struct err *err);

/* The source that an entry speaks of; -1: none of ours. */
int journal_source(const struct worker *w, struct span topic);

#endif
