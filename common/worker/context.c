/* context.c -- what a worker may do during a call.  Nothing here reaches the outside before the call succeeds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/worker/internal.h"
#include "common/worker/names.h"

struct span
input_header(const struct input *in, const char *name)
{
	return in->message ? consumed_header(in->message, name) : SPAN_NONE;
}

struct metrics *
worker_metrics(struct worker *w)
{
	return w->metrics;
}

struct registry *
worker_registry(struct worker *w)
{
	return w->registry;
}

const struct worker_options *
worker_opts(const struct worker *w)
{
	return &w->opt;
}

const char *
worker_group(const struct worker *w)
{
	return w->group;
}

const char *
worker_instance(const struct worker *w)
{
	return w->instance;
}

const char *
worker_postgres_uri(const struct worker *w)
{
	return w->state_opt.postgres_uri;
}

int64_t
worker_state_max_bytes(const struct worker *w)
{
	return w->state_opt.key_max_bytes;
}

bool
worker_bounded(const struct worker *w)
{
	return plan_bounded(w);
}

const char *const *
worker_topics(const struct worker *w, size_t *n)
{
	*n = w->n_topics;
	return (const char *const *)w->topics;
}

/* A registry that does not answer is waited for, so that open() need not be called twice. */
static int
new_codec(struct worker *w, const char *topic, const struct record_type *type, struct codec **ret, struct err *err)
{
	while (codec_new(w->registry, type, topic, ret, err) < 0) {
		err_wrap(err, "topic %s", topic);
		if (worker_wait(w, err) < 0)
			return -1;
	}
	return 0;
}

int
worker_input(struct worker *w, const char *topic, const struct record_type *type, struct codec **ret, struct err *err)
{
	struct codec **grown = realloc(w->codecs, (w->n_codecs + 1) * sizeof(struct codec *));

	if (!grown)
		return err_set(err, REASON_NO_MEMORY, "codec");
	w->codecs = grown;
	if (new_codec(w, topic, type, &grown[w->n_codecs], err) < 0)
		return -1;
	*ret = grown[w->n_codecs++];
	return 0;
}

static char *
output_name(const struct worker *w, const char *topic)
{
	char *name;

	if (w->opt.run_outputs != OUTPUTS_SHADOW)
		return strdup(topic);
	return asprintf(&name, "%s.%s", topic, w->opt.run_id) < 0 ? NULL : name;
}

int
worker_output(struct worker *w, const char *topic, const struct record_type *type, struct output **ret, struct err *err)
{
	struct output **grown = realloc(w->outputs, (w->n_outputs + 1) * sizeof(struct output *));
	struct output *out;

	if (!grown)
		return err_set(err, REASON_NO_MEMORY, "output");
	w->outputs = grown;
	out = calloc(1, sizeof(*out));
	if (!out || !(out->topic = output_name(w, topic))) {
		free(out);
		return err_set(err, REASON_NO_MEMORY, "output");
	}
	if (names_check_output(out->topic, w->topics, w->n_topics, w->side_topics, w->n_side, err) < 0) {
		free(out->topic);
		free(out);
		return -1;
	}
	grown[w->n_outputs++] = out;
	if (type && new_codec(w, topic, type, &out->codec, err) < 0)
		return -1;
	*ret = out;
	return 0;
}

struct arena *
context_arena(struct context *ctx)
{
	return ctx->w->batch.call_arena;
}

struct arena *
context_batch_arena(struct context *ctx)
{
	return ctx->w->batch.arena;
}

void *
context_state(struct context *ctx, struct span key, struct err *err)
{
	struct worker *w = ctx->w;
	void *state;

	if (!ctx->input)
		return state_in_use(w->states, key);
	for (;;)
		switch (state_get(w->states, key, &state)) {
		case STATE_HERE: return state;
		case STATE_ASLEEP:
			if (recovery_wake(w, ctx->input->partition, key, err) < 0)
				return NULL;
			break;
		case STATE_NO_MEMORY: err_set(err, REASON_NO_MEMORY, "state of a key"); return NULL;
		}
}

bool
context_silent(const struct context *ctx)
{
	return ctx->w->silent;
}

bool
context_recall(struct context *ctx, struct span key, struct span *value)
{
	return recovery_recall(ctx, key, value);
}

int
context_note(struct context *ctx, struct span key, struct span value, struct err *err)
{
	const struct held *h = assignment_find(ctx->w, ctx->input->topic, ctx->input->partition);

	return ctx->w->states ? journal_note(ctx->w, h, ctx->input->offset, key, value, err) : 0;
}

int
context_emit(struct context *ctx, struct output *out, struct span key, const void *record, struct err *err)
{
	return context_emit_at(ctx, out, key, record, TIME_NONE, err);
}

int
context_emit_at(struct context *ctx, struct output *out, struct span key, const void *record, int64_t stamp_us,
		struct err *err)
{
	struct batch *b = &ctx->w->batch;
	const struct span *raw = record;
	size_t start = b->values.len;
	struct emission *grown;
	struct span kept;

	if (ctx->w->silent)
		return 0;
	grown = batch_grow(b->emissions, b->n_emissions, &b->cap_emissions, sizeof(*grown));
	kept = arena_copy(b->call_arena, key);
	if (!grown || (key.ptr && !kept.ptr))
		return err_set(err, REASON_NO_MEMORY, "emit");
	b->emissions = grown;
	if (out->codec) {
		if (codec_encode(out->codec, record, &b->values, err) < 0) {
			b->spoilt |= ctx->input && ctx->w->states; /* the state may have changed already */
			return err_wrap(err, "topic %s", out->topic);
		}
	} else if (buffer_append(&b->values, raw->ptr, raw->len) < 0) {
		return err_set(err, REASON_NO_MEMORY, "emit");
	}
	grown[b->n_emissions++] = (struct emission){ out, kept, start, b->values.len - start, stamp_us };
	return 0;
}

int
context_dead_letter(struct context *ctx, const struct input *in, const struct err *why, struct err *err)
{
	return batch_letter(ctx->w, in, why, false, err);
}

int
context_redeliver(struct context *ctx, const struct input *in, const struct err *why, struct err *err)
{
	return batch_letter(ctx->w, in, why, true, err);
}

void
context_event_time(struct context *ctx, int64_t event_us)
{
	ctx->event_us = event_us;
}
