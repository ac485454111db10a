/* mapping.c -- what a mapping file may say, and how it is told what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "workers/sink-writer/mapping.h"

struct span
input_header(const struct input *in, const char *name)
{
	(void)in, (void)name;
	return SPAN_NONE;
}

#define BLOCK                                                \
	"a.topics = t1, t2\n"                                \
	"a.record = reading\n"                               \
	"a.table = forebay.readings\n"                       \
	"a.columns = device, event_time, topic, partition\n" \
	"a.identity = device, event_time\n"

static const struct bad {
	const char *name, *text, *expected; /* in the message, after the path */
} bad[] = {
	{ "empty", "# nothing\n", ": names no table" },
	{ "no dot", "topics = x\n", ":1: topics: keys are" },
	{ "misspelt key", BLOCK "a.retention.day = 3\n", ":6: a.retention.day: unknown, did you mean retention.days?" },
	{ "unheard-of key", BLOCK "a.colour = red\n", ":6: a.colour: unknown" },
	{ "key twice", BLOCK "\na.table = x.y\n", ":7: a.table is given twice, first in line 3" },
	{ "no table", "a.topics = t\na.record = score\n", ":1: a.table: is missing" },
	{ "no topic", "a.topics = ,\na.record = score\na.table = x\na.columns = topic, partition\na.identity = topic\n",
	  ":1: a.topics: names no topic" },
	{ "unknown record", BLOCK "b.topics = u\nb.record = wish\nb.table = x\nb.columns = topic\nb.identity = topic\n",
	  ":7: b.record: wish is not known" },
	{ "unknown field",
	  "a.topics = t\na.record = score\na.table = x\na.columns = topic, partition, v:volume\na.identity = v\n",
	  ":4: a.columns: record score has no field volume" },
	{ "field of another record",
	  "a.topics = t\na.record = score\na.table = x\na.columns = topic, partition, target\n"
	  "a.identity = topic\n",
	  ":4: a.columns: record score has no field target" },
	{ "column twice",
	  "a.topics = t\na.record = score\na.table = x\na.columns = topic, partition, topic\na.identity = topic\n",
	  ":4: a.columns: column topic is given twice" },
	{ "rows cannot be counted",
	  "a.topics = t\na.record = score\na.table = x\na.columns = device, topic\na.identity = device\n",
	  ":4: a.columns: a column each for the fields topic and partition" },
	{ "identity elsewhere",
	  "a.topics = t\na.record = score\na.table = x\na.columns = topic, partition\na.identity = device\n",
	  ":5: a.identity: device is not among the columns" },
	{ "bad table name",
	  "a.topics = t\na.record = score\na.table = x; DROP TABLE y\na.columns = topic, partition\n"
	  "a.identity = topic\n",
	  ":3: a.table: x; DROP TABLE y is not of the form" },
	{ "unknown policy", BLOCK "a.conflict = best\n", ":6: a.conflict: best is not known" },
	{ "newer than what", BLOCK "a.conflict = newer\n", ":6: a.conflict: newer and the key order go together" },
	{ "order without newer", BLOCK "a.order = event_time\n",
	  ":1: a.conflict: newer and the key order go together" },
	{ "order by a text", BLOCK "a.conflict = newer\na.order = device\n", ":7: a.order: device is not a time" },
	{ "time elsewhere", BLOCK "a.time = ingest_time\n", ":6: a.time: ingest_time is not among the columns" },
	{ "negative days", BLOCK "a.time = event_time\na.retention.days = -1\n",
	  ":7: a.retention.days: -1 is not a number" },
	{ "days with a unit", BLOCK "a.time = event_time\na.retention.days = 7d\n",
	  ":7: a.retention.days: 7d is not a number" },
	{ "too many days", BLOCK "a.time = event_time\na.retention.days = 99999999999999999999\n",
	  ":7: a.retention.days:" },
	{ "retention by what", BLOCK "a.retention.days = 7\n", ":6: a.retention.days: needs the key time" },
	{ "unknown interval", BLOCK "a.partition = week\n", ":6: a.partition: week is not known" },
	{ "one topic, two kinds",
	  BLOCK "b.topics = t2\nb.record = score\nb.table = x\nb.columns = topic, partition\nb.identity = topic\n",
	  ":6: b.record: topic t2 holds reading records already" },
};

static void
write_file(char path[64], const char *text)
{
	FILE *file;
	int fd;

	strcpy(path, "/tmp/forebay-mapping.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	fputs(text, file);
	fclose(file);
}

static void
complains(void **state)
{
	const struct bad *row = *state;
	struct mapping *m = NULL;
	struct err err = ERR_INIT;
	char path[64];

	write_file(path, row->text);
	assert_int_equal(mapping_load(path, &m, &err), -1);
	unlink(path);
	assert_int_equal(err.reason, REASON_FILE_INVALID);
	if (strncmp(err.text, path, strlen(path)) != 0 ||
	    strncmp(err.text + strlen(path), row->expected, strlen(row->expected)) != 0)
		fail_msg("said \"%s\", not \"%s\"", err.text, row->expected);
	assert_null(m);
}

static void
says_that_a_file_is_missing(void **state)
{
	struct mapping *m = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(mapping_load("/nowhere/sink.properties", &m, &err), -1);
	assert_int_equal(err.reason, REASON_FILE_UNREADABLE);
}

static void
reads_all_keys(void **state)
{
	CLEANUP(mapping_free)
	struct mapping *m = NULL;
	struct err err = ERR_INIT;
	char path[64];

	(void)state;
	write_file(path, BLOCK "a.conflict = newer\na.order = event_time\na.time = event_time\na.partition = day\n"
			       "a.retention.days = 30\n");
	assert_int_equal(mapping_load(path, &m, &err), 0);
	unlink(path);
	assert_int_equal(m->n_tables, 1);
	assert_string_equal(m->tables[0].kind->name, "reading");
	assert_int_equal(m->tables[0].n_columns, 4);
	assert_int_equal(m->tables[0].n_identity, 2);
	assert_int_equal(m->tables[0].identity[1], 1);
	assert_int_equal(m->tables[0].conflict, CONFLICT_NEWER);
	assert_int_equal(m->tables[0].order, 1);
	assert_int_equal(m->tables[0].split, SPLIT_DAY);
	assert_int_equal(m->tables[0].retention_days, 30);
	assert_true(mapping_has_topic(m, "t2", NULL));
	assert_false(mapping_has_topic(m, "t", NULL));
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(bad) + 2] = {
		cmocka_unit_test(says_that_a_file_is_missing),
		cmocka_unit_test(reads_all_keys),
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		tests[i + 2] = (struct CMUnitTest){ bad[i].name, complains, NULL, NULL, (void *)(uintptr_t)&bad[i] };
	return cmocka_run_group_tests_name("mapping", tests, NULL, NULL);
}
