/*
 * announce.c -- told under a turn of its own (store/models.h), so that two who tell never leave the older standing behind the
 * newer one.  A version counts as told once every partition's broker has acknowledged it; whatever fails before is told again
 * by the next call.
 */
#include "common/worker/announce.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/kafka/admin.h"
#include "common/kafka/producer.h"
#include "common/record/codec.h"
#include "common/record/model.h"
#include "common/store/models.h"

#define ASK_MS 15000
#define APPEAR_MS 5000
#define FLUSH_MS 60000
#define VALUE_MAX_BYTES ((size_t)1 << 20) /* without artefacts: a few hundred bytes */

struct announcement {
	const char *topic;
	int32_t partitions;
	struct producer *producer;
	struct codec *codec;
	struct buffer value;
	struct err refused; /* the first refusal of a broker */
};

static void
announcement_clear_cleanup(struct announcement *a)
{
	producer_free(a->producer);
	codec_free(a->codec);
	buffer_clear(&a->value);
}

static void
on_refused(void *ctx, void *opaque, const char *topic, int32_t partition, const struct err *why)
{
	struct announcement *a = ctx;

	(void)opaque, (void)topic, (void)partition;
	if (a->refused.reason == REASON_NONE)
		a->refused = *why;
}

/* How many partitions TOPIC has: asked of the cluster, which answers sooner than a producer that looks for a topic in vain.  A
 * topic that was just created is not known to every broker at once. */
static int
count_partitions(const struct client_config *client, struct arena *arena, struct announcement *a, struct err *err)
{
	int64_t until_us = clock_monotonic_us() + APPEAR_MS * US_PER_MS;
	CLEANUP(cluster_close)
	struct cluster *cluster = NULL;
	struct cluster_topic *topics;
	size_t n;

	if (cluster_open(client, ASK_MS, &cluster, err) < 0)
		return -1;
	for (;; clock_sleep_us(250 * US_PER_MS)) {
		if (cluster_topics(cluster, arena, &topics, &n, err) < 0)
			return -1;
		for (size_t i = 0; i < n; i++)
			if (strcmp(topics[i].name, a->topic) == 0)
				a->partitions = topics[i].partitions;
		if (a->partitions > 0)
			return 0;
		if (clock_monotonic_us() >= until_us)
			return err_set(err, REASON_TOPIC_MISSING, "topic %s does not exist at %s", a->topic,
				       client->bootstrap_servers);
	}
}

static int
prepare(struct announcement *a, struct registry *registry, const struct client_config *client, struct arena *arena,
	struct err *err)
{
	const struct producer_options options = {
		.queue_max_bytes = 64 << 20,
		.linger_ms = 5,
		.message_max_bytes = 2 * VALUE_MAX_BYTES, /* the topic's own limit is the one that counts */
	};

	if (count_partitions(client, arena, a, err) < 0 ||
	    codec_new(registry, &model_record, a->topic, &a->codec, err) < 0)
		return -1;
	return producer_new(client, &options, on_refused, a, &a->producer, err);
}

/* To every partition. */
static int
send(struct announcement *a, struct arena *arena, const struct model *m, struct err *err)
{
	struct model said = *m;
	char *key = arena_printf(arena, "%.*s/%.*s", SPAN_ARG(m->name), SPAN_ARG(m->version));
	char *uri = key ? arena_printf(arena, ANNOUNCE_URI "%s", key) : NULL;
	struct producer_record record = { .topic = a->topic, .key = span_of(key) };

	if (!uri)
		return err_set(err, REASON_NO_MEMORY, "topic %s", a->topic);
	said.artefact = SPAN_NONE;
	said.uri = span_of(uri);
	a->value.len = 0;
	if (codec_encode(a->codec, &said, &a->value, err) < 0)
		return err_wrap(err, "model %s", key);
	record.value = buffer_span(&a->value);
	for (; record.partition < a->partitions; record.partition++)
		if (producer_send(a->producer, &record, err) < 0)
			return err_wrap(err, "model %s", key);
	return 0;
}

static int
tell(struct announcement *a, struct store *store, const struct model *models, size_t n, struct arena *arena,
     struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (send(a, arena, &models[i], err) < 0)
			return -1;
	if (producer_flush(a->producer, FLUSH_MS, err) < 0)
		return -1;
	if (a->refused.reason != REASON_NONE) {
		if (err)
			*err = a->refused;
		return -1;
	}
	for (size_t i = 0; i < n; i++)
		if (models_told(store, &models[i], err) < 0)
			return -1;
	return 0;
}

/* It is our turn. */
static int
announce(struct announcement *a, struct store *store, struct registry *registry, const struct client_config *client,
	 size_t *told, struct err *err)
{
	CLEANUP(arena_free)
	struct arena *arena = arena_new(1 << 16, 0);
	struct model *models;
	size_t n;

	if (!arena)
		return err_set(err, REASON_NO_MEMORY, "topic %s", a->topic);
	if (models_untold(store, arena, &models, &n, err) < 0)
		return -1;
	if (n > 0 && (prepare(a, registry, client, arena, err) < 0 || tell(a, store, models, n, arena, err) < 0))
		return -1;
	*told = n;
	return 0;
}

int
announce_models(struct store *store, struct registry *registry, const struct client_config *client, const char *topic,
		size_t *told, struct err *err)
{
	CLEANUP(announcement_clear)
	struct announcement a = { .topic = topic, .value = BUFFER_INIT(VALUE_MAX_BYTES) };
	int failed;

	*told = 0;
	if (models_turn(store, err) < 0)
		return -1;
	failed = announce(&a, store, registry, client, told, err);
	models_turn_over(store);
	return failed;
}
