/*
 * scan.c -- see scan.h.  Partitions are assigned by hand; each is over at its first end-of-partition event, which comes
 * after control records and aborted transactions were skipped.
 */
#include "common/kafka/scan.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/kafka/private.h"

struct scan {
	struct client client; /* first: the opaque of the callbacks */
};

int
scan_new(const struct client_config *config, struct scan **ret, struct err *err)
{
	const struct client_property properties[] = {
		{ "group.id", "forebay-scan" }, /* asked for by the client; nothing is ever committed */
		{ "enable.auto.commit", "false" },   { "enable.auto.offset.store", "false" },
		{ "auto.offset.reset", "earliest" }, { "isolation.level", "read_committed" },
		{ "enable.partition.eof", "true" },  { "queued.max.messages.kbytes", "16384" },
	};
	CLEANUP(scan_free)
	struct scan *s = calloc(1, sizeof(*s));
	rd_kafka_conf_t *conf;

	if (!s)
		return err_set(err, REASON_NO_MEMORY, "Kafka client");
	conf = client_conf(config, &s->client, properties, ARRAY_LEN(properties), err);
	if (!conf || client_start(&s->client, RD_KAFKA_CONSUMER, conf, err) < 0)
		return -1;
	rd_kafka_poll_set_consumer(s->client.handle);
	*ret = TAKE(s);
	return 0;
}

void
scan_free(struct scan *s)
{
	if (!s)
		return;
	if (s->client.handle) {
		rd_kafka_consumer_close(s->client.handle);
		rd_kafka_destroy(s->client.handle);
	}
	free(s);
}

static int
assign(struct scan *s, const struct topic_partition *partitions, size_t n, struct err *err)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
	rd_kafka_resp_err_t code;

	for (size_t i = 0; i < n; i++)
		rd_kafka_topic_partition_list_add(list, partitions[i].topic, partitions[i].partition)->offset =
		    partitions[i].offset == OFFSET_NONE ? RD_KAFKA_OFFSET_BEGINNING : partitions[i].offset;
	code = rd_kafka_assign(s->client.handle, n ? list : NULL);
	rd_kafka_topic_partition_list_destroy(list);
	return code ? client_error(err, code, "reading %zu partitions", n) : 0;
}

/* One call of scan_partitions(). */
struct walk {
	struct topic_partition *partitions;
	size_t n;
	bool *at_end; /* per partition */
	size_t left;  /* partitions not at their end */
	scan_visit *visit;
	void *ctx;
};

/* Index of the message's partition, or n. */
static size_t
partition_of(const struct walk *w, const rd_kafka_message_t *m)
{
	const char *topic = m->rkt ? rd_kafka_topic_name(m->rkt) : "";
	size_t i = 0;

	while (i < w->n && (w->partitions[i].partition != m->partition || strcmp(w->partitions[i].topic, topic) != 0))
		i++;
	return i;
}

static int
visit_message(const struct walk *w, const rd_kafka_message_t *m, struct err *err)
{
	rd_kafka_timestamp_type_t type;
	const struct consumed record = {
		.topic = rd_kafka_topic_name(m->rkt),
		.partition = m->partition,
		.offset = m->offset,
		.timestamp_ms = rd_kafka_message_timestamp(m, &type),
		.key = { m->key, m->key ? m->key_len : 0 },
		.value = { m->payload, m->payload ? m->len : 0 },
		.message = (void *)m,
	};

	return w->visit(w->ctx, &record, err);
}

/* One message: a record, the end of a partition, or trouble that the client goes on fighting.  *MOVED: it was progress. */
static int
take(struct scan *s, struct walk *w, const rd_kafka_message_t *m, bool *moved, struct err *err)
{
	size_t i = partition_of(w, m);
	struct topic_partition *tp = &w->partitions[i];

	*moved = false;
	if (m->err == RD_KAFKA_RESP_ERR__TRANSPORT || m->err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || i == w->n ||
	    w->at_end[i])
		return 0;
	if (m->err && m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
		return client_error(err, m->err, "%s[%d]%s%s", tp->topic, tp->partition, s->client.error[0] ? ": " : "",
				    s->client.error);
	*moved = true;
	if (m->err) {
		tp->offset = m->offset;
		w->at_end[i] = true;
		w->left--;
		return 0;
	}
	tp->offset = m->offset + 1;
	return visit_message(w, m, err);
}

static int
walk(struct scan *s, struct walk *w, int timeout_ms, struct err *err)
{
	int64_t deadline = clock_monotonic_us() + timeout_ms * US_PER_MS;
	int failed = 0;

	while (w->left > 0 && !failed) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(s->client.handle, 100);
		bool moved = false;

		if (m) {
			failed = take(s, w, m, &moved, err);
			rd_kafka_message_destroy(m);
		}
		if (moved)
			deadline = clock_monotonic_us() + timeout_ms * US_PER_MS;
		else if (!failed && clock_monotonic_us() > deadline)
			failed = err_set(err, REASON_BROKER_DOWN, "%s: nothing arrived for %d ms%s%s",
					 w->partitions[0].topic, timeout_ms, s->client.error[0] ? ": " : "",
					 s->client.error);
	}
	return failed;
}

int
scan_partitions(struct scan *s, struct topic_partition *partitions, size_t n, int timeout_ms, scan_visit *visit,
		void *ctx, struct err *err)
{
	struct walk w = { partitions, n, calloc(n + 1, sizeof(bool)), n, visit, ctx };
	int failed;

	if (!w.at_end)
		return err_set(err, REASON_NO_MEMORY, "reading topics");
	failed = n && (assign(s, partitions, n, err) < 0 || walk(s, &w, timeout_ms, err) < 0);
	if (n)
		rd_kafka_assign(s->client.handle, NULL);
	free(w.at_end);
	return failed ? -1 : 0;
}
