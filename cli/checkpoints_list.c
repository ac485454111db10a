/* checkpoints_list.c -- `forebay checkpoints list`: a row per partition; lag is what a restart would have to fold again. */
#include <stdio.h>
#include <string.h>

#include "cli/checkpoints.h"
#include "cli/columns.h"
#include "common/base/progress.h"
#include "cli/readable.h"
#include "common/base/clock.h"
#include "common/kafka/admin.h"

enum { RUN, GROUP, PARTITION, EPOCH, INSTANCE, CLOCK, KEYS, BYTES, OLDEST, RUNGS, LAG, COLUMNS };

static const struct column columns[COLUMNS] = {
	[RUN] = { "run", false },    [GROUP] = { "worker", false }, [PARTITION] = { "partition", false },
	[EPOCH] = { "epoch", true }, [INSTANCE] = { "by", false },  [CLOCK] = { "stands at", true },
	[KEYS] = { "keys", true },   [BYTES] = { "size", true },    [OLDEST] = { "oldest", true },
	[RUNGS] = { "rungs", true }, [LAG] = { "behind", true },
};

/* ---- committed offsets ---- */

/* The consumer group of a partition's run; NULL when memory is out. */
static const char *
group_of(struct checkpoints *c, const struct checkpoint_summary *p)
{
	return strcmp(p->run, "live") == 0 ? p->group : arena_printf(c->arena, "%s.%s", p->group, p->run);
}

/* Of N partitions of GROUP. */
static int
ask_group(struct checkpoints *c, struct cluster *cluster, const char *group, const struct checkpoint_summary *list,
	  size_t n, int64_t *committed, struct err *err)
{
	struct topic_partition *tp = arena_alloc(c->arena, (n + 1) * sizeof(*tp));

	if (!tp)
		return err_set(err, REASON_NO_MEMORY, "offsets");
	for (size_t i = 0; i < n; i++)
		tp[i] = (struct topic_partition){ (char *)(uintptr_t)list[i].topic, list[i].partition, OFFSET_NONE };
	if (cluster_committed(cluster, group, tp, n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		committed[i] = tp[i].offset;
	return 0;
}

static bool
is_known(const struct cluster_group *groups, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(groups[i].id, id) == 0)
			return true;
	return false;
}

/* A group that the cluster does not know has committed nothing; librdkafka may not even survive the question
 * while the cluster looks for a coordinator of it (its issue 5040). */
static int
ask_kafka(struct checkpoints *c, const struct checkpoint_summary *list, size_t n, int64_t *committed, struct err *err)
{
	CLEANUP(cluster_close)
	struct cluster *cluster = NULL;
	struct cluster_group *groups;
	struct client_config config;
	size_t n_groups;

	if (kafka_client(&c->options->kafka, c->overrides, c->arena, &config, err) < 0 ||
	    cluster_open(&config, (int)c->options->kafka.timeout_ms, &cluster, err) < 0 ||
	    cluster_groups(cluster, c->arena, &groups, &n_groups, err) < 0)
		return -1;
	for (size_t i = 0, end; i < n; i = end) {
		const char *group = group_of(c, &list[i]);

		for (end = i + 1; end < n; end++)
			if (strcmp(list[end].run, list[i].run) != 0 || strcmp(list[end].group, list[i].group) != 0)
				break;
		if (!group)
			return err_set(err, REASON_NO_MEMORY, "offsets");
		if (is_known(groups, n_groups, group) &&
		    ask_group(c, cluster, group, list + i, end - i, committed + i, err) < 0)
			return -1;
	}
	return 0;
}

/* Without Kafka the table is still of use. */
static int
take_committed(struct checkpoints *c, const struct checkpoint_summary *list, size_t n, int64_t **ret, struct err *err)
{
	struct err why = ERR_INIT;
	int64_t *committed = arena_alloc(c->arena, (n + 1) * sizeof(*committed));

	if (!committed)
		return err_set(err, REASON_NO_MEMORY, "offsets");
	for (size_t i = 0; i < n; i++)
		committed[i] = OFFSET_NONE;
	*ret = committed;
	if (*c->options->kafka.bootstrap_servers && n > 0 && ask_kafka(c, list, n, committed, &why) < 0)
		fprintf(stderr, "forebay checkpoints: without committed offsets: %s\n", why.text);
	return 0;
}

/* -1: not known. */
static int64_t
lag_of(const struct checkpoint_summary *p, int64_t committed)
{
	if (committed < 0 || p->frontier.n == 0)
		return -1;
	return committed > p->frontier.at[0] ? committed - p->frontier.at[0] : 0;
}

/* ---- telling ---- */

static const char *
number(struct checkpoints *c, int64_t value)
{
	char text[32];

	return value < 0 ? NULL : arena_copy(c->arena, span_of(progress_number(value, text))).ptr;
}

static void
fill_row(struct checkpoints *c, const struct checkpoint_summary *p, int64_t lag, const char **cells)
{
	char text[READABLE_BYTES];

	cells[RUN] = p->run;
	cells[GROUP] = p->group;
	cells[PARTITION] = arena_printf(c->arena, "%s/%d", p->topic, p->partition);
	cells[EPOCH] = number(c, p->epoch);
	cells[INSTANCE] = p->instance;
	cells[CLOCK] = p->frontier.n ? number(c, p->frontier.at[0]) : NULL;
	cells[KEYS] = number(c, p->keys);
	cells[BYTES] = arena_copy(c->arena, span_of(readable_size(p->bytes, text))).ptr;
	cells[OLDEST] = NULL;
	if (p->oldest_us)
		cells[OLDEST] = arena_copy(c->arena, span_of(readable_age(clock_real_us() - p->oldest_us, text))).ptr;
	cells[RUNGS] = number(c, p->rungs);
	cells[LAG] = number(c, lag);
}

static int
print_table(struct checkpoints *c, const struct checkpoint_summary *list, size_t n, const int64_t *committed,
	    struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);
	const char **cells = arena_alloc(c->arena, (n + 1) * COLUMNS * sizeof(*cells));

	if (n == 0) {
		puts("no states are stored");
		return 0;
	}
	for (size_t i = 0; cells && i < n; i++)
		fill_row(c, &list[i], lag_of(&list[i], committed[i]), cells + i * COLUMNS);
	if (!cells || columns_print(columns, COLUMNS, cells, n, &out) < 0)
		return err_set(err, REASON_NO_MEMORY, "table");
	fwrite(out.ptr, 1, out.len, stdout);
	return 0;
}

static json_t *
nullable(int64_t value)
{
	return value < 0 ? json_null() : json_integer(value);
}

static json_t *
row_json(struct checkpoints *c, const struct checkpoint_summary *p, int64_t committed)
{
	const char *oldest = p->oldest_us ? checkpoints_time(c, p->oldest_us) : NULL;

	return json_pack("{s:s, s:s, s:s, s:i, s:I, s:s, s:o, s:o, s:I, s:I, s:I, s:s?, s:s, s:s, s:o, s:o}", "run",
			 p->run, "group", p->group, "topic", p->topic, "partition", p->partition, "epoch",
			 (json_int_t)p->epoch, "instance", p->instance, "clock",
			 nullable(p->frontier.n ? p->frontier.at[0] : -1), "frontier",
			 checkpoints_offsets_json(&p->frontier), "keys", (json_int_t)p->keys, "bytes",
			 (json_int_t)p->bytes, "rungs", (json_int_t)p->rungs, "oldest_taken_at", oldest, "claimed_at",
			 checkpoints_time(c, p->claimed_us), "updated_at", checkpoints_time(c, p->updated_us),
			 "committed", nullable(committed), "lag", nullable(lag_of(p, committed)));
}

int
checkpoints_list(struct checkpoints *c, struct err *err)
{
	struct checkpoint_summary *list;
	json_t *rows;
	int64_t *committed;
	size_t n;

	if (checkpoint_list(c->store, c->options->run, c->group, c->arena, &list, &n, err) < 0 ||
	    take_committed(c, list, n, &committed, err) < 0)
		return -1;
	if (!c->options->json)
		return print_table(c, list, n, committed, err);
	rows = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(rows, row_json(c, &list[i], committed[i]));
	return verb_print_json(json_pack("{s:o}", "partitions", rows), err);
}
