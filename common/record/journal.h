/*
 * journal.h -- fleet.journal: what a worker made its state of besides the records of its primary input, and at which point of
 * that input.  A re-fold of the primary partition repeats this interleaving, so the state comes out the same.
 *
 * Keys are "<group>/<topic>/<partition>", and a record lies on the partition of its primary input's number.  Records are
 * in the order in which things happened and are written in the transaction that commits them.
 */
#ifndef FOREBAY_RECORD_JOURNAL_H
#define FOREBAY_RECORD_JOURNAL_H

#include <stdint.h>

#include "common/record/codec.h"

enum journal_kind {
	JOURNAL_APPLIED, /* side records [side_from, side_to), just before the primary record */
	JOURNAL_SKIPPED, /* these were dead-lettered without reaching the worker; they may be primary records */
	JOURNAL_NOTED,   /* while side record side_from was processed, something outside said `value` under `key` */
	JOURNAL_KIND_COUNT
};

struct journal {
	struct span worker; /* the consumer group whose state this is */
	struct span topic;  /* primary input */
	int32_t partition;
	int64_t primary_offset; /* this took place just before it; skipped primary records: the first of them */
	struct span side_topic; /* skipped, noted: the primary topic too */
	int32_t side_partition;
	int64_t side_from, side_to; /* offsets [from, to); noted: a single one */
	int64_t epoch;              /* of the owner that applied them */
	enum journal_kind kind;
	struct span key;   /* noted: what was asked; others: SPAN_NONE */
	struct span value; /* noted: the answer, at most 4 MiB; SPAN_NONE: there was none */
};

extern const struct record_type journal_record;

#endif
