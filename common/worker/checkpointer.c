/*
 * checkpointer.c -- one batch at a time goes from the loop to the thread and its outcome back.
 *
 * Between the hand-over and the outcome the batch is the thread's alone; the states in it have left the queue of dirty ones,
 * but may not leave memory before the outcome (state_round_done).  A batch whose partition has gone is written or refused like
 * any other; nobody asks for its outcome then.
 */
#include "common/worker/checkpointer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/kafka/admin.h"
#include "common/worker/internal.h"

#define BATCH_BYTES ((size_t)2 << 20)
#define ANYWAY_INTERVALS 12 /* a partition without dirty states moves its frontier after so many intervals */
#define EVICT_MOST 2000
#define RETRY_FIRST_MS 200
#define RETRY_MOST_MS 5000
#define THIN_INTERVAL_US (30 * US_PER_SECOND)
#define THIN_ROWS 5000

enum job { JOB_NONE, JOB_WAITING, JOB_DONE };

struct checkpointer {
	struct worker *w;
	struct store *store; /* the thread's */
	struct checkpoint_ladder ladder;
	pthread_t thread;
	bool runs;
	pthread_mutex_t lock;
	pthread_cond_t turn;
	/* under the lock: */
	enum job job;
	bool stop;
	struct err outcome;
	/* the batch: the loop's while job is not JOB_WAITING, else the thread's */
	struct checkpoint_batch batch;
	struct buffer states;
	int32_t partition;
	/* the loop's */
	double tokens; /* bytes that may be written now */
	int64_t filled_us;
	bool hurry;                   /* the end is near: frontiers move at once */
	_Atomic int64_t *journal_end; /* by partition number */
	int64_t *thinned_us;          /* by partition number; the thread's */
	_Atomic bool away;            /* the database does not take batches */
};

/* ---- claims ---- */

struct claim *
claims_find(struct worker *w, int32_t partition)
{
	for (size_t i = 0; i < w->n_claims; i++)
		if (w->claims[i].partition == partition)
			return &w->claims[i];
	return NULL;
}

int64_t
claims_epoch(struct worker *w, int32_t partition)
{
	const struct claim *c = claims_find(w, partition);

	return c ? c->row.epoch : 0;
}

int
claims_set(struct worker *w, int32_t partition, const struct checkpoint_claim *row, struct err *err)
{
	struct claim *c = claims_find(w, partition), *grown;

	if (!c) {
		grown = realloc(w->claims, (w->n_claims + 1) * sizeof(*grown));
		if (!grown)
			return err_set(err, REASON_NO_MEMORY, "claims");
		w->claims = grown;
		c = &grown[w->n_claims++];
	}
	*c = (struct claim){ partition, *row, row->fresh ? -1 : row->frontier[0], clock_monotonic_us() };
	return 0;
}

void
claims_release(struct worker *w, int32_t partition)
{
	struct claim *c = claims_find(w, partition);

	if (c)
		*c = w->claims[--w->n_claims];
}

/* ---- the thread ---- */

/* Wait, unless the end has come.  False: it has. */
static bool
pause_thread(struct checkpointer *c, int64_t ms)
{
	struct timespec until;
	int64_t us = clock_monotonic_us() + ms * US_PER_MS;
	bool stop;

	until = (struct timespec){ us / US_PER_SECOND, us % US_PER_SECOND * 1000 };
	pthread_mutex_lock(&c->lock);
	if (!c->stop)
		pthread_cond_timedwait(&c->turn, &c->lock, &until);
	stop = c->stop;
	pthread_mutex_unlock(&c->lock);
	return !stop;
}

/* Until it is written, refused, or the end has come. */
static void
write_batch(struct checkpointer *c, struct err *err)
{
	int64_t delay_ms = RETRY_FIRST_MS;

	while (checkpoint_write(c->store, &c->batch, err) < 0 && err_class(err) == ERR_RETRY) {
		if (!atomic_exchange(&c->away, true))
			log_error(LOG_WARN, "states wait for PostgreSQL", err, "partition", LOG_I(c->partition), NULL);
		if (!pause_thread(c, delay_ms))
			return;
		err_clear(err);
		delay_ms = delay_ms * 2 < RETRY_MOST_MS ? delay_ms * 2 : RETRY_MOST_MS;
	}
	if (atomic_exchange(&c->away, false) && !err->reason)
		log_event(LOG_INFO, "PostgreSQL takes states again", NULL);
}

static bool
stopping(struct checkpointer *c)
{
	bool stop;

	pthread_mutex_lock(&c->lock);
	stop = c->stop;
	pthread_mutex_unlock(&c->lock);
	return stop;
}

/* Where the journal ends: asked for before anything later is written there, so never too far. */
static void
look_at_journal(struct checkpointer *c)
{
	int64_t low, high;

	if (!stopping(c) && cluster_watermarks(c->w->cluster, JOURNAL_TOPIC, c->partition, &low, &high, NULL) == 0)
		checkpointer_learn_journal_end(c, c->partition, high);
}

/* Old rungs of the partition at hand: now and then, and as long as there are many. */
static void
thin(struct checkpointer *c)
{
	int64_t *thinned_us = c->thinned_us ? &c->thinned_us[c->partition] : NULL, dropped = 0;

	if (!thinned_us || stopping(c) || clock_monotonic_us() - *thinned_us < THIN_INTERVAL_US)
		return;
	checkpoint_thin(c->store, &c->batch.claim, &c->ladder, clock_real_us(), THIN_ROWS, &dropped, NULL);
	if (dropped < THIN_ROWS)
		*thinned_us = clock_monotonic_us();
}

static void *
run(void *arg)
{
	struct checkpointer *c = arg;

	for (;;) {
		struct err err = ERR_INIT;
		bool work;

		pthread_mutex_lock(&c->lock);
		while (c->job != JOB_WAITING && !c->stop)
			pthread_cond_wait(&c->turn, &c->lock);
		work = c->job == JOB_WAITING;
		pthread_mutex_unlock(&c->lock);
		if (!work)
			return NULL;
		write_batch(c, &err);
		if (!err.reason) {
			look_at_journal(c);
			thin(c);
		}
		pthread_mutex_lock(&c->lock);
		c->outcome = err;
		c->job = JOB_DONE;
		pthread_cond_broadcast(&c->turn);
		pthread_mutex_unlock(&c->lock);
	}
}

/* ---- the loop's side ---- */

int
checkpointer_new(struct worker *w, struct checkpointer **ret, struct err *err)
{
	struct checkpointer *c = calloc(1, sizeof(*c));
	const struct store_options options = { w->state_opt.postgres_uri, w->instance, w->state_opt.connect_timeout_ms,
					       NULL };

	pthread_condattr_t monotonic;

	if (!c)
		return err_set(err, REASON_NO_MEMORY, "checkpoints");
	c->w = w;
	c->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC); /* the other one may be set */
	pthread_cond_init(&c->turn, &monotonic);
	pthread_condattr_destroy(&monotonic);
	c->filled_us = clock_monotonic_us();
	*ret = c;
	if (checkpoint_ladder_parse(w->state_opt.ladder, &c->ladder, err) < 0)
		return err_wrap(err, "checkpoint.ladder");
	if (store_new(&options, &c->store, err) < 0)
		return -1;
	if (pthread_create(&c->thread, NULL, run, c) != 0)
		return err_set(err, REASON_NO_MEMORY, "checkpoints: a thread");
	c->runs = true;
	return 0;
}

void
checkpointer_stop(struct checkpointer *c)
{
	if (!c || !c->runs)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_broadcast(&c->turn);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	c->runs = false;
}

void
checkpointer_free(struct checkpointer *c)
{
	if (!c)
		return;
	checkpointer_stop(c);
	store_free(c->store);
	buffer_clear(&c->states);
	free(c->journal_end);
	free(c->thinned_us);
	free(c);
}

int64_t
checkpointer_journal_end(const struct checkpointer *c, int32_t partition)
{
	return c->journal_end && partition < c->w->partitions ? atomic_load(&c->journal_end[partition]) : -1;
}

void
checkpointer_learn_journal_end(struct checkpointer *c, int32_t partition, int64_t offset)
{
	if (c->journal_end && partition < c->w->partitions)
		atomic_store(&c->journal_end[partition], offset);
}

int
checkpointer_partitions(struct checkpointer *c, int32_t n, struct err *err)
{
	if (c->journal_end)
		return 0;
	c->thinned_us = calloc((size_t)n, sizeof(*c->thinned_us));
	c->journal_end = malloc((size_t)n * sizeof(*c->journal_end));
	if (!c->journal_end || !c->thinned_us)
		return err_set(err, REASON_NO_MEMORY, "checkpoints");
	for (int32_t i = 0; i < n; i++)
		atomic_init(&c->journal_end[i], -1);
	return 0;
}

int64_t
checkpointer_backlog(const struct checkpointer *c)
{
	struct worker *w = c->w;
	int64_t sum = 0;

	for (size_t i = 0; i < w->n_claims; i++) {
		struct vector stand;

		if (state_standing(w->states, w->claims[i].partition, &stand) && stand.at[0] > w->claims[i].durable)
			sum += stand.at[0] - (w->claims[i].durable > 0 ? w->claims[i].durable : 0);
	}
	return sum;
}

/* The partition whose oldest dirty state has waited longest, if until DUE_US; or one whose frontier should move anyway. */
static struct claim *
next_due(struct checkpointer *c, int64_t now, int64_t due_us)
{
	struct worker *w = c->w;
	struct claim *found = NULL;
	int64_t oldest = INT64_MAX;

	for (size_t i = 0; i < w->n_claims; i++) {
		struct claim *claim = &w->claims[i];
		int64_t since = state_dirty_since(w->states, claim->partition);
		struct vector stand;

		if (since == INT64_MAX && state_standing(w->states, claim->partition, &stand) &&
		    stand.at[0] > claim->durable &&
		    (c->hurry || now - claim->written_us > ANYWAY_INTERVALS * w->state_opt.interval_ms * US_PER_MS))
			since = claim->written_us;
		if (since <= due_us && since < oldest) {
			oldest = since;
			found = claim;
		}
	}
	return found;
}

static int
fill(struct checkpointer *c, struct claim *claim, int64_t due_us, struct err *err)
{
	struct worker *w = c->w;
	struct checkpoint_batch *b = &c->batch;
	struct buffer image = BUFFER_INIT(0);
	struct vector stand, frontier;
	struct state_view v;
	int failed = 0;

	c->states.len = 0;
	*b = (struct checkpoint_batch){ .claim = claim->row, .n_sources = w->n_sources, .taken_us = clock_real_us() };
	b->rung_us = c->ladder.n ? c->ladder.rungs[0].every_us : 0;
	c->partition = claim->partition;
	state_round_begin(w->states);
	if (!state_standing(w->states, claim->partition, &stand))
		return 0;
	while (!failed && c->states.len < BATCH_BYTES && (c->tokens > 0 || w->state_opt.bytes_per_second == 0) &&
	       state_take_dirty(w->states, claim->partition, due_us, &v)) {
		struct checkpoint_state state = { .key = v.key, .born = v.born, .active_us = v.active_us };

		image.len = 0;
		memcpy(state.positions, stand.at, sizeof(stand.at));
		failed = w->spec->state->encode(v.state, &image) < 0;
		state.bytes = buffer_span(&image);
		failed = failed || checkpoint_encode(&c->states, &state, w->n_sources) < 0;
		c->tokens -= (double)(image.len + v.key.len);
		b->n++;
		if (v.active_us > b->active_us)
			b->active_us = v.active_us;
	}
	buffer_clear(&image);
	if (failed)
		return err_set(err, REASON_NO_MEMORY, "states to be stored");
	state_frontier(w->states, claim->partition, &frontier);
	memcpy(b->frontier, frontier.at, sizeof(frontier.at));
	b->states = buffer_span(&c->states);
	return 0;
}

static void
refill_tokens(struct checkpointer *c, int64_t now)
{
	double rate = (double)c->w->state_opt.bytes_per_second;

	c->tokens += rate * (double)(now - c->filled_us) * 1e-6;
	if (c->tokens > rate)
		c->tokens = rate;
	c->filled_us = now;
}

/* The outcome of the batch that was handed over. */
static int
settle(struct checkpointer *c, struct err *err)
{
	struct worker *w = c->w;
	struct claim *claim = claims_find(w, c->partition);
	bool ours = claim && claim->row.epoch == c->batch.claim.epoch;

	pthread_mutex_lock(&c->lock);
	c->job = JOB_NONE;
	pthread_mutex_unlock(&c->lock);
	if (c->outcome.reason) {
		if (!ours || err_class(&c->outcome) == ERR_RETRY)
			return 0; /* of a partition that we have let go, or at the end */
		if (c->outcome.reason == REASON_STORE_FENCED) {
			w->rebuild =
			    true; /* somebody else has had the partition since; if it is still ours, load its states */
			return err_set(err, REASON_TRANSACTION_ABORTED, "%s", c->outcome.text);
		}
		*err = c->outcome;
		return err_wrap(err, "%s[%d]: storing states", w->topics[0], c->partition);
	}
	state_round_done(w->states);
	meters_checkpoint(&w->meters, c->batch.n, c->states.len);
	if (ours) {
		claim->durable = c->batch.frontier[0];
		claim->written_us = clock_monotonic_us();
		claim->row.fresh = false;
	}
	return 0;
}

int
checkpointer_settle(struct checkpointer *c, bool *busy, struct err *err)
{
	enum job job;

	pthread_mutex_lock(&c->lock);
	job = c->job;
	pthread_mutex_unlock(&c->lock);
	*busy = job == JOB_WAITING;
	return job == JOB_DONE ? settle(c, err) : 0;
}

static int
step(struct checkpointer *c, int64_t due_us, struct err *err)
{
	int64_t now = clock_monotonic_us();
	struct claim *claim;
	bool busy;

	if (checkpointer_settle(c, &busy, err) < 0)
		return -1;
	if (busy)
		return 0;
	state_evict(c->w->states, EVICT_MOST);
	refill_tokens(c, now);
	claim = next_due(c, now, due_us);
	if (!claim || (c->tokens <= 0 && c->w->state_opt.bytes_per_second > 0))
		return 0;
	if (fill(c, claim, due_us, err) < 0)
		return -1;
	pthread_mutex_lock(&c->lock);
	c->job = JOB_WAITING;
	pthread_cond_broadcast(&c->turn);
	pthread_mutex_unlock(&c->lock);
	return 0;
}

int
checkpointer_step(struct checkpointer *c, struct err *err)
{
	return step(c, clock_monotonic_us() - c->w->state_opt.interval_ms * US_PER_MS, err);
}

bool
checkpointer_busy(struct checkpointer *c)
{
	bool busy;

	pthread_mutex_lock(&c->lock);
	busy = c->job != JOB_NONE;
	pthread_mutex_unlock(&c->lock);
	return busy;
}

static bool
idle(struct checkpointer *c)
{
	bool free_hand = !checkpointer_busy(c);

	for (size_t i = 0; i < c->w->n_claims && free_hand; i++) {
		struct vector stand;

		free_hand = !state_standing(c->w->states, c->w->claims[i].partition, &stand) ||
			    stand.at[0] <= c->w->claims[i].durable;
	}
	return free_hand;
}

void
checkpointer_drain(struct checkpointer *c, int64_t until_us)
{
	struct err err = ERR_INIT;

	c->hurry = true;
	while (!idle(c) && clock_monotonic_us() < until_us && !atomic_load(&c->away)) {
		c->tokens = (double)BATCH_BYTES;
		if (step(c, INT64_MAX - 1, &err) < 0) {
			log_error(LOG_WARN, "the last states were not stored; they will be folded again", &err, NULL);
			return;
		}
		worker_beat(c->w);
		clock_sleep_us(US_PER_MS);
	}
}
