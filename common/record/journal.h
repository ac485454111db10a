/*
 * journal.h -- fleet.journal: at which point of its primary input a worker applied which side records.  A re-fold of
 * the primary partition repeats this interleaving, so the state comes out the same.
 */
#ifndef FOREBAY_RECORD_JOURNAL_H
#define FOREBAY_RECORD_JOURNAL_H

#include <stdint.h>

#include "common/record/codec.h"

struct journal {
	struct span worker; /* the consumer group whose state this is */
	struct span topic;  /* primary input */
	int32_t partition;
	int64_t primary_offset; /* the side records were applied just before this one */
	struct span side_topic;
	int32_t side_partition;
	int64_t side_from, side_to; /* offsets [from, to) */
	int64_t epoch;              /* of the owner that applied them */
};

extern const struct record_type journal_record;

#endif
