/*
 * consumer.c -- see consumer.h.
 *
 * On an assignment the client is told to fetch nothing (an empty assign keeps the membership in step); consumer_fetch()
 * assigns the partitions with explicit offsets.  A rewind and the end of a pause are the same call, so that no use is made
 * of seek and pause/resume, which skip or repeat records in 2.0.2 (librdkafka #4208, #4230, #4636).
 */
#include "common/kafka/consumer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/kafka/private.h"

struct consumer {
	struct client client; /* first: the opaque of the callbacks */
	struct consumer_hooks hooks;
	bool closed;
};

rd_kafka_t *
consumer_handle(struct consumer *c)
{
	return c->client.handle;
}

static struct topic_partition *
from_list(const rd_kafka_topic_partition_list_t *list)
{
	struct topic_partition *tp = calloc((size_t)list->cnt + 1, sizeof(*tp));

	for (int i = 0; tp && i < list->cnt; i++)
		tp[i] =
		    (struct topic_partition){ list->elems[i].topic, list->elems[i].partition, list->elems[i].offset };
	return tp;
}

static rd_kafka_topic_partition_list_t *
to_list(const struct topic_partition *tp, size_t n)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);

	for (size_t i = 0; i < n; i++)
		rd_kafka_topic_partition_list_add(list, tp[i].topic, tp[i].partition)->offset =
		    tp[i].offset == OFFSET_NONE ? RD_KAFKA_OFFSET_BEGINNING : tp[i].offset;
	return list;
}

static void
list_free(rd_kafka_topic_partition_list_t **list)
{
	if (*list)
		rd_kafka_topic_partition_list_destroy(*list);
}
#define LIST __attribute__((cleanup(list_free))) rd_kafka_topic_partition_list_t

static void
on_rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
	struct consumer *c = opaque;
	CLEANUP(heap_free)
	struct topic_partition *tp = from_list(partitions);
	LIST *nothing = rd_kafka_topic_partition_list_new(0);

	if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		rd_kafka_assign(handle, nothing);
		c->hooks.assigned(c->hooks.ctx, tp, (size_t)partitions->cnt);
	} else {
		c->hooks.revoked(c->hooks.ctx, tp, (size_t)partitions->cnt, rd_kafka_assignment_lost(handle));
		rd_kafka_assign(handle, NULL);
	}
}

int
consumer_new(const struct client_config *config, const struct consumer_options *options,
	     const struct consumer_hooks *hooks, struct consumer **ret, struct err *err)
{
	char session[24], interval[24], kbytes[24], heartbeat[24];
	const struct client_property properties[] = {
		{ "group.id", options->group_id },
		{ "enable.auto.commit", "false" },
		{ "enable.auto.offset.store", "false" },
		{ "auto.offset.reset", "error" }, /* CONSUMER_GONE */
		{ "isolation.level", "read_committed" },
		{ "partition.assignment.strategy",
		  "range" }, /* eager: cooperative-sticky loses assignments before 2.10 */
		{ "enable.partition.eof", "true" },
		{ "fetch.wait.max.ms", "50" },
		{ "fetch.error.backoff.ms", "100" },
		{ "session.timeout.ms", session },
		{ "heartbeat.interval.ms", heartbeat },
		{ "max.poll.interval.ms", interval },
		{ "queued.max.messages.kbytes", kbytes },
		{ "queued.min.messages", "1000000" }, /* the bytes decide */
		{ "group.instance.id", options->instance_id },
		{ "fetch.queue.backoff.ms", rd_kafka_version() >= 0x02020000 ? "10" : NULL }, /* before: 1 s */
	};
	CLEANUP(consumer_free)
	struct consumer *c = calloc(1, sizeof(*c));
	rd_kafka_conf_t *conf;

	if (!c)
		return err_set(err, REASON_NO_MEMORY, "consumer");
	snprintf(session, sizeof(session), "%lld", (long long)options->session_timeout_ms);
	/* A member hears with its next heartbeat that another one is gone: so often that a take-over hardly waits for it. */
	snprintf(heartbeat, sizeof(heartbeat), "%lld",
		 (long long)(options->session_timeout_ms / 6 < 3000 ? options->session_timeout_ms / 6 : 3000));
	snprintf(interval, sizeof(interval), "%lld", (long long)options->max_poll_interval_ms);
	snprintf(kbytes, sizeof(kbytes), "%lld", (long long)(options->queue_max_bytes / 1024));
	c->hooks = *hooks;
	if (config->metrics && !(c->client.statistics = statistics_new(config->metrics, "consumer")))
		return err_set(err, REASON_NO_MEMORY, "consumer");
	conf = client_conf(config, &c->client, properties, ARRAY_LEN(properties), err);
	if (!conf)
		return -1;
	rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
	if (client_start(&c->client, RD_KAFKA_CONSUMER, conf, err) < 0)
		return -1;
	rd_kafka_poll_set_consumer(c->client.handle);
	*ret = TAKE(c);
	return 0;
}

void
consumer_close(struct consumer *c)
{
	if (c->closed || !c->client.handle)
		return;
	c->closed = true;
	rd_kafka_consumer_close(c->client.handle);
}

void
consumer_free(struct consumer *c)
{
	if (!c)
		return;
	consumer_close(c);
	if (c->client.handle)
		rd_kafka_destroy(c->client.handle);
	statistics_free(c->client.statistics);
	free(c);
}

int
consumer_subscribe(struct consumer *c, const char *const *topics, size_t n, struct err *err)
{
	LIST *list = rd_kafka_topic_partition_list_new((int)n);
	rd_kafka_resp_err_t code;

	for (size_t i = 0; i < n; i++)
		rd_kafka_topic_partition_list_add(list, topics[i], RD_KAFKA_PARTITION_UA);
	code = rd_kafka_subscribe(c->client.handle, list);
	return code ? client_error(err, code, "subscribe") : 0;
}

/* A partition's end, a gap, or trouble; takes the message. */
static enum consumer_event
not_a_record(struct consumer *c, rd_kafka_message_t *m, struct consumed *ret, struct err *err)
{
	enum consumer_event event = CONSUMER_TROUBLE;

	if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF || m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
		/* The topic's name outlives the message: librdkafka keeps the topic as long as it is assigned. */
		*ret = (struct consumed){
			rd_kafka_topic_name(m->rkt), m->partition, m->offset, -1, SPAN_NONE, SPAN_NONE, NULL
		};
		event = m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF ? CONSUMER_END : CONSUMER_GONE;
	} else if (m->err == RD_KAFKA_RESP_ERR__FATAL) {
		char text[256] = "";
		rd_kafka_resp_err_t cause = rd_kafka_fatal_error(c->client.handle, text, sizeof(text));

		err_set(err, client_reason(cause), "consumer: %s", text);
	} else {
		err_set(err, client_reason(m->err), "%s%s%s: %s", m->rkt ? rd_kafka_topic_name(m->rkt) : "consumer",
			c->client.error[0] ? ": " : "", c->client.error, rd_kafka_message_errstr(m));
		c->client.error[0] = '\0';
	}
	rd_kafka_message_destroy(m);
	return event;
}

enum consumer_event
consumer_poll(struct consumer *c, int timeout_ms, struct consumed *ret, struct err *err)
{
	rd_kafka_message_t *m = rd_kafka_consumer_poll(c->client.handle, timeout_ms);
	rd_kafka_timestamp_type_t type;

	if (!m && c->client.lost) {
		c->client.lost = false;
		err_set(err, REASON_BROKER_DOWN, "consumer: %s", c->client.error);
		return CONSUMER_TROUBLE;
	}
	if (!m)
		return CONSUMER_NOTHING;
	if (m->err)
		return not_a_record(c, m, ret, err);
	*ret = (struct consumed){
		.topic = rd_kafka_topic_name(m->rkt),
		.partition = m->partition,
		.offset = m->offset,
		.timestamp_ms = rd_kafka_message_timestamp(m, &type),
		.key = { m->key, m->key ? m->key_len : 0 },
		.value = { m->payload, m->payload ? m->len : 0 },
		.message = m,
	};
	return CONSUMER_RECORD;
}

void
consumed_free(void *message)
{
	if (message)
		rd_kafka_message_destroy(message);
}

struct span
consumed_header(const void *message, const char *name)
{
	rd_kafka_headers_t *headers;
	const void *value;
	size_t len;

	if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
	    rd_kafka_header_get_last(headers, name, &value, &len) != RD_KAFKA_RESP_ERR_NO_ERROR || !value)
		return SPAN_NONE;
	return (struct span){ value, len };
}

int
consumer_fetch(struct consumer *c, const struct topic_partition *partitions, size_t n, struct err *err)
{
	LIST *list = to_list(partitions, n);
	rd_kafka_resp_err_t code = rd_kafka_assign(c->client.handle, list);

	return code ? client_error(err, code, "fetching %zu partitions", n) : 0;
}

int
consumer_committed(struct consumer *c, struct topic_partition *partitions, size_t n, int timeout_ms, struct err *err)
{
	LIST *list = to_list(partitions, n);
	rd_kafka_resp_err_t code = rd_kafka_committed(c->client.handle, list, timeout_ms);

	for (int i = 0; !code && i < list->cnt; i++)
		code = list->elems[i].err;
	if (code)
		return client_error(err, code, "reading the group's committed offsets");
	for (size_t i = 0; i < n; i++) /* the order of the list is kept */
		partitions[i].offset = list->elems[i].offset < 0 ? OFFSET_NONE : list->elems[i].offset;
	return 0;
}

int
consumer_commit(struct consumer *c, const struct topic_partition *partitions, size_t n, struct err *err)
{
	LIST *list = to_list(partitions, n);
	rd_kafka_resp_err_t code = n ? rd_kafka_commit(c->client.handle, list, 0) : RD_KAFKA_RESP_ERR_NO_ERROR;

	return code ? client_error(err, code, "committing offsets") : 0;
}

int
consumer_watermarks(struct consumer *c, const char *topic, int32_t partition, int timeout_ms, int64_t *low,
		    int64_t *high, struct err *err)
{
	rd_kafka_resp_err_t code = client_watermarks(c->client.handle, topic, partition, timeout_ms, low, high);

	return code ? client_error(err, code, "%s[%d]: reading its first and last offset", topic, partition) : 0;
}

int64_t
consumer_known_end(struct consumer *c, const char *topic, int32_t partition)
{
	int64_t low, high;

	if (rd_kafka_get_watermark_offsets(c->client.handle, topic, partition, &low, &high) || high < 0)
		return OFFSET_NONE;
	return high;
}

int
consumer_partition_count(struct consumer *c, const char *topic, int timeout_ms, int32_t *ret, struct err *err)
{
	rd_kafka_topic_t *handle = rd_kafka_topic_new(c->client.handle, topic, NULL);
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_resp_err_t code = rd_kafka_metadata(c->client.handle, 0, handle, &metadata, timeout_ms);

	if (!code)
		code = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
	if (!code)
		*ret = metadata->topics[0].partition_cnt;
	if (metadata)
		rd_kafka_metadata_destroy(metadata);
	rd_kafka_topic_destroy(handle);
	return code ? client_error(err, code, "topic %s%s%s", topic, c->client.error[0] ? ": " : "", c->client.error)
		    : 0;
}

char *
consumer_cluster_id(struct consumer *c, int timeout_ms)
{
	char *id = rd_kafka_clusterid(c->client.handle, timeout_ms), *copy = id ? strdup(id) : NULL;

	if (id)
		rd_kafka_mem_free(c->client.handle, id);
	return copy;
}
