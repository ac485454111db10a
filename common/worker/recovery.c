/* recovery.c -- the stages one after the other; claiming is the first. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/worker/recovery_site.h"

#define LOCK_PATIENCE_MS 5000 /* while the loop stands still, and Kafka's transaction may be open */

/* ---- opening ---- */

static int
describe_states(struct worker *w, struct err *err)
{
	struct buffer text = BUFFER_INIT(0);
	int failed = image_describe(w->spec->state->image, &text);

	if (failed < 0)
		err_set(err, REASON_NO_MEMORY, "states");
	else
		failed = checkpoint_layout(w->store, (int64_t)image_fingerprint(w->spec->state->image),
					   buffer_span(&text), err);
	buffer_clear(&text);
	return failed;
}

int
recovery_open(struct worker *w, struct err *err)
{
	const struct store_options options = { .uri = w->state_opt.postgres_uri,
					       .application_name = w->instance,
					       .connect_timeout_ms = w->state_opt.connect_timeout_ms,
					       .metrics = w->metrics,
					       .lock_timeout_ms = LOCK_PATIENCE_MS };

	if (!w->state_opt.postgres_uri[0])
		return err_set(
		    err, REASON_OPTION_INVALID,
		    "postgres.uri: %s keeps states in PostgreSQL; name it, or set checkpoint.store=none to lose "
		    "them with every restart",
		    w->spec->name);
	if (store_new(&options, &w->store, err) < 0)
		return -1;
	while (checkpoint_check(w->store, err) < 0 || describe_states(w, err) < 0)
		if (worker_wait(w, err) < 0)
			return -1;
	return checkpointer_new(w, &w->checkpointer, err);
}

/* ---- begin, cancel ---- */

static void
recovery_free(struct recovery *r)
{
	if (!r)
		return;
	checkpoint_load_free(r->load);
	for (size_t i = 0; r->sites && i < r->n; i++)
		fold_clear(&r->sites[i].fold);
	reader_free(r->reader);
	arena_free(r->arena);
	free(r->sites);
	free(r);
}

int
recovery_begin(struct worker *w, const struct recovery_need *needs, size_t n, struct err *err)
{
	struct recovery *r = calloc(1, sizeof(*r));

	w->recovery = r;
	if (r) {
		r->sites = calloc(n + 1, sizeof(*r->sites));
		r->arena = arena_new(256 << 10, 1 << 20);
	}
	if (!r || !r->sites || !r->arena)
		return err_set(err, REASON_NO_MEMORY, "recovery");
	r->begun_us = r->logged_us = clock_monotonic_us();
	for (size_t i = 0; i < n; i++)
		r->sites[r->n++] = (struct site){ .partition = needs[i].partition, .rebuild = needs[i].rebuild };
	return 0;
}

void
recovery_cancel(struct worker *w)
{
	struct recovery *r = w->recovery;

	if (!r)
		return;
	w->recovery = NULL;
	w->silent = w->opt.run_outputs == OUTPUTS_NONE;
	state_refold(w->states, false);
	for (size_t i = 0; i < r->n; i++)
		if (r->sites[i].rebuild && r->stage != STAGE_LIVE)
			assignment_forget_states(w, r->sites[i].partition);
	batch_reset(&w->batch);
	recovery_free(r);
}

/* ---- where a partition number stands ---- */

size_t
recovery_journal_at(const struct worker *w)
{
	return w->n_sources - 1;
}

const char *
recovery_source(const struct worker *w, size_t i)
{
	return i < w->n_topics              ? w->topics[i]
	       : i < recovery_journal_at(w) ? w->side_topics[i - w->n_topics]
					    : JOURNAL_TOPIC;
}

static int64_t
committed_of(struct worker *w, size_t source, int32_t partition)
{
	const struct held *h = assignment_find(w, recovery_source(w, source), partition);

	return h ? h->next : OFFSET_NONE;
}

/* Up to where each source was processed; of the journal: where it ends now. */
static int
read_ends(struct worker *w, struct site *s, struct err *err)
{
	int64_t low;

	for (size_t i = 0; i < recovery_journal_at(w); i++)
		s->to.at[i] = committed_of(w, i, s->partition);
	if (cluster_watermarks(w->cluster, JOURNAL_TOPIC, s->partition, &low, &s->to.at[recovery_journal_at(w)], err) <
	    0)
		return err_wrap(err, JOURNAL_TOPIC "[%" PRId32 "]", s->partition);
	checkpointer_learn_journal_end(w->checkpointer, s->partition, s->to.at[recovery_journal_at(w)]);
	return 0;
}

/* ---- CLAIM ---- */

static int
start_of_run(struct worker *w, struct site *s, const struct checkpoint_sources *sources, struct err *err)
{
	const struct checkpoint_name source = { "live", plan_source_group(w), w->topics[0], s->partition };

	if (!plan_follows(w) || s->to.at[0] <= 0)
		return 0;
	return checkpoint_fork(w->store, &s->claim, &source, sources, s->to.at[0], err);
}

static int
claim_site(struct worker *w, struct site *s, struct err *err)
{
	const struct checkpoint_name name = { w->opt.run_id, w->base_group, w->topics[0], s->partition };
	struct checkpoint_sources sources = { .n = w->n_sources };

	for (size_t i = 0; i < w->n_sources; i++)
		sources.names[i] = recovery_source(w, i);
	if (read_ends(w, s, err) < 0 || checkpoint_claim(w->store, &name, &sources, w->instance, &s->claim, err) < 0)
		return -1;
	if (s->claim.fresh && start_of_run(w, s, &sources, err) < 0)
		return -1;
	if (!s->claim.fresh && s->claim.reached > (s->to.at[0] > 0 ? s->to.at[0] : 0)) {
		log_event(LOG_WARN, "offsets were set back; states go back with them", "topic", LOG_S(w->topics[0]),
			  "partition", LOG_I(s->partition), "offset", LOG_I(s->to.at[0]), "states_at",
			  LOG_I(s->claim.reached), NULL);
		if (checkpoint_rewind(w->store, &s->claim, &sources, s->to.at[0] > 0 ? s->to.at[0] : 0, err) < 0)
			return -1;
		if (!s->rebuild)
			assignment_forget_states(w, s->partition);
		s->rebuild = true;
	}
	return claims_set(w, s->partition, &s->claim, err);
}

int
recovery_log_start(struct worker *w, const struct site *s, size_t source, int64_t *start, struct err *err)
{
	const struct plan_range *r = plan_find(w, recovery_source(w, source), s->partition);
	int64_t high;

	if (consumer_watermarks(w->consumer, recovery_source(w, source), s->partition, LOOKUP_TIMEOUT_MS, start, &high,
				err) < 0)
		return -1;
	if (r && !plan_follows(w) && r->start > *start)
		*start = r->start;
	return 0;
}

/* No state was ever stored: the records are all there is, as far back as the log goes. */
static int
from_the_beginning(struct worker *w, struct site *s, struct err *err)
{
	bool any = false;

	for (size_t i = 0; i < w->n_sources; i++)
		if (s->to.at[i] > 0) {
			if (recovery_log_start(w, s, i, &s->from.at[i], err) < 0)
				return -1;
			any |= i < recovery_journal_at(w) && s->from.at[i] < s->to.at[i];
		}
	if (any && s->rebuild)
		log_event(LOG_WARN, "no stored states: folding the log from its beginning", "topic",
			  LOG_S(w->topics[0]), "partition", LOG_I(s->partition), "from", LOG_I(s->from.at[0]), "to",
			  LOG_I(s->to.at[0]), NULL);
	return 0;
}

/* What is to be folded: from the frontier, or from where the source was first read, to where it was processed. */
static int
plan_site(struct worker *w, struct site *s, struct err *err)
{
	for (size_t i = 0; i < w->n_sources; i++) {
		s->from.at[i] = s->claim.fresh ? 0 : s->claim.frontier[i];
		if (s->from.at[i] < 0 && recovery_log_start(w, s, i, &s->from.at[i], err) < 0)
			return -1; /* a source that is new since */
	}
	if (s->claim.fresh && from_the_beginning(w, s, err) < 0)
		return -1;
	s->at = s->from;
	s->journal = recovery_journal_at(w);
	claims_find(w, s->partition)->durable = s->from.at[0];
	if (!s->rebuild)
		return 0;
	if (state_floor(w->states, s->partition, &s->from) < 0 ||
	    state_stand(w->states, s->partition, &s->from, clock_monotonic_us()) < 0)
		return err_set(err, REASON_NO_MEMORY, "states");
	return 0;
}

static int
claim_step(struct worker *w, struct recovery *r, struct err *err)
{
	bool busy;

	/* A batch under way belongs to the epoch before; its fate has to be known first. */
	if (checkpointer_settle(w->checkpointer, &busy, err) < 0)
		return -1;
	if (busy) {
		clock_sleep_us(PEEK_MS * US_PER_MS);
		return 0;
	}
	if (r->which < r->n) {
		struct site *s = &r->sites[r->which++];

		if (claim_site(w, s, err) < 0 || plan_site(w, s, err) < 0)
			return err_wrap(err, "%s[%" PRId32 "]", w->topics[0], s->partition);
		return 0;
	}
	r->stage = STAGE_LOAD;
	r->which = 0;
	return 0;
}

/* ---- the steps ---- */

static void
finish(struct worker *w, struct recovery *r)
{
	int64_t now = clock_monotonic_us();

	state_refold(w->states,
		     plan_follows(w)); /* side records at its very start may be in states that it starts from */
	w->silent = w->opt.run_outputs == OUTPUTS_NONE;
	map_free(w->broken);
	w->broken = map_new(NULL);
	meters_recovery(&w->meters, r->loaded_us - r->begun_us, now - r->loaded_us, r->records);
	log_event(LOG_INFO, "states are back", "partitions", LOG_I((int64_t)r->n), "states", LOG_I((int64_t)r->states),
		  "asleep", LOG_I((int64_t)r->sleepers), "records", LOG_I(r->records), "load_ms",
		  LOG_I((r->loaded_us - r->begun_us) / US_PER_MS), "fold_ms", LOG_I((now - r->loaded_us) / US_PER_MS),
		  NULL);
	r->which = 0;
	r->stage = STAGE_LIVE;
	if (plan_follows(w))
		return;
	w->recovery = NULL;
	recovery_free(r);
}

enum recovery_progress
recovery_step(struct worker *w, struct err *err)
{
	struct recovery *r = w->recovery;
	int result = 0;

	switch (r->stage) {
	case STAGE_CLAIM: result = claim_step(w, r, err); break;
	case STAGE_LOAD: result = recovery_load_step(w, r, err); break;
	case STAGE_OPEN: result = recovery_open_step(w, r, err); break;
	case STAGE_FOLD: result = recovery_fold_step(w, r, err); break;
	case STAGE_LIVE: return RECOVERY_DONE;
	}
	if (result < 0)
		return RECOVERY_FAILED;
	if (r->stage != STAGE_FOLD || r->which < r->n)
		return RECOVERY_GOES_ON;
	finish(w, r);
	return RECOVERY_DONE;
}
