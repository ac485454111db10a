/*
 * client.h -- what every Kafka client of ours shares: where the brokers are, who we are, and what the user overrides.
 * Sole user of librdkafka is this module; its types do not leave it.
 */
#ifndef FOREBAY_KAFKA_CLIENT_H
#define FOREBAY_KAFKA_CLIENT_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/base/span.h"
#include "common/metrics/metrics.h"

struct client_property {
	const char *key, *value; /* a librdkafka configuration property */
};

struct client_config {
	const char *bootstrap_servers;
	const char *client_id;
	const struct client_property *overrides; /* applied last, so the user has the last word */
	size_t n_overrides;
	struct metrics *metrics;        /* statistics are mapped into it; NULL: none */
	int64_t statistics_interval_ms; /* 0: none */
};

/* A record's header; value.ptr NULL is a null header. */
struct header {
	const char *name;
	struct span value;
};

#endif
