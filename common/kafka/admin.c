/* admin.c -- the connection and the list of topics; see admin.h.  Settings are in settings.c, positions in offsets.c. */
#include "common/kafka/admin.h"

#include <stdlib.h>
#include <string.h>

#include "common/kafka/request.h"

int
cluster_open(const struct client_config *config, int timeout_ms, struct cluster **ret, struct err *err)
{
	const struct client_property properties[] = {
		{ "isolation.level", "read_uncommitted" }, /* watermarks count what open transactions hold */
		{ "socket.timeout.ms", "10000" },
	};
	CLEANUP(cluster_close)
	struct cluster *c = calloc(1, sizeof(*c));
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_resp_err_t code;
	rd_kafka_conf_t *conf;

	if (!c)
		return err_set(err, REASON_NO_MEMORY, "Kafka client");
	c->timeout_ms = timeout_ms;
	conf = client_conf(config, &c->client, properties, ARRAY_LEN(properties), err);
	if (!conf || client_start(&c->client, RD_KAFKA_CONSUMER, conf, err) < 0)
		return -1;
	rd_kafka_poll_set_consumer(c->client.handle);
	code = rd_kafka_metadata(c->client.handle, 0, NULL, &metadata, timeout_ms);
	rd_kafka_poll(c->client.handle, 0); /* hear what was wrong with the connection */
	if (code)
		return admin_error(c, code, NULL, config->bootstrap_servers, err);
	rd_kafka_metadata_destroy(metadata);
	*ret = TAKE(c);
	return 0;
}

void
cluster_close(struct cluster *c)
{
	if (!c)
		return;
	if (c->client.handle)
		rd_kafka_destroy(c->client.handle);
	free(c);
}

const char *
cluster_id(struct cluster *c, struct arena *arena)
{
	char *id = rd_kafka_clusterid(c->client.handle, c->timeout_ms);
	const char *copy = id ? arena_copy(arena, span_of(id)).ptr : NULL;

	if (id)
		rd_kafka_mem_free(c->client.handle, id);
	return copy;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct cluster_topic *)a)->name, ((const struct cluster_topic *)b)->name);
}

static int32_t
least_replicas(const rd_kafka_metadata_topic_t *t)
{
	int32_t least = t->partition_cnt ? t->partitions[0].replica_cnt : 0;

	for (int i = 1; i < t->partition_cnt; i++)
		least = t->partitions[i].replica_cnt < least ? t->partitions[i].replica_cnt : least;
	return least;
}

static int
copy_topics(const struct rd_kafka_metadata *metadata, struct arena *arena, struct cluster_topic **ret, size_t *n,
	    struct err *err)
{
	struct cluster_topic *topics = arena_zalloc(arena, ((size_t)metadata->topic_cnt + 1) * sizeof(*topics));

	*n = 0;
	for (int i = 0; topics && i < metadata->topic_cnt; i++) {
		const rd_kafka_metadata_topic_t *t = &metadata->topics[i];
		struct cluster_topic *copy = &topics[*n];

		if (strncmp(t->topic, "__", 2) == 0)
			continue;
		copy->name = arena_copy(arena, span_of(t->topic)).ptr;
		copy->partitions = t->partition_cnt;
		copy->replication = least_replicas(t);
		if (!copy->name)
			return err_set(err, REASON_NO_MEMORY, "list of topics");
		++*n;
	}
	if (!topics)
		return err_set(err, REASON_NO_MEMORY, "list of topics");
	qsort(topics, *n, sizeof(*topics), by_name);
	*ret = topics;
	return 0;
}

int
cluster_topics(struct cluster *c, struct arena *arena, struct cluster_topic **ret, size_t *n, struct err *err)
{
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_resp_err_t code = rd_kafka_metadata(c->client.handle, 1, NULL, &metadata, c->timeout_ms);
	int failed;

	if (code)
		return admin_error(c, code, NULL, "list of topics", err);
	failed = copy_topics(metadata, arena, ret, n, err);
	rd_kafka_metadata_destroy(metadata);
	return failed;
}
