/* One topic that should be against one that is: what is to be done. */
#include "cli/topicplan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buffer.h"

#define SETTINGS(...)       \
	{                   \
		__VA_ARGS__ \
	}

/* A topic with at most two settings, so that a row is one line. */
struct shape {
	int32_t partitions, replication;
	struct cluster_setting settings[2];
	size_t n;
};

static const struct row {
	const char *name;
	struct shape want, have;
	const char *plan; /* "verdict key from>to;" each */
} rows[] = {
	{ "as wanted",
	  { 3, 1, SETTINGS({ "retention.ms", "5", true }), 1 },
	  { 3, 1, SETTINGS({ "retention.ms", "5", true }), 1 },
	  "keep;" },
	{ "the broker's default will do",
	  { 3, 1, SETTINGS({ "retention.ms", "5", true }), 1 },
	  { 3, 1, SETTINGS({ "retention.ms", "5", false }), 1 },
	  "keep;" },
	{ "what the file does not state is left alone",
	  { 3, 1, SETTINGS({ 0 }), 0 },
	  { 3, 1, SETTINGS({ "retention.ms", "5", true }), 1 },
	  "keep;" },
	{ "the broker chose the replicas",
	  { 3, REPLICATION_BROKER, SETTINGS({ 0 }), 0 },
	  { 3, 2, SETTINGS({ 0 }), 0 },
	  "keep;" },
	{ "a setting to alter",
	  { 3, 1, SETTINGS({ "retention.ms", "7", true }), 1 },
	  { 3, 1, SETTINGS({ "retention.ms", "5", true }), 1 },
	  "alter retention.ms 5>7;" },
	{ "two settings to alter",
	  { 3, 1, SETTINGS({ "retention.ms", "7", true }, { "segment.ms", "9", true }), 2 },
	  { 3, 1, SETTINGS({ "retention.ms", "5", true }, { "segment.ms", "1", true }), 2 },
	  "alter retention.ms 5>7;alter segment.ms 1>9;" },
	{ "a setting that the broker does not know",
	  { 3, 1, SETTINGS({ "segment.ms", "9", true }), 1 },
	  { 3, 1, SETTINGS({ 0 }), 0 },
	  "alter segment.ms >9;" },
	{ "more partitions", { 6, 1, SETTINGS({ 0 }), 0 }, { 3, 1, SETTINGS({ 0 }), 0 }, "refuse partitions 3>6;" },
	{ "fewer partitions", { 2, 1, SETTINGS({ 0 }), 0 }, { 3, 1, SETTINGS({ 0 }), 0 }, "refuse partitions 3>2;" },
	{ "other replicas", { 3, 3, SETTINGS({ 0 }), 0 }, { 3, 1, SETTINGS({ 0 }), 0 }, "refuse replication 1>3;" },
	{ "state would be deleted",
	  { 3, 1, SETTINGS({ "cleanup.policy", "delete", true }), 1 },
	  { 3, 1, SETTINGS({ "cleanup.policy", "compact", true }), 1 },
	  "refuse cleanup.policy compact>delete;" },
	{ "state would be deleted by age, too",
	  { 3, 1, SETTINGS({ "cleanup.policy", "compact,delete", true }), 1 },
	  { 3, 1, SETTINGS({ "cleanup.policy", "compact", true }), 1 },
	  "refuse cleanup.policy compact>compact,delete;" },
	{ "history would be thinned out",
	  { 3, 1, SETTINGS({ "cleanup.policy", "compact", true }), 1 },
	  { 3, 1, SETTINGS({ "cleanup.policy", "delete", true }), 1 },
	  "refuse cleanup.policy delete>compact;" },
	{ "one policy less",
	  { 3, 1, SETTINGS({ "cleanup.policy", "compact", true }), 1 },
	  { 3, 1, SETTINGS({ "cleanup.policy", "compact,delete", true }), 1 },
	  "alter cleanup.policy compact,delete>compact;" },
	{ "the same policies in another order",
	  { 3, 1, SETTINGS({ "cleanup.policy", "compact,delete", true }), 1 },
	  { 3, 1, SETTINGS({ "cleanup.policy", "delete,compact", true }), 1 },
	  "keep;" },
	{ "both to refuse and to alter",
	  { 6, 1, SETTINGS({ "retention.ms", "7", true }), 1 },
	  { 3, 1, SETTINGS({ "retention.ms", "5", true }), 1 },
	  "refuse partitions 3>6;alter retention.ms 5>7;" },
};

static void
fill(struct cluster_topic *t, const char *name, const struct shape *s)
{
	*t = (struct cluster_topic){ name, s->partitions, s->replication, (struct cluster_setting *)s->settings, s->n };
}

static void
say(const struct topic_plan *plan, struct buffer *out)
{
	for (size_t i = 0; i < plan->n_actions; i++) {
		const struct topic_action *a = &plan->actions[i];

		assert_int_equal(buffer_text(out, topic_verdict_name(a->verdict)), 0);
		if (a->key)
			assert_int_equal(buffer_printf(out, " %s %s>%s", a->key, a->from, a->to), 0);
		assert_int_equal(buffer_text(out, ";"), 0);
		assert_int_equal(a->why != NULL, a->verdict == TOPIC_REFUSE);
	}
	assert_int_equal(buffer_append(out, "", 1), 0);
}

static void
plans(void **state)
{
	const struct row *row = *state;
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	CLEANUP(buffer_clear)
	struct buffer said = BUFFER_INIT(0);
	struct topic_spec want = { .doc = "x" };
	struct cluster_topic have;
	struct topic_plan plan;
	struct err err = ERR_INIT;

	fill(&want.topic, "t", &row->want);
	fill(&have, "t", &row->have);
	assert_int_equal(topic_plan_make(&want, 1, &have, 1, arena, &plan, &err), 0);
	say(&plan, &said);
	assert_string_equal(said.ptr, row->plan);
}

/* Topics that are missing, and topics that nobody asked for. */
static void
knows_its_own(void **state)
{
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	CLEANUP(buffer_clear)
	struct buffer said = BUFFER_INIT(0);
	const struct topic_spec want[] = { { .topic = { "new", 3, 1, NULL, 0 } },
					   { .topic = { "old", 3, 1, NULL, 0 } } };
	const struct cluster_topic have[] = { { "foreign", 1, 1, NULL, 0 }, { "old", 3, 1, NULL, 0 } };
	struct topic_plan plan;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(topic_plan_make(want, 2, have, 2, arena, &plan, &err), 0);
	say(&plan, &said);
	assert_string_equal(said.ptr, "create;keep;extra;");
	assert_string_equal(plan.actions[2].topic, "foreign");
	assert_int_equal(plan.count[TOPIC_CREATE], 1);
	assert_int_equal(plan.count[TOPIC_REFUSE], 0);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 1];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, plans, NULL, NULL, (void *)&rows[i] };
	tests[ARRAY_LEN(rows)] = (struct CMUnitTest)cmocka_unit_test(knows_its_own);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
