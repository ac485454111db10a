/*
 * fold.h -- the records of one partition number, of all its sources, in the order in which they were processed before: the
 * primary input by its offsets, the others where fleet.journal says.
 */
#ifndef FOREBAY_WORKER_FOLD_H
#define FOREBAY_WORKER_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/map.h"
#include "common/kafka/reader.h"
#include "common/worker/journal.h"
#include "common/worker/state.h"

struct worker;

struct fold {
	struct worker *w;
	struct reader *reader;
	int32_t partition;
	size_t first;        /* stream of the primary input; the other sources follow, the journal last */
	size_t n_sources;    /* with the journal */
	struct span group;   /* whose journal */
	int64_t end;         /* of the primary input */
	bool sides_end;      /* the other sources end where their streams end, not with the primary input */
	struct arena *arena; /* of a record of the journal */
	struct map *notes;
	struct fold_noted *noted, *noted_last; /* in the order of the journal */
	struct journal_entry entry;            /* the next one, while has_entry */
	bool has_entry, journal_over, ended;
	int64_t entry_at;   /* its offset in the journal */
	int64_t journal_at; /* of the next record to be read there */
	int64_t clock;      /* every entry that is still to be read is of this point or a later one */
	int64_t unjournaled;
};

int fold_init(struct fold *f, struct err *err); /* with the first fields set */
void fold_clear(struct fold *f);

enum fold_event {
	FOLD_RECORD,
	FOLD_END,
	FOLD_NOTHING, /* yet */
	FOLD_TROUBLE,
};

struct fold_record {
	struct consumed record; /* until fold_pop() */
	size_t source;
	bool skipped;  /* it was dead-lettered without reaching the worker */
	int64_t clock; /* offset of the primary record before which, or as which, it is processed */
};

enum fold_event fold_peek(struct fold *f, int timeout_ms, struct fold_record *ret, struct err *err);
void fold_pop(struct fold *f, const struct fold_record *r);

/* From where on the journal has to be read again for the records that are still to come; -1: as was given. */
int64_t fold_journal_position(const struct fold *f);

/* What was noted under KEY while record OFFSET of SOURCE was processed; SPAN_NONE. */
struct span fold_note(const struct fold *f, size_t source, int64_t offset, struct span key);

#endif
