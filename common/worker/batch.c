/* batch.c -- outputs wait until the call that made them succeeds; then they go to the producer, which copies. */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/worker/internal.h"

#define ARENA_BLOCK (256 << 10)
#define ARENA_KEEP (1 << 20)
#define VALUES_KEEP (1 << 20)

int
batch_init(struct batch *b, struct err *err)
{
	b->arena = arena_new(ARENA_BLOCK, ARENA_KEEP);
	b->call_arena = arena_new(ARENA_BLOCK, ARENA_KEEP);
	return b->arena && b->call_arena ? 0 : err_set(err, REASON_NO_MEMORY, "batch");
}

static void
inputs_free(struct batch *b)
{
	for (size_t i = 0; i < b->n_inputs; i++)
		consumed_free(b->inputs[i]->message);
	b->n_inputs = 0;
}

void
batch_reset(struct batch *b)
{
	inputs_free(b);
	b->n_emissions = b->n_letters = b->n_counts = b->n_timings = b->n_records = b->n_bytes = b->n_out =
	    b->bytes_out = b->n_journal = 0;
	b->begun_us = b->newest_ms = 0;
	b->kafka_open = b->flushed = b->stored = b->spoilt = false;
	b->values.len = 0;
	if (b->values.cap > VALUES_KEEP)
		buffer_clear(&b->values);
	arena_reset(b->arena);
	arena_reset(b->call_arena);
}

void
batch_clear(struct batch *b)
{
	inputs_free(b);
	arena_free(b->arena);
	arena_free(b->call_arena);
	buffer_clear(&b->values);
	free(b->emissions);
	free(b->inputs);
	free(b->letters);
	free(b->counts);
	free(b->timings);
	free(b->journal);
}

void *
batch_grow(void *items, size_t n, size_t *cap, size_t item_bytes)
{
	void *grown;

	if (n < *cap)
		return items;
	grown = realloc(items, (*cap ? *cap * 2 : 64) * item_bytes);
	if (grown)
		*cap = *cap ? *cap * 2 : 64;
	return grown;
}

/* Begin the producer's transaction if the guarantee asks for one. */
static int
kafka_begin(struct worker *w, struct err *err)
{
	if (w->batch.kafka_open || w->opt.guarantee != EXACTLY_ONCE_V2)
		return 0;
	if (transaction_begin(w->producer, err) < 0)
		return -1;
	w->batch.kafka_open = true;
	return 0;
}

int
batch_begin(struct worker *w, struct err *err)
{
	if (!w->batch.begun_us)
		w->batch.begun_us = clock_monotonic_us();
	/* With a store, Kafka's transaction begins at the end: the store may take its time. */
	return w->spec->store ? 0 : kafka_begin(w, err);
}

/* What a delivery report gives back: whether the record was a dead letter. */
static const char letter_mark;

void
commit_refused(void *ctx, void *opaque, const char *topic, int32_t partition, const struct err *why)
{
	struct worker *w = ctx;

	(void)topic, (void)partition;
	if (w->refusal.any)
		return; /* the first one tells the cause, the others follow from it */
	w->refusal = (struct refusal){ .any = true, .letter = opaque == &letter_mark, .why = *why };
}

int
batch_send(struct worker *w, const struct context *ctx, struct err *err)
{
	struct batch *b = &w->batch;
	int result = 0;

	for (size_t i = 0; i < b->n_emissions && result == 0; i++) {
		const struct emission *e = &b->emissions[i];
		int64_t ms = e->stamp_us != TIME_NONE ? e->stamp_us / 1000
			     : ctx->input             ? ctx->input->timestamp_us / 1000
						      : b->newest_ms;
		struct producer_record record = {
			.topic = e->out->topic,
			.partition = ctx->input && !w->spec->rekeys ? ctx->input->partition : PARTITION_BY_KEY,
			.key = e->key,
			.value = { b->values.ptr + e->start, e->len },
			.timestamp_ms = ms > 0 ? ms : 0,
		};

		result = producer_send(w->producer, &record, err);
		b->n_out++;
		b->bytes_out += e->key.len + e->len;
	}
	b->n_emissions = 0;
	b->values.len = 0;
	return result;
}

/* ---- dead letters ---- */

const char *
batch_letter_topic(struct worker *w, const char *topic)
{
	const char *shadow = w->opt.run_outputs == OUTPUTS_SHADOW ? w->opt.run_id : "", *chosen = w->opt.dlq_topic;

	return arena_printf(w->batch.arena, "%s%s%s%s", chosen[0] ? chosen : topic, chosen[0] ? "" : ".dlq",
			    shadow[0] ? "." : "", shadow);
}

int
batch_send_letter(struct worker *w, const struct input *in, const struct err *why, struct err *err)
{
	const struct conviction *c = conviction_find(w, in->topic, in->partition, in->offset);
	bool now = w->letters_now || (c && c->letter_refused);
	struct deadletter_source source = { in->topic, in->partition, in->offset, in->key, in->value, in->message };
	struct deadletter_origin origin = { w->spec->name, w->instance, deadletter_stage(why->reason), clock_real_us(),
					    now ? in->timestamp_us / 1000 : -1 };
	struct producer_record record = {
		.topic = batch_letter_topic(w, in->topic),
		.partition = w->opt.dlq_topic[0] ? PARTITION_BY_KEY : in->partition,
		.key = in->key,
		.value = in->value,
		.timestamp_ms = now || in->timestamp_us < 0 ? 0 : in->timestamp_us / 1000,
		.opaque = (void *)&letter_mark,
	};
	struct header *headers;

	if (!record.topic || kafka_begin(w, err) < 0 ||
	    deadletter_headers(&source, &origin, why, w->batch.arena, &headers, &record.n_headers, err) < 0)
		return -1;
	record.headers = headers;
	return producer_send(w->producer, &record, err);
}

int
batch_letter(struct worker *w, const struct input *in, const struct err *why, bool again, struct err *err)
{
	struct batch *b = &w->batch;
	struct letter_count *counts = batch_grow(b->counts, b->n_counts, &b->cap_counts, sizeof(*counts));
	struct dead_letter *letters;

	if (!counts)
		return err_set(err, REASON_NO_MEMORY, "dead letter");
	if (w->opt.run_outputs == OUTPUTS_NONE)
		return 0;
	if (b->n_records == 0)
		b->sole = (struct position){ in->topic, in->partition, in->offset };
	b->counts = counts;
	counts[b->n_counts++] = (struct letter_count){ in->topic, why->reason };
	if (w->opt.errors_log)
		log_error(LOG_WARN, again ? "dead letter delivered again" : "dead letter", why, "topic",
			  LOG_S(in->topic), "partition", LOG_I(in->partition), "offset", LOG_I(in->offset), "key",
			  LOG_S(w->opt.errors_log_messages ? arena_copy(b->arena, in->key).ptr : ""), NULL);
	if (!w->spec->store || again)
		return batch_send_letter(w, in, why, err);
	letters = batch_grow(b->letters, b->n_letters, &b->cap_letters, sizeof(*letters));
	if (!letters)
		return err_set(err, REASON_NO_MEMORY, "dead letter");
	b->letters = letters;
	letters[b->n_letters++] = (struct dead_letter){ in, *why };
	return 0;
}

/* ---- convictions ---- */

static struct span
conviction_key(char text[320], const char *topic, int32_t partition, int64_t offset)
{
	int n = snprintf(text, 320, "%s/%d/%lld", topic, partition, (long long)offset);

	return (struct span){ text, (size_t)n };
}

struct conviction *
conviction_find(struct worker *w, const char *topic, int32_t partition, int64_t offset)
{
	char text[320];

	if (map_count(w->convictions) == 0)
		return NULL;
	return map_get(w->convictions, conviction_key(text, topic, partition, offset));
}

int
conviction_add(struct worker *w, const struct conviction *c, struct err *err)
{
	struct conviction *copy = malloc(sizeof(*copy));
	char text[320];

	if (copy)
		*copy = *c;
	if (!copy || map_put(w->convictions, conviction_key(text, c->where.topic, c->where.partition, c->where.offset),
			     copy) < 0) {
		free(copy);
		return err_set(err, REASON_NO_MEMORY, "dead letter");
	}
	return 0;
}
