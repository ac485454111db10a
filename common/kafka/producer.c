/*
 * producer.c -- see producer.h.
 *
 * Only failed deliveries are reported: a report for each record would cost about a tenth of the client's time, and a flush
 * or a commit says that all others arrived.
 */
#include "common/kafka/producer.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/kafka/private.h"

#define QUEUE_FULL_LIMIT_US (60 * US_PER_SECOND)

struct producer {
	struct client client; /* first: the opaque of the callbacks */
	producer_refused *refused;
	void *refused_ctx;
	rd_kafka_topic_t **topics; /* learnt: what is known of a topic lasts as long as its handle */
	size_t n_topics;
};

rd_kafka_t *
producer_handle(struct producer *p)
{
	return p->client.handle;
}

static void
on_delivery(rd_kafka_t *handle, const rd_kafka_message_t *m, void *opaque)
{
	struct producer *p = opaque;
	const char *topic = rd_kafka_topic_name(m->rkt);
	struct err why = ERR_INIT;

	(void)handle;
	/* What an abort throws away was not refused. */
	if (!m->err || m->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE || m->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
		return;
	client_error(&why, m->err, "topic %s, partition %d", topic, m->partition);
	if (p->refused)
		p->refused(p->refused_ctx, m->_private, topic, m->partition, &why);
}

int
producer_new(const struct client_config *config, const struct producer_options *options, producer_refused *refused,
	     void *refused_ctx, struct producer **ret, struct err *err)
{
	char kbytes[24], linger[24], max_bytes[24], timeout[24];
	const struct client_property properties[] = {
		{ "enable.idempotence", "true" },
		{ "partitioner", "murmur2_random" }, /* as Java's clients; librdkafka's own default is CRC32 */
		{ "delivery.report.only.error", "true" },
		{ "queue.buffering.max.messages", "1000000" },
		{ "batch.num.messages", "10000" },
		{ "queue.buffering.max.kbytes", kbytes },
		{ "linger.ms", linger },
		{ "message.max.bytes", max_bytes },
		{ "transactional.id", options->transactional_id },
		{ "transaction.timeout.ms", options->transactional_id ? timeout : NULL },
		{ "message.timeout.ms", options->transactional_id ? timeout : NULL },
	};
	CLEANUP(producer_free)
	struct producer *p = calloc(1, sizeof(*p));
	rd_kafka_conf_t *conf;

	if (!p)
		return err_set(err, REASON_NO_MEMORY, "producer");
	snprintf(kbytes, sizeof(kbytes), "%lld", (long long)(options->queue_max_bytes / 1024));
	snprintf(linger, sizeof(linger), "%lld", (long long)options->linger_ms);
	snprintf(max_bytes, sizeof(max_bytes), "%lld", (long long)options->message_max_bytes);
	snprintf(timeout, sizeof(timeout), "%lld", (long long)options->transaction_timeout_ms);
	p->refused = refused;
	p->refused_ctx = refused_ctx;
	if (config->metrics && !(p->client.statistics = statistics_new(config->metrics, "producer")))
		return err_set(err, REASON_NO_MEMORY, "producer");
	conf = client_conf(config, &p->client, properties, ARRAY_LEN(properties), err);
	if (!conf)
		return -1;
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	if (client_start(&p->client, RD_KAFKA_PRODUCER, conf, err) < 0)
		return -1;
	*ret = TAKE(p);
	return 0;
}

void
producer_free(struct producer *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_topics; i++)
		rd_kafka_topic_destroy(p->topics[i]);
	free(p->topics);
	if (p->client.handle) {
		rd_kafka_purge(p->client.handle,
			       RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
		rd_kafka_destroy(p->client.handle);
	}
	statistics_free(p->client.statistics);
	free(p);
}

int
producer_learn(struct producer *p, const char *topic, int timeout_ms, struct err *err)
{
	rd_kafka_topic_t **grown = realloc(p->topics, (p->n_topics + 1) * sizeof(rd_kafka_topic_t *));
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_resp_err_t code;

	if (!grown)
		return err_set(err, REASON_NO_MEMORY, "topic %s", topic);
	p->topics = grown;
	grown[p->n_topics] = rd_kafka_topic_new(p->client.handle, topic, NULL);
	if (!grown[p->n_topics])
		return client_error(err, rd_kafka_last_error(), "topic %s", topic);
	code = rd_kafka_metadata(p->client.handle, 0, grown[p->n_topics++], &metadata, timeout_ms);
	if (!code)
		code = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
	if (metadata)
		rd_kafka_metadata_destroy(metadata);
	return code ? client_error(err, code, "topic %s", topic) : 0;
}

static rd_kafka_headers_t *
make_headers(const struct header *headers, size_t n)
{
	rd_kafka_headers_t *list = n ? rd_kafka_headers_new(n) : NULL;

	for (size_t i = 0; i < n; i++)
		rd_kafka_header_add(list, headers[i].name, -1, headers[i].value.ptr, (ssize_t)headers[i].value.len);
	return list;
}

static rd_kafka_resp_err_t
produce(rd_kafka_t *handle, const struct producer_record *r, rd_kafka_headers_t *headers)
{
	/* librdkafka takes a NULL payload as a tombstone; an empty value needs a pointer. */
	const char *value = r->value.ptr && !r->value.len ? "" : r->value.ptr;

	if (headers)
		return rd_kafka_producev(
		    handle, RD_KAFKA_V_TOPIC(r->topic), RD_KAFKA_V_PARTITION(r->partition),
		    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(r->key.ptr, r->key.len),
		    RD_KAFKA_V_VALUE((void *)value, r->value.len), RD_KAFKA_V_TIMESTAMP(r->timestamp_ms),
		    RD_KAFKA_V_OPAQUE(r->opaque), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
	return rd_kafka_producev(handle, RD_KAFKA_V_TOPIC(r->topic), RD_KAFKA_V_PARTITION(r->partition),
				 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(r->key.ptr, r->key.len),
				 RD_KAFKA_V_VALUE((void *)value, r->value.len), RD_KAFKA_V_TIMESTAMP(r->timestamp_ms),
				 RD_KAFKA_V_OPAQUE(r->opaque), RD_KAFKA_V_END);
}

int
producer_send(struct producer *p, const struct producer_record *r, struct err *err)
{
	rd_kafka_headers_t *headers = make_headers(r->headers, r->n_headers);
	int64_t give_up = 0;
	rd_kafka_resp_err_t code;

	while ((code = produce(p->client.handle, r, headers)) == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
		if (!give_up)
			give_up = clock_monotonic_us() + QUEUE_FULL_LIMIT_US;
		if (clock_monotonic_us() > give_up)
			break;
		rd_kafka_poll(p->client.handle, 20);
	}
	if (!code)
		return 0;
	if (headers)
		rd_kafka_headers_destroy(headers);
	if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
		return err_set(err, REASON_BROKER_DOWN, "topic %s: the send queue stays full%s%s", r->topic,
			       p->client.error[0] ? ": " : "", p->client.error);
	/* The transaction has failed meanwhile, or the producer for good: the end of the transaction will say why. */
	if (code == RD_KAFKA_RESP_ERR__STATE || code == RD_KAFKA_RESP_ERR__FATAL)
		return err_set(err, REASON_TRANSACTION_ABORTED, "topic %s: the transaction has failed", r->topic);
	if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
		return err_set(err, REASON_BROKER_REFUSED_SIZE, "topic %s: %zu bytes are more than message.max.bytes",
			       r->topic, r->value.len);
	return client_error(err, code, "topic %s", r->topic);
}

int
producer_poll(struct producer *p, int timeout_ms)
{
	while (rd_kafka_poll(p->client.handle, timeout_ms) > 0)
		timeout_ms = 0;
	return rd_kafka_outq_len(p->client.handle);
}

int
producer_flush(struct producer *p, int timeout_ms, struct err *err)
{
	rd_kafka_resp_err_t code = rd_kafka_flush(p->client.handle, timeout_ms);

	if (!code)
		return 0;
	return err_set(err, REASON_BROKER_DOWN, "%d records are not acknowledged after %d ms%s%s",
		       rd_kafka_outq_len(p->client.handle), timeout_ms, p->client.error[0] ? ": " : "",
		       p->client.error);
}
