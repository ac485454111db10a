/* Two looks at the fleet: is it idle, and how fast was it? */
#include "cli/fleet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/config/options.h"

/* One group, one topic. */
struct shape {
	int64_t lag, end;
	const char *topic;
	size_t n_topics;
};

static const struct row {
	const char *name;
	struct shape then, now;
	bool idle;
} rows[] = {
	{ "nothing to read, nothing new", { 0, 5, "a", 1 }, { 0, 5, "a", 1 }, true },
	{ "caught up just now", { 3, 5, "a", 1 }, { 0, 5, "a", 1 }, true },
	{ "something to read", { 0, 5, "a", 1 }, { 1, 5, "a", 1 }, false },
	{ "something new, read at once", { 0, 5, "a", 1 }, { 0, 6, "a", 1 }, false },
	{ "another topic", { 0, 5, "a", 1 }, { 0, 5, "b", 1 }, false },
	{ "a topic more", { 0, 5, "a", 0 }, { 0, 5, "a", 1 }, false },
};

static void
is_idle(void **state)
{
	const struct row *row = *state;
	struct fleet_group then_group = { .lag = row->then.lag }, now_group = { .lag = row->now.lag };
	struct fleet_topic then_topic = { row->then.topic, 1, 0, row->then.end },
			   now_topic = { row->now.topic, 1, 0, row->now.end };
	const struct fleet_look then = { 0, &then_group, 1, &then_topic, row->then.n_topics };
	const struct fleet_look now = { 1, &now_group, 1, &now_topic, row->now.n_topics };

	assert_int_equal(fleet_is_idle(&now, &then), row->idle);
}

static void
rates_are_per_second(void **state)
{
	const struct fleet_look then = { .at_us = US_PER_SECOND }, now = { .at_us = 3 * US_PER_SECOND };

	(void)state;
	assert_true(fleet_rate(300, 100, &now, &then) == 100);
	assert_true(fleet_rate(100, 300, &now, &then) == 0); /* a topic that was made anew */
	assert_true(fleet_rate(300, 100, &now, NULL) == 0);
	assert_true(fleet_rate(300, 100, &now, &now) == 0);
}

static void
knows_dead_letters(void **state)
{
	(void)state;
	assert_true(fleet_is_dead_letters("a.dlq"));
	assert_false(fleet_is_dead_letters("a.dlq.b"));
	assert_false(fleet_is_dead_letters(".dlq"));
	assert_false(fleet_is_dead_letters("dlq"));
}

static void
finds_members(void **state)
{
	(void)state;
	assert_string_equal(fleet_find(span_of("sink-writer"))->worker, "sink-writer");
	assert_string_equal(fleet_find(span_of("forebay-sink-writer"))->worker, "sink-writer");
	assert_null(fleet_find(span_of("sink")));
	assert_null(fleet_find(span_of("")));
}

static bool
is_read(const struct fleet_member *m, struct span topic)
{
	for (const char *const *t = m->topics; *t; t++)
		if (span_equal(span_of(*t), topic))
			return true;
	return false;
}

/* "NAME.topics = a, b" of the sink's mapping; CTX counts the topics. */
static int
look_for_topics(void *ctx, const char *key, const char *value, int line, struct err *err)
{
	const struct fleet_member *sink = fleet_find(SPAN("sink-writer"));
	const char *dot = strchr(key, '.');
	size_t *n = ctx, len;

	(void)line, (void)err;
	if (!dot || strcmp(dot, ".topics") != 0)
		return 0;
	for (const char *at = value; *(at += strspn(at, ", ")); at += len) {
		struct span topic = { at, len = strcspn(at, ", ") };

		if (span_equal(topic, SPAN("identity.links.dlq"))) /* mapped, but not among what is read by default */
			continue;
		if (!is_read(sink, topic))
			fail_msg("%.*s is stored and not known to be read", SPAN_ARG(topic));
		++*n;
	}
	return 0;
}

static void
knows_what_the_sink_stores(void **state)
{
	struct err err = ERR_INIT;
	size_t n = 0;

	(void)state;
	if (properties_read(SOURCE_DIR "/deploy/sink.properties", look_for_topics, &n, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(n > 15);
}

/* "topic.NAME.dlq = true" of the topics' file; CTX counts them. */
static int
look_for_letters(void *ctx, const char *key, const char *value, int line, struct err *err)
{
	const char *name = key + strlen("topic.");
	size_t *n = ctx, len = strlen(key);

	(void)line, (void)err;
	if (strncmp(key, "topic.", strlen("topic.")) != 0 || len < 10 || strcmp(key + len - 4, ".dlq") != 0 ||
	    strcmp(value, "true") != 0 || strcmp(name, "identity.links.dlq") == 0)
		return 0;
	if (!is_read(fleet_find(SPAN("sink-writer")), span_of(name)))
		fail_msg("%s is made and not known to be stored", name);
	++*n;
	return 0;
}

static void
knows_all_dead_letters(void **state)
{
	struct err err = ERR_INIT;
	size_t n = 0;

	(void)state;
	if (properties_read(SOURCE_DIR "/deploy/topics.properties", look_for_letters, &n, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(n > 10);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 5];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, is_idle, NULL, NULL, (void *)&rows[i] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(rates_are_per_second);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(knows_dead_letters);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(finds_members);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(knows_what_the_sink_stores);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(knows_all_dead_letters);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
