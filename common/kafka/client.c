/* client.c -- configuration and error classes that all clients share.  See notes on librdkafka 2.0.2 in ARCHITECTURE.md. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/kafka/private.h"

enum err_reason
client_reason(rd_kafka_resp_err_t code)
{
	switch (code) {
	case RD_KAFKA_RESP_ERR_NO_ERROR: return REASON_NONE;
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE: return REASON_BROKER_REFUSED_SIZE;
	case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP: return REASON_BROKER_REFUSED_TIME;
	case RD_KAFKA_RESP_ERR_INVALID_RECORD: return REASON_BROKER_REFUSED;
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: return REASON_TOPIC_MISSING;
	case RD_KAFKA_RESP_ERR__FENCED:
	case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
	case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
	case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH: return REASON_FENCED;
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
	case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE: return REASON_BROKER_REFUSES_US;
	case RD_KAFKA_RESP_ERR__INVALID_ARG:
	case RD_KAFKA_RESP_ERR__STATE:
	case RD_KAFKA_RESP_ERR__FATAL: return REASON_INTERNAL;
	default: return REASON_BROKER_DOWN;
	}
}

int
client_error(struct err *err, rd_kafka_resp_err_t code, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(err, client_reason(code), "%s: %s", what, rd_kafka_err2str(code));
}

static int
on_statistics(rd_kafka_t *handle, char *json, size_t len, void *opaque)
{
	struct client *client = opaque;

	(void)handle;
	if (client->statistics)
		statistics_update(client->statistics, json, len);
	return 0; /* librdkafka frees the text */
}

/* Broker trouble is remembered for error texts; what matters comes back from the calls. */
static void
on_error(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
	struct client *client = opaque;

	(void)handle;
	client->lost |= code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
	snprintf(client->error, sizeof(client->error), "%s: %s", rd_kafka_err2name((rd_kafka_resp_err_t)code), reason);
}

/* The library's own lines say nothing that a call's result or on_error does not; a program's log is one JSON line per event. */
static void
on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
	(void)handle, (void)level, (void)facility, (void)text;
}

static int
set_property(rd_kafka_conf_t *conf, const char *key, const char *value, struct err *err)
{
	char text[256];

	if (!value || rd_kafka_conf_set(conf, key, value, text, sizeof(text)) == RD_KAFKA_CONF_OK)
		return 0;
	return err_set(err, REASON_OPTION_INVALID, "Kafka client property %s: %s", key, text);
}

rd_kafka_conf_t *
client_conf(const struct client_config *config, struct client *client, const struct client_property *properties,
	    size_t n, struct err *err)
{
	char interval[24];
	const struct client_property common[] = {
		{ "bootstrap.servers", config->bootstrap_servers },
		{ "client.id", config->client_id },
		{ "socket.nagle.disable", "true" }, /* the default only since 2.10 */
		{ "reconnect.backoff.ms", "100" },
		{ "reconnect.backoff.max.ms", "2000" },
		{ "topic.metadata.refresh.interval.ms", "60000" },
		{ "allow.auto.create.topics", "false" },
		{ "statistics.interval.ms", interval },
	};
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	int failed = 0;

	snprintf(interval, sizeof(interval), "%lld", (long long)config->statistics_interval_ms);
	rd_kafka_conf_set_opaque(conf, client);
	rd_kafka_conf_set_stats_cb(conf, on_statistics);
	rd_kafka_conf_set_error_cb(conf, on_error);
	rd_kafka_conf_set_log_cb(conf, on_log);
	for (size_t i = 0; i < ARRAY_LEN(common) && !failed; i++)
		failed = set_property(conf, common[i].key, common[i].value, err);
	for (size_t i = 0; i < n && !failed; i++)
		failed = set_property(conf, properties[i].key, properties[i].value, err);
	for (size_t i = 0; i < config->n_overrides && !failed; i++)
		failed = set_property(conf, config->overrides[i].key, config->overrides[i].value, err);
	if (failed) {
		rd_kafka_conf_destroy(conf);
		return NULL;
	}
	return conf;
}

int
client_start(struct client *client, rd_kafka_type_t type, rd_kafka_conf_t *conf, struct err *err)
{
	char text[256];
	bool wrong;

	client->handle = rd_kafka_new(type, conf, text, sizeof(text));
	if (client->handle)
		return 0;
	wrong = rd_kafka_last_error() == RD_KAFKA_RESP_ERR__INVALID_ARG;
	rd_kafka_conf_destroy(conf);
	return err_set(err, wrong ? REASON_OPTION_INVALID : REASON_INTERNAL, "Kafka client: %s", text);
}

rd_kafka_resp_err_t
client_log_offset(rd_kafka_t *handle, const char *topic, int32_t partition, int64_t which, int timeout_ms, int64_t *ret)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_t *tp = rd_kafka_topic_partition_list_add(list, topic, partition);
	rd_kafka_resp_err_t code;

	tp->offset = which;
	code = rd_kafka_offsets_for_times(handle, list, timeout_ms);
	code = code ? code : tp->err;
	if (!code && tp->offset < 0)
		code = RD_KAFKA_RESP_ERR__TIMED_OUT;
	*ret = tp->offset;
	rd_kafka_topic_partition_list_destroy(list);
	return code;
}

rd_kafka_resp_err_t
client_watermarks(rd_kafka_t *handle, const char *topic, int32_t partition, int timeout_ms, int64_t *low, int64_t *high)
{
	rd_kafka_resp_err_t code =
	    client_log_offset(handle, topic, partition, RD_KAFKA_OFFSET_BEGINNING, timeout_ms, low);

	return code ? code : client_log_offset(handle, topic, partition, RD_KAFKA_OFFSET_END, timeout_ms, high);
}
