/*
 * copy.c -- the limit that the client sets: a plain librdkafka consume -> produce of the same bytes, with a transaction and
 * its offsets every 100 ms.  No parsing, no schema, no error handling worth the name: an error ends it.
 *
 *	copy BROKERS FROM TO RECORDS		-> {"records":...,"seconds":...,"cpu_seconds":...}
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static double
seconds(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void
check(const void *failed, const char *what)
{
	if (failed) {
		fprintf(stderr, "copy: %s: %s\n", what, rd_kafka_error_string(failed));
		exit(2);
	}
}

static rd_kafka_t *
client(rd_kafka_type_t type, const char *const *settings)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char text[256];
	rd_kafka_t *rk;

	for (; settings[0]; settings += 2)
		if (rd_kafka_conf_set(conf, settings[0], settings[1], text, sizeof(text))) {
			fprintf(stderr, "copy: %s\n", text);
			exit(2);
		}
	rk = rd_kafka_new(type, conf, text, sizeof(text));
	if (!rk) {
		fprintf(stderr, "copy: %s\n", text);
		exit(2);
	}
	return rk;
}

/* Commit what was produced together with where the consumer stands. */
static void
commit(rd_kafka_t *consumer, rd_kafka_t *producer)
{
	rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(consumer);
	rd_kafka_topic_partition_list_t *at;

	rd_kafka_assignment(consumer, &at);
	rd_kafka_position(consumer, at);
	check(rd_kafka_send_offsets_to_transaction(producer, at, group, 10000), "offsets");
	check(rd_kafka_commit_transaction(producer, 10000), "commit");
	rd_kafka_topic_partition_list_destroy(at);
	rd_kafka_consumer_group_metadata_destroy(group);
}

static void
produce(rd_kafka_t *producer, const char *topic, const rd_kafka_message_t *m)
{
	while (rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
				 RD_KAFKA_V_KEY(m->key, m->key_len), RD_KAFKA_V_VALUE(m->payload, m->len),
				 RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
		rd_kafka_poll(producer, 10);
}

static void
copy(rd_kafka_t *consumer, rd_kafka_t *producer, const char *to, long wanted)
{
	double begun = 0, wall = 0, cpu = 0;
	long n = 0;

	while (n < wanted) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(consumer, 100);

		if (m && !m->err) {
			if (n++ == 0) {
				wall = seconds(CLOCK_MONOTONIC);
				cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
			}
			if (begun == 0) {
				check(rd_kafka_begin_transaction(producer), "begin");
				begun = seconds(CLOCK_MONOTONIC);
			}
			produce(producer, to, m);
		}
		if (m)
			rd_kafka_message_destroy(m);
		if (begun > 0 && (n & 15) == 0 && seconds(CLOCK_MONOTONIC) - begun > 0.1) {
			commit(consumer, producer);
			begun = 0;
		}
	}
	if (begun > 0)
		commit(consumer, producer);
	printf("{\"records\":%ld,\"seconds\":%.3f,\"cpu_seconds\":%.3f}\n", n, seconds(CLOCK_MONOTONIC) - wall,
	       seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
}

int
main(int argc, char **argv)
{
	const char *in[] = { "bootstrap.servers",
			     argv[1],
			     "group.id",
			     "benchmark-copy",
			     "enable.auto.commit",
			     "false",
			     "auto.offset.reset",
			     "earliest",
			     "socket.nagle.disable",
			     "true",
			     "queued.min.messages",
			     "1000000",
			     NULL };
	const char *out[] = { "bootstrap.servers",
			      argv[1],
			      "transactional.id",
			      "benchmark-copy",
			      "partitioner",
			      "murmur2_random",
			      "socket.nagle.disable",
			      "true",
			      "linger.ms",
			      "5",
			      "batch.num.messages",
			      "10000",
			      "queue.buffering.max.messages",
			      "1000000",
			      "delivery.report.only.error",
			      "true",
			      NULL };
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
	rd_kafka_t *consumer, *producer;

	if (argc != 5) {
		fprintf(stderr, "copy BROKERS FROM TO RECORDS\n");
		return 1;
	}
	consumer = client(RD_KAFKA_CONSUMER, in);
	producer = client(RD_KAFKA_PRODUCER, out);
	check(rd_kafka_init_transactions(producer, 30000), "init");
	rd_kafka_poll_set_consumer(consumer);
	rd_kafka_topic_partition_list_add(topics, argv[2], RD_KAFKA_PARTITION_UA);
	rd_kafka_subscribe(consumer, topics);
	rd_kafka_topic_partition_list_destroy(topics);
	copy(consumer, producer, argv[3], atol(argv[4]));
	rd_kafka_consumer_close(consumer);
	rd_kafka_destroy(consumer);
	rd_kafka_destroy(producer);
	return 0;
}
