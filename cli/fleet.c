/* fleet.c -- see fleet.h. */
#include "cli/fleet.h"

#include <string.h>

#include "common/base/clock.h"

#define TOPICS(...)               \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

const struct fleet_member fleet_members[] = {
	{ "ingest-router", "forebay-ingest-router", TOPICS("telemetry.raw") },
	{ "etl-preprocessor", "forebay-etl-preprocessor", TOPICS("telemetry.readings", "telemetry.deferred") },
	{ "batch-forecaster", "forebay-batch-forecaster", TOPICS("telemetry.series") },
	{ "realtime-scorer", "forebay-realtime-scorer",
	  TOPICS("telemetry.readings", "telemetry.deferred", "forecasts") },
	{ "sink-writer", "forebay-sink-writer",
	  TOPICS("telemetry.readings", "telemetry.deferred", "telemetry.series", "telemetry.aggregates", "forecasts",
		 "scores", "anomalies", "alerts", "forecasts.outcomes", "telemetry.raw.dlq", "telemetry.readings.dlq",
		 "telemetry.deferred.dlq", "telemetry.series.dlq", "telemetry.aggregates.dlq", "forecasts.dlq",
		 "forecasts.outcomes.dlq", "scores.dlq", "anomalies.dlq", "alerts.dlq", "models.dlq") },
	{ "alert-notifier", "forebay-alert-notifier", TOPICS("alerts"), .optional = true },
};
const size_t fleet_member_count = ARRAY_LEN(fleet_members);

const struct fleet_member *
fleet_find(struct span name)
{
	for (size_t i = 0; i < fleet_member_count; i++)
		if (span_equal(name, span_of(fleet_members[i].worker)) ||
		    span_equal(name, span_of(fleet_members[i].group)))
			return &fleet_members[i];
	return NULL;
}

bool
fleet_is_dead_letters(const char *topic)
{
	size_t len = strlen(topic);

	return len > 4 && strcmp(topic + len - 4, ".dlq") == 0;
}

static bool
reads(const struct fleet_member *m, const char *topic)
{
	for (const char *const *t = m->topics; *t; t++)
		if (strcmp(*t, topic) == 0)
			return true;
	return false;
}

/* Which topics a look is about. */
typedef bool topic_matters(const struct fleet_look *look, const char *topic);

static bool
is_the_fleets(const struct fleet_look *look, const char *topic)
{
	(void)look;
	for (size_t i = 0; i < fleet_member_count; i++)
		if (reads(&fleet_members[i], topic))
			return true;
	return fleet_is_dead_letters(topic);
}

static bool
is_read_by_groups(const struct fleet_look *look, const char *topic)
{
	for (size_t i = 0; i < look->n_groups; i++)
		if (reads(look->groups[i].member, topic))
			return true;
	return false;
}

/* Ends of every partition of the topics that matter, found once for all groups. */
struct ends {
	const struct cluster_topic *topics;
	size_t n;
	struct fleet_partition **partitions; /* per topic; NULL: not looked at */
};

static int
look_at_topic(struct cluster *cluster, const struct cluster_topic *topic, struct arena *arena,
	      struct fleet_partition **ret, struct fleet_topic *sum, struct err *err)
{
	struct fleet_partition *p = arena_zalloc(arena, ((size_t)topic->partitions + 1) * sizeof(*p));

	if (!p)
		return err_set(err, REASON_NO_MEMORY, "fleet");
	*sum = (struct fleet_topic){ .name = topic->name, .partitions = topic->partitions };
	for (int32_t i = 0; i < topic->partitions; i++) {
		p[i] = (struct fleet_partition){ .topic = topic->name, .partition = i, .committed = OFFSET_NONE };
		if (cluster_watermarks(cluster, topic->name, i, &p[i].low, &p[i].end, err) < 0)
			return -1;
		sum->low += p[i].low;
		sum->end += p[i].end;
	}
	*ret = p;
	return 0;
}

static int
look_at_topics(struct cluster *cluster, topic_matters *matters, struct ends *ends, struct arena *arena,
	       struct fleet_look *look, struct err *err)
{
	struct cluster_topic *topics;

	if (cluster_topics(cluster, arena, &topics, &ends->n, err) < 0)
		return -1;
	ends->topics = topics;
	look->topics = arena_zalloc(arena, (ends->n + 1) * sizeof(*look->topics));
	ends->partitions = arena_zalloc(arena, (ends->n + 1) * sizeof(struct fleet_partition *));
	if (!look->topics || !ends->partitions)
		return err_set(err, REASON_NO_MEMORY, "fleet");
	for (size_t i = 0; i < ends->n; i++)
		if (matters(look, ends->topics[i].name) &&
		    look_at_topic(cluster, &ends->topics[i], arena, &ends->partitions[i],
				  &look->topics[look->n_topics++], err) < 0)
			return -1;
	return 0;
}

/* The member's partitions with their ends, nothing committed yet. */
static int
collect_partitions(const struct ends *ends, struct fleet_group *g, struct arena *arena, struct err *err)
{
	size_t room = 1;

	for (size_t i = 0; i < ends->n; i++)
		room += (size_t)ends->topics[i].partitions;
	g->partitions = arena_alloc(arena, room * sizeof(*g->partitions));
	if (!g->partitions)
		return err_set(err, REASON_NO_MEMORY, "fleet");
	for (const char *const *t = g->member->topics; *t; t++)
		for (size_t i = 0; i < ends->n; i++)
			if (strcmp(ends->topics[i].name, *t) == 0)
				for (int32_t k = 0; k < ends->topics[i].partitions; k++)
					g->partitions[g->n_partitions++] = ends->partitions[i][k];
	return 0;
}

static void
add_lag(struct fleet_group *g, struct fleet_partition *p, int64_t committed)
{
	int64_t from = committed == OFFSET_NONE || committed < p->low ? p->low : committed;

	p->committed = committed;
	p->lag = p->end > from ? p->end - from : 0;
	g->lag += p->lag;
	g->committed += from;
}

static int
look_at_group(struct cluster *cluster, const struct ends *ends, struct fleet_group *g, struct arena *arena,
	      struct err *err)
{
	struct topic_partition *tp;

	if (collect_partitions(ends, g, arena, err) < 0)
		return -1;
	tp = arena_alloc(arena, (g->n_partitions + 1) * sizeof(*tp));
	if (!tp)
		return err_set(err, REASON_NO_MEMORY, "fleet");
	for (size_t i = 0; i < g->n_partitions; i++)
		tp[i] =
		    (struct topic_partition){ (char *)g->partitions[i].topic, g->partitions[i].partition, OFFSET_NONE };
	if (cluster_committed(cluster, g->member->group, tp, g->n_partitions, err) < 0)
		return -1;
	for (size_t i = 0; i < g->n_partitions; i++)
		add_lag(g, &g->partitions[i], tp[i].offset);
	return 0;
}

static int
look_at_groups(struct cluster *cluster, const struct ends *ends, struct arena *arena, struct fleet_look *look,
	       struct err *err)
{
	for (size_t i = 0; i < look->n_groups; i++)
		if (look_at_group(cluster, ends, &look->groups[i], arena, err) < 0)
			return -1;
	return 0;
}

/* Is NAME in the list?  "" lists everybody. */
static bool
is_chosen(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; *at; at += *at == ',') {
		size_t n = strcspn(at, ",");

		if (n == len && strncmp(at, name, n) == 0)
			return true;
		at += n;
	}
	return !*list;
}

static int
choose_members(const char *workers, struct arena *arena, struct fleet_look *look, struct err *err)
{
	size_t named = *workers ? 1 : fleet_member_count;

	for (const char *c = workers; *c; c++)
		named += *c == ',';
	look->groups = arena_zalloc(arena, fleet_member_count * sizeof(*look->groups));
	if (!look->groups)
		return err_set(err, REASON_NO_MEMORY, "fleet");
	for (size_t i = 0; i < fleet_member_count; i++)
		if (is_chosen(workers, fleet_members[i].worker))
			look->groups[look->n_groups++].member = &fleet_members[i];
	if (look->n_groups == named)
		return 0;
	return err_set(
	    err, REASON_USAGE,
	    "--workers=%.100s: a list of ingest-router, etl-preprocessor, batch-forecaster, realtime-scorer, "
	    "sink-writer, alert-notifier",
	    workers);
}

static const char *
state_of(const struct cluster_group *groups, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(groups[i].id, id) == 0)
			return groups[i].state;
	return "absent";
}

/* Optional members that nobody has started. */
static void
leave_out_absent(struct fleet_look *look)
{
	size_t kept = 0;

	for (size_t i = 0; i < look->n_groups; i++)
		if (!look->groups[i].member->optional || strcmp(look->groups[i].state, "absent") != 0)
			look->groups[kept++] = look->groups[i];
	look->n_groups = kept;
}

int
fleet_look(struct cluster *cluster, const char *workers, struct arena *arena, struct fleet_look *ret, struct err *err)
{
	struct cluster_group *groups;
	struct ends ends = { NULL };
	size_t n_groups;

	*ret = (struct fleet_look){ .at_us = clock_monotonic_us() };
	if (choose_members(workers, arena, ret, err) < 0 ||
	    cluster_groups(cluster, arena, &groups, &n_groups, err) < 0 ||
	    look_at_topics(cluster, is_the_fleets, &ends, arena, ret, err) < 0)
		return -1;
	for (size_t i = 0; i < ret->n_groups; i++)
		ret->groups[i].state = state_of(groups, n_groups, ret->groups[i].member->group);
	if (!*workers)
		leave_out_absent(ret);
	return look_at_groups(cluster, &ends, arena, ret, err);
}

int
fleet_lag(struct cluster *cluster, const struct fleet_member *const *members, size_t n, struct arena *arena,
	  struct fleet_look *ret, struct err *err)
{
	struct ends ends = { NULL };

	*ret = (struct fleet_look){ .at_us = clock_monotonic_us(), .n_groups = n };
	ret->groups = arena_zalloc(arena, (n + 1) * sizeof(*ret->groups));
	if (!ret->groups)
		return err_set(err, REASON_NO_MEMORY, "fleet");
	for (size_t i = 0; i < n; i++)
		ret->groups[i].member = members[i];
	if (look_at_topics(cluster, is_read_by_groups, &ends, arena, ret, err) < 0)
		return -1;
	return look_at_groups(cluster, &ends, arena, ret, err);
}

bool
fleet_is_idle(const struct fleet_look *now, const struct fleet_look *then)
{
	if (now->n_topics != then->n_topics || now->n_groups != then->n_groups)
		return false;
	for (size_t i = 0; i < now->n_groups; i++)
		if (now->groups[i].lag > 0)
			return false;
	for (size_t i = 0; i < now->n_topics; i++)
		if (strcmp(now->topics[i].name, then->topics[i].name) != 0 || now->topics[i].end != then->topics[i].end)
			return false;
	return true;
}

double
fleet_rate(int64_t now, int64_t then, const struct fleet_look *look, const struct fleet_look *before)
{
	double seconds = before ? (double)(look->at_us - before->at_us) / (double)US_PER_SECOND : 0;

	return seconds > 0 && now > then ? (double)(now - then) / seconds : 0;
}
