/* statistics.c -- walks the document with jansson once per statistics.interval.ms; a table says which value goes where. */
#include "common/kafka/statistics.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

/* A value of the document at PATH (object members, dot separated) and its metric. */
static const struct value {
	const char *path;
	double factor;
	struct metric_spec spec;
} values[] = {
	{ "cgrp.rebalance_cnt",
	  1,
	  { "forebay_consumer_rebalances_total", METRIC_COUNTER, "client",
	    "rebalances of the consumer group seen by this member" } },
	{ "cgrp.rebalance_age",
	  1e-3,
	  { "forebay_consumer_rebalance_age_seconds", METRIC_GAUGE, "client", "time since the latest rebalance" } },
	{ "cgrp.assignment_size",
	  1,
	  { "forebay_consumer_assigned_partitions", METRIC_GAUGE, "client", "partitions held by this member" } },
	{ "eos.txn_stateage",
	  1e-3,
	  { "forebay_transaction_age_seconds", METRIC_GAUGE, "client",
	    "time since the transaction's state last changed" } },
	{ "eos.producer_epoch",
	  1,
	  { "forebay_producer_epoch", METRIC_GAUGE, "client", "epoch of the transactional producer" } },
	{ "eos.epoch_cnt",
	  1,
	  { "forebay_producer_epoch_changes_total", METRIC_COUNTER, "client",
	    "how often the producer got a new epoch" } },
	{ "msg_cnt",
	  1,
	  { "forebay_client_queue_records", METRIC_GAUGE, "client", "records that wait inside the client" } },
	{ "msg_size",
	  1,
	  { "forebay_client_queue_bytes", METRIC_GAUGE, "client", "bytes that wait inside the client" } },
	{ "replyq",
	  1,
	  { "forebay_client_reply_queue_events", METRIC_GAUGE, "client", "events that wait to be served" } },
	{ "txbytes", 1, { "forebay_client_sent_bytes_total", METRIC_COUNTER, "client", "bytes sent to brokers" } },
	{ "rxbytes",
	  1,
	  { "forebay_client_received_bytes_total", METRIC_COUNTER, "client", "bytes received from brokers" } },
};

static const struct metric_spec rtt_spec = { "forebay_broker_rtt_p99_seconds", METRIC_GAUGE, "client,broker",
					     "99th percentile of the round trip to a broker in the latest window" };
static const struct metric_spec retries_spec = { "forebay_broker_retries_total", METRIC_COUNTER, "client,broker",
						 "requests that the client repeated" };
static const struct metric_spec timeouts_spec = { "forebay_broker_timeouts_total", METRIC_COUNTER, "client,broker",
						  "requests that timed out" };

struct statistics {
	struct metrics *metrics;
	char client[64];
};

static void
json_release(json_t **json)
{
	json_decref(*json);
}

struct statistics *
statistics_new(struct metrics *metrics, const char *client)
{
	struct statistics *s = calloc(1, sizeof(*s));

	if (s) {
		s->metrics = metrics;
		snprintf(s->client, sizeof(s->client), "%s", client);
	}
	return s;
}

void
statistics_free(struct statistics *s)
{
	free(s);
}

/* The member at a dotted path, or NULL. */
static const json_t *
at(const json_t *json, const char *path)
{
	char name[64];

	while (json && *path) {
		size_t n = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)n, path);
		json = json_object_get(json, name);
		path += n + (path[n] == '.');
	}
	return json;
}

static void
set(struct statistics *s, const struct metric_spec *spec, const char *const *labels, const json_t *value, double factor)
{
	if (json_is_number(value))
		metric_set(metrics_series(s->metrics, spec, labels), json_number_value(value) * factor);
}

static void
update_brokers(struct statistics *s, json_t *brokers)
{
	const char *name;
	json_t *broker;

	json_object_foreach(brokers, name, broker)
	{
		const char *labels[] = { s->client, name };

		if (json_integer_value(json_object_get(broker, "nodeid")) < 0)
			continue; /* bootstrap and logical connections */
		set(s, &rtt_spec, labels, at(broker, "rtt.p99"), 1e-6);
		set(s, &retries_spec, labels, at(broker, "txretries"), 1);
		set(s, &timeouts_spec, labels, at(broker, "req_timeouts"), 1);
	}
}

void
statistics_update(struct statistics *s, const char *json, size_t len)
{
	__attribute__((cleanup(json_release))) json_t *root = json_loadb(json, len, 0, NULL);
	const char *labels[] = { s->client };

	if (!root)
		return;
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		set(s, &values[i].spec, labels, at(root, values[i].path), values[i].factor);
	update_brokers(s, json_object_get(root, "brokers"));
}
