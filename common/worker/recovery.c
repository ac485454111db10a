/*
 * recovery.c -- what cannot be read or is not there any more is never passed over: a state with a broken checksum is replaced
 * by an older one and a longer fold (or by its birth, where the log still reaches so far); if that is not possible either,
 * recovery.policy says whether to stop or to forget it, with a record in fleet.audit.
 */
#include "common/worker/recovery.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/worker/internal.h"

#define STEP_US (20 * US_PER_MS)
#define LOOKUP_TIMEOUT_MS 5000
#define PSEUDO_BATCH 2000 /* records folded before what they did is kept for good */
#define PEEK_MS 5
#define LOG_EVERY_US (5 * US_PER_SECOND)
#define NAMES_MOST 5

enum stage { STAGE_CLAIM, STAGE_LOAD, STAGE_OPEN, STAGE_FOLD, STAGE_LIVE };

/* One partition number. */
struct site {
	int32_t partition;
	bool rebuild, loaded;
	struct checkpoint_claim claim;
	struct vector from, to; /* what is folded of each source */
	struct vector at;       /* up to where it is */
	struct fold fold;
};

struct recovery {
	enum stage stage;
	struct site *sites;
	size_t n, which;
	struct checkpoint_load *load;
	struct reader *reader;
	struct arena *arena;
	size_t folded;          /* since the last pseudo-commit */
	int64_t records, total; /* of all sites: folded, to be folded (an estimate: offsets) */
	int64_t begun_us, loaded_us, logged_us;
	size_t states, sleepers;
};

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
	const struct store_options options = { w->state_opt.postgres_uri, w->instance, w->state_opt.connect_timeout_ms,
					       w->metrics };

	if (!w->state_opt.postgres_uri[0])
		return err_set(
		    err, REASON_OPTION_INVALID,
		    "postgres.uri: %s keeps states in PostgreSQL; name it, or set checkpoint.store=none to lose "
		    "them with every restart",
		    w->spec->name);
	if (store_new(&options, &w->store, err) < 0)
		return err_wrap(err, "postgres.uri");
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
	w->silent = false;
	state_refold(w->states, false);
	for (size_t i = 0; i < r->n; i++)
		if (r->sites[i].rebuild && r->stage != STAGE_LIVE)
			assignment_forget_states(w, r->sites[i].partition);
	batch_reset(&w->batch);
	recovery_free(r);
}

/* ---- where a partition number stands ---- */

static size_t
journal_at(const struct worker *w)
{
	return w->n_sources - 1;
}

static const char *
source_name(const struct worker *w, size_t i)
{
	return i < w->n_topics ? w->topics[i] : i < journal_at(w) ? w->side_topics[i - w->n_topics] : JOURNAL_TOPIC;
}

static int64_t
committed_of(struct worker *w, size_t source, int32_t partition)
{
	const struct held *h = assignment_find(w, source_name(w, source), partition);

	return h ? h->next : OFFSET_NONE;
}

/* Up to where each source was processed; of the journal: where it ends now. */
static int
read_ends(struct worker *w, struct site *s, struct err *err)
{
	int64_t low;

	for (size_t i = 0; i < journal_at(w); i++)
		s->to.at[i] = committed_of(w, i, s->partition);
	if (consumer_watermarks(w->consumer, JOURNAL_TOPIC, s->partition, LOOKUP_TIMEOUT_MS, &low,
				&s->to.at[journal_at(w)], err) < 0)
		return err_wrap(err, JOURNAL_TOPIC "[%" PRId32 "]", s->partition);
	checkpointer_learn_journal_end(w->checkpointer, s->partition, s->to.at[journal_at(w)]);
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
		sources.names[i] = source_name(w, i);
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

/* No state was ever stored: the records are all there is, as far back as the log goes. */
static int
from_the_beginning(struct worker *w, struct site *s, struct err *err)
{
	bool any = false;

	for (size_t i = 0; i < w->n_sources; i++) {
		int64_t high;

		if (s->to.at[i] <= 0)
			continue;
		if (consumer_watermarks(w->consumer, source_name(w, i), s->partition, LOOKUP_TIMEOUT_MS, &s->from.at[i],
					&high, err) < 0)
			return -1;
		any |= i < journal_at(w) && s->from.at[i] < s->to.at[i];
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
	for (size_t i = 0; i < w->n_sources; i++)
		s->from.at[i] = s->claim.fresh || s->claim.frontier[i] < 0 ? 0 : s->claim.frontier[i];
	if (s->claim.fresh && from_the_beginning(w, s, err) < 0)
		return -1;
	s->at = s->from;
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
	for (; r->which < r->n; r->which++)
		if (claim_site(w, &r->sites[r->which], err) < 0 || plan_site(w, &r->sites[r->which], err) < 0)
			return err_wrap(err, "%s[%" PRId32 "]", w->topics[0], r->sites[r->which].partition);
	r->stage = STAGE_LOAD;
	r->which = 0;
	return 0;
}

/* ---- LOAD ---- */

/* No older state either: everything since the key was new, if the log still has it; else the policy decides. */
static int
birth_of(struct worker *w, struct site *s, const struct checkpoint_state *broken, struct vector *positions,
	 const struct err *why, struct err *err)
{
	int64_t low, high;
	char subject[300];

	if (consumer_watermarks(w->consumer, w->topics[0], s->partition, LOOKUP_TIMEOUT_MS, &low, &high, err) < 0)
		return -1;
	positions->at[0] = broken->born > low ? broken->born : low;
	if (broken->born >= low)
		return 0;
	if (w->state_opt.recovery_policy == RECOVERY_FAIL)
		return err_set(err, why->reason,
			       "key \"%.*s\": %s; there is no older state, and its records before offset %" PRId64
			       " were deleted (recovery.policy=reset forgets what they said)",
			       SPAN_ARG(broken->key), why->text, low);
	snprintf(subject, sizeof(subject), "%s/%s/%" PRId32 "/%.*s", w->base_group, w->topics[0], s->partition,
		 (int)(broken->key.len < 128 ? broken->key.len : 128), broken->key.ptr);
	return audit_add(w, "state.reset", subject, why->text, err);
}

/* A state that cannot be read: an older one, or its birth, and a longer fold. */
static int
replace_broken(struct worker *w, struct recovery *r, struct site *s, const struct checkpoint_state *broken,
	       struct err *why, struct err *err)
{
	struct checkpoint_state older;
	struct state_view v = { .key = broken->key, .born = broken->born, .active_us = broken->active_us };
	struct vector positions = { 0 };
	int64_t before = broken->positions[0];
	void *state = NULL;
	bool found;

	log_error(LOG_WARN, "a stored state cannot be read; taking an older one", why, "partition", LOG_I(s->partition),
		  "key", LOG_S(arena_copy(r->arena, broken->key).ptr), NULL);
	do {
		free(state);
		state = calloc(1, w->spec->state->size);
		if (!state)
			return err_set(err, REASON_NO_MEMORY, "states");
		if (checkpoint_get_rung(w->store, &s->claim, w->n_sources, broken->key, before, r->arena, &older,
					&found, err) < 0) {
			free(state);
			return -1;
		}
		before = found ? older.positions[0] : before;
	} while (found && w->spec->state->decode(older.bytes, state, NULL) < 0);
	if (found)
		memcpy(positions.at, older.positions, sizeof(older.positions));
	else if (birth_of(w, s, broken, &positions, why, err) < 0) {
		free(state);
		return -1;
	}
	for (size_t i = 0; i < w->n_sources; i++)
		if (positions.at[i] < s->from.at[i])
			s->from.at[i] = positions.at[i] < 0 ? 0 : positions.at[i];
	if (state_restore(w->states, s->partition, &v, state, &positions, true) < 0)
		return err_set(err, REASON_NO_MEMORY, "states");
	return 0;
}

static int
restore(struct worker *w, struct recovery *r, struct site *s, const struct checkpoint_state *stored, struct err *err)
{
	const struct state_view v = { stored->key, NULL, stored->born, stored->active_us };
	struct vector positions = { 0 };
	struct err why = ERR_INIT;
	void *state;

	if (!stored->bytes.ptr && !map_get(w->broken, stored->key)) {
		r->sleepers++;
		return state_asleep(w->states, s->partition, stored->key) < 0 ? err_set(err, REASON_NO_MEMORY, "states")
									      : 0;
	}
	r->states++;
	state = calloc(1, w->spec->state->size);
	if (!state)
		return err_set(err, REASON_NO_MEMORY, "states");
	if (w->spec->state->decode(stored->bytes, state, &why) < 0) {
		free(state);
		if (why.reason == REASON_NO_MEMORY) {
			*err = why;
			return -1;
		}
		return replace_broken(w, r, s, stored, &why, err);
	}
	memcpy(positions.at, stored->positions, sizeof(stored->positions));
	if (state_restore(w->states, s->partition, &v, state, &positions, false) < 0)
		return err_set(err, REASON_NO_MEMORY, "states");
	return 0;
}

static int
load_portion(struct worker *w, struct recovery *r, struct site *s, struct err *err)
{
	struct checkpoint_state *states;
	size_t n;

	if (!r->load && checkpoint_load_open(w->store, &s->claim, w->n_sources,
					     s->claim.active_us - w->state_opt.idle_ms * US_PER_MS, &r->load, err) < 0)
		return -1;
	arena_reset(r->arena);
	if (checkpoint_load_next(r->load, r->arena, &states, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (restore(w, r, s, &states[i], err) < 0)
			return -1;
	if (n == 0) {
		checkpoint_load_free(TAKE(r->load));
		s->loaded = true;
	}
	return 0;
}

static int
load_step(struct worker *w, struct recovery *r, struct err *err)
{
	struct site *s;

	while (r->which < r->n && (r->sites[r->which].loaded || !r->sites[r->which].rebuild))
		r->which++;
	if (r->which == r->n) {
		r->stage = STAGE_OPEN;
		r->loaded_us = clock_monotonic_us();
		return 0;
	}
	s = &r->sites[r->which];
	if (s->claim.fresh || s->claim.reached < 0) {
		s->loaded = true;
		return 0;
	}
	return load_portion(w, r, s, err) < 0
		   ? err_wrap(err, "%s[%" PRId32 "]: loading states", w->topics[0], s->partition)
		   : 0;
}

/* ---- OPEN ---- */

/* Policy reset: what would have to be folded is gone, so all states of the partition begin anew. */
static int
forget_all(struct worker *w, struct site *s, const char *topic, int64_t low, struct err *err)
{
	struct checkpoint_sources sources = { .n = w->n_sources };
	char subject[300], reason[300];

	for (size_t i = 0; i < w->n_sources; i++)
		sources.names[i] = source_name(w, i);
	snprintf(subject, sizeof(subject), "%s/%s/%" PRId32, w->base_group, w->topics[0], s->partition);
	snprintf(reason, sizeof(reason),
		 "%s[%" PRId32 "] begins at offset %" PRId64 ", states stood at %" PRId64 " (%zu loaded, %zu asleep)",
		 topic, s->partition, low, s->from.at[0], state_count(w->states), state_sleepers(w->states));
	if (checkpoint_rewind(w->store, &s->claim, &sources, 0, err) < 0 ||
	    audit_add(w, "state.reset", subject, reason, err) < 0)
		return -1;
	log_event(LOG_WARN, "states were reset", "subject", LOG_S(subject), "reason", LOG_S(reason), NULL);
	state_drop(w->states, s->partition);
	s->from = s->at = s->to;
	return state_stand(w->states, s->partition, &s->to, clock_monotonic_us()) < 0
		   ? err_set(err, REASON_NO_MEMORY, "states")
		   : 0;
}

/* Are the records that the states need still there? */
static int
check_log(struct worker *w, struct site *s, struct err *err)
{
	for (size_t i = 0; i < w->n_sources; i++) {
		int64_t low, high;

		if (s->from.at[i] >= s->to.at[i])
			continue;
		if (consumer_watermarks(w->consumer, source_name(w, i), s->partition, LOOKUP_TIMEOUT_MS, &low, &high,
					err) < 0)
			return -1;
		if (low <= s->from.at[i])
			continue;
		if (i == journal_at(w) && low <= s->to.at[i]) {
			s->from.at[i] = low; /* what it says of offsets before the frontier is of no use anyway */
			continue;
		}
		if (w->state_opt.recovery_policy == RECOVERY_FAIL)
			return err_set(
			    err, REASON_OFFSET_GONE,
			    "%s[%" PRId32 "]: states stand at offset %" PRId64 ", the log begins at %" PRId64
			    ": records in between were deleted (recovery.policy=reset begins with empty states)",
			    source_name(w, i), s->partition, s->from.at[i], low);
		return forget_all(w, s, source_name(w, i), low, err);
	}
	return 0;
}

/* Where to end: at what was processed before, or where the plan says; a source that it does not name, where it ends now. */
static int
range_end(struct worker *w, struct site *s, size_t source, int64_t *end, struct err *err)
{
	const struct held *h;
	int64_t low;

	*end = s->to.at[source];
	if (!plan_follows(w) || source == journal_at(w))
		return 0;
	h = assignment_find(w, source_name(w, source), s->partition);
	*end = h ? h->end : 0;
	if (*end < INT64_MAX)
		return 0;
	return consumer_watermarks(w->consumer, source_name(w, source), s->partition, LOOKUP_TIMEOUT_MS, &low, end,
				   err);
}

/* *N: how many ranges were added; none where there is nothing to fold. */
static int
site_ranges(struct worker *w, struct site *s, struct range *ranges, size_t *n, struct err *err)
{
	bool any = false;

	for (size_t i = 0; i < w->n_sources; i++) {
		ranges[i] = (struct range){ source_name(w, i), s->partition, s->from.at[i], 0 };
		if (range_end(w, s, i, &ranges[i].to, err) < 0)
			return -1;
		any |= i < journal_at(w) && ranges[i].from < ranges[i].to;
	}
	*n = any ? w->n_sources : 0;
	return 0;
}

static int
open_folds(struct worker *w, struct recovery *r, struct range *ranges, struct err *err)
{
	size_t n = 0;

	for (size_t k = 0; k < r->n; k++) {
		struct site *s = &r->sites[k];
		size_t more;

		s->fold = (struct fold){ .ended = true };
		if (!s->rebuild)
			continue;
		if (site_ranges(w, s, ranges + n, &more, err) < 0)
			return -1;
		if (!more)
			continue;
		s->fold = (struct fold){ .w = w,
					 .partition = s->partition,
					 .first = n,
					 .n_sources = w->n_sources,
					 .group = span_of(plan_source_group(w)),
					 .end = ranges[n].to,
					 .sides_end = !plan_follows(w) || plan_names_sides(w) };
		if (fold_init(&s->fold, err) < 0)
			return -1;
		r->total += ranges[n].to - ranges[n].from;
		n += more;
	}
	if (!n)
		return 0;
	if (reader_new(worker_client(w), ranges, n, w->opt.queue_max_bytes, &r->reader, err) < 0)
		return -1;
	for (size_t k = 0; k < r->n; k++)
		r->sites[k].fold.reader = r->reader;
	return 0;
}

static int
open_step(struct worker *w, struct recovery *r, struct err *err)
{
	CLEANUP(heap_free)
	struct range *ranges = calloc(r->n * w->n_sources + 1, sizeof(*ranges));

	if (!ranges)
		return err_set(err, REASON_NO_MEMORY, "recovery");
	for (size_t k = 0; k < r->n; k++)
		if (r->sites[k].rebuild && check_log(w, &r->sites[k], err) < 0)
			return -1;
	if (open_folds(w, r, ranges, err) < 0)
		return -1;
	if (r->total > w->state_opt.recovery_max_records)
		log_event(LOG_WARN, "many records to fold again: states were stored too seldom", "records",
			  LOG_I(r->total), "recovery.max.records", LOG_I(w->state_opt.recovery_max_records), NULL);
	r->stage = STAGE_FOLD;
	r->which = 0;
	state_refold(w->states, true);
	w->silent = true;
	return 0;
}

/* ---- FOLD ---- */

/* What was folded so far is kept for good. */
static int
pseudo_commit(struct worker *w, struct recovery *r, struct site *s, struct err *err)
{
	struct context ctx = { .w = w };

	r->folded = 0;
	if (w->spec->flush && w->spec->flush(w->self, &ctx, err) < 0)
		return -1;
	batch_reset(&w->batch);
	if (state_commit(w->states) < 0 || state_stand(w->states, s->partition, &s->at, clock_monotonic_us()) < 0)
		return err_set(err, REASON_NO_MEMORY, "states");
	return 0;
}

static int
fold_record(struct worker *w, struct recovery *r, struct site *s, const struct fold_record *f, struct err *err)
{
	struct held *h = assignment_find(w, f->record.topic, s->partition);
	struct input in;
	int result;

	if (!h)
		return err_set(err, REASON_INTERNAL, "%s[%" PRId32 "] is not held", f->record.topic, s->partition);
	in = process_input_of(h, &f->record);
	w->folding = &s->fold;
	result = f->skipped ? 0 : process_silently(w, h, &in, err);
	w->folding = NULL;
	if (result < 0)
		return -1;
	s->at.at[f->source] = f->record.offset + 1;
	r->records += f->source == 0;
	fold_pop(&s->fold, f);
	return ++r->folded >= PSEUDO_BATCH ? pseudo_commit(w, r, s, err) : 0;
}

/* Was it processed before?  In a bounded run, records after its start are new.  States as of the start may hold what others
 * sent just before it. */
static bool
is_past(const struct site *s, const struct fold_record *f)
{
	int64_t to = s->to.at[f->source];

	if (to >= 0)
		return f->record.offset < to;
	return f->clock < s->to.at[0] || (f->clock == s->to.at[0] && !s->claim.fresh);
}

static void
tell_progress(struct worker *w, struct recovery *r, int64_t now)
{
	char text[120];

	if (now - r->logged_us < LOG_EVERY_US)
		return;
	r->logged_us = now;
	snprintf(text, sizeof(text), "folding again: %" PRId64 " of about %" PRId64 " records", r->records, r->total);
	lifecycle_show(w, text);
	log_event(LOG_INFO, "folding again", "records", LOG_I(r->records), "of_about", LOG_I(r->total), NULL);
}

/* All that was processed before is folded.  Where a bounded run has no offset of a source yet, the fold has found it. */
static void
arrive(struct worker *w, struct site *s)
{
	for (size_t i = 0; i < w->n_sources; i++) {
		struct held *h = i < journal_at(w) ? assignment_find(w, source_name(w, i), s->partition) : NULL;

		if (s->to.at[i] >= 0)
			s->at.at[i] = s->to.at[i];
		else if (h)
			h->next = s->at.at[i];
	}
}

static int
fold_end(struct worker *w, struct recovery *r, struct site *s, struct err *err)
{
	if (pseudo_commit(w, r, s, err) < 0)
		return -1;
	if (s->fold.unjournaled)
		log_event(LOG_WARN, "the journal does not say where these were applied; applied last", "records",
			  LOG_I(s->fold.unjournaled), "partition", LOG_I(s->partition), NULL);
	arrive(w, s);
	state_refold_end(w->states, s->partition);
	if (state_stand(w->states, s->partition, &s->at, clock_monotonic_us()) < 0)
		return err_set(err, REASON_NO_MEMORY, "states");
	r->which++;
	return 0;
}

static int
fold_step(struct worker *w, struct recovery *r, struct err *err)
{
	int64_t until = clock_monotonic_us() + STEP_US, now = 0;

	while (r->which < r->n && (now = clock_monotonic_us()) < until) {
		struct site *s = &r->sites[r->which];
		struct fold_record f;

		if (s->fold.ended) {
			if (s->rebuild && fold_end(w, r, s, err) < 0)
				return -1;
			r->which += !s->rebuild;
			continue;
		}
		switch (fold_peek(&s->fold, PEEK_MS, &f, err)) {
		case FOLD_RECORD:
			if (!is_past(s, &f) ? fold_end(w, r, s, err) < 0 : fold_record(w, r, s, &f, err) < 0)
				return -1;
			break;
		case FOLD_END: break;
		case FOLD_NOTHING: tell_progress(w, r, now); return 0;
		case FOLD_TROUBLE: return -1;
		}
	}
	tell_progress(w, r, now);
	return 0;
}

/* ---- the steps ---- */

static void
finish(struct worker *w, struct recovery *r)
{
	int64_t now = clock_monotonic_us();

	state_refold(w->states, false);
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
	case STAGE_LOAD: result = load_step(w, r, err); break;
	case STAGE_OPEN: result = open_step(w, r, err); break;
	case STAGE_FOLD: result = fold_step(w, r, err); break;
	case STAGE_LIVE: return RECOVERY_DONE;
	}
	if (result < 0)
		return RECOVERY_FAILED;
	if (r->stage != STAGE_FOLD || r->which < r->n)
		return RECOVERY_GOES_ON;
	finish(w, r);
	return RECOVERY_DONE;
}

/* ---- a bounded run ---- */

bool
recovery_follows(const struct worker *w)
{
	return w->recovery && w->recovery->stage == STAGE_LIVE;
}

bool
recovery_followed(const struct worker *w)
{
	for (size_t i = 0; i < w->recovery->n; i++)
		if (!w->recovery->sites[i].fold.ended)
			return false;
	return true;
}

int
recovery_follow(struct worker *w, bool *more, struct err *err)
{
	struct recovery *r = w->recovery;
	struct fold_record f;
	struct site *s;
	int result;

	*more = false;
	while (r->which < r->n && r->sites[r->which].fold.ended)
		r->which++;
	if (r->which == r->n)
		return 0;
	s = &r->sites[r->which];
	switch (fold_peek(&s->fold, PEEK_MS, &f, err)) {
	case FOLD_RECORD: break;
	case FOLD_END: process_passed_all(w, s->partition); return 0;
	case FOLD_NOTHING: return 0;
	case FOLD_TROUBLE: return loop_trouble(w, PHASE_LOADING, err);
	}
	*more = true;
	w->folding = &s->fold;
	result = process_given(w, &f.record, f.skipped, err);
	w->folding = NULL;
	if (result == 0 && w->phase == PHASE_RUNNING && w->recovery == r)
		fold_pop(&s->fold, &f);
	return result;
}

/* ---- sleepers, notes ---- */

int
recovery_wake(struct worker *w, int32_t partition, struct span key, struct err *err)
{
	const struct claim *claim = claims_find(w, partition);
	struct checkpoint_state stored;
	struct vector positions = { 0 };
	struct err why = ERR_INIT;
	struct state_view v;
	void *state;
	bool found;

	if (!claim)
		return err_set(err, REASON_INTERNAL, "partition %" PRId32 " is not claimed", partition);
	if (checkpoint_get(w->store, &claim->row, w->n_sources, key, w->batch.arena, &stored, &found, err) < 0)
		return err_wrap(err, "waking the state of key \"%.*s\"", SPAN_ARG(key));
	metric_add(w->meters.wakes, 1);
	if (!found) {
		state_unknown(w->states, partition, key);
		return 0;
	}
	state = calloc(1, w->spec->state->size);
	if (!state)
		return err_set(err, REASON_NO_MEMORY, "states");
	if (w->spec->state->decode(stored.bytes, state, &why) < 0) {
		free(state);
		/* Loading all states again will take an older one of this key. */
		if (map_put(w->broken, key, w) < 0)
			return err_set(err, REASON_NO_MEMORY, "states");
		w->rebuild = true;
		return err_set(err, REASON_TRANSACTION_ABORTED, "key \"%.*s\": %s", SPAN_ARG(key), why.text);
	}
	memcpy(positions.at, stored.positions, sizeof(stored.positions));
	v = (struct state_view){ key, NULL, stored.born, stored.active_us };
	if (state_restore(w->states, partition, &v, state, &positions, false) == 0)
		return 0;
	return err_set(err, REASON_NO_MEMORY, "states");
}

bool
recovery_recall(struct context *ctx, struct span key, struct span *value)
{
	const struct fold *f = ctx->w->folding;
	const struct held *h;

	if (!f)
		return false;
	h = assignment_find(ctx->w, ctx->input->topic, ctx->input->partition);
	*value = fold_note(f, h->source, ctx->input->offset, key);
	return true;
}
