/* source.c -- see source.h.  Partitions are read one after the other: what comes out depends on no race. */
#include "workers/model-trainer/source.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/kafka/admin.h"
#include "common/kafka/reader.h"

#define PEEK_MS 200
#define SILENCE_US (60 * US_PER_SECOND) /* an open transaction at the end is given up by the broker before that */

void
collection_clear(struct collection *c)
{
	collector_free(c->collector);
	free(c->ranges);
	*c = (struct collection){ 0 };
}

static int
count_partitions(struct cluster *cluster, const char *topic, int32_t *ret, struct err *err)
{
	CLEANUP(arena_free)
	struct arena *arena = arena_new(1 << 16, 0);
	struct cluster_topic *topics;
	size_t n;

	*ret = 0;
	if (!arena)
		return err_set(err, REASON_NO_MEMORY, "topic %s", topic);
	if (cluster_topics(cluster, arena, &topics, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (strcmp(topics[i].name, topic) == 0)
			*ret = topics[i].partitions;
	return *ret > 0 ? 0 : err_set(err, REASON_TOPIC_MISSING, "topic %s does not exist", topic);
}

int
source_freeze(struct job *j, struct collection *ret, struct err *err)
{
	CLEANUP(cluster_close)
	struct cluster *cluster = NULL;
	const char *topic = j->opt.series_topic;
	int32_t n;

	*ret = (struct collection){ 0 };
	if (cluster_open(&j->reading, (int)j->opt.request_timeout_ms, &cluster, err) < 0 ||
	    count_partitions(cluster, topic, &n, err) < 0)
		return -1;
	ret->ranges = calloc((size_t)n, sizeof(*ret->ranges));
	if (!ret->ranges)
		return err_set(err, REASON_NO_MEMORY, "topic %s", topic);
	for (int32_t p = 0; p < n; p++) {
		struct plan_range *r = &ret->ranges[ret->n_ranges++];

		r->partition = p;
		if (cluster_watermarks(cluster, topic, p, &r->from, &r->to, err) < 0)
			return -1;
	}
	return 0;
}

int64_t
source_size(const struct collection *c)
{
	int64_t sum = 0;

	for (size_t i = 0; i < c->n_ranges; i++)
		sum += c->ranges[i].to > c->ranges[i].from ? c->ranges[i].to - c->ranges[i].from : 0;
	return sum;
}

int64_t
source_end(const struct collection *c)
{
	int64_t sum = 0;

	for (size_t i = 0; i < c->n_ranges; i++)
		sum += c->ranges[i].to;
	return sum;
}

int
source_partitions(struct job *j, const char *topic, int64_t time_ms, struct topic_partition **ret, size_t *n,
		  struct err *err)
{
	CLEANUP(cluster_close)
	struct cluster *cluster = NULL;
	CLEANUP(heap_free)
	struct topic_partition *partitions = NULL;
	int32_t count;

	if (cluster_open(&j->reading, (int)j->opt.request_timeout_ms, &cluster, err) < 0 ||
	    count_partitions(cluster, topic, &count, err) < 0)
		return -1;
	partitions = calloc((size_t)count, sizeof(*partitions));
	if (!partitions)
		return err_set(err, REASON_NO_MEMORY, "topic %s", topic);
	for (int32_t p = 0; p < count; p++)
		partitions[p] = (struct topic_partition){ topic, p, OFFSET_NONE };
	if (time_ms >= 0 && cluster_offsets_at(cluster, time_ms, partitions, (size_t)count, err) < 0)
		return -1;
	*n = (size_t)count;
	*ret = TAKE(partitions);
	return 0;
}

/* ---- reading ---- */

static int
take(struct job *j, struct collection *c, const struct consumed *record, struct arena *arena, struct err *err)
{
	struct err trouble = ERR_INIT;
	struct series s;

	arena_reset(arena);
	c->records++;
	if (codec_decode(j->series, record->value, consumed_header(record->message, "__value_schema_id"), arena, &s,
			 &trouble) == 0)
		return collector_add(c->collector, &s, err);
	if (err_class(&trouble) == ERR_RECORD) {
		c->unreadable++;
		return 0;
	}
	*err = trouble;
	return -1;
}

static int
read_stream(struct job *j, struct collection *c, struct reader *reader, size_t i, struct arena *arena, struct err *err)
{
	int64_t heard = clock_monotonic_us();

	for (;;) {
		struct consumed record;
		enum reader_event event = reader_peek(reader, i, PEEK_MS, &record, err);

		if (event == READER_END)
			return 0;
		if (event == READER_TROUBLE)
			return -1;
		if (job_stop_wanted())
			return err_set(err, REASON_BROKER_DOWN, "topic %s: asked to stop", j->opt.series_topic);
		if (event == READER_RECORD) {
			if (take(j, c, &record, arena, err) < 0)
				return -1;
			reader_pop(reader, i);
			heard = clock_monotonic_us();
		} else if (clock_monotonic_us() - heard > SILENCE_US) {
			return err_set(err, REASON_BROKER_DOWN, "topic %s, partition %d: nothing arrives",
				       j->opt.series_topic, c->ranges[i].partition);
		}
	}
}

/* What is left of the ranges: retention may have taken their beginnings. */
static int
open_reader(struct job *j, const struct collection *c, struct reader **ret, struct err *err)
{
	CLEANUP(heap_free)
	struct range *ranges = calloc(c->n_ranges + 1, sizeof(*ranges));
	CLEANUP(cluster_close)
	struct cluster *cluster = NULL;

	if (!ranges)
		return err_set(err, REASON_NO_MEMORY, "topic %s", j->opt.series_topic);
	if (cluster_open(&j->reading, (int)j->opt.request_timeout_ms, &cluster, err) < 0)
		return -1;
	for (size_t i = 0; i < c->n_ranges; i++) {
		const struct plan_range *r = &c->ranges[i];
		int64_t low, high;

		if (cluster_watermarks(cluster, j->opt.series_topic, r->partition, &low, &high, err) < 0)
			return -1;
		ranges[i] = (struct range){ j->opt.series_topic, r->partition, r->from > low ? r->from : low,
					    r->to < high ? r->to : high };
	}
	return reader_new(&j->reading, ranges, c->n_ranges, j->opt.queue_max_bytes, ret, err);
}

int
source_read(struct job *j, struct collection *c, struct err *err)
{
	CLEANUP(reader_free)
	struct reader *reader = NULL;
	CLEANUP(arena_free)
	struct arena *arena = arena_new(1 << 16, 1 << 20);

	if (!arena)
		return err_set(err, REASON_NO_MEMORY, "topic %s", j->opt.series_topic);
	collector_free(TAKE(c->collector));
	c->records = c->unreadable = 0;
	if (job_codecs(j, err) < 0 ||
	    collector_new(&j->rules.past, (size_t)j->opt.series_max, &c->collector, err) < 0 ||
	    open_reader(j, c, &reader, err) < 0)
		return -1;
	for (size_t i = 0; i < c->n_ranges; i++)
		if (read_stream(j, c, reader, i, arena, err) < 0)
			return -1;
	return collector_finish(c->collector, &c->groups, &c->n_groups, err);
}
