/*
 * reader.c -- streams of partitions, each for itself, against librdkafka's mock broker.  It knows no transactions and deletes
 * nothing; that side of the reader was tried on a real broker.
 */
#include "common/kafka/reader.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/clock.h"

#define PARTITIONS 3
#define RECORDS 4000 /* in each */
#define VALUE_BYTES 400
#define SMALL 1 /* a budget: every stream gets the least there is, far less than its partition holds */
#define PATIENCE_US (60 * US_PER_SECOND)

static struct {
	rd_kafka_t *host;
	rd_kafka_mock_cluster_t *broker;
	struct client_config config;
} mock;

/* Record i of a partition has the key "<partition>.<i>". */
static void
fill_partition(rd_kafka_t *rk, const char *topic, int partition)
{
	static char value[VALUE_BYTES];
	char key[32];

	for (int i = 0; i < RECORDS; i++) {
		int n = snprintf(key, sizeof(key), "%d.%d", partition, i);

		assert_int_equal(rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
						   RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
						   RD_KAFKA_V_KEY(key, (size_t)n),
						   RD_KAFKA_V_VALUE(value, sizeof(value)), RD_KAFKA_V_END),
				 RD_KAFKA_RESP_ERR_NO_ERROR);
	}
}

static rd_kafka_t *
producer(const char *brokers)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char text[256];
	rd_kafka_t *rk;

	rd_kafka_conf_set(conf, "log_level", "2", text, sizeof(text)); /* the mock's host has no brokers, and says so */
	rd_kafka_conf_set(conf, "batch.num.messages", "100", text, sizeof(text));
	assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof(text)), RD_KAFKA_CONF_OK);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
	assert_non_null(rk);
	return rk;
}

static int
start_mock(void **state)
{
	rd_kafka_t *rk;

	(void)state;
	mock.host = producer("");
	mock.broker = rd_kafka_mock_cluster_new(mock.host, 2);
	mock.config.bootstrap_servers = rd_kafka_mock_cluster_bootstraps(mock.broker);
	mock.config.client_id = "test";
	rd_kafka_mock_topic_create(mock.broker, "full", PARTITIONS, 1);
	rd_kafka_mock_topic_create(mock.broker, "empty", 1, 1);
	rk = producer(mock.config.bootstrap_servers);
	for (int p = 0; p < PARTITIONS; p++)
		fill_partition(rk, "full", p);
	assert_int_equal(rd_kafka_flush(rk, 30000), 0);
	rd_kafka_destroy(rk);
	return 0;
}

static int
stop_mock(void **state)
{
	(void)state;
	rd_kafka_mock_cluster_destroy(mock.broker);
	rd_kafka_destroy(mock.host);
	return 0;
}

static struct reader *
open_reader(const struct range *ranges, size_t n, int64_t budget)
{
	struct reader *r = NULL;
	struct err err = ERR_INIT;

	if (reader_new(&mock.config, ranges, n, budget, &r, &err) < 0)
		fail_msg("%s", err.text);
	return r;
}

/* What comes next, however long it takes; TROUBLE is told. */
static enum reader_event
next(struct reader *r, size_t i, struct consumed *ret)
{
	int64_t give_up = clock_monotonic_us() + PATIENCE_US;
	enum reader_event event = READER_NOTHING;
	struct err err = ERR_INIT;

	while (event == READER_NOTHING && clock_monotonic_us() < give_up)
		event = reader_peek(r, i, 100, ret, &err);
	if (event == READER_TROUBLE)
		print_message("%s\n", err.text);
	return event;
}

/* The head of stream I is record OFFSET of RANGE, and goes. */
static void
take(struct reader *r, size_t i, const struct range *range, int64_t offset)
{
	struct consumed c;
	char key[32];

	assert_int_equal(next(r, i, &c), READER_RECORD);
	assert_string_equal(c.topic, range->topic);
	assert_int_equal(c.partition, range->partition);
	assert_int_equal(c.offset, offset);
	assert_int_equal(c.value.len, VALUE_BYTES);
	snprintf(key, sizeof(key), "%d.%d", range->partition, (int)offset);
	assert_true(span_equal(c.key, span_of(key)));
	reader_pop(r, i);
}

static void
take_all(struct reader *r, size_t i, const struct range *range)
{
	struct consumed c;

	for (int64_t offset = range->from; offset < range->to; offset++)
		take(r, i, range, offset);
	assert_int_equal(next(r, i, &c), READER_END);
	assert_int_equal(next(r, i, &c), READER_END);
}

/* --- the facts --- */

static const struct range all[] = { { "full", 0, 0, RECORDS }, { "full", 1, 0, RECORDS }, { "full", 2, 0, RECORDS } };

/* Every partition holds six times the share of its stream: were the queue common, the first would starve behind the others. */
static void
one_after_the_other(void **state)
{
	CLEANUP(reader_free)
	struct reader *r = open_reader(all, ARRAY_LEN(all), SMALL);

	(void)state;
	for (size_t i = ARRAY_LEN(all); i-- > 0;)
		take_all(r, i, &all[i]);
}

static void
interleaved(void **state)
{
	CLEANUP(reader_free)
	struct reader *r = open_reader(all, ARRAY_LEN(all), SMALL);
	int64_t at[ARRAY_LEN(all)] = { 0 };
	uint32_t dice = 1;

	(void)state;
	for (int left = PARTITIONS * RECORDS; left > 0;) {
		size_t i;

		dice = dice * 1664525 + 1013904223;
		i = (dice >> 16) % ARRAY_LEN(all);
		if (at[i] < RECORDS) {
			take(r, i, &all[i], at[i]++);
			left--;
		}
	}
}

static void
parts_of_partitions(void **state)
{
	static const struct range parts[] = {
		{ "full", 0, 1234, 1235 },
		{ "full", 1, 50, 2050 },
		{ "full", 2, RECORDS - 3, RECORDS },
		{ "empty", 0, 0, 0 },
	};
	CLEANUP(reader_free)
	struct reader *r = open_reader(parts, ARRAY_LEN(parts), 64 << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		take_all(r, i, &parts[i]);
}

static void
a_peek_takes_nothing(void **state)
{
	CLEANUP(reader_free)
	struct reader *r = open_reader(all, 1, SMALL);
	struct consumed a, b;

	(void)state;
	reader_pop(r, 0); /* nothing was peeked at: nothing goes */
	assert_int_equal(next(r, 0, &a), READER_RECORD);
	assert_int_equal(reader_peek(r, 0, 0, &b, NULL), READER_RECORD);
	assert_int_equal(a.offset, 0);
	assert_int_equal(b.offset, 0);
	assert_ptr_equal(a.message, b.message);
	reader_pop(r, 0);
	take(r, 0, &all[0], 1);
}

/* What is not written yet is waited for, behind records as well as on an empty partition. */
static void
a_log_that_ends_early(void **state)
{
	static const struct range beyond[] = { { "full", 0, RECORDS - 1, RECORDS + 1 }, { "empty", 0, 0, 5 } };
	CLEANUP(reader_free)
	struct reader *r = open_reader(beyond, ARRAY_LEN(beyond), SMALL);
	struct consumed c;

	(void)state;
	take(r, 0, &beyond[0], RECORDS - 1);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(reader_peek(r, 0, 50, &c, NULL), READER_NOTHING);
		assert_int_equal(reader_peek(r, 1, 0, &c, NULL), READER_NOTHING);
	}
}

static void
no_streams(void **state)
{
	CLEANUP(reader_free)
	struct reader *r = open_reader(NULL, 0, SMALL);

	(void)state;
	assert_non_null(r);
}

/* Trouble of one stream is its own, and stays. */
static void
trouble_of_one_stream(void **state)
{
	static const struct range ranges[] = {
		{ "full", 0, 0, RECORDS },
		{ "full", 77, 0, 5 },
		{ "full", 1, RECORDS + 1000, RECORDS + 2000 },
	};
	static const enum err_reason reasons[] = { REASON_NONE, REASON_TOPIC_MISSING, REASON_OFFSET_GONE };
	CLEANUP(reader_free)
	struct reader *r = open_reader(ranges, ARRAY_LEN(ranges), SMALL);
	struct consumed c;

	(void)state;
	for (size_t i = 1; i < ARRAY_LEN(ranges); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(next(r, i, &c), READER_TROUBLE);
		assert_int_equal(reader_peek(r, i, 0, &c, &err), READER_TROUBLE);
		assert_int_equal(err.reason, reasons[i]);
		reader_pop(r, i);
	}
	take_all(r, 0, &ranges[0]);
}

static const struct refused {
	const char *text;
	struct range ranges[2];
} refused[] = {
	{ "full[1] is to be read twice at once", { { "full", 1, 0, 5 }, { "full", 1, 7, 9 } } },
	{ "full[2]: offset -1", { { "full", 1, 0, 5 }, { "full", 2, -1, 9 } } },
};

static void
refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct reader *r = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(reader_new(&mock.config, refused[i].ranges, 2, SMALL, &r, &err), -1);
		assert_int_equal(err.reason, REASON_OPTION_INVALID);
		assert_string_equal(err.text, refused[i].text);
		assert_null(r);
	}
}

/* What the user sets for all clients does not make records go missing here. */
static void
vital_properties(void **state)
{
	static const struct client_property overrides[] = {
		{ "auto.offset.reset", "latest" },
		{ "enable.partition.eof", "false" },
	};
	static const struct range ranges[] = { { "full", 1, RECORDS + 1000, RECORDS + 2000 } };
	struct client_config config = mock.config;
	CLEANUP(reader_free)
	struct reader *r = NULL;
	struct err err = ERR_INIT;
	struct consumed c;

	(void)state;
	config.overrides = overrides;
	config.n_overrides = ARRAY_LEN(overrides);
	assert_int_equal(reader_new(&config, ranges, 1, SMALL, &r, &err), 0);
	assert_int_equal(next(r, 0, &c), READER_TROUBLE);
	assert_int_equal(reader_peek(r, 0, 0, &c, &err), READER_TROUBLE);
	assert_int_equal(err.reason, REASON_OFFSET_GONE);
}

#define FETCH 1

/* Errors of the line in the middle of reading: the client goes on, and nothing is lost or repeated. */
static void
survives_the_line(void **state)
{
	CLEANUP(reader_free)
	struct reader *r = open_reader(all, ARRAY_LEN(all), SMALL);

	(void)state;
	for (int64_t offset = 0; offset < RECORDS; offset++) {
		if (offset == 500)
			rd_kafka_mock_push_request_errors(mock.broker, FETCH, 4, RD_KAFKA_RESP_ERR__TRANSPORT,
							  RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
							  RD_KAFKA_RESP_ERR__TRANSPORT,
							  RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE);
		if (offset == 1500 || offset == 2500) {
			rd_kafka_mock_broker_set_down(mock.broker, offset == 1500 ? 1 : 2);
			clock_sleep_us(200 * US_PER_MS);
			rd_kafka_mock_broker_set_up(mock.broker, offset == 1500 ? 1 : 2);
		}
		for (size_t i = 0; i < ARRAY_LEN(all); i++)
			take(r, i, &all[i], offset);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_after_the_other),   cmocka_unit_test(interleaved),
		cmocka_unit_test(parts_of_partitions),   cmocka_unit_test(a_peek_takes_nothing),
		cmocka_unit_test(a_log_that_ends_early), cmocka_unit_test(no_streams),
		cmocka_unit_test(trouble_of_one_stream), cmocka_unit_test(refuses),
		cmocka_unit_test(vital_properties),      cmocka_unit_test(survives_the_line),
	};

	return cmocka_run_group_tests(tests, start_mock, stop_mock);
}
