/*
 * status.c -- `forebay status`: two looks at the fleet, and what changed between them.
 *
 * --watch looks again and again; --wait looks until there is nothing left to read, for scripts.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/fleet.h"
#include "cli/moments.h"
#include "common/base/progress.h"
#include "cli/letters.h"
#include "cli/verb.h"
#include "cli/verbs.h"
#include "common/base/clock.h"

#define LETTERS_LIMIT 1000000

struct status_options {
	struct kafka_access kafka;
	char *workers, *wait;
	int64_t interval_ms;
	bool watch, partitions, json;
};

#define AT(field) offsetof(struct status_options, field)

static const struct option table[] = {
	{ "workers", OPTION_TEXT, AT(workers), "", 0, 255, "", "whom to look at, comma separated; empty: all" },
	{ "interval.ms", OPTION_INT, AT(interval_ms), "1000", 0, 3600000, "ms",
	  "from one look to the next; 0: a single look, without throughput" },
	{ "watch", OPTION_BOOL, AT(watch), "false", 0, 0, "", "look again and again" },
	{ "wait", OPTION_TEXT, AT(wait), "", 0, 32, "",
	  "look until nothing is left to read, 120s at most; then exit code 2 with who lags" },
	{ "partitions", OPTION_BOOL, AT(partitions), "false", 0, 0, "", "a line for each partition" },
	{ "json", OPTION_BOOL, AT(json), "false", 0, 0, "", "one JSON object on standard output for each look" },
};

/* Two looks, each with memory of its own, in turn. */
struct status {
	const struct status_options *options;
	struct client_config config;
	struct cluster *cluster;
	struct arena *arenas[2];
	struct fleet_look looks[2];
	struct letters_topic *letters; /* of the dead-letter topics of the latest look */
	size_t n_letters;
	int n_looks;
};

static int
count_dead_letters(struct status *s, struct fleet_look *look, struct arena *arena, struct err *err)
{
	struct fleet_topic *topics = arena_alloc(arena, (look->n_topics + 1) * sizeof(*topics));

	s->n_letters = 0;
	for (size_t i = 0; topics && i < look->n_topics; i++)
		if (fleet_is_dead_letters(look->topics[i].name))
			topics[s->n_letters++] = look->topics[i];
	if (!topics)
		return err_set(err, REASON_NO_MEMORY, "status");
	return letters_count(&s->config, topics, s->n_letters, LETTERS_LIMIT, (int)s->options->kafka.timeout_ms, arena,
			     &s->letters, err);
}

/* *NOW, and *BEFORE it (NULL at first). */
static int
look_again(struct status *s, const struct fleet_look **now, const struct fleet_look **before, struct err *err)
{
	int at = s->n_looks % 2;

	arena_reset(s->arenas[at]);
	if (fleet_look(s->cluster, s->options->workers, s->arenas[at], &s->looks[at], err) < 0)
		return -1;
	*now = &s->looks[at];
	*before = s->n_looks++ ? &s->looks[1 - at] : NULL;
	return 0;
}

static const struct fleet_topic *
topic_of(const struct fleet_look *look, const char *name)
{
	for (size_t i = 0; look && i < look->n_topics; i++)
		if (strcmp(look->topics[i].name, name) == 0)
			return &look->topics[i];
	return NULL;
}

static double
group_rate(const struct fleet_look *now, const struct fleet_look *before, size_t i)
{
	return before && before->n_groups == now->n_groups
		   ? fleet_rate(now->groups[i].committed, before->groups[i].committed, now, before)
		   : 0;
}

static double
topic_rate(const struct fleet_look *now, const struct fleet_look *before, const struct fleet_topic *t)
{
	const struct fleet_topic *then = topic_of(before, t->name);

	return then ? fleet_rate(t->end, then->end, now, before) : 0;
}

static const struct letters_topic *
tally_of(const struct status *s, const char *name)
{
	for (size_t i = 0; i < s->n_letters; i++)
		if (strcmp(s->letters[i].name, name) == 0)
			return &s->letters[i];
	return NULL;
}

/* ---- text ---- */

static void
print_partitions(const struct fleet_group *g)
{
	char lag[32];

	for (size_t i = 0; i < g->n_partitions; i++) {
		const struct fleet_partition *p = &g->partitions[i];

		printf("    %-28s %4d  committed %12" PRId64 "  end %12" PRId64 "  lag %s\n", p->topic, p->partition,
		       p->committed, p->end, progress_number(p->lag, lag));
	}
}

static void
print_topics(const struct status *s, const struct fleet_look *now, const struct fleet_look *before)
{
	char held[32], rate[32], letters[32];

	printf("\n%-24s %10s %14s %10s %13s\n", "topic", "partitions", "end - begin", "records/s", "dead letters");
	for (size_t i = 0; i < now->n_topics; i++) {
		const struct fleet_topic *t = &now->topics[i];
		char name[256];
		const struct letters_topic *tally;

		if (fleet_is_dead_letters(t->name))
			continue;
		snprintf(name, sizeof(name), "%s.dlq", t->name);
		tally = tally_of(s, name);
		printf("%-24s %10d %14s %10s %s%13s\n", t->name, t->partitions, progress_number(t->end - t->low, held),
		       progress_number((int64_t)topic_rate(now, before, t), rate), tally && !tally->exact ? "<" : "",
		       tally ? progress_number(tally->count, letters) : "");
		for (size_t r = 0; tally && r < tally->n_reasons; r++)
			printf("%-24s %10s %14s %10s %13s  %s\n", "", "", "", "",
			       progress_number(tally->reasons[r].count, letters), tally->reasons[r].name);
	}
}

static int
print_text(const struct status *s, const struct fleet_look *now, const struct fleet_look *before, struct err *err)
{
	char lag[32], rate[32];

	if (s->options->watch)
		fputs("\033[H\033[J", stdout);
	printf("%-18s %-26s %-10s %12s %10s\n", "worker", "group", "state", "lag", "records/s");
	for (size_t i = 0; i < now->n_groups; i++) {
		const struct fleet_group *g = &now->groups[i];

		printf("%-18s %-26s %-10s %12s %10s\n", g->member->worker, g->member->group, g->state,
		       progress_number(g->lag, lag), progress_number((int64_t)group_rate(now, before, i), rate));
		if (s->options->partitions)
			print_partitions(g);
	}
	print_topics(s, now, before);
	return fflush(stdout) || ferror(stdout) ? err_set(err, REASON_IO, "standard output cannot be written") : 0;
}

/* ---- JSON ---- */

static json_t *
group_json(const struct fleet_group *g, double rate)
{
	json_t *partitions = json_array();

	for (size_t i = 0; i < g->n_partitions; i++) {
		const struct fleet_partition *p = &g->partitions[i];

		json_array_append_new(partitions, json_pack("{s:s, s:i, s:I, s:I, s:I}", "topic", p->topic, "partition",
							    p->partition, "committed", (json_int_t)p->committed, "end",
							    (json_int_t)p->end, "lag", (json_int_t)p->lag));
	}
	return json_pack("{s:s, s:s, s:s, s:I, s:f, s:o}", "worker", g->member->worker, "group", g->member->group,
			 "state", g->state, "lag", (json_int_t)g->lag, "records_per_second", rate, "partitions",
			 partitions);
}

static json_t *
tally_json(const struct letters_topic *t)
{
	json_t *reasons = json_object();

	for (size_t i = 0; i < t->n_reasons; i++)
		json_object_set_new(reasons, t->reasons[i].name, json_integer(t->reasons[i].count));
	return json_pack("{s:s, s:I, s:b, s:o}", "topic", t->name, "records", (json_int_t)t->count, "exact", t->exact,
			 "reasons", reasons);
}

static int
print_json(const struct status *s, const struct fleet_look *now, const struct fleet_look *before, struct err *err)
{
	json_t *groups = json_array(), *topics = json_array(), *letters = json_array();
	int64_t lag = 0;

	for (size_t i = 0; i < now->n_groups; i++) {
		lag += now->groups[i].lag;
		json_array_append_new(groups, group_json(&now->groups[i], group_rate(now, before, i)));
	}
	for (size_t i = 0; i < now->n_topics; i++) {
		const struct fleet_topic *t = &now->topics[i];

		json_array_append_new(topics,
				      json_pack("{s:s, s:i, s:I, s:I, s:f}", "topic", t->name, "partitions",
						t->partitions, "begin", (json_int_t)t->low, "end", (json_int_t)t->end,
						"records_per_second", topic_rate(now, before, t)));
	}
	for (size_t i = 0; i < s->n_letters; i++)
		json_array_append_new(letters, tally_json(&s->letters[i]));
	return verb_print_json(json_pack("{s:I, s:b, s:o, s:o, s:o}", "lag", (json_int_t)lag, "idle",
					 before && fleet_is_idle(now, before), "workers", groups, "topics", topics,
					 "dead_letters", letters),
			       err);
}

static int
show(struct status *s, const struct fleet_look *now, const struct fleet_look *before, struct err *err)
{
	/* The latest look's memory holds the tally, too. */
	struct arena *arena = s->arenas[(s->n_looks - 1) % 2];

	if (count_dead_letters(s, &s->looks[(s->n_looks - 1) % 2], arena, err) < 0)
		return -1;
	return s->options->json ? print_json(s, now, before, err) : print_text(s, now, before, err);
}

/* ---- when to look ---- */

static int
still_busy(const struct fleet_look *now, struct err *err)
{
	char who[256] = "";

	for (size_t i = 0; i < now->n_groups; i++)
		if (now->groups[i].lag > 0)
			snprintf(who + strlen(who), sizeof(who) - strlen(who), "%s%s %" PRId64, *who ? ", " : "",
				 now->groups[i].member->worker, now->groups[i].lag);
	return err_set(err, REASON_STUCK, "still to be read: %s", *who ? who : "records go on arriving");
}

static int
look_until_idle(struct status *s, int64_t most_us, struct err *err)
{
	const struct fleet_look *now, *before;
	int64_t deadline = clock_monotonic_us() + most_us;
	int64_t pause = (s->options->interval_ms ? s->options->interval_ms : 1000) * US_PER_MS;

	for (;;) {
		int64_t left;

		if (look_again(s, &now, &before, err) < 0)
			return -1;
		if (before && fleet_is_idle(now, before))
			return show(s, now, before, err);
		left = deadline - clock_monotonic_us();
		if (left <= 0)
			return show(s, now, before, err) < 0 ? -1 : still_busy(now, err);
		clock_sleep_us(pause < left ? pause : left);
	}
}

static int
look_and_show(struct status *s, struct err *err)
{
	const struct fleet_look *now, *before;

	do {
		if (look_again(s, &now, &before, err) < 0)
			return -1;
		if (before || s->options->interval_ms == 0) {
			if (show(s, now, before, err) < 0)
				return -1;
			if (!s->options->watch)
				return 0;
		}
		clock_sleep_us(s->options->interval_ms * US_PER_MS);
	} while (true);
}

static int
run(const struct status_options *options, const struct property_list *overrides, struct err *err)
{
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	CLEANUP(arena_free)
	struct arena *first = arena_new(65536, 1 << 20);
	CLEANUP(arena_free)
	struct arena *second = arena_new(65536, 1 << 20);
	CLEANUP(cluster_close)
	struct cluster *cluster = NULL;
	struct status s = { .options = options, .arenas = { first, second } };
	int64_t wait_us = 0;

	if (!arena || !first || !second)
		return err_set(err, REASON_NO_MEMORY, "status");
	if (options->watch && options->interval_ms == 0)
		return err_set(err, REASON_USAGE, "--watch needs an interval");
	if (*options->wait && duration_parse(options->wait, &wait_us, err) < 0)
		return err_wrap(err, "--wait");
	if (kafka_client(&options->kafka, overrides, arena, &s.config, err) < 0 ||
	    cluster_open(&s.config, (int)options->kafka.timeout_ms, &cluster, err) < 0)
		return -1;
	s.cluster = cluster;
	return wait_us ? look_until_idle(&s, wait_us, err) : look_and_show(&s, err);
}

struct status_call {
	struct status_options options;
	struct property_list overrides;
};

static int
status(void *self, int n, char **words, struct err *err)
{
	const struct status_call *c = self;

	return run(&c->options, &c->overrides, err);
}

int
verb_status(int argc, char **argv)
{
	struct status_call c = { .overrides = CLIENT_OVERRIDES };
	const struct option_set sets[] = {
		{ "Status", table, ARRAY_LEN(table), &c.options },
		{ "Kafka", kafka_access_table, kafka_access_count, &c.options.kafka },
	};
	const struct option_program program = { "forebay status",
						"lag, throughput and dead letters of the fleet",
						sets,
						ARRAY_LEN(sets),
						&c.overrides,
						1 };

	return verb_run(&program, false, argc, argv, &c, status);
}
