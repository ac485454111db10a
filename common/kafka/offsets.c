/* offsets.c -- the part of admin.h that is about positions: ends of partitions, offsets at a time, groups and theirs. */
#include <stdlib.h>
#include <string.h>

#include "common/kafka/request.h"

static void
list_free(rd_kafka_topic_partition_list_t **list)
{
	if (*list)
		rd_kafka_topic_partition_list_destroy(*list);
}
#define LIST __attribute__((cleanup(list_free))) rd_kafka_topic_partition_list_t

/* In the order of PARTITIONS, each with OFFSET. */
static rd_kafka_topic_partition_list_t *
list_of(const struct topic_partition *partitions, size_t n, int64_t offset)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);

	for (size_t i = 0; i < n; i++)
		rd_kafka_topic_partition_list_add(list, partitions[i].topic, partitions[i].partition)->offset = offset;
	return list;
}

int
cluster_watermarks(struct cluster *c, const char *topic, int32_t partition, int64_t *low, int64_t *high,
		   struct err *err)
{
	rd_kafka_resp_err_t code = client_watermarks(c->client.handle, topic, partition, c->timeout_ms, low, high);

	return code ? admin_error(c, code, NULL, topic, err) : 0;
}

/* Ends are asked for first: a record that comes between two questions lies behind the end, or is found by its time. */
int
cluster_offsets_at(struct cluster *c, int64_t time_ms, struct topic_partition *partitions, size_t n, struct err *err)
{
	LIST *list = list_of(partitions, n, time_ms);
	rd_kafka_resp_err_t code;
	int64_t low;

	for (size_t i = 0; i < n; i++)
		if (cluster_watermarks(c, partitions[i].topic, partitions[i].partition, &low, &partitions[i].offset,
				       err) < 0)
			return -1;
	code = rd_kafka_offsets_for_times(c->client.handle, list, c->timeout_ms);
	for (int i = 0; !code && i < list->cnt; i++)
		code = list->elems[i].err;
	if (code)
		return admin_error(c, code, NULL, "offsets at a time", err);
	for (size_t i = 0; i < n; i++)
		if (list->elems[i].offset >= 0)
			partitions[i].offset = list->elems[i].offset;
	return 0;
}

/* A client like C's, of GROUP: it only asks, and never joins. */
static rd_kafka_t *
member_of(struct cluster *c, const char *group, struct err *err)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_dup(rd_kafka_conf(c->client.handle));
	char text[256];
	rd_kafka_t *handle = NULL;

	if (rd_kafka_conf_set(conf, "group.id", group, text, sizeof(text)) == RD_KAFKA_CONF_OK)
		handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
	if (handle)
		return handle;
	rd_kafka_conf_destroy(conf);
	err_set(err, REASON_OPTION_INVALID, "group %s: %s", group, text);
	return NULL;
}

/*
 * Asked as a member would ask: the administrative request for a group's offsets ends the process in librdkafka 2.0.2 when the
 * coordinator has moved or does not know yet that it is one.
 */
int
cluster_committed(struct cluster *c, const char *group, struct topic_partition *partitions, size_t n, struct err *err)
{
	LIST *list = list_of(partitions, n, RD_KAFKA_OFFSET_INVALID);
	rd_kafka_resp_err_t code;
	rd_kafka_t *handle;

	if (n == 0)
		return 0;
	handle = member_of(c, group, err);
	if (!handle)
		return -1;
	code = rd_kafka_committed(handle, list, c->timeout_ms);
	rd_kafka_destroy(handle);
	if (code)
		return admin_error(c, code, NULL, group, err);
	for (size_t i = 0; i < n; i++) {
		const rd_kafka_topic_partition_t *e = &list->elems[i];

		partitions[i].offset = !e->err && e->offset >= 0 ? e->offset : OFFSET_NONE;
	}
	return 0;
}

static int
by_id(const void *a, const void *b)
{
	return strcmp(((const struct cluster_group *)a)->id, ((const struct cluster_group *)b)->id);
}

int
cluster_groups(struct cluster *c, struct arena *arena, struct cluster_group **ret, size_t *n, struct err *err)
{
	CLEANUP(request_clear)
	struct request r = { NULL };
	const rd_kafka_ConsumerGroupListing_t **listed;
	struct cluster_group *groups;

	if (request_init(&r, c, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, false, err) < 0)
		return -1;
	rd_kafka_ListConsumerGroups(c->client.handle, r.options, r.queue);
	if (request_wait(&r, c, "list of consumer groups", err) < 0)
		return -1;
	listed = rd_kafka_ListConsumerGroups_result_valid(rd_kafka_event_ListConsumerGroups_result(r.answer), n);
	groups = arena_zalloc(arena, (*n + 1) * sizeof(*groups));
	for (size_t i = 0; groups && i < *n; i++) {
		groups[i].id = arena_copy(arena, span_of(rd_kafka_ConsumerGroupListing_group_id(listed[i]))).ptr;
		groups[i].state = rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupListing_state(listed[i]));
		if (!groups[i].id)
			groups = NULL;
	}
	if (!groups)
		return err_set(err, REASON_NO_MEMORY, "list of consumer groups");
	qsort(groups, *n, sizeof(*groups), by_id);
	*ret = groups;
	return 0;
}
