/* private.h -- what the files of this module share.  Nobody outside includes it. */
#ifndef FOREBAY_KAFKA_PRIVATE_H
#define FOREBAY_KAFKA_PRIVATE_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "common/base/error.h"
#include "common/kafka/client.h"
#include "common/kafka/statistics.h"

/* What a client's callbacks need; the opaque of every rd_kafka_t of ours begins with it. */
struct client {
	rd_kafka_t *handle;
	struct statistics *statistics; /* NULL: none */
	bool lost;                     /* no broker is left; for consumer_poll() to tell once */
	char error[256];               /* the latest complaint of the client about a broker, for error texts */
};

/* Our reason for one of librdkafka's codes. */
enum err_reason client_reason(rd_kafka_resp_err_t code);

/* "<what>: <text of code>", with the reason of the code. */
int client_error(struct err *err, rd_kafka_resp_err_t code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * A configuration with what all our clients have in common, then PROPERTIES (those with a value), then the user's overrides.  NULL on
 * OPTION_INVALID, which names the property.  The caller owns it until rd_kafka_new takes it.
 */
rd_kafka_conf_t *client_conf(const struct client_config *config, struct client *client,
			     const struct client_property *properties, size_t n, struct err *err);

/* Make the client; takes CONF in every case. */
int client_start(struct client *client, rd_kafka_type_t type, rd_kafka_conf_t *conf, struct err *err);

/*
 * Where a log begins (WHICH: RD_KAFKA_OFFSET_BEGINNING) or ends (_END; for a read_committed client the last stable offset).
 * Keeps its time-out, unlike rd_kafka_query_watermark_offsets() while the leader is away.
 */
rd_kafka_resp_err_t client_log_offset(rd_kafka_t *handle, const char *topic, int32_t partition, int64_t which,
				      int timeout_ms, int64_t *ret);
rd_kafka_resp_err_t client_watermarks(rd_kafka_t *handle, const char *topic, int32_t partition, int timeout_ms,
				      int64_t *low, int64_t *high);

/* The handles behind the public types, for files of this module. */
struct consumer;
struct producer;
rd_kafka_t *consumer_handle(struct consumer *c);
rd_kafka_t *producer_handle(struct producer *p);

#endif
