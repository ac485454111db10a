/*
 * checkpoints_verify.c -- `forebay checkpoints verify`: a state is a function of its key's records, so it can be built again.
 *
 *	remember	where each partition stands (its frontier), and digests of its states, of one moment
 *	rebuild		the worker itself, in a run of its own, from the states of an earlier offset up to the frontier
 *	compare		byte for byte
 *
 * The fleet goes on meanwhile.  A state that was written after the frontier cannot be compared; verify when the worker has
 * little to do and these are few.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/checkpoints.h"
#include "cli/columns.h"
#include "common/base/progress.h"
#include "cli/rebuild.h"
#include "common/base/clock.h"

#define MOST_ODD_ONES 10

struct result {
	struct checkpoint_tally tally;
	struct checkpoint_odd *odd;
	size_t n_odd;
};

struct verify {
	struct checkpoints *c;
	struct checkpoint_basis *basis;
	struct rebuild_range *ranges;
	struct result *results;
	size_t n;
	const char *run;
	int64_t first, last; /* sums of the ranges' bounds */
	struct progress progress;
	int64_t took_us;
};

/* ---- from where to where ---- */

static int
parse_from(const char *text, int64_t *ret, struct err *err)
{
	char *end;

	*ret = -1;
	if (strcmp(text, "oldest") == 0)
		return 0;
	*ret = strtoll(text, &end, 10);
	if (end == text || *end || *ret < 0)
		return err_set(err, REASON_OPTION_INVALID, "--from=%s: an offset, or oldest", text);
	return 0;
}

static void
choose_range(const struct checkpoint_basis *b, int64_t from, struct rebuild_range *ret)
{
	int64_t end = b->frontier.n ? b->frontier.at[0] : 0;

	*ret = (struct rebuild_range){ .basis = b, .start = from < 0 ? b->oldest : from, .end = end };
	if (end <= 0 || b->keys == 0)
		ret->why_not = "nothing is stored yet";
	else if (ret->start >= end)
		ret->why_not = from < 0 ? "no older states to begin with" : "it does not stand beyond this offset";
	if (ret->why_not)
		ret->start = ret->end;
}

static int
choose_ranges(struct verify *v, struct err *err)
{
	int64_t from;

	if (parse_from(v->c->options->from, &from, err) < 0)
		return -1;
	v->ranges = arena_zalloc(v->c->arena, (v->n + 1) * sizeof(*v->ranges));
	v->results = arena_zalloc(v->c->arena, (v->n + 1) * sizeof(*v->results));
	if (!v->ranges || !v->results)
		return err_set(err, REASON_NO_MEMORY, "verify");
	for (size_t i = 0; i < v->n; i++) {
		choose_range(&v->basis[i], from, &v->ranges[i]);
		v->first += v->ranges[i].start;
		v->last += v->ranges[i].end;
	}
	if (v->n == 0)
		return err_set(err, REASON_USAGE, "no states of group %s%s are stored (forebay checkpoints list)",
			       v->c->group, v->c->options->partition < 0 ? "" : " and this partition");
	if (v->first == v->last)
		return err_set(err, REASON_STATE_TOO_OLD, "%s/%d: %s; --from=0 builds the states from the log alone",
			       v->basis[0].topic, v->basis[0].partition, v->ranges[0].why_not);
	return 0;
}

/* ---- the rebuild ---- */

static void
tick(void *ctx)
{
	struct verify *v = ctx;
	int64_t at;

	if (!v->progress.on || checkpoint_progress(v->c->store, v->run, &at, NULL) < 0 || at < v->first)
		return;
	progress_show(&v->progress, (double)(at - v->first) / (double)(v->last - v->first), at - v->first);
}

/* A worker that waits does so for as long as a run may take. */
static void
told(void *ctx, const struct err *trouble)
{
	struct verify *v = ctx;

	progress_wipe(&v->progress);
	fprintf(stderr, "forebay checkpoints: %s says: %s [%s]\n", *v->c->worker ? v->c->worker : "the worker",
		trouble->text, err_reason_name(trouble->reason));
}

static const char *
name_run(struct arena *arena)
{
	time_t now = (time_t)(clock_real_us() / US_PER_SECOND);
	struct tm tm;
	char text[40];

	strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	return arena_printf(arena, "verify-%s-%d", text, (int)getpid());
}

static int
rebuild(struct verify *v, struct err *err)
{
	const struct checkpoints_options *o = v->c->options;
	CLEANUP(buffer_clear)
	struct buffer plan = BUFFER_INIT(0);
	struct rebuild r = {
		.worker = *v->c->worker ? v->c->worker : "the worker",
		.program = o->program,
		.run = v->run,
		.group = v->c->group,
		.postgres_uri = o->postgres_uri,
		.bootstrap_servers = o->kafka.bootstrap_servers,
		.flags = v->c->flags,
		.n_flags = v->c->n_flags,
		.timeout_us = o->run_timeout_ms * US_PER_MS,
		.tick = tick,
		.told = told,
		.ctx = v,
	};
	int64_t started = clock_monotonic_us();
	int failed;

	if (rebuild_plan(v->ranges, v->n, &plan) < 0)
		return err_set(err, REASON_NO_MEMORY, "plan");
	r.plan = buffer_span(&plan);
	progress_start(&v->progress, "offsets");
	failed = rebuild_run(&r, v->c->arena, err);
	progress_end(&v->progress);
	v->took_us = clock_monotonic_us() - started;
	return failed;
}

static int
compare(struct verify *v, struct err *err)
{
	for (size_t i = 0; i < v->n; i++) {
		struct result *r = &v->results[i];
		const struct checkpoint_basis *b = &v->basis[i];

		if (v->ranges[i].why_not)
			continue;
		if (checkpoint_compare(v->c->store, b, v->run, v->ranges[i].start, &r->tally, err) < 0 ||
		    checkpoint_odd_ones(v->c->store, b, v->run, v->ranges[i].start, MOST_ODD_ONES, v->c->arena, &r->odd,
					&r->n_odd, err) < 0)
			return err_wrap(err, "comparing the states of %s/%d", b->topic, b->partition);
	}
	return 0;
}

/* ---- telling ---- */

static int64_t
odd_count(const struct checkpoint_tally *t)
{
	return t->different + t->missing + t->surplus;
}

static const char *
kind_text(enum checkpoint_odd_kind kind)
{
	static const char *const texts[] = {
		[CHECKPOINT_DIFFERENT] = "different",
		[CHECKPOINT_MISSING] = "missing",
		[CHECKPOINT_SURPLUS] = "surplus",
	};

	return texts[kind];
}

enum { PARTITION, FROM, TO, EQUAL, DIFFERENT, MISSING, SURPLUS, BEYOND, UNTOUCHED, RELAID, NOTE, COLUMNS };

static const char *
number(struct verify *v, int64_t value)
{
	char text[32];

	return arena_copy(v->c->arena, span_of(progress_number(value, text))).ptr;
}

static void
fill_row(struct verify *v, size_t i, const char **cells)
{
	const struct checkpoint_tally *t = &v->results[i].tally;

	memset(cells, 0, COLUMNS * sizeof(*cells));
	cells[PARTITION] = arena_printf(v->c->arena, "%s/%d", v->basis[i].topic, v->basis[i].partition);
	cells[NOTE] = v->ranges[i].why_not ? v->ranges[i].why_not : odd_count(t) ? "WRONG" : "";
	if (v->ranges[i].why_not)
		return;
	cells[FROM] = number(v, v->ranges[i].start);
	cells[TO] = number(v, v->ranges[i].end);
	cells[EQUAL] = number(v, t->equal);
	cells[DIFFERENT] = number(v, t->different);
	cells[MISSING] = number(v, t->missing);
	cells[SURPLUS] = number(v, t->surplus);
	cells[BEYOND] = number(v, t->beyond);
	cells[UNTOUCHED] = number(v, t->untouched);
	cells[RELAID] = number(v, t->relaid);
}

static int
print_table(struct verify *v, struct err *err)
{
	static const struct column columns[COLUMNS] = {
		[PARTITION] = { "partition", false },
		[FROM] = { "from", true },
		[TO] = { "to", true },
		[EQUAL] = { "equal", true },
		[DIFFERENT] = { "different", true },
		[MISSING] = { "missing", true },
		[SURPLUS] = { "surplus", true },
		[BEYOND] = { "changed since", true },
		[UNTOUCHED] = { "not rebuilt", true },
		[RELAID] = { "other layout", true },
		[NOTE] = { "", false },
	};
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);
	const char **cells = arena_alloc(v->c->arena, (v->n + 1) * COLUMNS * sizeof(*cells));

	for (size_t i = 0; cells && i < v->n; i++)
		fill_row(v, i, cells + i * COLUMNS);
	if (!cells || columns_print(columns, COLUMNS, cells, v->n, &out) < 0)
		return err_set(err, REASON_NO_MEMORY, "table");
	fwrite(out.ptr, 1, out.len, stdout);
	return 0;
}

static int
print_text(struct verify *v, struct err *err)
{
	char clock[32];

	printf("%s: rebuilt in %.1f s (run %s%s)\n", v->c->group, (double)v->took_us / US_PER_SECOND, v->run,
	       v->c->options->keep ? ", kept" : "");
	if (print_table(v, err) < 0)
		return -1;
	for (size_t i = 0; i < v->n; i++) {
		const struct result *r = &v->results[i];

		for (size_t k = 0; k < r->n_odd; k++)
			printf("%s/%d: %s: %s, stands at %s\n", v->basis[i].topic, v->basis[i].partition,
			       kind_text(r->odd[k].kind), checkpoints_key(v->c, r->odd[k].key),
			       progress_number(r->odd[k].clock, clock));
		if (odd_count(&r->tally) > (int64_t)r->n_odd)
			printf("%s/%d: and %" PRId64 " more\n", v->basis[i].topic, v->basis[i].partition,
			       odd_count(&r->tally) - (int64_t)r->n_odd);
	}
	return 0;
}

static json_t *
partition_json(struct verify *v, size_t i)
{
	const struct result *r = &v->results[i];
	const struct checkpoint_tally *t = &r->tally;
	json_t *keys = json_array();

	for (size_t k = 0; k < r->n_odd; k++)
		json_array_append_new(keys,
				      json_pack("{s:s, s:s, s:I}", "key", checkpoints_key(v->c, r->odd[k].key), "kind",
						kind_text(r->odd[k].kind), "clock", (json_int_t)r->odd[k].clock));
	return json_pack("{s:s, s:i, s:I, s:I, s:s?, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "topic",
			 v->basis[i].topic, "partition", v->basis[i].partition, "from", (json_int_t)v->ranges[i].start,
			 "to", (json_int_t)v->ranges[i].end, "skipped", v->ranges[i].why_not, "equal",
			 (json_int_t)t->equal, "different", (json_int_t)t->different, "missing", (json_int_t)t->missing,
			 "surplus", (json_int_t)t->surplus, "changed_since", (json_int_t)t->beyond, "not_rebuilt",
			 (json_int_t)t->untouched, "other_layout", (json_int_t)t->relaid, "keys", keys);
}

static int
print_json(struct verify *v, bool holds, struct err *err)
{
	json_t *partitions = json_array();

	for (size_t i = 0; i < v->n; i++)
		json_array_append_new(partitions, partition_json(v, i));
	return verb_print_json(json_pack("{s:b, s:s, s:s, s:f, s:o}", "holds", holds, "group", v->c->group, "run",
					 v->run, "seconds", (double)v->took_us / US_PER_SECOND, "partitions",
					 partitions),
			       err);
}

/* The states are wrong, or nothing is proven: either way nobody should go home content. */
static int
conclude(struct verify *v, struct err *err)
{
	int64_t equal = 0, odd = 0;

	for (size_t i = 0; i < v->n; i++) {
		equal += v->results[i].tally.equal;
		odd += odd_count(&v->results[i].tally);
	}
	if ((v->c->options->json ? print_json(v, odd == 0 && equal > 0, err) : print_text(v, err)) < 0)
		return -1;
	if (odd == 0 && equal == 0)
		return err_set(err, REASON_STATE_TOO_OLD,
			       "not one state could be compared: all have changed after the "
			       "frontier, are older than the start (--from), or were stored in another layout");
	if (odd > 0)
		fputs(
		    "forebay checkpoints: other options than the fleet's make other states; verify ... -- --config FILE "
		    "gives the worker the fleet's\n",
		    stderr);
	v->c->broken = odd > 0;
	return 0;
}

/* ---- the word ---- */

static int
check_usage(const struct checkpoints *c, struct err *err)
{
	if (!*c->worker && !*c->options->program)
		return err_set(err, REASON_USAGE,
			       "verify: --worker=%s is no worker of ours: name one with --worker and its "
			       "group with --group, or its program with --worker.program",
			       c->options->worker);
	if (c->n_flags > 0 && strncmp(c->flags[0], "--", 2) != 0)
		return err_set(err, REASON_USAGE,
			       "verify: %.100s: only flags for the worker are wanted here, behind --", c->flags[0]);
	if (*c->options->run && strcmp(c->options->run, "live") != 0)
		return err_set(err, REASON_USAGE, "verify: only the live run's states can be verified");
	return 0;
}

int
checkpoints_verify(struct checkpoints *c, struct err *err)
{
	struct verify v = { .c = c, .run = name_run(c->arena) };
	struct checkpoint_dropped dropped;
	struct err ignored = ERR_INIT;
	int failed;

	if (check_usage(c, err) < 0)
		return -1;
	if (!v.run)
		return err_set(err, REASON_NO_MEMORY, "verify");
	if (checkpoint_remember(c->store, c->group, (int32_t)c->options->partition, c->arena, &v.basis, &v.n, err) <
		0 ||
	    choose_ranges(&v, err) < 0)
		return -1;
	failed = rebuild(&v, err) < 0 || compare(&v, err) < 0 || conclude(&v, err) < 0;
	if (!c->options->keep && checkpoint_drop_run(c->store, v.run, "", false, &dropped, &ignored) < 0)
		fprintf(stderr, "forebay checkpoints: the states of run %s stay: %s\n", v.run, ignored.text);
	return failed ? -1 : 0;
}
