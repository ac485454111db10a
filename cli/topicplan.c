/* topicplan.c -- see topicplan.h. */
#include "cli/topicplan.h"

#include <stdbool.h>
#include <string.h>

static const char *const names[] = {
	[TOPIC_KEEP] = "keep",     [TOPIC_CREATE] = "create", [TOPIC_ALTER] = "alter",
	[TOPIC_REFUSE] = "refuse", [TOPIC_EXTRA] = "extra",
};

static const char why_partitions[] =
    "devices would move to other partitions, away from their history and their state; keep the number, or make a topic of "
    "another name and replay into it";
static const char why_replication[] =
    "replicas are moved by Kafka's own kafka-reassign-partitions; then state the new number here";
static const char why_delete[] =
    "compacted records are state and would be deleted by age; keep the policy, or delete the topic by hand if the state may go";
static const char why_compact[] =
    "records that are kept by age would be thinned out to the latest of each key; keep the policy, or make a topic of another "
    "name";

const char *
topic_verdict_name(enum topic_verdict v)
{
	return names[v];
}

struct planning {
	struct topic_plan *plan;
	struct arena *arena;
	const struct topic_spec *want;
};

static void
add(struct planning *p, struct topic_action action)
{
	p->plan->count[action.verdict]++;
	p->plan->actions[p->plan->n_actions++] = action;
}

static void
refuse(struct planning *p, const char *key, const char *from, const char *to, const char *why)
{
	add(p, (struct topic_action){ TOPIC_REFUSE, p->want->topic.name, p->want, key, from, to, why });
}

static const char *
number(struct planning *p, int32_t value)
{
	const char *text = arena_printf(p->arena, "%d", value);

	return text ? text : "";
}

/* A policy may be taken away as long as another one stays; none may be added. */
static const char *
policy_refused(const char *from, const char *to)
{
	if (strstr(to, "delete") && !strstr(from, "delete"))
		return why_delete;
	if (strstr(to, "compact") && !strstr(from, "compact"))
		return why_compact;
	return NULL;
}

static bool
same_value(const char *key, const char *have, const char *want)
{
	if (strcmp(key, "cleanup.policy") == 0) /* a set: the broker may give it in another order */
		return strlen(have) == strlen(want) && !policy_refused(have, want);
	return strcmp(have, want) == 0;
}

static void
compare(struct planning *p, const struct cluster_topic *have)
{
	const struct cluster_topic *want = &p->want->topic;
	size_t before = p->plan->n_actions;

	if (have->partitions != want->partitions)
		refuse(p, "partitions", number(p, have->partitions), number(p, want->partitions), why_partitions);
	if (want->replication != REPLICATION_BROKER && have->replication != want->replication)
		refuse(p, "replication", number(p, have->replication), number(p, want->replication), why_replication);
	for (size_t i = 0; i < want->n_settings; i++) {
		const struct cluster_setting *s = &want->settings[i];
		const char *now = topic_setting(have, s->key), *why = NULL;

		if (now && same_value(s->key, now, s->value))
			continue;
		if (now && strcmp(s->key, "cleanup.policy") == 0)
			why = policy_refused(now, s->value);
		if (why)
			refuse(p, s->key, now, s->value, why);
		else
			add(p, (struct topic_action){ TOPIC_ALTER, want->name, p->want, s->key, now ? now : "",
						      s->value, NULL });
	}
	if (p->plan->n_actions == before)
		add(p, (struct topic_action){ .verdict = TOPIC_KEEP, .topic = want->name, .want = p->want });
}

static const struct cluster_topic *
find(const struct cluster_topic *topics, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(topics[i].name, name) == 0)
			return &topics[i];
	return NULL;
}

static bool
is_wanted(const struct topic_spec *want, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(want[i].topic.name, name) == 0)
			return true;
	return false;
}

int
topic_plan_make(const struct topic_spec *want, size_t n_want, const struct cluster_topic *have, size_t n_have,
		struct arena *arena, struct topic_plan *ret, struct err *err)
{
	struct planning p = { .plan = ret, .arena = arena };
	size_t most = n_have;

	for (size_t i = 0; i < n_want; i++)
		most += want[i].topic.n_settings + 3;
	*ret = (struct topic_plan){ .actions = arena_alloc(arena, (most + 1) * sizeof(*ret->actions)) };
	if (!ret->actions)
		return err_set(err, REASON_NO_MEMORY, "plan for the topics");
	for (size_t i = 0; i < n_want; i++) {
		const struct cluster_topic *now = find(have, n_have, want[i].topic.name);

		p.want = &want[i];
		if (now)
			compare(&p, now);
		else
			add(&p, (struct topic_action){
				    .verdict = TOPIC_CREATE, .topic = want[i].topic.name, .want = &want[i] });
	}
	for (size_t i = 0; i < n_have; i++)
		if (!is_wanted(want, n_want, have[i].name))
			add(&p, (struct topic_action){ .verdict = TOPIC_EXTRA, .topic = have[i].name });
	return 0;
}
