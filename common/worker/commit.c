/*
 * commit.c -- the end of a transaction.
 *
 * flush -> store.commit -> Kafka.  What a failure means for the input is decided here once:  RETRY keeps the batch and
 * tries again, REWIND forgets it and reads it again, RENEW does so with a new producer and finds out from the committed
 * offsets whether the old transaction had succeeded.
 *
 * A broker refuses whole batches for one bad record.  So after a refusal the same records are read again in transactions a
 * 32nd as large, down to one; the single record of a refused transaction is the guilty one and is dead-lettered when it
 * is met again.  (A failed transaction costs the client about a second, a successful one some milliseconds.)
 */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/worker/internal.h"

#define SPLIT 32
#define REPORTS_US (2 * US_PER_SECOND)
#define REPORTS_STEP_MS 20

static void
forget_batch(struct worker *w)
{
	if (w->spec->store)
		w->spec->store->rollback(w->self);
	if (w->spec->rollback)
		w->spec->rollback(w->self);
	batch_reset(&w->batch);
}

/* A store keeps its letters for itself and gives them back all at once: the only remedy is a time stamp of now for each. */
static bool
judge_letters_of_store(struct worker *w, const struct err *why, struct err *err)
{
	if (why->reason != REASON_BROKER_REFUSED_TIME || w->letters_now) {
		err_set(err, REASON_TOPIC_MISMATCH, "a dead letter is refused: %s", why->text);
		return false;
	}
	log_error(LOG_WARN, "dead letters are sent with the present time", why, NULL);
	w->letters_now = true;
	return true;
}

/* The broker refused an output: look closer next time, or convict.  True when this explains the failure. */
static bool
judge_refusal(struct worker *w, struct err *err)
{
	struct refusal r = w->refusal;
	struct conviction c = { .where = w->batch.sole, .why = r.why };
	const struct conviction *earlier;
	bool for_good;

	w->refusal = (struct refusal){ 0 };
	if (!r.any || err_class(&r.why) != ERR_RECORD) {
		if (r.any)
			*err = r.why; /* a missing topic and the like: wait */
		return false;
	}
	if (r.letter && w->spec->store)
		return judge_letters_of_store(w, &r.why, err);
	if (w->batch.n_records == 0 && w->batch.n_counts > 1)
		return true; /* letters of idle(), which sends them one by one from now on */
	if (w->batch.n_records > 1) {
		w->batch_limit = (w->batch.n_records + SPLIT - 1) / SPLIT;
		w->suspects = w->batch.n_records;
		return true;
	}
	earlier = conviction_find(w, c.where.topic, c.where.partition, c.where.offset);
	for_good = r.why.reason != REASON_BROKER_REFUSED_TIME || (earlier && earlier->letter_refused);
	if (r.letter && for_good) {
		err_set(err, REASON_TOPIC_MISMATCH, "%s[%d] offset %lld: its dead letter is refused: %s", c.where.topic,
			c.where.partition, (long long)c.where.offset, r.why.text);
		return false;
	}
	if (r.letter) {
		c.letter_refused = true;
		c.why = earlier ? earlier->why : (struct err)ERR_INIT;
	}
	log_error(LOG_WARN, "refused by the broker", &r.why, "topic", LOG_S(c.where.topic), "partition",
		  LOG_I(c.where.partition), "offset", LOG_I(c.where.offset), NULL);
	return conviction_add(w, &c, err) == 0;
}

/* Where the sources of a partition number stand after what was committed: what changes from now on is dirty since then. */
static int
take_stand(struct worker *w, int32_t partition)
{
	struct vector v;

	for (size_t i = 0; i < w->n_sources; i++)
		v.at[i] = OFFSET_NONE;
	for (size_t i = 0; i < w->n_held; i++)
		if (w->held[i].partition == partition)
			v.at[w->held[i].source] = w->held[i].next;
	v.at[w->n_sources - 1] = plan_follows(w) ? recovery_journal_position(w, partition)
						 : checkpointer_journal_end(w->checkpointer, partition);
	return state_stand(w->states, partition, &v, clock_monotonic_us());
}

int
commit_states(struct worker *w)
{
	if (state_commit(w->states) < 0)
		return -1;
	for (size_t i = 0; w->checkpointer && i < w->n_claims; i++)
		if (take_stand(w, w->claims[i].partition) < 0)
			return -1;
	return 0;
}

static enum commit_result
given_up(struct worker *w, struct err *err)
{
	bool refused = w->refusal.any, explained = judge_refusal(w, err);

	metric_add(w->meters.aborts, 1);
	if (w->states)
		state_rollback(w->states);
	forget_batch(w);
	if (explained)
		err_clear(err); /* no reason to wait */
	if (err_class(err) == ERR_FATAL)
		return COMMIT_STOP;
	/* A refused record leaves a hole in the producer's sequence numbers, over which the next ones stumble. */
	return refused ? COMMIT_RENEW : COMMIT_REWIND;
}

/* The transaction's fate is not known: where it would have led is remembered for assignment_load(). */
static enum commit_result
in_doubt(struct worker *w)
{
	metric_add(w->meters.aborts, 1);
	for (size_t i = 0; i < w->n_held; i++)
		w->held[i].attempted = w->held[i].next;
	w->doubt = true;
	w->refusal = (struct refusal){ 0 };
	forget_batch(w);
	return COMMIT_RENEW;
}

void
commit_forget(struct worker *w)
{
	if (w->states)
		state_rollback(w->states);
	forget_batch(w);
}

static enum commit_result
stopped(struct worker *w)
{
	commit_forget(w);
	return COMMIT_STOP;
}

static enum commit_result
result_of(struct worker *w, enum transaction_outcome outcome, struct err *err)
{
	switch (outcome) {
	case TRANSACTION_DONE: return COMMIT_DONE;
	case TRANSACTION_ABORTED: return given_up(w, err);
	case TRANSACTION_RENEW: return in_doubt(w);
	case TRANSACTION_FENCED:
	case TRANSACTION_REFUSED: break;
	}
	return stopped(w);
}

enum commit_result
commit_abort(struct worker *w, struct err *err)
{
	struct err trouble = ERR_INIT;
	enum transaction_outcome outcome = TRANSACTION_ABORTED;

	if (w->batch.kafka_open)
		outcome = transaction_abort(w->producer, w->opt.transaction_timeout_ms, &trouble);
	if (outcome == TRANSACTION_FENCED || outcome == TRANSACTION_REFUSED)
		*err = trouble;
	if (outcome == TRANSACTION_RENEW && w->refusal.any)
		outcome = TRANSACTION_ABORTED; /* nothing that holds a refused record is in doubt; the producer goes */
	return result_of(w, outcome, err);
}

/* A call of the worker or a send failed with *ERR before anything was committed. */
static enum commit_result
failed_before(struct worker *w, struct err *err)
{
	struct err why = *err;
	enum commit_result result;

	/* Nothing of Kafka's is open while a store is tried again; else the broker's clock would run.  Without a store
	 * the outputs of the batch may be gone, with or without a transaction. */
	if (err_class(err) == ERR_RETRY && w->spec->store && !w->batch.kafka_open &&
	    why.reason != REASON_TRANSACTION_ABORTED)
		return COMMIT_RETRY;
	result = commit_abort(w, err);
	if (err_class(&why) == ERR_FATAL || (err_class(&why) == ERR_RECORD && !w->refusal.any)) {
		*err = why;
		return COMMIT_STOP;
	}
	return result;
}

static int
flush(struct worker *w, struct err *err)
{
	struct context ctx = { .w = w };

	if (w->batch.flushed || !w->spec->flush)
		return 0;
	w->batch.n_emissions = 0;
	w->batch.values.len = 0;
	if (w->spec->flush(w->self, &ctx, err) < 0 || batch_send(w, &ctx, err) < 0)
		return -1;
	arena_reset(w->batch.call_arena);
	w->batch.flushed = true;
	return 0;
}

static int
store(struct worker *w, struct err *err)
{
	struct topic_partition *from;
	struct position *positions;
	size_t n;

	if (w->batch.stored || !w->spec->store)
		return 0;
	from = assignment_positions(w, w->batch.arena, &n);
	positions = arena_alloc(w->batch.arena, (n + 1) * sizeof(*positions));
	if (!from || !positions)
		return err_set(err, REASON_NO_MEMORY, "commit");
	for (size_t i = 0; i < n; i++)
		positions[i] = (struct position){ from[i].topic, from[i].partition, from[i].offset };
	if (w->spec->store->commit(w->self, positions, n, w->batch.letters, w->batch.n_letters, err) < 0)
		return -1;
	w->batch.stored = true;
	return 0;
}

static int
send_letters(struct worker *w, struct err *err)
{
	for (size_t i = 0; i < w->batch.n_letters; i++)
		if (batch_send_letter(w, w->batch.letters[i].input, &w->batch.letters[i].why, err) < 0)
			return -1;
	w->batch.n_letters = 0;
	return 0;
}

/* Without transactions: what was sent must be acknowledged before its input counts as done. */
static enum commit_result
commit_plainly(struct worker *w, const struct topic_partition *positions, size_t n, struct err *err)
{
	if (producer_flush(w->producer, (int)w->opt.transaction_timeout_ms, err) < 0)
		return in_doubt(w);
	if (w->refusal.any)
		return given_up(w, err);
	return consumer_commit(w->consumer, positions, n, err) < 0 ? in_doubt(w) : COMMIT_DONE;
}

/*
 * Wait for the broker's word on what was sent, for as long as it is likely to come.  A refusal has to be known before
 * the transaction fails over it: the client's report may come later than that failure.
 */
static void
await_reports(struct worker *w)
{
	int64_t until = clock_monotonic_us() + REPORTS_US;
	struct err ignored = ERR_INIT;

	while (!w->refusal.any && producer_flush(w->producer, REPORTS_STEP_MS, &ignored) < 0 &&
	       clock_monotonic_us() < until)
		;
}

static enum commit_result
commit_kafka(struct worker *w, struct err *err)
{
	enum transaction_outcome outcome;
	size_t n;
	struct topic_partition *positions = assignment_positions(w, w->batch.arena, &n);

	if (!positions) {
		err_set(err, REASON_NO_MEMORY, "commit");
		return failed_before(w, err);
	}
	if (w->opt.guarantee != EXACTLY_ONCE_V2)
		return commit_plainly(w, positions, n, err);
	if (!w->batch.kafka_open && transaction_begin(w->producer, err) < 0)
		return in_doubt(w);
	w->batch.kafka_open = true;
	await_reports(w);
	if (w->refusal.any)
		return commit_abort(w, err);
	outcome = transaction_commit(w->producer, w->consumer, positions, n, w->opt.transaction_timeout_ms, err);
	return outcome == TRANSACTION_ABORTED ? commit_abort(w, err) : result_of(w, outcome, err);
}

static void
measure(struct worker *w, int64_t started_us)
{
	struct batch *b = &w->batch;
	struct meters *m = &w->meters;
	int64_t now = clock_monotonic_us(), real = clock_real_us();

	w->totals.records += b->n_records;
	w->totals.outputs += b->n_out;
	w->totals.letters += b->n_counts;
	metric_add(m->commits, 1);
	metric_add(m->records_in, (double)b->n_records);
	metric_add(m->connect_read, (double)b->n_records);
	metric_add(m->bytes_in, (double)b->n_bytes);
	metric_add(m->records_out, (double)b->n_out);
	metric_add(m->bytes_out, (double)b->bytes_out);
	metric_observe(m->commit_seconds, (double)(now - started_us) * 1e-6);
	if (b->begun_us)
		metric_observe(m->batch_seconds, (double)(now - b->begun_us) * 1e-6);
	metric_observe(m->batch_records, (double)b->n_records);
	for (size_t i = 0; i < b->n_counts; i++)
		meters_dead_letter(m, b->counts[i].topic, b->counts[i].reason);
	for (size_t i = 0; i < b->n_timings; i++) {
		if (b->timings[i].ingest_us >= 0)
			metric_observe(m->latency_ingest, (double)(real - b->timings[i].ingest_us) * 1e-6);
		if (b->timings[i].event_us >= 0)
			metric_observe(m->latency_event, (double)(real - b->timings[i].event_us) * 1e-6);
	}
	if (w->states)
		metric_set(m->keys, (double)state_count(w->states));
}

/* Convictions that have been carried out. */
static void
convictions_done(struct worker *w)
{
	struct span key;
	void *value;

	for (size_t at = 0; map_count(w->convictions) && map_next(w->convictions, &at, &key, &value);) {
		const struct conviction *c = value;
		const struct held *h = assignment_find(w, c->where.topic, c->where.partition);

		if (!h || h->next > c->where.offset)
			free(map_take(w->convictions, key));
	}
}

static void
done(struct worker *w, int64_t started_us)
{
	measure(w, started_us);
	for (size_t i = 0; i < w->n_held; i++)
		w->held[i].committed = w->held[i].next;
	if (w->states && commit_states(w) < 0)
		w->rebuild = true; /* no memory for it; the stored ones are as good */
	audit_done(w);
	convictions_done(w);
	w->letters_now = false;
	w->suspects = w->suspects > w->batch.n_records ? w->suspects - w->batch.n_records : 0;
	if (!w->suspects)
		w->batch_limit = (size_t)w->opt.batch_max_records;
	batch_reset(&w->batch);
}

enum commit_result
commit_batch(struct worker *w, struct err *err)
{
	int64_t started = clock_monotonic_us();
	enum commit_result result;

	if (!w->batch.begun_us && !w->batch.kafka_open)
		return COMMIT_DONE;
	if (flush(w, err) < 0 || store(w, err) < 0 || send_letters(w, err) < 0 || journal_send(w, err) < 0 ||
	    audit_send(w, err) < 0)
		return failed_before(w, err);
	result = commit_kafka(w, err);
	if (result == COMMIT_DONE)
		done(w, started);
	return result;
}
