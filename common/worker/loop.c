/*
 * loop.c -- poll -> process -> emit -> commit, for every worker.
 *
 *	CONNECTING --> JOINED --> LOADING --> RUNNING <--> RETRYING
 *	     ^                       ^           |  ^---> PAUSED
 *	     `--- new producer ------+-- rewind -'
 *
 * One thread.  Whatever phase it is in, the loop keeps polling the consumer, so that it stays a member of its group and
 * hears of rebalances; it processes in RUNNING alone.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/worker/internal.h"

#define IDLE_POLL_MS 100
#define WAIT_POLL_MS 10  /* an assignment arrives inside a poll, which then waits on */
#define GATHER_POLL_MS 1 /* a transaction is open and nothing is at hand: commit if nothing comes within */
#define CONNECT_PAUSE_US (20 * US_PER_MS)
#define SHOW_INTERVAL_US US_PER_SECOND
#define FOLLOW_RECORDS 500
#define HOUSEKEEPING_TURNS 16 /* polls between two looks at the clock and at what others want */
#define SEAT_SLACK_MS 1000    /* brokers look for ended sessions now and then */
#define SAME_LOG_US (10 * US_PER_SECOND)
#define BACKLOG_LOOK_US (100 * US_PER_MS)

const char *
phase_name(enum phase p)
{
	static const char *const names[PHASE_COUNT] = { "connecting", "joined", "loading", "running",
							"retrying",   "paused", "stopping" };

	return names[p];
}

void
phase_set(struct worker *w, enum phase to, const char *why)
{
	if (w->phase == to)
		return;
	log_event(LOG_INFO, "phase", "from", LOG_S(phase_name(w->phase)), "to", LOG_S(phase_name(to)), "why",
		  LOG_S(why), NULL);
	w->phase = to;
	metric_set(w->meters.ready, to == PHASE_RUNNING || (to == PHASE_JOINED && !w->lost));
	lifecycle_show(w, why);
}

void
worker_beat(struct worker *w)
{
	atomic_store_explicit(&w->beat_us, clock_monotonic_us(), memory_order_relaxed);
}

/* What /health tells: the stable name first. */
static void
show_trouble(struct worker *w, const struct err *err)
{
	char text[sizeof(w->face.message)];

	snprintf(text, sizeof(text), "%s: %.200s", err_reason_name(err->reason), err->text);
	lifecycle_show(w, text);
}

int
loop_trouble(struct worker *w, enum phase then, struct err *err)
{
	int64_t now = clock_monotonic_us();

	if (err_class(err) == ERR_FATAL)
		return -1;
	meters_retry(&w->meters, err->reason);
	if (!retry_failed(&w->retry, now, w->opt.retry_delay_max_ms, w->opt.retry_timeout_ms))
		return err_wrap(err, "given up after errors.retry.timeout");
	if (w->retry.attempt == 1 || now - w->wait_logged_us > SAME_LOG_US) {
		log_error(LOG_WARN, "waiting", err, "attempt", LOG_I(w->retry.attempt), "next_in_ms",
			  LOG_I((w->retry.at_us - now) / US_PER_MS), NULL);
		w->wait_logged_us = now;
	}
	phase_set(w, then, err->text);
	show_trouble(w, err);
	err_clear(err);
	return 0;
}

/* ---- after a commit ---- */

int
loop_settle(struct worker *w, enum commit_result result, struct err *err)
{
	struct err ignored = ERR_INIT;
	enum phase next;

	switch (result) {
	case COMMIT_DONE: retry_succeeded(&w->retry); return 0;
	case COMMIT_RETRY:
		w->retry_commit = true;
		assignment_fetch(w, false, &ignored);
		return loop_trouble(w, PHASE_RETRYING, err);
	case COMMIT_REWIND:
	case COMMIT_RENEW:
		assignment_fetch(w, false, &ignored);
		if (result == COMMIT_RENEW)
			producer_free(TAKE(w->producer));
		w->refusal = (struct refusal){ 0 }; /* nothing of this transaction speaks of a later one */
		next = result == COMMIT_RENEW ? PHASE_CONNECTING : w->n_held ? PHASE_LOADING : PHASE_JOINED;
		if (err->reason != REASON_NONE)
			return loop_trouble(w, next, err);
		w->retry.at_us = 0;
		phase_set(w, next, "reading again");
		return 0;
	case COMMIT_STOP: break;
	}
	return -1;
}

/*
 * A pause because too much is in no stored state: a restart would take too long.  It ends at three quarters of the limit: with each
 * pause the client drops what it has fetched ahead, so they had better be few.
 */
static int
check_backlog(struct worker *w, struct err *err)
{
	struct err ignored = ERR_INIT;
	int64_t backlog = w->checkpointer ? checkpointer_backlog(w->checkpointer) : 0;
	int64_t most = w->state_opt.backlog_max_records;

	w->backlogged = backlog > (w->backlogged ? most - most / 4 : most);
	if (!w->backlogged)
		return 0;
	w->retry_commit = false;
	assignment_fetch(w, false, &ignored);
	err_set(
	    err, REASON_STATE_BACKLOG,
	    "%lld records are in no stored state (checkpoint.backlog.max.records=%lld); work goes on at three quarters of that",
	    (long long)backlog, (long long)most);
	if (loop_trouble(w, PHASE_RETRYING, err) < 0)
		return -1;
	w->retry.at_us = clock_monotonic_us() + BACKLOG_LOOK_US;
	return 0;
}

/* Between transactions: states to PostgreSQL, if it is time. */
static int
checkpoint_step(struct worker *w, struct err *err)
{
	struct err ignored = ERR_INIT;

	if (!w->checkpointer || w->doubt || w->batch.begun_us || w->batch.kafka_open)
		return 0;
	if (checkpointer_step(w->checkpointer, err) < 0 && err_class(err) != ERR_RETRY)
		return -1;
	if (w->rebuild) {
		assignment_fetch(w, false, &ignored);
		return err->reason ? loop_trouble(w, PHASE_LOADING, err)
				   : (phase_set(w, PHASE_LOADING, "states anew"), 0);
	}
	return w->phase == PHASE_RUNNING ? check_backlog(w, err) : 0;
}

/* Between transactions: what the worker has to say unasked. */
static int
idle_step(struct worker *w, struct err *err)
{
	struct context ctx = { .w = w };
	struct batch *b = &w->batch;

	if (!w->spec->idle || w->phase != PHASE_RUNNING || w->doubt || b->begun_us || b->kafka_open)
		return 0;
	if (w->spec->idle(w->self, &ctx, err) < 0)
		return err_class(err) == ERR_FATAL ? -1 : loop_settle(w, commit_abort(w, err), err);
	if (b->n_counts == 0)
		return 0;
	b->begun_us = clock_monotonic_us();
	return loop_commit(w, err);
}

int
loop_commit(struct worker *w, struct err *err)
{
	int result = loop_settle(w, commit_batch(w, err), err);

	worker_beat(w);
	return result == 0 && w->phase == PHASE_RUNNING ? checkpoint_step(w, err) : result;
}

/* ---- the loop ---- */

static int
trouble_from_poll(struct worker *w, struct err *err)
{
	int64_t now = clock_monotonic_us();

	if (err_class(err) == ERR_FATAL)
		return -1;
	if (now - w->wait_logged_us > SAME_LOG_US) {
		log_error(LOG_WARN, "broker trouble", err, NULL);
		w->wait_logged_us = now;
	}
	show_trouble(w, err);
	err_clear(err);
	return 0;
}

/* The end of a partition may be markers of transactions: step over them, or its lag would never be zero. */
static void
pass_markers(struct worker *w, const struct consumed *end)
{
	struct held *h = assignment_find(w, end->topic, end->partition);

	if (w->phase == PHASE_RUNNING && h)
		process_passed(w, h, end->offset);
}

/* A bounded run that follows a journal: some records in its order; a commit when none is at hand. */
static int
follow(struct worker *w, struct err *err)
{
	bool more = true;

	for (int i = 0; i < FOLLOW_RECORDS && more && w->phase == PHASE_RUNNING; i++)
		if (recovery_follow(w, &more, err) < 0)
			return -1;
	return !more && w->phase == PHASE_RUNNING && w->batch.begun_us ? loop_commit(w, err) : 0;
}

static int
poll_timeout(const struct worker *w, bool gathering)
{
	if (w->recovery && (w->phase == PHASE_LOADING || w->phase == PHASE_RUNNING))
		return 0; /* it waits for its own records */
	if (w->phase == PHASE_RUNNING && gathering)
		return GATHER_POLL_MS;
	if (w->phase != PHASE_RUNNING || (w->checkpointer && checkpointer_busy(w->checkpointer)))
		return WAIT_POLL_MS;
	return IDLE_POLL_MS;
}

static int
poll_once(struct worker *w, struct err *err)
{
	bool gathering = w->batch.begun_us || w->batch.kafka_open;
	struct consumed m;
	enum consumer_event event = consumer_poll(w->consumer, poll_timeout(w, gathering), &m, err);

	if (w->hook_result != COMMIT_DONE) {
		enum commit_result result = w->hook_result;

		if (event == CONSUMER_RECORD)
			consumed_free(m.message);
		w->hook_result = COMMIT_DONE;
		*err = w->hook_error;
		return loop_settle(w, result, err);
	}
	switch (event) {
	case CONSUMER_RECORD: return process_record(w, &m, err);
	case CONSUMER_TROUBLE: return trouble_from_poll(w, err);
	case CONSUMER_GONE: return gap_found(w, &m, err);
	case CONSUMER_END: pass_markers(w, &m); return 0;
	case CONSUMER_NOTHING: break;
	}
	worker_beat(w);
	if (w->producer)
		producer_poll(w->producer, 0);
	if (w->phase == PHASE_RUNNING && recovery_follows(w))
		return follow(w, err);
	if (w->phase != PHASE_RUNNING)
		return 0;
	if ((gathering ? loop_commit(w, err) : checkpoint_step(w, err)) < 0)
		return -1;
	return idle_step(w, err);
}

static int
connect_step(struct worker *w, struct err *err)
{
	if (connect_worker(w, err) < 0)
		return loop_trouble(w, PHASE_CONNECTING, err);
	retry_succeeded(&w->retry);
	phase_set(w, w->n_held ? PHASE_LOADING : PHASE_JOINED, "connected");
	return 0;
}

static int
load_step(struct worker *w, struct err *err)
{
	bool done;

	if (assignment_load(w, &done, err) < 0)
		return loop_trouble(w, PHASE_LOADING, err);
	worker_beat(w);
	if (!done)
		return 0;
	retry_succeeded(&w->retry);
	phase_set(w, PHASE_RUNNING, "positions loaded");
	return 0;
}

static int
resume_step(struct worker *w, const char *why, struct err *err)
{
	if (w->phase == PHASE_RETRYING && w->retry_commit) {
		enum commit_result result = commit_batch(w, err);

		if (result != COMMIT_DONE)
			return loop_settle(w, result, err);
		retry_succeeded(&w->retry);
	}
	if (w->rebuild || recovery_follows(w)) {
		phase_set(w, PHASE_LOADING, why);
		return 0;
	}
	if (checkpoint_step(w, err) < 0)
		return -1;
	if (w->phase == PHASE_LOADING)
		return 0;
	if (check_backlog(w, err) < 0)
		return -1;
	if (w->backlogged)
		return 0;
	if (assignment_fetch(w, true, err) < 0)
		return loop_trouble(w, PHASE_LOADING, err);
	phase_set(w, PHASE_RUNNING, why);
	return 0;
}

/* What the phase itself asks for, before the next poll. */
static int
phase_step(struct worker *w, struct err *err)
{
	bool due = clock_monotonic_us() >= w->retry.at_us;
	bool wants_pause = atomic_load(&w->wants_pause);

	switch (w->phase) {
	case PHASE_CONNECTING: return due ? connect_step(w, err) : 0;
	case PHASE_LOADING: return due ? load_step(w, err) : 0;
	case PHASE_RETRYING: return due ? resume_step(w, "trying again", err) : 0;
	case PHASE_PAUSED: return wants_pause ? 0 : resume_step(w, "resumed", err);
	case PHASE_RUNNING:
		if (!wants_pause)
			return 0;
		if (loop_commit(w, err) < 0)
			return -1;
		if (w->phase != PHASE_RUNNING || assignment_fetch(w, false, err) < 0)
			return 0;
		phase_set(w, PHASE_PAUSED, "paused by request");
		return 0;
	case PHASE_JOINED:
	case PHASE_STOPPING:
	case PHASE_COUNT: break;
	}
	return 0;
}

/* Finish what was begun, as far as shutdown.timeout.ms allows, and leave the group. */
static int
stop(struct worker *w, struct err *err)
{
	int64_t stop_by = clock_monotonic_us() + w->opt.shutdown_timeout_ms * US_PER_MS;
	enum commit_result result = COMMIT_DONE;

	phase_set(w, PHASE_STOPPING, "asked to stop");
	while (w->producer && (result = commit_batch(w, err)) == COMMIT_RETRY && clock_monotonic_us() < stop_by) {
		worker_beat(w);
		clock_sleep_us(100 * US_PER_MS);
	}
	if (result == COMMIT_STOP)
		return -1;
	if (result != COMMIT_DONE)
		log_error(LOG_WARN, "stopped without the last transaction; its input is read again", err, NULL);
	err_clear(err);
	recovery_cancel(w);
	if (w->doubt && w->states)
		state_rollback(w->states); /* what is stored must be committed for certain */
	if (w->checkpointer && result == COMMIT_DONE)
		checkpointer_drain(w->checkpointer, stop_by);
	consumer_close(w->consumer);
	return 0;
}

/* A bounded run that has nothing left to do. */
static bool
finished(const struct worker *w)
{
	if ((!w->opt.until_caught_up && !plan_bounded(w)) || w->batch.begun_us)
		return false;
	return w->phase == PHASE_RUNNING ? assignment_caught_up(w) : w->phase == PHASE_JOINED && w->assigned_nothing;
}

/* What others look at and ask for; not for every record, as it costs as much as one. */
static int
housekeeping(struct worker *w, struct err *err)
{
	int64_t now = clock_monotonic_us();

	worker_beat(w);
	if ((w->phase == PHASE_RUNNING || w->phase == PHASE_PAUSED || w->phase == PHASE_RETRYING) &&
	    checkpoint_step(w, err) < 0)
		return -1;
	metric_set(w->meters.transaction_age, w->batch.begun_us ? (double)(now - w->batch.begun_us) * 1e-6 : 0);
	if (now - w->shown_us > SHOW_INTERVAL_US) {
		assignment_measure(w);
		if (w->states)
			meters_states(w);
		lifecycle_show(w, NULL);
		w->shown_us = now;
	}
	return phase_step(w, err);
}

/* What a bounded run has done: the last line but one of its log. */
static void
summarise(const struct worker *w)
{
	for (size_t i = 0; i < w->n_held; i++)
		if (w->held[i].next >= 0 && w->held[i].end > 0)
			log_event(LOG_INFO, "read to the end", "topic", LOG_S(w->held[i].topic), "partition",
				  LOG_I(w->held[i].partition), "offset", LOG_I(w->held[i].next), NULL);
	log_event(LOG_INFO, "caught up", "run", LOG_S(w->opt.run_id), "records", LOG_I((int64_t)w->totals.records),
		  "outputs", LOG_I((int64_t)w->totals.outputs), "dead_letters", LOG_I((int64_t)w->totals.letters),
		  "seconds", LOG_F((double)(clock_monotonic_us() - w->totals.started_us) * 1e-6), NULL);
}

/* Stay away until the broker has forgotten us and what we held, then join anew. */
static int
leave_old_seat(struct worker *w, struct err *err)
{
	int64_t wait_ms = w->opt.session_timeout_ms + SEAT_SLACK_MS, until_us;

	w->old_seat = false;
	log_event(
	    LOG_WARN, "waiting", "why",
	    LOG_S("the group deals out the topics that this instance had before its restart, until its session ends"),
	    "wait_ms", LOG_I(wait_ms), NULL);
	consumer_close(w->consumer);
	phase_set(w, PHASE_CONNECTING, "other topics than before");
	for (until_us = clock_monotonic_us() + wait_ms * US_PER_MS; clock_monotonic_us() < until_us;) {
		if (lifecycle_stop_wanted())
			return 0;
		worker_beat(w);
		clock_sleep_us(50 * US_PER_MS);
	}
	consumer_free(TAKE(w->consumer));
	w->subscribed = false;
	return worker_consumer(w, err);
}

static int
run_to_the_end(struct worker *w, struct err *err)
{
	w->totals.started_us = clock_monotonic_us();
	for (unsigned turn = 0; !lifecycle_stop_wanted(); turn++) {
		if ((w->phase != PHASE_RUNNING || turn % HOUSEKEEPING_TURNS == 0) && housekeeping(w, err) < 0)
			return -1;
		if (!w->subscribed)
			clock_sleep_us(CONNECT_PAUSE_US);
		else if (poll_once(w, err) < 0 || (w->old_seat && leave_old_seat(w, err) < 0))
			return -1;
		if (finished(w)) {
			summarise(w);
			break;
		}
	}
	return stop(w, err);
}

int
loop_run(struct worker *w, struct err *err)
{
	struct err ignored = ERR_INIT;

	if (run_to_the_end(w, err) == 0)
		return 0;
	if (err->reason == REASON_FENCED)
		commit_forget(w);
	else if (w->batch.begun_us || w->batch.kafka_open)
		commit_abort(w, &ignored); /* or leaving the group would commit it */
	return -1;
}
