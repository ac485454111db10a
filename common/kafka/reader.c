/*
 * reader.c -- see reader.h.
 *
 * All partitions are assigned at once, by hand.  Each keeps its own queue: forwarding to the client's common queue is
 * turned off before the assignment, which respects that, so no record can slip into the common one.  A queue apart also
 * has a limit of its own, so a stream that waits to be read does not hold up the others.
 *
 * A range ends with the first record at or beyond TO, or when the log is read up to there: what is left below may be
 * control records and aborted transactions, which are never seen.  A log that ends earlier is waited for: a transaction
 * may be open.
 *
 * What is lost must never pass for read: any trouble that the client does not mend by itself ends the stream.
 */
#include "common/kafka/reader.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/kafka/private.h"

#define SHARE_MIN_BYTES (256 << 10) /* of a stream, however many there are */
#define FETCH_MIN_BYTES (64 << 10)
#define FETCH_MAX_BYTES (1 << 20)
#define BROKER_LIMIT_US (10 * US_PER_SECOND) /* for a broker to say where a log begins */
#define SLICE_MS 20                          /* while waiting, what else there is to do is done that often */
#define NUDGE_US (10 * US_PER_MS)
#define NUDGE_LIMIT_MS 100

struct stream {
	char *topic;
	int32_t partition;
	int64_t next, to;         /* offsets: the first not yet popped, the end */
	rd_kafka_queue_t *queue;  /* NULL: not assigned */
	rd_kafka_message_t *head; /* NULL: none at hand */
	bool ended;
	bool caught_up;                  /* with the log, when we last heard of it */
	int64_t nudge_us, nudge_step_us; /* monotonic: not before; how long to wait from one to the next */
	struct err trouble;              /* REASON_NONE: none */
};

struct reader {
	struct client client; /* first: the opaque of the callbacks */
	struct stream *streams;
	size_t n;
	bool must_nudge; /* see nudge() */
};

/* --- opening and closing --- */

static int
start_client(struct reader *r, const struct client_config *config, int64_t share_bytes, struct err *err)
{
	/* Not for the user to change: without these, records would be missing and nobody would know. */
	static const struct client_property vital[] = {
		{ "auto.offset.reset", "error" },
		{ "isolation.level", "read_committed" },
		{ "enable.partition.eof", "true" },
	};
	int64_t fetch_bytes = share_bytes / 4;
	char fetch[24], queued[24], text[256];
	const struct client_property properties[] = {
		{ "group.id", "forebay-reader" }, /* asked for by the client; nothing is ever committed */
		{ "enable.auto.commit", "false" },
		{ "enable.auto.offset.store", "false" },
		{ "statistics.interval.ms", "0" },
		{ "fetch.wait.max.ms", "50" },
		{ "fetch.error.backoff.ms", "100" },
		{ "fetch.message.max.bytes", fetch },
		{ "queued.max.messages.kbytes", queued },
		{ "queued.min.messages", "1000000" }, /* the bytes decide */
		{ "fetch.queue.backoff.ms", r->must_nudge ? NULL : "10" },
	};
	rd_kafka_conf_t *conf;

	fetch_bytes = fetch_bytes < FETCH_MIN_BYTES ? FETCH_MIN_BYTES : fetch_bytes;
	fetch_bytes = fetch_bytes > FETCH_MAX_BYTES ? FETCH_MAX_BYTES : fetch_bytes;
	snprintf(fetch, sizeof(fetch), "%lld", (long long)fetch_bytes);
	snprintf(queued, sizeof(queued), "%lld", (long long)((share_bytes - fetch_bytes) / 1024));
	conf = client_conf(config, &r->client, properties, ARRAY_LEN(properties), err);
	if (!conf)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(vital); i++)
		rd_kafka_conf_set(conf, vital[i].key, vital[i].value, text, sizeof(text));
	return client_start(&r->client, RD_KAFKA_CONSUMER, conf, err);
}

/* Patiently: after a restart brokers need a moment before they know. */
static int
find_offset(struct reader *r, const struct stream *s, int64_t which, int64_t *ret, struct err *err)
{
	int64_t deadline = clock_monotonic_us() + BROKER_LIMIT_US;
	rd_kafka_resp_err_t code;

	while ((code = client_log_offset(r->client.handle, s->topic, s->partition, which, 2000, ret)) &&
	       client_reason(code) == REASON_BROKER_DOWN && clock_monotonic_us() < deadline)
		clock_sleep_us(100 * US_PER_MS);
	if (!code)
		return 0;
	return client_error(err, code, "%s[%d]: where does the log %s", s->topic, s->partition,
			    which == RD_KAFKA_OFFSET_BEGINNING ? "begin" : "end");
}

static void
set_gone(struct stream *s, int64_t low)
{
	err_set(&s->trouble, REASON_OFFSET_GONE, "%s[%d]: offset %lld is wanted, but the log begins at %lld", s->topic,
		s->partition, (long long)s->next, (long long)low);
}

/* -1: why the whole reader cannot be.  What ails this stream alone is told by reader_peek(). */
static int
open_stream(struct reader *r, struct stream *s, rd_kafka_topic_partition_list_t *list, struct err *err)
{
	int64_t low;

	if (find_offset(r, s, RD_KAFKA_OFFSET_BEGINNING, &low, &s->trouble) < 0) {
		if (s->trouble.reason == REASON_TOPIC_MISSING)
			return 0;
		rd_kafka_poll(r->client.handle, 0); /* for what the client has to say about its brokers */
		return err_set(err, s->trouble.reason, "%s%s%s", s->trouble.text, r->client.error[0] ? ": " : "",
			       r->client.error);
	}
	if (s->next < low) {
		set_gone(s, low);
		return 0;
	}
	s->queue = rd_kafka_queue_get_partition(r->client.handle, s->topic, s->partition);
	if (!s->queue)
		return err_set(err, REASON_NO_MEMORY, "%s[%d]: queue", s->topic, s->partition);
	rd_kafka_queue_forward(s->queue, NULL);
	rd_kafka_topic_partition_list_add(list, s->topic, s->partition)->offset = s->next;
	return 0;
}

static int
open_streams(struct reader *r, struct err *err)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)r->n);
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
	int failed = 0;

	for (size_t i = 0; i < r->n && !failed; i++)
		failed = !r->streams[i].ended && open_stream(r, &r->streams[i], list, err) < 0;
	rd_kafka_poll_set_consumer(r->client.handle);
	if (!failed && list->cnt > 0)
		code = rd_kafka_assign(r->client.handle, list);
	rd_kafka_topic_partition_list_destroy(list);
	if (code)
		return client_error(err, code, "reading %zu partitions", r->n);
	return failed ? -1 : 0;
}

/* -1: of a partition there is one stream, and its offsets are not symbols. */
static int
check_range(const struct range *ranges, size_t i, struct err *err)
{
	const struct range *range = &ranges[i];

	if (range->from < 0)
		return err_set(err, REASON_OPTION_INVALID, "%s[%d]: offset %lld", range->topic, range->partition,
			       (long long)range->from);
	for (size_t k = 0; k < i; k++)
		if (ranges[k].partition == range->partition && strcmp(ranges[k].topic, range->topic) == 0)
			return err_set(err, REASON_OPTION_INVALID, "%s[%d] is to be read twice at once", range->topic,
				       range->partition);
	return 0;
}

/* How many of the ranges hold anything in *ACTIVE. */
static int
copy_ranges(struct reader *r, const struct range *ranges, size_t n, int64_t *active, struct err *err)
{
	r->streams = calloc(n + 1, sizeof(*r->streams));
	if (!r->streams)
		return err_set(err, REASON_NO_MEMORY, "%zu streams", n);
	for (*active = 0; r->n < n; r->n++) {
		const struct range *range = &ranges[r->n];
		struct stream *s = &r->streams[r->n];

		if (check_range(ranges, r->n, err) < 0)
			return -1;
		*s = (struct stream){ .topic = strdup(range->topic),
				      .partition = range->partition,
				      .next = range->from,
				      .to = range->to,
				      .nudge_step_us = NUDGE_US,
				      .ended = range->from >= range->to };
		if (!s->topic)
			return err_set(err, REASON_NO_MEMORY, "%zu streams", n);
		*active += !s->ended;
	}
	return 0;
}

int
reader_new(const struct client_config *client, const struct range *ranges, size_t n, int64_t queue_max_bytes,
	   struct reader **ret, struct err *err)
{
	CLEANUP(reader_free)
	struct reader *r = calloc(1, sizeof(*r));
	int64_t active = 0, share;

	if (!r)
		return err_set(err, REASON_NO_MEMORY, "Kafka client");
	r->must_nudge = rd_kafka_version() < 0x02020000;
	if (copy_ranges(r, ranges, n, &active, err) < 0)
		return -1;
	share = queue_max_bytes / (active ? active : 1);
	share = share < SHARE_MIN_BYTES ? SHARE_MIN_BYTES : share;
	if (start_client(r, client, share, err) < 0 || open_streams(r, err) < 0)
		return -1;
	*ret = TAKE(r);
	return 0;
}

void
reader_free(struct reader *r)
{
	if (!r)
		return;
	for (size_t i = 0; r->streams && i < r->n; i++) {
		struct stream *s = &r->streams[i];

		if (s->head)
			rd_kafka_message_destroy(s->head);
		if (s->queue)
			rd_kafka_queue_destroy(s->queue); /* before the client: it holds on to it */
		free(s->topic);
	}
	if (r->client.handle) {
		rd_kafka_consumer_close(r->client.handle);
		rd_kafka_destroy(r->client.handle);
	}
	free(r->streams);
	free(r);
}

/* --- reading --- */

static bool
is_settled(const struct stream *s)
{
	return s->head || s->ended || s->trouble.reason;
}

/* The range is read: fetch no more of what lies behind it, and keep nothing of it.  (A pause that no resume follows is safe.) */
static void
end_stream(struct reader *r, struct stream *s)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_message_t *m;

	s->ended = true;
	rd_kafka_topic_partition_list_add(list, s->topic, s->partition);
	rd_kafka_pause_partitions(r->client.handle, list);
	rd_kafka_topic_partition_list_destroy(list);
	while ((m = rd_kafka_consume_queue(s->queue, 0)))
		rd_kafka_message_destroy(m);
}

/* The broker has refused our offset: is it before the log, behind it, or was that a broker that had just started? */
static void
explain_reset(struct reader *r, struct stream *s)
{
	int64_t low, high;

	if (find_offset(r, s, RD_KAFKA_OFFSET_BEGINNING, &low, &s->trouble) < 0)
		return;
	if (s->next < low)
		set_gone(s, low);
	else if (find_offset(r, s, RD_KAFKA_OFFSET_END, &high, &s->trouble) == 0)
		err_set(&s->trouble, s->next > high ? REASON_OFFSET_GONE : REASON_BROKER_DOWN,
			"%s[%d]: offset %lld was refused; the log goes from %lld to %lld", s->topic, s->partition,
			(long long)s->next, (long long)low, (long long)high);
}

/* Errors that say no more than that the client is trying again. */
static bool
is_passing(rd_kafka_resp_err_t code)
{
	return code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
	       code == RD_KAFKA_RESP_ERR__RESOLVE || code == RD_KAFKA_RESP_ERR__TIMED_OUT;
}

static void
take_error(struct reader *r, struct stream *s, const rd_kafka_message_t *m)
{
	if (is_passing(m->err))
		return;
	if (m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
		explain_reset(r, s);
	else
		err_set(&s->trouble, client_reason(m->err), "%s[%d]: at offset %lld: %s", s->topic, s->partition,
			(long long)s->next, rd_kafka_message_errstr(m));
}

/* One message of the stream's queue; takes it.  One below NEXT was given out already. */
static void
take(struct reader *r, struct stream *s, rd_kafka_message_t *m)
{
	bool at_end = m->offset >= s->to;

	if (!m->err && !at_end && m->offset >= s->next) {
		s->caught_up = false;
		s->nudge_us = 0;
		s->nudge_step_us = NUDGE_US;
		s->head = m;
		return;
	}
	if (!m->err || m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
		s->caught_up = m->err;
		if (at_end)
			end_stream(r, s);
	} else {
		take_error(r, s, m);
	}
	rd_kafka_message_destroy(m);
}

/* What came by the common queue: callbacks, complaints about a partition, and never a record. */
static void
serve(struct reader *r)
{
	rd_kafka_message_t *m;

	while ((m = rd_kafka_consumer_poll(r->client.handle, 0))) {
		const char *topic = m->rkt ? rd_kafka_topic_name(m->rkt) : "";
		size_t i = 0;

		while (i < r->n && (r->streams[i].partition != m->partition || strcmp(r->streams[i].topic, topic) != 0))
			i++;
		if (i < r->n && m->err && m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
			take_error(r, &r->streams[i], m);
		else if (i < r->n)
			err_set(&r->streams[i].trouble, REASON_INTERNAL, "%s[%d]: offset %lld came by the common queue",
				topic, m->partition, (long long)m->offset);
		rd_kafka_message_destroy(m);
	}
}

/*
 * librdkafka before 2.2 looks at a full queue again only when its thread for the broker wakes up, which may take a second.
 * A request to the leader wakes it; where the log begins is the cheapest question there is.
 */
static void
nudge(struct reader *r, struct stream *s)
{
	int64_t low;

	if (!r->must_nudge || s->caught_up || clock_monotonic_us() < s->nudge_us)
		return;
	client_log_offset(r->client.handle, s->topic, s->partition, RD_KAFKA_OFFSET_BEGINNING, NUDGE_LIMIT_MS,
			  &low); /* the answer does not matter */
	s->nudge_us = clock_monotonic_us() + s->nudge_step_us;
	s->nudge_step_us = 2 * s->nudge_step_us < US_PER_SECOND ? 2 * s->nudge_step_us : US_PER_SECOND;
}

/* At least one look at the stream's queue, and more until something is there or the time is over. */
static void
wait_for(struct reader *r, struct stream *s, int timeout_ms)
{
	int64_t deadline = clock_monotonic_us() + timeout_ms * US_PER_MS;
	int64_t left_ms = timeout_ms;
	rd_kafka_message_t *m;

	do {
		serve(r);
		if (is_settled(s))
			return;
		nudge(r, s);
		m = rd_kafka_consume_queue(s->queue, (int)(left_ms < SLICE_MS ? left_ms : SLICE_MS));
		for (; m; m = is_settled(s) ? NULL : rd_kafka_consume_queue(s->queue, 0))
			take(r, s, m);
		left_ms = (deadline - clock_monotonic_us()) / US_PER_MS;
	} while (!is_settled(s) && left_ms > 0);
}

enum reader_event
reader_peek(struct reader *r, size_t i, int timeout_ms, struct consumed *ret, struct err *err)
{
	struct stream *s = &r->streams[i];
	rd_kafka_timestamp_type_t type;
	rd_kafka_message_t *m;

	if (!is_settled(s) && (m = rd_kafka_consume_queue(s->queue, 0)))
		take(r, s, m);
	if (!is_settled(s))
		wait_for(r, s, timeout_ms);
	if (!(m = s->head)) {
		if (s->ended || !s->trouble.reason)
			return s->ended ? READER_END : READER_NOTHING;
		err_set(err, s->trouble.reason, "%s", s->trouble.text);
		return READER_TROUBLE;
	}
	*ret = (struct consumed){
		.topic = s->topic,
		.partition = s->partition,
		.offset = m->offset,
		.timestamp_ms = rd_kafka_message_timestamp(m, &type),
		.key = { m->key, m->key ? m->key_len : 0 },
		.value = { m->payload, m->payload ? m->len : 0 },
		.message = m,
	};
	return READER_RECORD;
}

void
reader_pop(struct reader *r, size_t i)
{
	struct stream *s = &r->streams[i];

	if (!s->head)
		return;
	s->next = s->head->offset + 1;
	rd_kafka_message_destroy(s->head);
	s->head = NULL;
	if (s->next >= s->to)
		end_stream(r, s);
}
