/*
 * settings.c -- the part of admin.h that is about a topic's settings: read, create, change.
 *
 * AlterConfigs, all that librdkafka 2.0.2 offers, replaces every setting of a topic; so what is set already is read first
 * and sent again.  From 2.2 on IncrementalAlterConfigs needs no such care.
 */
#include <stdlib.h>
#include <string.h>

#include "common/kafka/request.h"

#define HAVE_INCREMENTAL (RD_KAFKA_VERSION >= 0x02020000)

static int
copy_settings(const rd_kafka_ConfigResource_t *resource, struct cluster_topic *topic, struct arena *arena)
{
	size_t n;
	const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &n);

	topic->settings = arena_zalloc(arena, (n + 1) * sizeof(*topic->settings));
	topic->n_settings = topic->settings ? n : 0;
	for (size_t i = 0; i < topic->n_settings; i++) {
		const char *value = rd_kafka_ConfigEntry_value(entries[i]);
		struct cluster_setting *s = &topic->settings[i];

		s->key = arena_copy(arena, span_of(rd_kafka_ConfigEntry_name(entries[i]))).ptr;
		s->value = arena_copy(arena, span_of(value ? value : "")).ptr;
		s->own = rd_kafka_ConfigEntry_source(entries[i]) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG;
		if (!s->key || !s->value)
			return -1;
	}
	return topic->settings ? 0 : -1;
}

/* The answer to DescribeConfigs: resources in any order. */
static int
take_settings(struct cluster *c, rd_kafka_event_t *answer, struct cluster_topic *topics, size_t n, struct arena *arena,
	      struct err *err)
{
	size_t n_resources;
	const rd_kafka_ConfigResource_t **resources =
	    rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(answer), &n_resources);

	for (size_t i = 0; i < n_resources; i++) {
		const char *name = rd_kafka_ConfigResource_name(resources[i]);
		rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resources[i]);

		if (code)
			return admin_error(c, code, rd_kafka_ConfigResource_error_string(resources[i]), name, err);
		for (size_t k = 0; k < n; k++)
			if (strcmp(topics[k].name, name) == 0 && copy_settings(resources[i], &topics[k], arena) < 0)
				return err_set(err, REASON_NO_MEMORY, "settings of topic %s", name);
	}
	return 0;
}

int
cluster_settings(struct cluster *c, struct cluster_topic *topics, size_t n, struct arena *arena, struct err *err)
{
	CLEANUP(request_clear)
	struct request r = { NULL };
	rd_kafka_ConfigResource_t **resources = arena_zalloc(arena, (n + 1) * sizeof(rd_kafka_ConfigResource_t *));

	if (n == 0)
		return 0;
	if (!resources)
		return err_set(err, REASON_NO_MEMORY, "settings of topics");
	if (request_init(&r, c, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, false, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		resources[i] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topics[i].name);
	rd_kafka_DescribeConfigs(c->client.handle, resources, n, r.options, r.queue);
	rd_kafka_ConfigResource_destroy_array(resources, n);
	if (request_wait(&r, c, "settings of topics", err) < 0)
		return -1;
	return take_settings(c, r.answer, topics, n, arena, err);
}

static rd_kafka_NewTopic_t *
new_topic(const struct cluster_topic *topic, struct err *err)
{
	char text[256];
	rd_kafka_NewTopic_t *t =
	    rd_kafka_NewTopic_new(topic->name, topic->partitions, topic->replication, text, sizeof(text));

	if (!t)
		err_set(err, REASON_TOPIC_MISMATCH, "topic %s: %s", topic->name, text);
	for (size_t i = 0; t && i < topic->n_settings; i++)
		rd_kafka_NewTopic_set_config(t, topic->settings[i].key, topic->settings[i].value);
	return t;
}

int
cluster_create(struct cluster *c, const struct cluster_topic *topic, bool validate_only, struct err *err)
{
	CLEANUP(request_clear)
	struct request r = { NULL };
	rd_kafka_NewTopic_t *t;
	const rd_kafka_topic_result_t **results;
	rd_kafka_resp_err_t code;
	size_t n;

	if (request_init(&r, c, RD_KAFKA_ADMIN_OP_CREATETOPICS, validate_only, err) < 0 || !(t = new_topic(topic, err)))
		return -1;
	rd_kafka_CreateTopics(c->client.handle, &t, 1, r.options, r.queue);
	rd_kafka_NewTopic_destroy(t);
	if (request_wait(&r, c, topic->name, err) < 0)
		return -1;
	results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(r.answer), &n);
	code = n == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__BAD_MSG;
	if (!code || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
		return 0;
	return admin_error(c, code, n == 1 ? rd_kafka_topic_result_error_string(results[0]) : NULL, topic->name, err);
}

/* The answer to either kind of alteration is the resource with its error. */
static int
check_altered(struct cluster *c, const rd_kafka_ConfigResource_t **resources, size_t n, const char *topic,
	      struct err *err)
{
	rd_kafka_resp_err_t code = n == 1 ? rd_kafka_ConfigResource_error(resources[0]) : RD_KAFKA_RESP_ERR__BAD_MSG;

	if (!code)
		return 0;
	return admin_error(c, code, n == 1 ? rd_kafka_ConfigResource_error_string(resources[0]) : NULL, topic, err);
}

#if HAVE_INCREMENTAL

int
cluster_alter(struct cluster *c, const char *topic, const struct cluster_setting *settings, size_t n,
	      bool validate_only, struct err *err)
{
	CLEANUP(request_clear)
	struct request r = { NULL };
	rd_kafka_ConfigResource_t *resource;
	const rd_kafka_ConfigResource_t **resources;
	rd_kafka_error_t *refused = NULL;
	size_t n_resources;

	if (request_init(&r, c, RD_KAFKA_ADMIN_OP_INCREMENTALALTERCONFIGS, validate_only, err) < 0)
		return -1;
	resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
	for (size_t i = 0; i < n && !refused; i++)
		refused = rd_kafka_ConfigResource_add_incremental_config(
		    resource, settings[i].key, RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET, settings[i].value);
	if (refused) {
		err_set(err, REASON_TOPIC_MISMATCH, "%s: %s", topic, rd_kafka_error_string(refused));
		rd_kafka_error_destroy(refused);
		rd_kafka_ConfigResource_destroy(resource);
		return -1;
	}
	rd_kafka_IncrementalAlterConfigs(c->client.handle, &resource, 1, r.options, r.queue);
	rd_kafka_ConfigResource_destroy(resource);
	if (request_wait(&r, c, topic, err) < 0)
		return -1;
	resources = rd_kafka_IncrementalAlterConfigs_result_resources(
	    rd_kafka_event_IncrementalAlterConfigs_result(r.answer), &n_resources);
	return check_altered(c, resources, n_resources, topic, err);
}

#else

static bool
is_changed(const struct cluster_setting *settings, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(settings[i].key, key) == 0)
			return true;
	return false;
}

int
cluster_alter(struct cluster *c, const char *topic, const struct cluster_setting *settings, size_t n,
	      bool validate_only, struct err *err)
{
	CLEANUP(request_clear)
	struct request r = { NULL };
	CLEANUP(arena_free)
	struct arena *arena = arena_new(16384, 0);
	struct cluster_topic now = { .name = topic };
	rd_kafka_ConfigResource_t *resource;
	const rd_kafka_ConfigResource_t **resources;
	size_t n_resources;

	if (!arena)
		return err_set(err, REASON_NO_MEMORY, "settings of topic %s", topic);
	if (cluster_settings(c, &now, 1, arena, err) < 0 ||
	    request_init(&r, c, RD_KAFKA_ADMIN_OP_ALTERCONFIGS, validate_only, err) < 0)
		return -1;
	resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
	for (size_t i = 0; i < now.n_settings; i++)
		if (now.settings[i].own && !is_changed(settings, n, now.settings[i].key))
			rd_kafka_ConfigResource_set_config(resource, now.settings[i].key, now.settings[i].value);
	for (size_t i = 0; i < n; i++)
		rd_kafka_ConfigResource_set_config(resource, settings[i].key, settings[i].value);
	rd_kafka_AlterConfigs(c->client.handle, &resource, 1, r.options, r.queue);
	rd_kafka_ConfigResource_destroy(resource);
	if (request_wait(&r, c, topic, err) < 0)
		return -1;
	resources = rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(r.answer), &n_resources);
	return check_altered(c, resources, n_resources, topic, err);
}

#endif
