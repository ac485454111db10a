/* workbench.c -- the least that a worker's hooks need around them. */
#include "tests/support/workbench_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void
workbench_drop(const struct state_type *type, void **state)
{
	if (*state && type->clear)
		type->clear(*state);
	free(*state);
	*state = NULL;
}

static void
entry_free(void *p)
{
	struct entry *e = p;

	workbench_drop(e->type, &e->now);
	workbench_drop(e->type, &e->before);
	free(e);
}

static void
text_free(void *p)
{
	buffer_clear(p);
	free(p);
}

struct workbench *
workbench_new(const struct worker_spec *spec, void *self)
{
	struct workbench *b = calloc(1, sizeof(*b));
	const char *schemas = getenv("FOREBAY_SCHEMA_DIR");
	struct err err = ERR_INIT;

	assert_non_null(b);
	b->worker.spec = spec;
	snprintf(b->worker.topic, sizeof(b->worker.topic), "%.*s", (int)strcspn(spec->topics, ","), spec->topics);
	b->worker.topics[0] = b->worker.topic;
	b->self = self;
	b->call = arena_new(1 << 16, 1 << 20);
	b->batch = arena_new(1 << 16, 1 << 20);
	b->states = map_new(entry_free);
	b->sent = map_new(text_free);
	b->noted = map_new(text_free);
	b->down_after = -1;
	if (metrics_new(&b->worker.metrics, &err) < 0 ||
	    registry_new("file:", schemas ? schemas : "schemas", &b->worker.registry, &err) < 0 ||
	    spec->open(self, &b->worker, &err) < 0)
		fail_msg("%s", err.text);
	return b;
}

void
workbench_free(struct workbench *b)
{
	if (!b)
		return;
	if (b->worker.spec->close)
		b->worker.spec->close(b->self);
	for (size_t i = 0; i < b->worker.n_inputs; i++)
		codec_free(b->worker.inputs[i]);
	for (size_t i = 0; i < b->worker.n_outputs; i++) {
		codec_free(b->worker.outputs[i]->codec);
		free(b->worker.outputs[i]->topic);
		free(b->worker.outputs[i]);
	}
	metrics_free(b->worker.metrics);
	registry_free(b->worker.registry);
	map_free(b->states);
	map_free(b->sent);
	map_free(b->noted);
	arena_free(b->call);
	arena_free(b->batch);
	free(b->emissions);
	free(b);
}

/* ---- what the hooks call ---- */

struct metrics *
worker_metrics(struct worker *w)
{
	return w->metrics;
}

const struct worker_options *
worker_opts(const struct worker *w)
{
	static const struct worker_options patient = { .transaction_timeout_ms = 3600000 }; /* no test is about time */

	return &patient;
}

int64_t
worker_state_max_bytes(const struct worker *w)
{
	return 1 << 20;
}

bool
worker_bounded(const struct worker *w)
{
	return false;
}

const char *const *
worker_topics(const struct worker *w, size_t *n)
{
	*n = 1;
	return w->topics;
}

int
worker_input(struct worker *w, const char *topic, const struct record_type *type, struct codec **ret, struct err *err)
{
	assert_true(w->n_inputs < ARRAY_LEN(w->inputs));
	if (codec_new(w->registry, type, topic, ret, err) < 0)
		return -1;
	w->inputs[w->n_inputs++] = *ret;
	return 0;
}

int
worker_output(struct worker *w, const char *topic, const struct record_type *type, struct output **ret, struct err *err)
{
	struct output *o = calloc(1, sizeof(*o));

	assert_true(o && w->n_outputs < ARRAY_LEN(w->outputs));
	o->topic = strdup(topic);
	w->outputs[w->n_outputs++] = *ret = o;
	return type ? codec_new(w->registry, type, topic, &o->codec, err) : 0;
}

struct arena *
context_arena(struct context *ctx)
{
	return ctx->b->call;
}

struct arena *
context_batch_arena(struct context *ctx)
{
	return ctx->b->batch;
}

void
context_event_time(struct context *ctx, int64_t event_us)
{
	assert_non_null(ctx->input);
}

void *
context_state(struct context *ctx, struct span key, struct err *err)
{
	const struct state_type *type = ctx->b->worker.spec->state;
	struct entry *e = map_get(ctx->b->states, key);

	if (!ctx->input)
		return e && e->touched ? e->now : NULL;
	if (ctx->b->down_after >= 0 && ctx->b->down_after-- == 0) {
		err_set(err, REASON_STORE_DOWN, "the test says so");
		return NULL;
	}
	if (!e) {
		e = calloc(1, sizeof(*e));
		assert_non_null(e);
		*e = (struct entry){ type, calloc(1, type->size), NULL, true, true };
		assert_int_equal(map_put(ctx->b->states, key, e), 0);
	} else if (!e->touched) {
		e->before = calloc(1, type->size);
		assert_non_null(e->before);
		assert_int_equal(type->copy(e->before, e->now), 0);
		e->touched = true;
	}
	return e->now;
}

bool
context_silent(const struct context *ctx)
{
	return ctx->b->silent;
}

/* Where a note is kept: the number of the record, and the key. */
static struct span
note_name(struct workbench *b, struct span key)
{
	struct span name = { arena_printf(b->batch, "%lld %.*s", (long long)b->offset, SPAN_ARG(key)), 0 };

	assert_non_null(name.ptr);
	name.len = strlen(name.ptr);
	return name;
}

bool
context_recall(struct context *ctx, struct span key, struct span *value)
{
	const struct workbench *from = ctx->b->recalls;
	const struct buffer *found = from ? map_get(from->noted, note_name(ctx->b, key)) : NULL;

	if (!ctx->b->silent)
		return false;
	*value = found ? buffer_span(found) : SPAN_NONE;
	return true;
}

int
context_note(struct context *ctx, struct span key, struct span value, struct err *err)
{
	struct workbench *b = ctx->b;

	assert_false(b->silent);
	assert_true(b->n_noted < ARRAY_LEN(b->notes));
	b->notes[b->n_noted++] = (struct note){ note_name(b, key), arena_copy(b->batch, value) };
	return 0;
}

int
context_emit(struct context *ctx, struct output *out, struct span key, const void *record, struct err *err)
{
	struct workbench *b = ctx->b;
	CLEANUP(buffer_clear) struct buffer value = BUFFER_INIT(0);
	const struct span *raw = record;

	if (b->silent)
		return 0;
	if (out->codec ? codec_encode(out->codec, record, &value, err) < 0
		       : buffer_append(&value, raw->ptr, raw->len) < 0)
		return -1;
	if (b->n == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 64;
		b->emissions = realloc(b->emissions, b->cap * sizeof(*b->emissions));
		assert_non_null(b->emissions);
	}
	b->emissions[b->n++] =
	    (struct emission){ out, arena_copy(b->batch, key), arena_copy(b->batch, buffer_span(&value)) };
	return 0;
}

int
context_emit_at(struct context *ctx, struct output *out, struct span key, const void *record, int64_t stamp_us,
		struct err *err)
{
	(void)stamp_us;
	return context_emit(ctx, out, key, record, err);
}

/* ---- what the test calls ---- */

int
workbench_bytes(struct workbench *b, const char *topic, const char *key, struct span value, struct err *err)
{
	const struct input in = { .topic = topic, .key = span_of(key), .value = value };
	struct context ctx = { b, &in };
	int result = b->worker.spec->record(b->self, &ctx, &in, err);

	b->n = result < 0 ? b->n_done : b->n;
	b->n_done = b->n;
	b->n_noted = result < 0 ? b->n_noted_done : b->n_noted;
	b->n_noted_done = b->n_noted;
	b->offset += result == 0 || err_class(err) == ERR_RECORD;
	arena_reset(b->call);
	return result;
}

int
workbench_record(struct workbench *b, const char *topic, const struct record_type *type, const char *key,
		 const void *record, struct err *err)
{
	CLEANUP(buffer_clear) struct buffer value = BUFFER_INIT(0);
	CLEANUP(codec_free) struct codec *codec = NULL;

	if (codec_new(b->worker.registry, type, topic, &codec, err) < 0 || codec_encode(codec, record, &value, err) < 0)
		fail_msg("%s", err->text);
	return workbench_bytes(b, topic, key, buffer_span(&value), err);
}

static void
deliver(struct workbench *b, const struct emission *e)
{
	struct buffer *text = map_get(b->sent, e->key);
	struct err err = ERR_INIT;

	if (!text) {
		text = calloc(1, sizeof(*text));
		assert_non_null(text);
		assert_int_equal(map_put(b->sent, e->key, text), 0);
	}
	buffer_printf(text, "%s: ", e->output->topic);
	if (codec_to_json(b->worker.registry, e->value, SPAN_NONE, text, &err) < 0)
		fail_msg("%s", err.text);
	buffer_text(text, "\n");
	assert_int_equal(buffer_reserve(text, 1), 0);
	text->ptr[text->len] = '\0';
}

static void
keep_note(struct workbench *b, const struct note *note)
{
	struct buffer *value = calloc(1, sizeof(*value));

	assert_non_null(value);
	assert_int_equal(buffer_append(value, note->value.ptr, note->value.len), 0);
	assert_int_equal(map_put(b->noted, note->name, value), 0);
}

static void
next_transaction(struct workbench *b)
{
	b->n = b->n_done = 0;
	b->n_noted = b->n_noted_done = 0;
	arena_reset(b->call);
	arena_reset(b->batch);
}

void
workbench_commit(struct workbench *b)
{
	struct context ctx = { b, NULL };
	struct err err = ERR_INIT;
	struct span key;
	void *value;

	if (b->worker.spec->flush && b->worker.spec->flush(b->self, &ctx, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < b->n; i++)
		deliver(b, &b->emissions[i]);
	for (size_t i = 0; i < b->n_noted; i++)
		keep_note(b, &b->notes[i]);
	b->committed = b->offset;
	for (size_t at = 0; map_next(b->states, &at, &key, &value);) {
		struct entry *e = value;

		workbench_drop(e->type, &e->before);
		e->touched = e->fresh = false;
	}
	next_transaction(b);
}

void
workbench_abort(struct workbench *b)
{
	struct span key;
	void *value;

	for (size_t at = 0; map_next(b->states, &at, &key, &value);) {
		struct entry *e = value;

		if (e->fresh) {
			entry_free(map_take(b->states, key));
		} else if (e->touched) {
			workbench_drop(e->type, &e->now);
			e->now = e->before;
			e->before = NULL;
			e->touched = false;
		}
	}
	b->offset = b->committed;
	next_transaction(b);
}

const char *
workbench_sent(struct workbench *b, const char *key)
{
	const struct buffer *text = map_get(b->sent, span_of(key));

	return text ? text->ptr : "";
}

size_t
workbench_count(struct workbench *b, const char *key, const char *text)
{
	size_t n = 0;

	for (const char *at = workbench_sent(b, key); (at = strstr(at, text)); at += strlen(text))
		n++;
	return n;
}

/* Is TEXT in the line at AT? */
static bool
line_has(const char *at, const char *text)
{
	const char *found = strstr(at, text);

	return found && found < at + strcspn(at, "\n");
}

size_t
workbench_lines(struct workbench *b, const char *key, const char *one, const char *two)
{
	size_t n = 0;

	for (const char *at = workbench_sent(b, key); *at; at += strcspn(at, "\n") + 1)
		n += line_has(at, one) && line_has(at, two);
	return n;
}

size_t
workbench_states(const struct workbench *b)
{
	return map_count(b->states);
}
