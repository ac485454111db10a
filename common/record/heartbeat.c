/* heartbeat.c -- Heartbeat as a table. */
#include "common/record/heartbeat.h"

#include "common/record/rules.h"
#include "common/record/type.h"

#define PARTITIONS_MAX 100000

static const struct field partition_fields[] = {
	{ "topic", FIELD_TEXT, AT(struct heartbeat_partition, topic), LENGTH(1, LABEL_BYTES) },
	{ "partition", FIELD_INT, AT(struct heartbeat_partition, partition), LENGTH(0, INT32_MAX) },
	{ "offset", FIELD_LONG, AT(struct heartbeat_partition, offset), LENGTH(-1, INT64_MAX) },
	{ "lag", FIELD_LONG, AT(struct heartbeat_partition, lag), LENGTH(LAG_UNKNOWN, INT64_MAX) },
};

static const struct shape partition_shape = SHAPE(partition_fields, struct heartbeat_partition, 4);

static const struct field fields[] = {
	{ "worker", FIELD_TEXT, AT(struct heartbeat, worker), LENGTH(1, LABEL_BYTES) },
	{ "instance", FIELD_TEXT, AT(struct heartbeat, instance), LENGTH(1, LABEL_BYTES) },
	{ "version", FIELD_TEXT, AT(struct heartbeat, version), LENGTH(0, LABEL_BYTES) },
	{ "time", FIELD_TIME, AT(struct heartbeat, time_us), ANY_TIME },
	{ "started_time", FIELD_TIME, AT(struct heartbeat, started_us), ANY_TIME },
	{ "state", FIELD_TEXT, AT(struct heartbeat, state), LENGTH(1, NAME_BYTES) },
	{ "partitions", FIELD_RECORDS, AT(struct heartbeat, partitions), COUNT(struct heartbeat, n_partitions),
	  LENGTH(0, PARTITIONS_MAX), .item = &partition_shape },
};

static const struct shape shape = SHAPE(fields, struct heartbeat, 7);

const struct record_type heartbeat_record = { "Heartbeat", &shape, NULL };
