/*
 * process.c -- one record: call the worker, then send what it emitted, or answer its failure by its class.
 *
 * Whatever way a record takes, its place in the order is told to the journal: done, or skipped.
 */
#include "common/base/clock.h"
#include "common/worker/internal.h"

static int
note_record(struct worker *w, struct held *h, const struct input *in, int64_t event_us, struct err *err)
{
	struct batch *b = &w->batch;
	struct timing *timings = batch_grow(b->timings, b->n_timings, &b->cap_timings, sizeof(*timings));

	if (!timings)
		return err_set(err, REASON_NO_MEMORY, "batch");
	b->timings = timings;
	if (!h->side)
		timings[b->n_timings++] = (struct timing){ in->timestamp_us, event_us };
	h->next = in->offset + 1;
	b->n_records++;
	b->n_bytes += in->key.len + in->value.len;
	return 0;
}

static int
call_worker(struct worker *w, const struct held *h, struct context *ctx, struct err *err)
{
	const struct input *in = ctx->input;

	w->batch.n_emissions = 0;
	w->batch.values.len = 0;
	if (w->states)
		state_call_begin(w->states, in->partition, h->source, in->offset, in->timestamp_us);
	return (h->side ? w->spec->side : w->spec->record)(w->self, ctx, in, err);
}

/* States must not grow without end: with this record one would.  -1 on STATE_TOO_LARGE; the states are as before it. */
static int
check_sizes(struct worker *w, const struct held *h, int result, struct err *err)
{
	struct span key;

	if (!w->states)
		return result;
	switch (state_call_end(w->states, result == 0, &key)) {
	case STATE_FITS: return result;
	case STATE_UNDONE: break;
	case STATE_TOO_LARGE_FOR_GOOD: w->batch.spoilt = true; break;
	}
	return err_set(err, REASON_STATE_TOO_LARGE, "key \"%.*s\" (%s): more than %lld bytes (state.key.max.bytes)",
		       SPAN_ARG(key), h->topic, (long long)w->state_opt.key_max_bytes);
}

/* A record that was dead-lettered in the run that is followed, and has left no trace there: only its reason is of interest. */
static int
call_for_show(struct worker *w, const struct held *h, struct context *ctx, struct err *err)
{
	struct span key;
	int result;

	state_call_for_show(w->states);
	result = call_worker(w, h, ctx, err);
	state_call_end(w->states, false, &key);
	w->batch.n_emissions = 0;
	if (result < 0)
		return -1;
	return err_set(err, REASON_BROKER_REFUSED, "dead-lettered in the run that is followed");
}

/* Call the worker, or dead-letter at once what was condemned before.  *SKIPPED: the record has left no trace in a state. */
static int
call(struct worker *w, const struct held *h, struct context *ctx, bool *skipped, struct err *err)
{
	const struct conviction *c = conviction_find(w, h->topic, h->partition, ctx->input->offset);
	int result;

	if (*skipped)
		return call_for_show(w, h, ctx, err);
	*skipped = c && c->why.reason;
	if (*skipped) {
		*err = c->why;
		return -1;
	}
	result = call_worker(w, h, ctx, err);
	if (w->states && state_call_played(w->states))
		w->batch.n_emissions = 0; /* a bounded run: the state that it starts from knows this record */
	result = check_sizes(w, h, result, err);
	*skipped = result < 0 && err_class(err) == ERR_RECORD;
	return result;
}

/* The worker says that the record is bad. */
static int
poison(struct worker *w, const struct input *in, struct err *err)
{
	struct err why = *err;

	err_clear(err);
	if (w->opt.tolerance == TOLERANCE_NONE)
		return err_set(err, REASON_POISON_NOT_TOLERATED, "%s[%d] offset %lld: %s: %s", in->topic, in->partition,
			       (long long)in->offset, err_reason_name(why.reason), why.text);
	return batch_letter(w, in, &why, false, err);
}

/* Trouble that is not the record's: what came before it is committed, and it is read again after a pause. */
static int
postpone(struct worker *w, const struct held *h, int64_t offset, struct err *err)
{
	struct err why = *err, ignored = ERR_INIT;
	struct retry retry = w->retry;

	err_clear(err);
	if (loop_commit(w, err) < 0)
		return -1;
	if (w->phase != PHASE_RUNNING)
		return 0;
	w->retry = retry;
	w->retry_commit = false;
	assignment_fetch(w, false, &ignored);
	*err = why;
	err_wrap(err, "%s[%d] offset %lld", h->topic, h->partition, (long long)offset);
	return loop_trouble(w, PHASE_RETRYING, err);
}

/* The client itself refuses an output, or the dead letter of a record that was refused before. */
static void
convict(struct worker *w, struct err *err)
{
	struct conviction guilty = { .where = w->batch.sole, .why = *err };
	const struct conviction *earlier =
	    conviction_find(w, guilty.where.topic, guilty.where.partition, guilty.where.offset);

	if (earlier && earlier->why.reason) {
		err_set(err, REASON_TOPIC_MISMATCH, "%s[%d] offset %lld: its dead letter is refused: %s",
			guilty.where.topic, guilty.where.partition, (long long)guilty.where.offset, guilty.why.text);
		return;
	}
	err_clear(err);
	conviction_add(w, &guilty, err);
}

/* The transaction failed under the record's outputs or its dead letter, or could not begin. */
static int
give_up(struct worker *w, struct err *err)
{
	bool begun = w->batch.kafka_open || w->opt.guarantee != EXACTLY_ONCE_V2;
	enum commit_result result;
	struct err why;

	if (err_class(err) == ERR_RECORD)
		convict(w, err);
	if (err_class(err) == ERR_FATAL) {
		why = *err;
		commit_abort(w, err);
		*err = why;
		return -1;
	}
	w->batch.n_records++; /* the record at hand is part of what was refused */
	result = commit_abort(w, err);
	if (result == COMMIT_REWIND && !begun && !w->spec->store)
		result = COMMIT_RENEW; /* a producer that cannot begin will not learn it */
	return loop_settle(w, result, err);
}

static int
keep_input(struct worker *w, struct input *in, struct err *err)
{
	struct batch *b = &w->batch;
	struct input **grown = batch_grow(b->inputs, b->n_inputs, &b->cap_inputs, sizeof(*grown));

	if (!grown)
		return err_set(err, REASON_NO_MEMORY, "batch");
	b->inputs = grown;
	grown[b->n_inputs++] = in;
	return 0;
}

/* A state changed and then something failed that is not the record's fault: only the whole transaction can be undone. */
int
process_undo(struct worker *w, struct err *err)
{
	struct err why = *err;
	enum commit_result result;

	w->batch.spoilt = false;
	if (err_class(&why) == ERR_RECORD) {
		convict(w, err);
		why = (struct err)ERR_INIT;
	}
	err_clear(err);
	result = commit_abort(w, err);
	if (result == COMMIT_REWIND && !err->reason)
		*err = why;
	return loop_settle(w, result, err);
}

static int
process_input(struct worker *w, struct held *h, struct input *in, bool skipped, struct err *err)
{
	struct context ctx = { .w = w, .input = in, .event_us = -1 };
	size_t n_journal = w->batch.n_journal;
	int result;

	w->batch.sole = (struct position){ h->topic, h->partition, in->offset };
	if (in->timestamp_us / 1000 > w->batch.newest_ms)
		w->batch.newest_ms = in->timestamp_us / 1000;
	result = call(w, h, &ctx, &skipped, err);
	if (result < 0)
		w->batch.n_journal = n_journal; /* what a failed call has noted counts no more than what it emitted */
	if (result < 0 && (w->batch.spoilt || w->rebuild))
		return process_undo(w, err);
	if (result < 0 && err_class(err) == ERR_RETRY)
		return postpone(w, h, in->offset, err);
	if (result < 0 && err_class(err) == ERR_RECORD)
		result = poison(w, in, err);
	else if (result == 0)
		result = batch_send(w, &ctx, err);
	if (result < 0)
		return give_up(w, err);
	if (journal_record_done(w, h, in->offset, skipped, err) < 0)
		return -1;
	return note_record(w, h, in, ctx.event_us, err);
}

int
process_silently(struct worker *w, const struct held *h, const struct input *in, struct err *err)
{
	struct context ctx = { .w = w, .input = in, .event_us = -1 };
	struct span key;
	int result = call_worker(w, h, &ctx, err);

	state_call_end(w->states, false, &key);
	arena_reset(w->batch.call_arena);
	if (result < 0 && err_class(err) == ERR_RECORD) {
		err_clear(err); /* as it was then */
		result = 0;
	}
	return result;
}

static bool
interval_over(const struct worker *w)
{
	return clock_monotonic_us() - w->batch.begun_us >= w->opt.commit_interval_ms * US_PER_MS;
}

static bool
commit_due(const struct worker *w)
{
	const struct batch *b = &w->batch;

	if (b->n_records >= w->batch_limit || b->n_bytes >= (size_t)w->opt.batch_max_bytes)
		return true;
	return (b->n_records & 15) == 0 && interval_over(w);
}

void
process_passed(struct worker *w, struct held *h, int64_t offset)
{
	if (h->end >= 0 && offset > h->end)
		offset = h->end; /* what comes behind was thrown away: it is for the next run */
	if (offset <= h->next)
		return;
	h->next = offset;
	if (!w->batch.begun_us)
		w->batch.begun_us = clock_monotonic_us();
}

void
process_passed_all(struct worker *w, int32_t partition)
{
	for (size_t i = 0; i < w->n_held; i++)
		if (w->held[i].partition == partition && w->held[i].end >= 0 && w->held[i].end < INT64_MAX)
			process_passed(w, &w->held[i], w->held[i].end);
}

struct input
process_input_of(const struct held *h, const struct consumed *m)
{
	bool timed = m->timestamp_ms >= 0 && m->timestamp_ms <= INT64_MAX / 1000;

	return (struct input){ h->topic,
			       m->partition,
			       m->offset,
			       timed ? m->timestamp_ms * 1000 : -1,
			       m->key,
			       m->value,
			       consumed_header(m->message, "__value_schema_id"),
			       m->message };
}

/* *KEPT: the message belongs to the transaction now. */
static int
process(struct worker *w, const struct consumed *m, bool skipped, bool *kept, struct err *err)
{
	struct held *h = assignment_find(w, m->topic, m->partition);
	struct input local, *in = &local;
	int result;

	/* Left over from before a rewind. */
	if (w->phase != PHASE_RUNNING || !h || m->offset < h->next)
		return 0;
	if (h->end >= 0 && m->offset >= h->end) {
		process_passed(w, h, m->offset);
		return w->batch.begun_us && interval_over(w) ? loop_commit(w, err) : 0;
	}
	if (batch_begin(w, err) < 0)
		return give_up(w, err);
	if (w->spec->holds_inputs)
		in = arena_alloc(w->batch.arena, sizeof(*in));
	if (!in)
		return err_set(err, REASON_NO_MEMORY, "batch");
	*in = process_input_of(h, m);
	if (w->spec->holds_inputs && keep_input(w, in, err) < 0)
		return -1;
	*kept = w->spec->holds_inputs;
	result = process_input(w, h, in, skipped, err);
	arena_reset(w->batch.call_arena);
	if (result == 0 && w->phase == PHASE_RUNNING && commit_due(w))
		result = loop_commit(w, err);
	return result;
}

int
process_given(struct worker *w, const struct consumed *m, bool skipped, struct err *err)
{
	bool kept = false;

	return process(w, m, skipped, &kept, err);
}

int
process_record(struct worker *w, const struct consumed *m, struct err *err)
{
	bool kept = false;
	int result = process(w, m, false, &kept, err);

	if (!kept)
		consumed_free(m->message);
	return result;
}
