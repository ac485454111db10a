/*
 * process.c -- one record: call the worker, then send what it emitted, or answer its failure by its class.
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

/* Call the worker, or dead-letter at once what the broker refused before. */
static int
call(struct worker *w, const struct held *h, struct context *ctx, struct err *err)
{
	const struct conviction *c = conviction_find(w, h->topic, h->partition, ctx->input->offset);

	w->batch.n_emissions = 0;
	w->batch.values.len = 0;
	if (c && c->why.reason) {
		*err = c->why;
		return -1;
	}
	return (h->side ? w->spec->side : w->spec->record)(w->self, ctx, ctx->input, err);
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

static int
process_input(struct worker *w, struct held *h, struct input *in, struct err *err)
{
	struct context ctx = { .w = w, .input = in, .event_us = -1 };
	int result;

	w->batch.sole = (struct position){ h->topic, h->partition, in->offset };
	if (in->timestamp_us / 1000 > w->batch.newest_ms)
		w->batch.newest_ms = in->timestamp_us / 1000;
	result = call(w, h, &ctx, err);
	if (result < 0 && err_class(err) == ERR_RETRY)
		return postpone(w, h, in->offset, err);
	if (result < 0 && err_class(err) == ERR_RECORD)
		result = poison(w, in, err);
	else if (result == 0)
		result = batch_send(w, &ctx, err);
	if (result < 0)
		return give_up(w, err);
	return note_record(w, h, in, ctx.event_us, err);
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

/* One record; takes its message. */
int
process_record(struct worker *w, const struct consumed *m, struct err *err)
{
	struct held *h = assignment_find(w, m->topic, m->partition);
	struct input local, *in = &local;
	int result = 0;

	/* Left over from before a rewind. */
	if (w->phase != PHASE_RUNNING || !h || m->offset < h->next) {
		consumed_free(m->message);
		return 0;
	}
	if (h->end >= 0 && m->offset >= h->end) {
		process_passed(w, h, m->offset);
		consumed_free(m->message);
		return w->batch.begun_us && interval_over(w) ? loop_commit(w, err) : 0;
	}
	if (batch_begin(w, err) < 0) {
		consumed_free(m->message);
		return give_up(w, err);
	}
	if (w->spec->holds_inputs)
		in = arena_alloc(w->batch.arena, sizeof(*in));
	if (!in) {
		consumed_free(m->message);
		return err_set(err, REASON_NO_MEMORY, "batch");
	}
	*in = (struct input){ h->topic,
			      m->partition,
			      m->offset,
			      m->timestamp_ms < 0 || m->timestamp_ms > INT64_MAX / 1000 ? -1 : m->timestamp_ms * 1000,
			      m->key,
			      m->value,
			      consumed_header(m->message, "__value_schema_id"),
			      m->message };
	if (w->spec->holds_inputs && keep_input(w, in, err) < 0) {
		consumed_free(m->message);
		return -1;
	}
	result = process_input(w, h, in, err);
	if (!w->spec->holds_inputs)
		consumed_free(m->message);
	arena_reset(w->batch.call_arena);
	if (result == 0 && w->phase == PHASE_RUNNING && commit_due(w))
		result = loop_commit(w, err);
	return result;
}
