/* census.c -- see census.h.  Which topic counts as what is a table; dead letters beside it are those that the sink reads. */
#include "cli/census.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/distinct.h"
#include "cli/fleet.h"
#include "cli/readable.h"
#include "common/kafka/admin.h"
#include "common/kafka/scan.h"
#include "common/record/reading.h"

enum part { PART_RAW, PART_READINGS, PART_RAW_DEAD, PART_DEAD };

static const struct source {
	const char *topic;
	enum part part;
	bool needed;
} sources[] = {
	{ "telemetry.raw", PART_RAW, true },
	{ "telemetry.readings", PART_READINGS, true },
	{ "telemetry.deferred", PART_READINGS, false },
	{ "telemetry.raw.dlq", PART_RAW_DEAD, true },
};

/* What a census works with. */
struct work {
	struct census *census;
	struct codec *codec;
	struct distinct *distinct;
	struct arena *scratch;
	struct cluster *cluster;
	struct scan *scan;
};

/* ---- records ---- */

static int
count_reading(struct work *w, const struct consumed *record, struct err *err)
{
	struct span schema = consumed_header(record->message, "__value_schema_id");
	struct reading reading;

	arena_reset(w->scratch);
	if (codec_decode(w->codec, record->value, schema, w->scratch, &reading, err) < 0) {
		if (err_class(err) != ERR_RECORD)
			return err_wrap(err, "%s[%d]@%lld", record->topic, record->partition,
					(long long)record->offset);
		err_clear(err);
		w->census->unreadable++; /* a dead letter of every worker that reads the topic */
		return 0;
	}
	w->census->readings++;
	w->census->values += (int64_t)reading.n_values;
	for (size_t i = 0; i < reading.n_values; i++)
		if (distinct_add(w->distinct, reading.device, reading.values[i].metric, reading.event_us, err) < 0)
			return -1;
	return 0;
}

static void
count_reason(struct census *c, struct span name)
{
	char text[sizeof(c->reasons[0].name)];
	size_t i = 0;

	snprintf(text, sizeof(text), "%.*s", SPAN_ARG(name));
	readable_text(text);
	while (i < c->n_reasons && strcmp(c->reasons[i].name, text) != 0)
		i++;
	if (i == CENSUS_MOST_REASONS)
		return;
	if (i == c->n_reasons) {
		c->n_reasons++;
		memcpy(c->reasons[i].name, text, sizeof(text));
	}
	c->reasons[i].count++;
}

static enum part
part_of(const char *topic)
{
	for (size_t i = 0; i < ARRAY_LEN(sources); i++)
		if (strcmp(sources[i].topic, topic) == 0)
			return sources[i].part;
	return PART_DEAD;
}

static int
count_record(void *ctx, const struct consumed *record, struct err *err)
{
	struct work *w = ctx;

	switch (part_of(record->topic)) {
	case PART_RAW: w->census->raw++; return 0;
	case PART_READINGS: return count_reading(w, record, err);
	case PART_RAW_DEAD: w->census->raw_dead++; break;
	case PART_DEAD: break;
	}
	w->census->dead++;
	count_reason(w->census, consumed_header(record->message, "forebay.reason"));
	return 0;
}

/* ---- topics ---- */

static const struct cluster_topic *
find(const struct cluster_topic *topics, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(topics[i].name, name) == 0)
			return &topics[i];
	return NULL;
}

/* Add the partitions of TOPIC that hold anything. */
static int
add_partitions(struct work *w, const struct cluster_topic *topic, struct topic_partition *partitions, size_t *n,
	       struct err *err)
{
	int64_t low, high;

	for (int32_t p = 0; p < topic->partitions; p++) {
		if (cluster_watermarks(w->cluster, topic->name, p, &low, &high, err) < 0)
			return -1;
		w->census->cut |= low > 0;
		if (high > low)
			partitions[(*n)++] = (struct topic_partition){ (char *)topic->name, p, OFFSET_NONE };
	}
	return 0;
}

/* Those of the table are there already. */
static int
add_dead_letters(struct work *w, const struct cluster_topic *topics, size_t n_topics,
		 struct topic_partition *partitions, size_t *n, struct err *err)
{
	for (const char *const *t = fleet_find(SPAN("sink-writer"))->topics; *t; t++) {
		const struct cluster_topic *topic = find(topics, n_topics, *t);

		if (topic && fleet_is_dead_letters(*t) && part_of(*t) == PART_DEAD &&
		    add_partitions(w, topic, partitions, n, err) < 0)
			return -1;
	}
	return 0;
}

static int
count_all(struct work *w, int timeout_ms, struct arena *arena, struct err *err)
{
	struct topic_partition *partitions;
	struct cluster_topic *topics;
	size_t n_topics, room = 1, n = 0;

	if (cluster_topics(w->cluster, arena, &topics, &n_topics, err) < 0)
		return -1;
	for (size_t i = 0; i < n_topics; i++)
		room += (size_t)topics[i].partitions;
	partitions = arena_zalloc(arena, room * sizeof(*partitions));
	if (!partitions)
		return err_set(err, REASON_NO_MEMORY, "partitions of %zu topics", n_topics);
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		const struct cluster_topic *topic = find(topics, n_topics, sources[i].topic);

		if (!topic && sources[i].needed)
			return err_set(err, REASON_TOPIC_MISSING, "%s", sources[i].topic);
		if (topic && add_partitions(w, topic, partitions, &n, err) < 0)
			return -1;
	}
	if (add_dead_letters(w, topics, n_topics, partitions, &n, err) < 0)
		return -1;
	return n ? scan_partitions(w->scan, partitions, n, timeout_ms, count_record, w, err) : 0;
}

static int
by_count(const void *x, const void *y)
{
	const struct census_reason *a = x, *b = y;

	return a->count != b->count ? (a->count < b->count) - (a->count > b->count) : strcmp(a->name, b->name);
}

int
census_take(const struct client_config *client, int timeout_ms, struct registry *registry, struct arena *arena,
	    struct census *ret, struct err *err)
{
	CLEANUP(cluster_close)
	struct cluster *cluster = NULL;
	CLEANUP(scan_free)
	struct scan *scan = NULL;
	CLEANUP(codec_free)
	struct codec *codec = NULL;
	CLEANUP(distinct_free)
	struct distinct *distinct = distinct_new();
	CLEANUP(arena_free)
	struct arena *scratch = arena_new(1 << 16, 1 << 20);
	struct work work = { .census = ret, .distinct = distinct, .scratch = scratch };

	*ret = (struct census){ 0 };
	if (!distinct || !scratch)
		return err_set(err, REASON_NO_MEMORY, "counting readings");
	if (codec_new(registry, &reading_record, "telemetry.readings", &codec, err) < 0 ||
	    cluster_open(client, timeout_ms, &cluster, err) < 0 || scan_new(client, &scan, err) < 0)
		return -1;
	work.codec = codec;
	work.cluster = cluster;
	work.scan = scan;
	if (count_all(&work, timeout_ms, arena, err) < 0)
		return -1;
	ret->distinct = distinct_count(distinct);
	qsort(ret->reasons, ret->n_reasons, sizeof(ret->reasons[0]), by_count);
	return 0;
}
