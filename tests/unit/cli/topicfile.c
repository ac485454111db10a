/* The declarative file of topics: what it says about one topic, and what is no such file. */
#include "cli/topicfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "partitions = 4\ndefaults.retention.ms = 1000\ndlq.retention.ms = 2000\n"

static const struct row {
	const char *name, *text;
	struct topic_overrides overrides;
	const char *topic;
	size_t n_topics;
	int32_t partitions, replication;
	const char *key, *value; /* one setting of it; NULL: not stated */
} rows[] = {
	{ "the defaults",
	  HEAD "topic.a.b.doc = x\n",
	  { 0, 0 },
	  "a.b",
	  1,
	  4,
	  REPLICATION_BROKER,
	  "retention.ms",
	  "1000" },
	{ "its own setting",
	  HEAD "topic.a.doc = x\ntopic.a.retention.ms = 7\n",
	  { 0, 0 },
	  "a",
	  1,
	  4,
	  REPLICATION_BROKER,
	  "retention.ms",
	  "7" },
	{ "a setting before its doc",
	  HEAD "topic.a.retention.ms = 7\ntopic.a.doc = x\n",
	  { 0, 0 },
	  "a",
	  1,
	  4,
	  REPLICATION_BROKER,
	  "retention.ms",
	  "7" },
	{ "a dead-letter topic",
	  HEAD "topic.a.doc = x\ntopic.a.dlq = true\n",
	  { 0, 0 },
	  "a.dlq",
	  2,
	  4,
	  REPLICATION_BROKER,
	  "retention.ms",
	  "2000" },
	{ "a dead-letter topic follows its source",
	  HEAD "topic.a.doc = x\ntopic.a.dlq = true\ntopic.a.partitions = 9\n",
	  { 0, 0 },
	  "a.dlq",
	  2,
	  9,
	  REPLICATION_BROKER,
	  "retention.ms",
	  "2000" },
	{ "a dead-letter topic's own setting",
	  HEAD "topic.a.doc = x\ntopic.a.dlq = true\ntopic.a.dlq.retention.ms = 3\n",
	  { 0, 0 },
	  "a.dlq",
	  2,
	  4,
	  REPLICATION_BROKER,
	  "retention.ms",
	  "3" },
	{ "no dead-letter topic",
	  HEAD "topic.a.doc = x\ntopic.a.dlq = false\n",
	  { 0, 0 },
	  "a",
	  1,
	  4,
	  REPLICATION_BROKER,
	  "retention.ms",
	  "1000" },
	{ "partitions by hand",
	  HEAD "topic.a.doc = x\n",
	  { 3, 0 },
	  "a",
	  1,
	  3,
	  REPLICATION_BROKER,
	  "cleanup.policy",
	  NULL },
	{ "a topic's own partitions stay",
	  HEAD "topic.a.doc = x\ntopic.a.partitions = 1\n",
	  { 3, 0 },
	  "a",
	  1,
	  1,
	  REPLICATION_BROKER,
	  "cleanup.policy",
	  NULL },
	{ "replication",
	  HEAD "defaults.replication = 3\ntopic.a.doc = x\n",
	  { 0, 0 },
	  "a",
	  1,
	  4,
	  3,
	  "cleanup.policy",
	  NULL },
	{ "replication is the broker's",
	  HEAD "defaults.replication = 3\ntopic.a.doc = x\ntopic.a.replication = broker\n",
	  { 0, 0 },
	  "a",
	  1,
	  4,
	  REPLICATION_BROKER,
	  "cleanup.policy",
	  NULL },
	{ "replication by hand lowers min.insync.replicas",
	  HEAD "defaults.replication = 3\ndefaults.min.insync.replicas = 2\ntopic.a.doc = x\n",
	  { 0, 1 },
	  "a",
	  1,
	  4,
	  1,
	  "min.insync.replicas",
	  "1" },
	{ "replication by hand leaves what fits",
	  HEAD "defaults.min.insync.replicas = 2\ntopic.a.doc = x\n",
	  { 0, 5 },
	  "a",
	  1,
	  4,
	  5,
	  "min.insync.replicas",
	  "2" },
	{ "the longest setting counts",
	  HEAD "topic.retention.ms.doc = x\ntopic.retention.ms.retention.ms = 5\n",
	  { 0, 0 },
	  "retention.ms",
	  1,
	  4,
	  REPLICATION_BROKER,
	  "retention.ms",
	  "5" },
	{ "every time stamp",
	  HEAD "topic.a.doc = x\ntopic.a.message.timestamp.after.max.ms = 9223372036854775807\n",
	  { 0, 0 },
	  "a",
	  1,
	  4,
	  REPLICATION_BROKER,
	  "message.timestamp.after.max.ms",
	  "9223372036854775807" },
};

static void
reads(void **state)
{
	const struct row *row = *state;
	CLEANUP(topic_file_free)
	struct topic_file *file = NULL;
	const struct cluster_topic *t = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(topic_file_parse(span_of(row->text), "f", &row->overrides, &file, &err), 0);
	assert_int_equal(file->n_topics, row->n_topics);
	for (size_t i = 0; i < file->n_topics; i++)
		if (strcmp(file->topics[i].topic.name, row->topic) == 0)
			t = &file->topics[i].topic;
	if (!t) {
		fail_msg("no topic %s", row->topic);
		return;
	}
	assert_int_equal(t->partitions, row->partitions);
	assert_int_equal(t->replication, row->replication);
	if (row->value)
		assert_string_equal(topic_setting(t, row->key), row->value);
	else
		assert_null(topic_setting(t, row->key));
}

static const struct wrong {
	const char *name, *text, *says;
} wrongs[] = {
	{ "nothing", "", "no topic" },
	{ "an unknown setting", HEAD "topic.a.doc = x\ntopic.a.retention = 5\n",
	  "f:5: topic.a.retention: unknown key" },
	{ "an unknown prefix", HEAD "topics.a.doc = x\n", "f:4: topics.a.doc: unknown key" },
	{ "a setting of nothing", HEAD "topic.retention.ms = 5\n", "f:4: topic.retention.ms: unknown key" },
	{ "a topic without a doc", HEAD "topic.a.doc = x\ntopic.b.retention.ms = 5\n",
	  "f:5: topic.b.retention.ms: topic b" },
	{ "a number that is none", HEAD "topic.a.doc = x\ntopic.a.retention.ms = 7d\n",
	  "f:5: topic.a.retention.ms: a whole" },
	{ "a number too small", "partitions = 0\ntopic.a.doc = x\n", "f:1: partitions: a whole number" },
	{ "a number too large", HEAD "topic.a.doc = x\ntopic.a.retention.ms = 9223372036854775808\n", "f:5:" },
	{ "a policy that is none", HEAD "topic.a.doc = x\ntopic.a.cleanup.policy = compost\n", "delete, compact" },
	{ "a flag that is none", HEAD "topic.a.doc = x\ntopic.a.dlq = yes\n", "true or false" },
	{ "an empty doc", HEAD "topic.a.doc =\n", "empty" },
	{ "no name for a topic", HEAD "topic.a/b.doc = x\n", "not a name for a topic" },
	{ "declared twice", HEAD "topic.a.dlq.doc = x\ntopic.a.doc = x\ntopic.a.dlq = true\n",
	  "a.dlq is declared twice" },
	{ "no room for dead letters",
	  HEAD "dlq.max.message.bytes = 4000\ntopic.a.doc = x\ntopic.a.dlq = true\ntopic.a.max.message.bytes = 4001\n",
	  "a.dlq: max.message.bytes=4000 is less than the 4001 of a" },
	{ "no properties", "what is this\n", "f:1" },
};

static void
refuses(void **state)
{
	const struct wrong *row = *state;
	const struct topic_overrides none = { 0, 0 };
	struct topic_file *file = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(topic_file_parse(span_of(row->text), "f", &none, &file, &err), -1);
	assert_int_equal(err.reason, REASON_FILE_INVALID);
	if (!strstr(err.text, row->says))
		fail_msg("\"%s\" does not hold \"%s\"", err.text, row->says);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + ARRAY_LEN(wrongs)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, reads, NULL, NULL, (void *)&rows[i] };
	for (size_t i = 0; i < ARRAY_LEN(wrongs); i++)
		tests[n++] = (struct CMUnitTest){ wrongs[i].name, refuses, NULL, NULL, (void *)&wrongs[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
