/* sender.c -- see sender.h. */
#include "cli/sender.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/kafka/admin.h"
#include "common/kafka/producer.h"

#define FINISH_MS 310000 /* the client itself gives a message up after 300 s */

struct sender {
	struct producer *producer;
	char *topic;
	double rate;
	int64_t started_us, held_us;
	struct sender_counts counts;
};

static void
on_refused(void *ctx, void *opaque, const char *topic, int32_t partition, const struct err *why)
{
	struct sender *s = ctx;

	(void)opaque, (void)topic, (void)partition;
	if (s->counts.refused++ == 0)
		s->counts.first_refusal = *why;
}

/* Asked first: a producer finds out about a missing topic only after half a minute. */
static int
check_topic(const struct client_config *config, const char *topic, int timeout_ms, struct err *err)
{
	CLEANUP(cluster_close)
	struct cluster *cluster = NULL;
	CLEANUP(arena_free)
	struct arena *arena = arena_new(16384, 0);
	struct cluster_topic *topics;
	size_t n;

	if (!arena)
		return err_set(err, REASON_NO_MEMORY, "topics");
	if (cluster_open(config, timeout_ms, &cluster, err) < 0 || cluster_topics(cluster, arena, &topics, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (strcmp(topics[i].name, topic) == 0)
			return 0;
	return err_set(err, REASON_TOPIC_MISSING, "topic %s does not exist at %s", topic, config->bootstrap_servers);
}

int
sender_open(const struct client_config *config, const char *topic, double rate, int timeout_ms, struct sender **ret,
	    struct err *err)
{
	const struct producer_options options = {
		.queue_max_bytes = 64 << 20,
		.linger_ms = 5,
		.message_max_bytes = 64 << 20, /* the topic's own limit is the one that counts */
	};
	CLEANUP(sender_close)
	struct sender *s = calloc(1, sizeof(*s));

	if (!s || !(s->topic = strdup(topic)))
		return err_set(err, REASON_NO_MEMORY, "sender");
	if (check_topic(config, topic, timeout_ms, err) < 0 ||
	    producer_new(config, &options, on_refused, s, &s->producer, err) < 0)
		return -1;
	s->rate = rate;
	s->started_us = clock_monotonic_us();
	*ret = TAKE(s);
	return 0;
}

void
sender_close(struct sender *s)
{
	if (!s)
		return;
	producer_free(s->producer);
	free(s->topic);
	free(s);
}

/* Message N is due N / rate after the start, what it was held up not counted; meanwhile delivery reports are served. */
static void
await_turn(struct sender *s)
{
	int64_t due_us, left_us;

	if (s->rate <= 0) {
		if (s->counts.messages % 1024 == 0)
			producer_poll(s->producer, 0);
		return;
	}
	due_us = s->started_us + s->held_us + (int64_t)((double)s->counts.messages / s->rate * (double)US_PER_SECOND);
	producer_poll(s->producer, 0);
	while ((left_us = due_us - clock_monotonic_us()) > 0) {
		if (left_us >= 2 * US_PER_MS)
			producer_poll(s->producer, (int)(left_us / US_PER_MS) < 100 ? (int)(left_us / US_PER_MS) : 100);
		else
			clock_sleep_us(left_us);
	}
}

int
sender_send(struct sender *s, struct span key, struct span value, struct err *err)
{
	const struct producer_record record = {
		.topic = s->topic, .partition = PARTITION_BY_KEY, .key = key, .value = value
	};
	struct err why = ERR_INIT;

	await_turn(s);
	s->counts.messages++;
	s->counts.bytes += (int64_t)(key.len + value.len);
	if (producer_send(s->producer, &record, &why) == 0)
		return 0;
	if (err_class(&why) == ERR_RECORD) {
		on_refused(s, NULL, s->topic, 0, &why);
		return 0;
	}
	*err = why;
	return -1;
}

int
sender_flush(struct sender *s, int timeout_ms, struct err *err)
{
	return producer_flush(s->producer, timeout_ms, err);
}

int
sender_finish(struct sender *s, struct err *err)
{
	return sender_flush(s, FINISH_MS, err);
}

void
sender_hold(struct sender *s, int64_t us)
{
	s->held_us += us;
}

void
sender_counts(const struct sender *s, struct sender_counts *ret)
{
	*ret = s->counts;
	ret->seconds = (double)(clock_monotonic_us() - s->started_us) / (double)US_PER_SECOND;
	ret->held_seconds = (double)s->held_us / (double)US_PER_SECOND;
}
