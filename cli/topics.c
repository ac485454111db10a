/*
 * topics.c -- `forebay topics`: the declarative file against the cluster.
 *
 *	diff	what apply would do; exit code 2 when something is refused
 *	apply	do it: all of it, or nothing when something is refused, by us or by the cluster, which validates all of it first; brokers know
 *		of new topics when it returns.  --dry-run asks the cluster to validate only
 *	list	the topics of the cluster, and how each compares with the file
 *	page	docs/topics.md, from the file alone
 */
#include <stdio.h>
#include <string.h>

#include "cli/topicpage.h"
#include "cli/topicplan.h"
#include "cli/verb.h"
#include "cli/verbs.h"
#include "common/base/clock.h"

#define HERE_PATH "deploy/topics.properties"
#define INSTALLED_PATH FOREBAY_DATA_DIR "/topics.properties"

#define AGAIN_MS 50

struct topics_options {
	struct kafka_access kafka;
	struct topic_overrides overrides;
	char *topics;
	bool dry_run, json;
};

#define AT(field) offsetof(struct topics_options, field)

static const struct option table[] = {
	{ "topics", OPTION_TEXT, AT(topics), "", 0, 4096, "",
	  "the declarative file; empty: " HERE_PATH " below this directory, else the installed one" },
	{ "partitions", OPTION_INT, AT(overrides.partitions), "0", 0, 10000, "",
	  "instead of the file's partitions; 0: as the file says" },
	{ "replication", OPTION_INT, AT(overrides.replication), "0", 0, 100, "",
	  "replicas of each partition, instead of what the file says; min.insync.replicas is lowered to fit; 0: as the "
	  "file says" },
	{ "dry.run", OPTION_BOOL, AT(dry_run), "false", 0, 0, "", "change nothing, only let the cluster validate" },
	{ "json", OPTION_BOOL, AT(json), "false", 0, 0, "", "one JSON object on standard output" },
};

/* What a call works on. */
struct topics_work {
	const struct topics_options *options;
	struct topic_file *file;
	struct cluster *cluster;
	struct arena *arena;
	struct cluster_topic *have;
	size_t n_have;
	struct topic_plan plan;
};

static int
connect_and_plan(struct topics_work *w, const struct property_list *overrides, struct err *err)
{
	struct client_config config;

	if (kafka_client(&w->options->kafka, overrides, w->arena, &config, err) < 0 ||
	    cluster_open(&config, (int)w->options->kafka.timeout_ms, &w->cluster, err) < 0 ||
	    cluster_topics(w->cluster, w->arena, &w->have, &w->n_have, err) < 0 ||
	    cluster_settings(w->cluster, w->have, w->n_have, w->arena, err) < 0)
		return -1;
	return topic_plan_make(w->file->topics, w->file->n_topics, w->have, w->n_have, w->arena, &w->plan, err);
}

static void
print_action(const struct topic_action *a)
{
	switch (a->verdict) {
	case TOPIC_CREATE: printf("create  %s: %d partitions\n", a->topic, a->want->topic.partitions); break;
	case TOPIC_ALTER: printf("alter   %s: %s from %s to %s\n", a->topic, a->key, a->from, a->to); break;
	case TOPIC_REFUSE:
		printf("refuse  %s: %s is %s and stays so, not %s\n", a->topic, a->key, a->from, a->to);
		break;
	default: break;
	}
}

/* Each reason of a refusal once, however many topics it holds for. */
static void
print_reasons(const struct topic_plan *plan)
{
	for (size_t i = 0; i < plan->n_actions; i++) {
		bool told = plan->actions[i].verdict != TOPIC_REFUSE;

		for (size_t k = 0; k < i && !told; k++)
			told = plan->actions[k].why == plan->actions[i].why;
		if (!told)
			printf("why     %s: %s\n", plan->actions[i].key, plan->actions[i].why);
	}
}

static void
print_plan(const struct topics_work *w, const char *done)
{
	const size_t *count = w->plan.count;

	for (size_t i = 0; i < w->plan.n_actions; i++)
		print_action(&w->plan.actions[i]);
	print_reasons(&w->plan);
	printf("%zu topics: %zu to create, %zu settings to alter, %zu as wanted, %zu refused%s\n", w->file->n_topics,
	       count[TOPIC_CREATE], count[TOPIC_ALTER], count[TOPIC_KEEP], count[TOPIC_REFUSE], done);
}

static int
print_plan_json(const struct topics_work *w, bool applied, struct err *err)
{
	json_t *actions = json_array();

	for (size_t i = 0; i < w->plan.n_actions; i++) {
		const struct topic_action *a = &w->plan.actions[i];

		json_array_append_new(actions, json_pack("{s:s, s:s, s:s*, s:s*, s:s*, s:s*}", "action",
							 topic_verdict_name(a->verdict), "topic", a->topic, "setting",
							 a->key, "from", a->from, "to", a->to, "reason", a->why));
	}
	return verb_print_json(json_pack("{s:b, s:I, s:I, s:I, s:I, s:o}", "applied", applied, "created",
					 (json_int_t)w->plan.count[TOPIC_CREATE], "altered",
					 (json_int_t)w->plan.count[TOPIC_ALTER], "kept",
					 (json_int_t)w->plan.count[TOPIC_KEEP], "refused",
					 (json_int_t)w->plan.count[TOPIC_REFUSE], "actions", actions),
			       err);
}

/* DRY: the cluster only validates. */
static int
carry_out(struct topics_work *w, bool dry, struct err *err)
{
	for (size_t i = 0; i < w->plan.n_actions; i++) {
		const struct topic_action *a = &w->plan.actions[i];
		const struct cluster_setting change = { a->key, a->to, true };

		if (a->verdict == TOPIC_CREATE && cluster_create(w->cluster, &a->want->topic, dry, err) < 0)
			return -1;
		if (a->verdict == TOPIC_ALTER && cluster_alter(w->cluster, a->topic, &change, 1, dry, err) < 0)
			return -1;
	}
	return 0;
}

/* A topic that was to be made and is not in the list HAVE of N; NULL: none. */
static const char *
still_missing(const struct topic_plan *plan, const struct cluster_topic *have, size_t n)
{
	for (size_t i = 0; i < plan->n_actions; i++) {
		const struct topic_action *a = &plan->actions[i];
		bool found = a->verdict != TOPIC_CREATE;

		for (size_t k = 0; k < n && !found; k++)
			found = strcmp(have[k].name, a->topic) == 0;
		if (!found)
			return a->topic;
	}
	return NULL;
}

/* The controller has made them; brokers learn of it a little later, and whoever comes next is to find them. */
static int
await_created(const struct topics_work *w, struct err *err)
{
	int64_t deadline = clock_monotonic_us() + w->options->kafka.timeout_ms * US_PER_MS;

	for (;;) {
		CLEANUP(arena_free) struct arena *arena = arena_new(65536, 0);
		struct cluster_topic *have;
		const char *missing;
		size_t n;

		if (!arena)
			return err_set(err, REASON_NO_MEMORY, "topics");
		if (cluster_topics(w->cluster, arena, &have, &n, err) < 0)
			return -1;
		missing = still_missing(&w->plan, have, n);
		if (!missing)
			return 0;
		if (clock_monotonic_us() > deadline)
			return err_set(err, REASON_TOPIC_MISSING,
				       "topic %s was made, but no broker knows of it yet: ask again", missing);
		clock_sleep_us(AGAIN_MS * US_PER_MS);
	}
}

/* diff and apply. */
static int
settle(struct topics_work *w, bool apply, struct err *err)
{
	bool refused = w->plan.count[TOPIC_REFUSE] > 0, change = apply && !refused && !w->options->dry_run;

	/* What the cluster will not have in the end must not be found out when half of it is done. */
	if (apply && !refused && carry_out(w, true, err) < 0)
		return err_wrap(err, "nothing was changed");
	if (change && (carry_out(w, false, err) < 0 || await_created(w, err) < 0))
		return -1;
	if (w->options->json) {
		if (print_plan_json(w, change, err) < 0)
			return -1;
	} else {
		print_plan(w, change ? "; done" : refused ? "; nothing was changed" : "");
	}
	if (refused)
		return err_set(err, REASON_TOPIC_MISMATCH, "%zu settings refused; nothing was changed",
			       w->plan.count[TOPIC_REFUSE]);
	return 0;
}

/* The worst verdict about a topic of the cluster. */
static enum topic_verdict
verdict_of(const struct topic_plan *plan, const char *topic)
{
	enum topic_verdict worst = TOPIC_KEEP;

	for (size_t i = 0; i < plan->n_actions; i++)
		if (strcmp(plan->actions[i].topic, topic) == 0 && plan->actions[i].verdict > worst)
			worst = plan->actions[i].verdict;
	return worst;
}

static const char *
say_verdict(enum topic_verdict v)
{
	switch (v) {
	case TOPIC_CREATE: return "missing";
	case TOPIC_ALTER:
	case TOPIC_REFUSE: return "differs";
	case TOPIC_EXTRA: return "not in the file";
	default: return "as wanted";
	}
}

static int
list(struct topics_work *w, struct err *err)
{
	json_t *topics = json_array();

	if (!w->options->json)
		printf("%-28s %10s %8s %-15s %14s  %s\n", "topic", "partitions", "replicas", "cleanup", "retention.ms",
		       "state");
	for (size_t i = 0; i < w->n_have; i++) {
		const struct cluster_topic *t = &w->have[i];
		const char *policy = topic_setting(t, "cleanup.policy"), *retention = topic_setting(t, "retention.ms");
		const char *state = say_verdict(verdict_of(&w->plan, t->name));

		json_array_append_new(topics,
				      json_pack("{s:s, s:i, s:i, s:s*, s:s*, s:s}", "topic", t->name, "partitions",
						t->partitions, "replication", t->replication, "cleanup.policy", policy,
						"retention.ms", retention, "state", state));
		if (!w->options->json)
			printf("%-28s %10d %8d %-15s %14s  %s\n", t->name, t->partitions, t->replication,
			       policy ? policy : "", retention ? retention : "", state);
	}
	for (size_t i = 0; i < w->plan.n_actions; i++) {
		const struct topic_action *a = &w->plan.actions[i];

		if (a->verdict != TOPIC_CREATE)
			continue;
		json_array_append_new(topics, json_pack("{s:s, s:s}", "topic", a->topic, "state", "missing"));
		if (!w->options->json)
			printf("%-28s %10s %8s %-15s %14s  missing\n", a->topic, "-", "-", "-", "-");
	}
	if (w->options->json)
		return verb_print_json(json_pack("{s:o}", "topics", topics), err);
	json_decref(topics);
	return 0;
}

static int
run(const struct topics_options *options, const struct property_list *overrides, const char *word, struct err *err)
{
	CLEANUP(topic_file_free)
	struct topic_file *file = NULL;
	CLEANUP(arena_free)
	struct arena *arena = arena_new(65536, 0);
	struct topics_work w = { .options = options, .arena = arena };
	const char *path = verb_path(options->topics, HERE_PATH, INSTALLED_PATH);
	int failed;

	if (!arena)
		return err_set(err, REASON_NO_MEMORY, "topics");
	if (topic_file_read(path, &options->overrides, &file, err) < 0)
		return -1;
	if (strcmp(word, "page") == 0)
		return topic_page(file, stdout) < 0 ? err_set(err, REASON_IO, "standard output cannot be written") : 0;
	w.file = file;
	failed = connect_and_plan(&w, overrides, err);
	if (!failed)
		failed = strcmp(word, "list") == 0 ? list(&w, err) : settle(&w, strcmp(word, "apply") == 0, err);
	cluster_close(w.cluster);
	return failed;
}

static int
check_words(int n, char **words, struct err *err)
{
	static const char *const known[] = { "apply", "diff", "list", "page" };

	for (size_t i = 0; n == 1 && i < ARRAY_LEN(known); i++)
		if (strcmp(words[0], known[i]) == 0)
			return 0;
	return err_set(err, REASON_USAGE, "say what to do: apply, diff, list or page");
}

struct topics_call {
	struct topics_options options;
	struct property_list overrides;
};

static int
topics(void *self, int n, char **words, struct err *err)
{
	const struct topics_call *c = self;

	return check_words(n, words, err) < 0 ? -1 : run(&c->options, &c->overrides, words[0], err);
}

int
verb_topics(int argc, char **argv)
{
	struct topics_call c = { .overrides = CLIENT_OVERRIDES };
	const struct option_set sets[] = {
		{ "Topics", table, ARRAY_LEN(table), &c.options },
		{ "Kafka", kafka_access_table, kafka_access_count, &c.options.kafka },
	};
	const struct option_program program = { "forebay topics",
						"apply | diff | list | page: the topics of a declarative file",
						sets,
						ARRAY_LEN(sets),
						&c.overrides,
						1 };

	return verb_run(&program, true, argc, argv, &c, topics);
}
