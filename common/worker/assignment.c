/*
 * assignment.c -- the partitions we hold: where they stand, and the states of their keys.
 *
 * Assigned: nothing is fetched until assignment_load() knows from where.  Revoked: finish and commit first; lost: commit
 * nothing, others may be at work already.  The states of a partition that was let go are parked: when it comes back at the
 * very offset where it was left, nobody else has worked on it and they are taken up again.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/worker/internal.h"

struct held *
assignment_find(struct worker *w, const char *topic, int32_t partition)
{
	/* The same partition as the last time, most often; its name is then even the same pointer. */
	if (w->last_held < w->n_held) {
		struct held *h = &w->held[w->last_held];

		if (h->partition == partition && strcmp(h->topic, topic) == 0)
			return h;
	}
	for (size_t i = 0; i < w->n_held; i++)
		if (w->held[i].partition == partition && strcmp(w->held[i].topic, topic) == 0) {
			w->last_held = i;
			return &w->held[i];
		}
	return NULL;
}

static void
parked_clear(struct worker *w)
{
	free(w->parked);
	w->parked = NULL;
	w->n_parked = 0;
}

void
assignment_measure(struct worker *w)
{
	for (size_t i = 0; i < w->n_held; i++) {
		const struct held *h = &w->held[i];
		int64_t end = consumer_known_end(w->consumer, h->topic, h->partition);

		if (end >= 0 && h->next >= 0)
			meters_lag(&w->meters, h->topic, h->partition, end > h->next ? end - h->next : 0);
	}
}

void
assignment_forget_states(struct worker *w, int32_t partition)
{
	size_t kept = 0;

	state_drop(w->states, partition);
	for (size_t k = 0; k < w->n_parked; k++)
		if (w->parked[k].partition != partition)
			w->parked[kept++] = w->parked[k];
	w->n_parked = kept;
	for (size_t i = 0; i < w->n_held; i++)
		if (w->held[i].partition == partition)
			w->held[i].loaded = false;
}

static void
held_clear(struct worker *w)
{
	for (size_t i = 0; i < w->n_held; i++)
		meters_lag(&w->meters, w->held[i].topic, w->held[i].partition, -1);
	free(w->held);
	w->held = NULL;
	w->n_held = w->last_held = 0;
}

void
assignment_clear(struct worker *w)
{
	held_clear(w);
	parked_clear(w);
}

/* Our own copy of the name, which outlives every assignment; NULL: we have not asked for this topic. */
static const char *
own_name(const struct worker *w, const char *topic, size_t *source)
{
	for (*source = 0; *source < w->n_topics + w->n_side; ++*source) {
		const char *name = *source < w->n_topics ? w->topics[*source] : w->side_topics[*source - w->n_topics];

		if (strcmp(name, topic) == 0)
			return name;
	}
	return NULL;
}

/*
 * A static member that comes back within its session is dealt what it held before, whatever topics it asks for by now: brokers
 * compare the assignor's name alone.  So a worker that was restarted with other topics would be given those that it does not read
 * any more, or, in silence, none of the new ones.  The latter shows in who holds partition 0 of our first topic: with ranges
 * the same member holds that of all.
 */
static bool
dealt_for_other_topics(const struct worker *w, const struct topic_partition *partitions, size_t n)
{
	size_t zeros = 0, source;
	bool first = false;

	for (size_t i = 0; i < n; i++) {
		if (!own_name(w, partitions[i].topic, &source))
			return true;
		zeros += partitions[i].partition == 0;
		first |= partitions[i].partition == 0 && source == 0;
	}
	return first && zeros < w->n_topics + w->n_side;
}

void
assignment_assigned(void *ctx, const struct topic_partition *partitions, size_t n)
{
	struct worker *w = ctx;

	/* Once: while others of the group still have other topics, partitions may be dealt differently. */
	if (!w->seated && w->opt.instance_id[0] && dealt_for_other_topics(w, partitions, n))
		w->old_seat = true;
	w->seated = true;
	if (w->old_seat)
		return;
	held_clear(w);
	metric_add(w->meters.rebalances, 1);
	w->held = calloc(n + 1, sizeof(*w->held));
	for (size_t i = 0; w->held && i < n; i++) {
		size_t source;
		const char *topic = own_name(w, partitions[i].topic, &source);

		if (!topic)
			break;
		w->held[w->n_held++] = (struct held){ .topic = topic,
						      .partition = partitions[i].partition,
						      .source = source,
						      .side = source >= w->n_topics,
						      .next = OFFSET_NONE,
						      .committed = OFFSET_NONE,
						      .attempted = OFFSET_NONE,
						      .end = -1 };
	}
	if (w->n_held < n) {
		err_set(&w->hook_error, REASON_NO_MEMORY, "assignment of %zu partitions", n);
		w->hook_result = COMMIT_STOP;
		return;
	}
	w->retry = (struct retry){ 0 };
	w->assigned_nothing = n == 0;
	w->lost = false;
	if (w->phase != PHASE_CONNECTING && w->phase != PHASE_STOPPING)
		phase_set(w, n ? PHASE_LOADING : PHASE_JOINED, "assigned");
}

/* Remember where the states stand.  Partitions that were never loaded have changed nothing: what was parked still is. */
static void
park(struct worker *w)
{
	if (!w->n_held || !w->held[0].loaded)
		return;
	parked_clear(w);
	w->parked = calloc(w->n_held, sizeof(*w->parked));
	for (size_t i = 0; w->parked && i < w->n_held; i++)
		if (w->held[i].committed >= 0)
			w->parked[w->n_parked++] =
			    (struct parked){ w->held[i].topic, w->held[i].partition, w->held[i].committed };
}

static void
let_go(struct worker *w)
{
	/* A transaction in doubt: park what was before it.  Had it succeeded, the offsets will not fit and the states go. */
	if (w->doubt && w->states)
		state_rollback(w->states);
	w->doubt = false;
	recovery_cancel(w);
	park(w);
	for (size_t i = 0; i < w->n_held && w->spec->revoked; i++)
		w->spec->revoked(w->self, w->held[i].topic, w->held[i].partition);
	held_clear(w);
}

void
assignment_revoked(void *ctx, const struct topic_partition *partitions, size_t n, bool lost)
{
	struct worker *w = ctx;
	struct err err = ERR_INIT;
	enum commit_result result = lost ? commit_abort(w, &err) : commit_batch(w, &err);

	(void)partitions;
	log_event(LOG_INFO, lost ? "partitions lost" : "partitions revoked", "count", LOG_I((int64_t)n), NULL);
	if (result == COMMIT_RETRY) /* no time for that: the next owner does it again */
		result = commit_abort(w, &err);
	if (result == COMMIT_RENEW || result == COMMIT_STOP) {
		w->hook_result = result;
		w->hook_error = err;
	}
	w->lost = lost;
	let_go(w);
	if (w->phase != PHASE_CONNECTING && w->phase != PHASE_STOPPING)
		phase_set(w, PHASE_JOINED, lost ? "partitions lost" : "partitions revoked");
}

/* ---- loading ---- */

/* Read the group's offsets, then decide what the states in memory are still good for. */
static int
read_committed(struct worker *w, struct err *err)
{
	CLEANUP(heap_free)
	struct topic_partition *tp = calloc(w->n_held + 1, sizeof(*tp));
	bool as_attempted = true, progress = false;

	if (!tp)
		return err_set(err, REASON_NO_MEMORY, "assignment");
	for (size_t i = 0; i < w->n_held; i++)
		tp[i] = (struct topic_partition){ w->held[i].topic, w->held[i].partition, OFFSET_NONE };
	if (consumer_committed(w->consumer, tp, w->n_held, LOOKUP_TIMEOUT_MS, err) < 0)
		return -1;
	for (size_t i = 0; i < w->n_held; i++) {
		progress |= w->held[i].attempted != w->held[i].committed;
		as_attempted &= tp[i].offset == w->held[i].attempted || w->held[i].attempted == w->held[i].committed;
		w->held[i].committed = w->held[i].next = tp[i].offset;
	}
	as_attempted &=
	    progress; /* else it was given up under its first record: offsets tell nothing, states must go */
	if (w->doubt && w->states) {
		if (as_attempted && commit_states(w) < 0)
			w->rebuild = true;
		if (as_attempted)
			audit_done(w); /* it was in that transaction, and would be sent again with the next one */
		else
			state_rollback(w->states);
		log_event(LOG_INFO, "fate of the transaction is known", "committed", LOG_S(as_attempted ? "yes" : "no"),
			  NULL);
	}
	w->doubt = false;
	return 0;
}

static bool
stands_as_parked(const struct worker *w, const struct held *h)
{
	bool known = false;

	for (size_t k = 0; k < w->n_parked; k++) {
		known |= w->parked[k].partition == h->partition;
		if (w->parked[k].partition == h->partition && strcmp(w->parked[k].topic, h->topic) == 0)
			return w->parked[k].offset == h->committed;
	}
	return known && h->committed == OFFSET_NONE;
}

/* A partition number keeps its states if every topic of it stands where it was parked, or was never let go. */
static size_t
needs_of(const struct worker *w, struct recovery_need *needs)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_held; i++) {
		const struct held *h = &w->held[i];
		size_t k = 0;

		if (h->loaded && !w->rebuild)
			continue;
		while (k < n && needs[k].partition != h->partition)
			k++;
		if (k == n)
			needs[n++] = (struct recovery_need){ h->partition, w->rebuild };
		needs[k].rebuild |= !stands_as_parked(w, h);
	}
	return n;
}

static bool
holds_number(const struct worker *w, int32_t partition)
{
	for (size_t i = 0; i < w->n_held; i++)
		if (w->held[i].partition == partition)
			return true;
	return false;
}

/* Forget the states that are good for nothing any more. */
static void
drop_states(struct worker *w, const struct recovery_need *needs, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (needs[k].rebuild)
			assignment_forget_states(w, needs[k].partition);
	for (size_t k = w->n_parked; k-- > 0;)
		if (k < w->n_parked && !holds_number(w, w->parked[k].partition))
			assignment_forget_states(w, w->parked[k].partition);
	for (size_t k = w->n_claims; k-- > 0;)
		if (!holds_number(w, w->claims[k].partition)) {
			assignment_forget_states(w, w->claims[k].partition);
			claims_release(w, w->claims[k].partition);
		}
}

/* States that are not in memory have to come from PostgreSQL. */
static int
take_up_states(struct worker *w, struct err *err)
{
	CLEANUP(heap_free)
	struct recovery_need *needs = calloc(w->n_held + 1, sizeof(*needs));
	size_t n;

	if (!needs)
		return err_set(err, REASON_NO_MEMORY, "assignment");
	n = needs_of(w, needs);
	drop_states(w, needs, n);
	w->rebuild = false;
	return w->checkpointer && n ? recovery_begin(w, needs, n, err) : 0;
}

static int
claim_from_store(struct worker *w, struct err *err)
{
	const struct worker_store *store = w->spec->store;
	struct context ctx = { .w = w };

	for (size_t i = 0; i < w->n_held; i++) {
		struct held *h = &w->held[i];
		int64_t offset = h->committed;

		if (store->claim(w->self, h->topic, h->partition, h->committed, &offset, err) < 0)
			return err_wrap(err, "%s[%d]", h->topic, h->partition);
		h->next = offset;
		if (offset > 0 && gap_check(w, h, err) < 0) /* before Kafka's offsets follow */
			return -1;
		if (h->committed != offset && !w->batch.begun_us)
			w->batch.begun_us = clock_monotonic_us(); /* so that they do */
		if (store->undelivered(w->self, &ctx, h->topic, h->partition, h->committed < 0 ? 0 : h->committed,
				       err) < 0)
			return err_wrap(err, "%s[%d]: dead letters of the store", h->topic, h->partition);
	}
	return 0;
}

/* A bounded run: where each partition begins and ends. */
static void
follow_plan(struct worker *w)
{
	for (size_t i = 0; i < w->n_held; i++) {
		struct held *h = &w->held[i];
		const struct plan_range *r = plan_find(w, h->topic, h->partition);

		if (r && h->next < 0 && h->source == 0)
			h->next = r->start;
		h->end = r ? r->end : h->source > 0 && plan_follows(w) ? INT64_MAX : h->side ? -1 : 0;
		if (!r && h->next < 0 && h->end == 0)
			h->next = 0;
	}
}

/* Where reading begins and, in a run that ends, where it ends (until.caught.up: as the topics end now).  Whoever asks for the
 * end of a partition learns of a gap, too. */
static int
fix_bounds(struct worker *w, struct err *err)
{
	if (plan_bounded(w))
		follow_plan(w);
	for (size_t i = 0; i < w->n_held; i++) {
		struct held *h = &w->held[i];
		bool begins = w->checkpointer && h->next < 0 && !plan_bounded(w);
		bool ends = h->end < 0 && (w->opt.until_caught_up || plan_bounded(w));
		int64_t low, high;

		if (!begins && !ends)
			continue;
		if (consumer_watermarks(w->consumer, h->topic, h->partition, LOOKUP_TIMEOUT_MS, &low, &high, err) < 0)
			return -1;
		if (ends)
			h->end = high;
		if (h->next < 0 && (begins || high == 0))
			h->next = low;
		if (gap_pass(w, h, low, high, err) < 0)
			return -1;
	}
	return 0;
}

/* First step: what the group's offsets say. */
static int
load_begin(struct worker *w, struct err *err)
{
	if (read_committed(w, err) < 0)
		return -1;
	if (plan_follows(w))
		w->rebuild = true; /* its records come from streams that cannot go back */
	if (fix_bounds(w, err) < 0)
		return -1;
	return w->states ? take_up_states(w, err) : 0;
}

int
assignment_load(struct worker *w, bool *done, struct err *err)
{
	int64_t fresh = 0;

	*done = false;
	if (recovery_follows(w))
		recovery_cancel(w);
	if (!w->recovery && load_begin(w, err) < 0)
		return -1;
	if (w->recovery) {
		enum recovery_progress progress = recovery_step(w, err);

		if (progress == RECOVERY_FAILED)
			recovery_cancel(w);
		if (progress != RECOVERY_DONE)
			return progress == RECOVERY_FAILED ? -1 : 0;
	}
	if ((w->spec->store && (claim_from_store(w, err) < 0 || fix_bounds(w, err) < 0)) ||
	    (!recovery_follows(w) && assignment_fetch(w, true, err) < 0)) {
		struct err ignored = ERR_INIT;

		commit_abort(w, &ignored); /* the next attempt delivers the same dead letters again */
		return -1;
	}
	*done = true;
	for (size_t i = 0; i < w->n_held; i++) {
		fresh += !w->held[i].loaded;
		w->held[i].loaded = true;
		log_event(LOG_DEBUG, "reading", "topic", LOG_S(w->held[i].topic), "partition",
			  LOG_I(w->held[i].partition), "offset", LOG_I(w->held[i].next), NULL);
	}
	if (fresh)
		log_event(LOG_INFO, "assigned", "partitions", LOG_I(fresh), NULL);
	if (w->audit && !w->batch.begun_us)
		w->batch.begun_us = clock_monotonic_us(); /* the batch that was to tell of it is gone */
	parked_clear(w);
	return 0;
}

int
assignment_fetch(struct worker *w, bool fetch, struct err *err)
{
	CLEANUP(heap_free)
	struct topic_partition *tp = calloc(w->n_held + 1, sizeof(*tp));

	if (!tp)
		return err_set(err, REASON_NO_MEMORY, "assignment");
	for (size_t i = 0; i < w->n_held; i++)
		tp[i] = (struct topic_partition){ w->held[i].topic, w->held[i].partition, w->held[i].next };
	return consumer_fetch(w->consumer, tp, fetch ? w->n_held : 0, err);
}

bool
assignment_caught_up(const struct worker *w)
{
	if (recovery_follows(w))
		return recovery_followed(w);
	for (size_t i = 0; i < w->n_held; i++)
		if (w->held[i].end < 0 || w->held[i].next < w->held[i].end)
			return false;
	return w->n_held > 0;
}

struct topic_partition *
assignment_positions(struct worker *w, struct arena *arena, size_t *n)
{
	struct topic_partition *tp = arena_alloc(arena, (w->n_held + 1) * sizeof(*tp));

	*n = 0;
	for (size_t i = 0; tp && i < w->n_held; i++)
		if (w->held[i].next >= 0 && w->held[i].next != w->held[i].committed)
			tp[(*n)++] =
			    (struct topic_partition){ w->held[i].topic, w->held[i].partition, w->held[i].next };
	return tp;
}
