/* recovery_fold.c -- records are folded again up to where they were processed; a bounded run goes on from there. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/worker/recovery_site.h"

#define STEP_US (20 * US_PER_MS)
#define PSEUDO_BATCH 2000 /* records folded before what they did is kept for good */
#define LOG_EVERY_US (5 * US_PER_SECOND)

/* Are the records that the states need still there? */
static int
check_log(struct worker *w, struct site *s, struct err *err)
{
	for (size_t i = 0; i < w->n_sources; i++) {
		int64_t low, high;

		if (s->from.at[i] >= s->to.at[i])
			continue;
		if (consumer_watermarks(w->consumer, recovery_source(w, i), s->partition, LOOKUP_TIMEOUT_MS, &low,
					&high, err) < 0)
			return -1;
		/* The journal's is its end, which somebody's open transaction hides from who reads what is committed. */
		if (s->to.at[i] > high && i != recovery_journal_at(w) && !plan_bounded(w))
			return gap_refuse(w, recovery_source(w, i), s->partition, s->to.at[i], high, err);
		if (low <= s->from.at[i])
			continue;
		if (w->state_opt.recovery_policy == RECOVERY_FAIL)
			return err_set(
			    err, REASON_OFFSET_GONE,
			    "%s[%" PRId32 "]: states stand at offset %" PRId64 ", the log begins at %" PRId64
			    ": records in between were deleted (recovery.policy=reset begins with empty states)",
			    recovery_source(w, i), s->partition, s->from.at[i], low);
		return recovery_forget_all(w, s, recovery_source(w, i), low, err);
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
	if (!plan_follows(w) || source == recovery_journal_at(w))
		return 0;
	h = assignment_find(w, recovery_source(w, source), s->partition);
	*end = h ? h->end : 0;
	if (*end < INT64_MAX)
		return 0;
	return consumer_watermarks(w->consumer, recovery_source(w, source), s->partition, LOOKUP_TIMEOUT_MS, &low, end,
				   err);
}

/* *N: how many ranges were added; none where there is nothing to fold. */
static int
site_ranges(struct worker *w, struct site *s, struct range *ranges, size_t *n, struct err *err)
{
	bool any = false;

	for (size_t i = 0; i < w->n_sources; i++) {
		ranges[i] = (struct range){ recovery_source(w, i), s->partition, s->from.at[i], 0 };
		if (range_end(w, s, i, &ranges[i].to, err) < 0)
			return -1;
		any |= i < recovery_journal_at(w) && ranges[i].from < ranges[i].to;
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

int
recovery_open_step(struct worker *w, struct recovery *r, struct err *err)
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

/* Was it processed before?  In a bounded run, what comes at its start or later is new. */
static bool
is_past(const struct site *s, const struct fold_record *f)
{
	int64_t to = s->to.at[f->source];

	return to >= 0 ? f->record.offset < to : f->clock < s->to.at[0];
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

/* From where on the journal is needed for what comes. */
static int64_t
site_journal(const struct site *s)
{
	int64_t at = s->fold.n_sources ? fold_journal_position(&s->fold) : -1;

	return at >= 0 ? at : s->from.at[s->journal];
}

/* All that was processed before is folded.  Where a bounded run has no offset of a source yet, the fold has found it. */
static void
arrive(struct worker *w, struct site *s)
{
	for (size_t i = 0; i < w->n_sources; i++) {
		struct held *h =
		    i < recovery_journal_at(w) ? assignment_find(w, recovery_source(w, i), s->partition) : NULL;

		if (i == recovery_journal_at(w) && plan_follows(w))
			s->at.at[i] = site_journal(s);
		else if (s->to.at[i] >= 0)
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
	if (!plan_follows(w))
		state_refold_end(w->states, s->partition);
	if (state_stand(w->states, s->partition, &s->at, clock_monotonic_us()) < 0)
		return err_set(err, REASON_NO_MEMORY, "states");
	r->which++;
	return 0;
}

int
recovery_fold_step(struct worker *w, struct recovery *r, struct err *err)
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

int64_t
recovery_journal_position(const struct worker *w, int32_t partition)
{
	for (size_t i = 0; w->recovery && i < w->recovery->n; i++)
		if (w->recovery->sites[i].partition == partition)
			return site_journal(&w->recovery->sites[i]);
	return -1;
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
	case FOLD_TROUBLE: return process_undo(w, err);
	}
	*more = true;
	if (f.source == 0 && !s->live) {
		state_refold_end(w->states, s->partition); /* from here on all records are new to all states */
		s->live = true;
	}
	w->folding = &s->fold;
	result = process_given(w, &f.record, f.skipped, err);
	w->folding = NULL;
	if (result == 0 && w->phase == PHASE_RUNNING && w->recovery == r)
		fold_pop(&s->fold, &f);
	return result;
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
