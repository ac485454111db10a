/*
 * fold.c -- a merge.  An entry of the journal is due when every primary record before its point has been taken, that is, when
 * the primary record at the head of its stream is not before it.
 */
#include "common/worker/fold.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/worker/internal.h"

/* ---- notes ---- */

/* A place in the queue of what is to be forgotten, and the key of its note in the map. */
struct fold_noted {
	struct fold_noted *next;
	size_t source;
	int64_t offset, journal_at;
	struct span name;
};

struct note {
	struct fold_noted place;
	struct span value;
	char bytes[]; /* name, value */
};

static struct span
note_name(struct arena *a, size_t source, int64_t offset, struct span key)
{
	char *text = arena_alloc(a, 48 + key.len);
	int n;

	if (!text)
		return SPAN_NONE;
	n = snprintf(text, 48, "%zu/%" PRId64 "/", source, offset);
	memcpy(text + n, key.ptr, key.len);
	return (struct span){ text, (size_t)n + key.len };
}

struct span
fold_note(const struct fold *f, size_t source, int64_t offset, struct span key)
{
	const struct note *n;
	struct span name;

	if (map_count(f->notes) == 0)
		return SPAN_NONE;
	name = note_name(f->arena, source, offset, key);
	n = name.ptr ? map_get(f->notes, name) : NULL;
	return n ? n->value : SPAN_NONE;
}

static void
enqueue(struct fold *f, struct fold_noted *p)
{
	*(f->noted_last ? &f->noted_last->next : &f->noted) = p;
	f->noted_last = p;
}

static struct fold_noted *
dequeue(struct fold *f)
{
	struct fold_noted *p = f->noted;

	f->noted = p->next;
	if (!f->noted)
		f->noted_last = NULL;
	return p;
}

int
fold_init(struct fold *f, struct err *err)
{
	f->arena = arena_new(16 << 10, 1 << 20);
	f->notes = map_new(NULL);
	f->journal_at = -1;
	f->clock = -1;
	return f->arena && f->notes ? 0 : err_set(err, REASON_NO_MEMORY, "folding records again");
}

void
fold_clear(struct fold *f)
{
	while (f->noted)
		free(dequeue(f));
	arena_free(f->arena);
	map_free(f->notes);
	f->arena = NULL;
	f->notes = NULL;
}

/* The queue owns notes; the map finds the newest of a name. */
static int
keep_note(struct fold *f, size_t source, const struct journal *j, int64_t journal_at, struct err *err)
{
	struct span name = note_name(f->arena, source, j->side_from, j->key);
	struct note *n = name.ptr ? malloc(sizeof(*n) + name.len + j->value.len) : NULL;

	if (!n)
		return err_set(err, REASON_NO_MEMORY, "journal");
	memcpy(n->bytes, name.ptr, name.len);
	if (j->value.len)
		memcpy(n->bytes + name.len, j->value.ptr, j->value.len);
	n->place = (struct fold_noted){ NULL, source, j->side_from, journal_at, { n->bytes, name.len } };
	n->value = (struct span){ n->bytes + name.len, j->value.len };
	if (map_put(f->notes, name, n) < 0) {
		free(n);
		return err_set(err, REASON_NO_MEMORY, "journal");
	}
	enqueue(f, &n->place);
	return 0;
}

/* Notes of records that have been processed. */
static void
forget_notes(struct fold *f, const struct fold_record *r)
{
	while (f->noted && f->noted->source == r->source && f->noted->offset <= r->record.offset) {
		struct note *n = (struct note *)dequeue(f);

		if (map_get(f->notes, n->place.name) == n)
			map_take(f->notes, n->place.name);
		free(n);
	}
}

/* ---- the journal ---- */

/* One record of the journal: taken as the entry at hand, kept as a note, or not ours.  -1: trouble. */
static int
take_journal(struct fold *f, const struct consumed *m, struct err *err)
{
	struct worker *w = f->w;
	struct journal j;
	int source;

	if (codec_decode(w->journal, m->value, consumed_header(m->message, "__value_schema_id"), f->arena, &j, err) < 0)
		return err_wrap(err, JOURNAL_TOPIC "[%d] offset %" PRId64, m->partition, m->offset);
	source = journal_source(w, j.side_topic);
	if (source < 0 || j.partition != f->partition || !span_equal(j.worker, f->group) ||
	    !span_equal(j.topic, span_of(w->topics[0])))
		return 0;
	f->clock = j.primary_offset;
	if (j.kind == JOURNAL_NOTED)
		return keep_note(f, (size_t)source, &j, m->offset, err);
	f->entry = (struct journal_entry){ .kind = j.kind,
					   .partition = f->partition,
					   .source = (size_t)source,
					   .primary = j.primary_offset,
					   .from = j.side_from,
					   .to = j.side_to };
	f->has_entry = true;
	f->entry_at = m->offset;
	return 0;
}

int64_t
fold_journal_position(const struct fold *f)
{
	int64_t at = f->has_entry ? f->entry_at : f->journal_at;

	return f->noted && f->noted->journal_at < at ? f->noted->journal_at : at;
}

/* Have the next entry at hand, or know that there is none up to CLOCK. */
static enum fold_event
read_journal(struct fold *f, int64_t clock, int timeout_ms, struct err *err)
{
	size_t stream = f->first + f->n_sources - 1;
	struct consumed m;

	while (!f->has_entry && !f->journal_over && f->clock <= clock) {
		switch (reader_peek(f->reader, stream, timeout_ms, &m, err)) {
		case READER_RECORD: break;
		case READER_END: f->journal_over = true; return FOLD_RECORD;
		case READER_NOTHING: return FOLD_NOTHING;
		case READER_TROUBLE: return FOLD_TROUBLE;
		}
		if (take_journal(f, &m, err) < 0)
			return FOLD_TROUBLE;
		f->journal_at = m.offset + 1;
		reader_pop(f->reader, stream);
		arena_reset(f->arena);
	}
	return FOLD_RECORD;
}

/* ---- the merge ---- */

static enum fold_event
found(const struct consumed *m, size_t source, bool skipped, int64_t clock, struct fold_record *ret)
{
	*ret = (struct fold_record){ *m, source, skipped, clock };
	return FOLD_RECORD;
}

/* The entry at hand is due: its next record, or FOLD_END when it has no more. */
static enum fold_event
from_entry(struct fold *f, int timeout_ms, struct fold_record *ret, struct err *err)
{
	const struct journal_entry *e = &f->entry;
	struct consumed m;

	switch (reader_peek(f->reader, f->first + e->source, timeout_ms, &m, err)) {
	case READER_RECORD:
		if (m.offset >= e->to)
			return FOLD_END;
		return found(&m, e->source, e->kind == JOURNAL_SKIPPED, e->primary, ret);
	case READER_END: return FOLD_END;
	case READER_NOTHING: return FOLD_NOTHING;
	case READER_TROUBLE: break;
	}
	return FOLD_TROUBLE;
}

/* The primary input is over: records of the others that no entry speaks of. */
static enum fold_event
leftover(struct fold *f, int timeout_ms, struct fold_record *ret, struct err *err)
{
	struct consumed m;

	for (size_t i = 1; f->sides_end && i + 1 < f->n_sources; i++)
		switch (reader_peek(f->reader, f->first + i, timeout_ms, &m, err)) {
		case READER_RECORD: f->unjournaled++; return found(&m, i, false, f->end, ret);
		case READER_NOTHING: return FOLD_NOTHING;
		case READER_TROUBLE: return FOLD_TROUBLE;
		case READER_END: break;
		}
	f->ended = true;
	return FOLD_END;
}

enum fold_event
fold_peek(struct fold *f, int timeout_ms, struct fold_record *ret, struct err *err)
{
	for (;;) {
		struct consumed m;
		enum reader_event head = reader_peek(f->reader, f->first, timeout_ms, &m, err);
		enum fold_event event;
		int64_t clock;

		if (head == READER_TROUBLE)
			return FOLD_TROUBLE;
		if (head == READER_NOTHING)
			return FOLD_NOTHING;
		clock = head == READER_RECORD ? m.offset : f->sides_end ? INT64_MAX : f->end - 1;
		event = read_journal(f, clock, timeout_ms, err);
		if (event != FOLD_RECORD)
			return event;
		if (!f->has_entry || f->entry.primary > clock) {
			if (head == READER_RECORD)
				return found(&m, 0, false, m.offset, ret);
			if (!f->has_entry || f->sides_end)
				return leftover(f, timeout_ms, ret, err);
			f->ended = true;
			return FOLD_END;
		}
		event = from_entry(f, timeout_ms, ret, err);
		if (event != FOLD_END)
			return event;
		f->has_entry = false;
	}
}

void
fold_pop(struct fold *f, const struct fold_record *r)
{
	forget_notes(f, r);
	reader_pop(f->reader, f->first + r->source);
	arena_reset(f->arena);
}
