/*
 * messages.c -- the input of the benchmarks: JSON documents of about 240 bytes with four readings, from many devices.
 *
 *	messages produce BROKERS TOPIC RECORDS DEVICES [FIRST_EVENT_MS]	sends them, key = device
 *	messages parse RECORDS DEVICES		jansson alone: parses each and gives it back -> {"records":...,"cpu_seconds":...}
 */
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/random.h"

static double
cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Message I of DEVICES devices; every device has a message a second. */
static int
message(char text[512], char device[32], long i, long devices, long long first_ms)
{
	long d = i % devices, t = i / devices;
	double u = random_uniform(1, (uint64_t)d, (uint64_t)t);

	snprintf(device, 32, "device-%05ld", d);
	return snprintf(
	    text, 512,
	    "{\"device\":\"%s\",\"time\":%lld,\"firmware\":\"4.2.%ld\",\"site\":{\"region\":\"north-%ld\",\"rack\":%ld},"
	    "\"metrics\":{\"temperature\":%.2f,\"humidity\":%.1f,\"voltage\":%.3f,\"vibration\":%.4f},\"sequence\":%ld,\"customer\":\"c-%07ld\",\"ok\":true}",
	    device, first_ms + t * 1000, d % 7, d % 12, d % 40, 20 + 5 * u, 40 + 20 * u, 3.1 + u / 3, u * 0.02, t,
	    d * 37 % 9999991);
}

static int
produce(const char *brokers, const char *topic, long records, long devices, long long first_ms)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char text[512], device[32];
	rd_kafka_t *rk;

	rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof(text));
	rd_kafka_conf_set(conf, "enable.idempotence", "true", text, sizeof(text));
	rd_kafka_conf_set(conf, "partitioner", "murmur2_random", text, sizeof(text));
	rd_kafka_conf_set(conf, "linger.ms", "20", text, sizeof(text));
	rd_kafka_conf_set(conf, "queue.buffering.max.messages", "1000000", text, sizeof(text));
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
	for (long i = 0; i < records; i++) {
		int len = message(text, device, i, devices, first_ms);

		while (rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
					 RD_KAFKA_V_KEY(device, strlen(device)), RD_KAFKA_V_VALUE(text, (size_t)len),
					 RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
			rd_kafka_poll(rk, 10);
		if ((i & 1023) == 0)
			rd_kafka_poll(rk, 0);
	}
	if (rd_kafka_flush(rk, 60000)) {
		fprintf(stderr, "messages: %d records are not acknowledged\n", rd_kafka_outq_len(rk));
		return 2;
	}
	rd_kafka_destroy(rk);
	return 0;
}

static int
parse(long records, long devices)
{
	char text[512], device[32];
	double spent = 0;
	long bytes = 0;

	for (long i = 0; i < records; i++) {
		int len = message(text, device, i, devices, 1767225600000);
		double begun = cpu_seconds();
		json_t *root = json_loadb(text, (size_t)len, JSON_REJECT_DUPLICATES, NULL);

		if (!root)
			return 2;
		json_decref(root);
		spent += cpu_seconds() - begun;
		bytes += len;
	}
	printf("{\"records\":%ld,\"bytes\":%ld,\"cpu_seconds\":%.3f}\n", records, bytes, spent);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc >= 6 && strcmp(argv[1], "produce") == 0)
		return produce(argv[2], argv[3], atol(argv[4]), atol(argv[5]),
			       argc > 6 ? atoll(argv[6]) : 1767225600000);
	if (argc == 4 && strcmp(argv[1], "parse") == 0)
		return parse(atol(argv[2]), atol(argv[3]));
	fprintf(stderr, "messages produce BROKERS TOPIC RECORDS DEVICES [FIRST_EVENT_MS] | parse RECORDS DEVICES\n");
	return 1;
}
