/* journal.c -- neighbouring records of one source become one entry, as long as nothing else happened in between. */
#include "common/worker/journal.h"

#include <string.h>

#include "common/worker/internal.h"

static struct journal_entry *
push(struct worker *w, const struct journal_entry *e, struct err *err)
{
	struct batch *b = &w->batch;
	struct journal_entry *grown = batch_grow(b->journal, b->n_journal, &b->cap_journal, sizeof(*grown));

	if (!grown) {
		err_set(err, REASON_NO_MEMORY, "journal");
		return NULL;
	}
	b->journal = grown;
	grown[b->n_journal] = *e;
	return &grown[b->n_journal++];
}

/* The newest entry of a partition number, if it is the one that E continues. */
static struct journal_entry *
continued(struct worker *w, const struct journal_entry *e)
{
	for (size_t i = w->batch.n_journal; i-- > 0;) {
		struct journal_entry *last = &w->batch.journal[i];

		if (last->partition != e->partition)
			continue;
		return last->kind == e->kind && last->source == e->source && last->primary == e->primary ? last : NULL;
	}
	return NULL;
}

static int64_t
primary_next(struct worker *w, int32_t partition)
{
	const struct held *h = assignment_find(w, w->topics[0], partition);

	return h && h->next > 0 ? h->next : 0;
}

int
journal_record_done(struct worker *w, const struct held *h, int64_t offset, bool skipped, struct err *err)
{
	struct journal_entry e = {
		.kind = skipped ? JOURNAL_SKIPPED : JOURNAL_APPLIED,
		.partition = h->partition,
		.source = h->source,
		.from = offset,
		.to = offset + 1,
	}, *last;

	if (!w->states || (h->source == 0 && !skipped))
		return 0;
	e.primary = h->source == 0 ? offset : primary_next(w, h->partition);
	last = h->source == 0 ? NULL : continued(w, &e);
	if (!last)
		return push(w, &e, err) ? 0 : -1;
	last->to = e.to;
	return 0;
}

int
journal_note(struct worker *w, const struct held *h, int64_t offset, struct span key, struct span value,
	     struct err *err)
{
	struct journal_entry e = {
		.kind = JOURNAL_NOTED,
		.partition = h->partition,
		.source = h->source,
		.primary = h->source == 0 ? offset : primary_next(w, h->partition),
		.from = offset,
		.to = offset + 1,
		.key = arena_copy(w->batch.arena, key),
		.value = arena_copy(w->batch.arena, value),
	};

	if (!e.key.ptr || !e.value.ptr)
		return err_set(err, REASON_NO_MEMORY, "journal");
	return push(w, &e, err) ? 0 : -1;
}

static const char *
source_topic(const struct worker *w, size_t source)
{
	return source < w->n_topics ? w->topics[source] : w->side_topics[source - w->n_topics];
}

int
journal_source(const struct worker *w, struct span topic)
{
	for (size_t i = 0; i < w->n_topics + w->n_side; i++)
		if (span_equal(span_of(source_topic(w, i)), topic))
			return (int)i;
	return -1;
}

static int
send_entry(struct worker *w, const struct journal_entry *e, struct err *err)
{
	struct journal record = {
		.worker = span_of(w->group),
		.topic = span_of(w->topics[0]),
		.partition = e->partition,
		.primary_offset = e->primary,
		.side_topic = span_of(source_topic(w, e->source)),
		.side_partition = e->partition,
		.side_from = e->from,
		.side_to = e->to,
		.epoch = claims_epoch(w, e->partition),
		.kind = e->kind,
		.key = e->key,
		.value = e->value,
	};
	const char *key = arena_printf(w->batch.call_arena, "%s/%s/%d", w->group, w->topics[0], e->partition);
	struct producer_record out = { .topic = JOURNAL_TOPIC, .partition = e->partition, .key = span_of(key) };

	if (!key)
		return err_set(err, REASON_NO_MEMORY, "journal");
	w->batch.values.len = 0;
	if (codec_encode(w->journal, &record, &w->batch.values, err) < 0)
		return err_wrap(err, "topic " JOURNAL_TOPIC);
	out.value = buffer_span(&w->batch.values);
	return producer_send(w->producer, &out, err);
}

int
journal_send(struct worker *w, struct err *err)
{
	for (size_t i = 0; i < w->batch.n_journal && !plan_follows(w); i++)
		if (send_entry(w, &w->batch.journal[i], err) < 0)
			return -1;
	w->batch.n_journal = 0;
	w->batch.values.len = 0;
	arena_reset(w->batch.call_arena);
	return 0;
}
