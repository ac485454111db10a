/*
 * checkpoints.c -- `forebay checkpoints`: the states that the workers keep in PostgreSQL.
 *
 *	list	what is stored for each partition, and how far
 *	show	the state of a key, as the worker sees it
 *	verify	build states again from older ones and the log, and compare
 *	prune	drop old rungs, or a whole run
 *	forget	drop what is stored of a key
 */
#include "cli/checkpoints.h"

#include <stdio.h>
#include <string.h>

#include "cli/fleet.h"
#include "cli/state_key.h"
#include "cli/verbs.h"
#include "common/base/clock.h"

#define AT(field) offsetof(struct checkpoints_options, field)

static const struct option table[] = {
	{ "postgres.uri", OPTION_SECRET, AT(postgres_uri), NULL, 1, 4096, "",
	  "postgresql://user:password@host:port/database" },
	{ "postgres.connect.timeout.ms", OPTION_INT, AT(connect_timeout_ms), "10000", 100, 600000, "ms",
	  "how long to try to connect, all hosts of the URI together" },
	{ "worker", OPTION_TEXT, AT(worker), "", 0, 249, "",
	  "a worker, or its consumer group; list, prune: empty is all" },
	{ "group", OPTION_TEXT, AT(group), "", 0, 249, "", "the worker's group.id, where it is not forebay-<worker>" },
	{ "run.id", OPTION_TEXT, AT(run), "", 0, 100, "",
	  "run whose states are meant; empty: live (list, and prune of rungs: all)" },
	{ "key", OPTION_TEXT, AT(key), "", 0, 4096, "", "show, forget: a device, or device/metric" },
	{ "metric", OPTION_TEXT, AT(metric), "", 0, 4096, "", "show, forget: of the device that is the key" },
	{ "at", OPTION_INT, AT(at), "-1", -1, 9e18, "offset",
	  "show: the newest state that is not beyond this offset of the primary input; -1: the newest" },
	{ "from", OPTION_TEXT, AT(from), "oldest", 1, 20, "offset",
	  "verify: where the rebuild begins; oldest: as early as the stored older states allow; 0: from the log alone" },
	{ "partition", OPTION_INT, AT(partition), "-1", -1, 1e9, "", "verify: this one alone; -1: all" },
	{ "worker.program", OPTION_TEXT, AT(program), "", 0, 4096, "",
	  "verify: the worker's program; empty: the one beside this program.  It has to run with the fleet's options, as others make other "
	  "states: what stands behind -- is passed on to it (-- --config FILE)" },
	{ "run.timeout.ms", OPTION_INT, AT(run_timeout_ms), "3600000", 1000, 1e9, "ms",
	  "verify: how long the rebuild may take" },
	{ "keep", OPTION_BOOL, AT(keep), "false", 0, 0, "",
	  "verify: keep the states of the rebuild (prune --run.id drops them)" },
	{ "older.than", OPTION_TEXT, AT(older_than), "", 0, 32, "",
	  "prune: rungs that were taken so long ago: 12h, 7d" },
	{ "dry.run", OPTION_BOOL, AT(dry_run), "false", 0, 0, "",
	  "prune, forget: change nothing, only say what would go" },
	{ "yes", OPTION_BOOL, AT(yes), "false", 0, 0, "", "forget: really do it" },
	{ "json", OPTION_BOOL, AT(json), "false", 0, 0, "", "one JSON object on standard output" },
};

/* As kafka_access_table, but Kafka need not be there. */
static const struct option kafka_table[] = {
	{ "bootstrap.servers", OPTION_TEXT, AT(kafka.bootstrap_servers), "", 0, 4096, "",
	  "list: brokers to ask for committed offsets; verify: the worker's; empty: not asked, as the worker is configured" },
	{ "request.timeout.ms", OPTION_INT, AT(kafka.timeout_ms), "5000", 100, 600000, "ms",
	  "how long an answer of the cluster is waited for" },
};

static const struct word {
	const char *name;
	int (*run)(struct checkpoints *c, struct err *err);
	bool one_group; /* --worker is needed */
} words[] = {
	{ "list", checkpoints_list, false },    { "show", checkpoints_show, true },
	{ "verify", checkpoints_verify, true }, { "prune", checkpoints_prune, false },
	{ "forget", checkpoints_forget, true },
};

/* ---- what the words share ---- */

const char *
checkpoints_key(struct checkpoints *c, struct span key)
{
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(0);
	const char *copy = state_key_text(key, &text) == 0 ? arena_copy(c->arena, buffer_span(&text)).ptr : NULL;

	return copy ? copy : "";
}

const char *
checkpoints_time(struct checkpoints *c, int64_t us)
{
	char text[CLOCK_TEXT_BYTES];
	const char *copy;

	clock_iso8601(us, text);
	copy = arena_copy(c->arena, span_of(text)).ptr;
	return copy ? copy : "";
}

json_t *
checkpoints_offsets_json(const struct checkpoint_offsets *offsets)
{
	json_t *object = json_object();

	for (size_t i = 0; i < offsets->n; i++)
		json_object_set_new(object, offsets->sources[i],
				    offsets->at[i] < 0 ? json_null() : json_integer(offsets->at[i]));
	return object;
}

int
checkpoints_find(struct checkpoints *c, int64_t limit, struct checkpoint_found **ret, size_t *n, struct err *err)
{
	const struct checkpoints_options *o = c->options;
	const char *run = *o->run ? o->run : "live";
	struct checkpoint_range *ranges;
	size_t n_ranges;

	if (state_key_ranges(o->key, o->metric, c->arena, &ranges, &n_ranges, err) < 0 ||
	    checkpoint_find(c->store, run, c->group, ranges, n_ranges, o->at < 0 ? INT64_MAX : o->at, limit, c->arena,
			    ret, n, err) < 0)
		return -1;
	if (*n > 0)
		return 0;
	return err_set(err, REASON_USAGE, "group %s has no state of %s%s%s in run %s%s (forebay checkpoints list)",
		       c->group, o->key, *o->metric ? "/" : "", o->metric, run,
		       o->at < 0 ? "" : " that is not beyond this offset");
}

/* ---- the verb ---- */

/* A worker's name stands for its group, and its usual group for the worker. */
static int
find_worker(struct checkpoints *c, const struct word *word, struct err *err)
{
	const struct checkpoints_options *o = c->options;
	const struct fleet_member *m = fleet_find(span_of(o->worker));

	c->worker = m ? m->worker : "";
	c->group = *o->group ? o->group : m ? m->group : o->worker;
	if (word->one_group && !*c->group)
		return err_set(err, REASON_USAGE,
			       "%s: --worker is needed: etl-preprocessor, batch-forecaster, "
			       "realtime-scorer, or a consumer group",
			       word->name);
	return 0;
}

static int
run(const struct checkpoints_options *o, const struct property_list *overrides, const struct word *word, int n_flags,
    char **flags, bool *broken, struct err *err)
{
	const struct store_options where = { .uri = o->postgres_uri,
					     .application_name = "forebay checkpoints",
					     .connect_timeout_ms = o->connect_timeout_ms,
					     .lock_timeout_ms = VERB_LOCK_TIMEOUT_MS };
	CLEANUP(store_free)
	struct store *store = NULL;
	CLEANUP(arena_free)
	struct arena *arena = arena_new(1 << 16, 0);
	struct checkpoints c = { .options = o, .overrides = overrides, .flags = flags, .n_flags = n_flags };

	if (!arena)
		return err_set(err, REASON_NO_MEMORY, "checkpoints");
	if (find_worker(&c, word, err) < 0 || store_new(&where, &store, err) < 0)
		return -1;
	c.store = store;
	c.arena = arena;
	if (word->run(&c, err) < 0)
		return -1;
	*broken = c.broken;
	return 0;
}

static int
check_words(int n, char **given, const struct word **ret, struct err *err)
{
	for (size_t i = 0; n > 0 && i < ARRAY_LEN(words); i++) {
		if (strcmp(given[0], words[i].name) != 0)
			continue;
		*ret = &words[i];
		if (n == 1 || words[i].run == checkpoints_verify)
			return 0;
		return err_set(err, REASON_USAGE, "%s: %.100s: no word is wanted here", given[0], given[1]);
	}
	return err_set(err, REASON_USAGE, "say what to do: list, show, verify, prune or forget");
}

struct checkpoints_call {
	struct checkpoints_options options;
	struct property_list overrides;
};

static int
checkpoints(void *self, int n, char **given, struct err *err)
{
	const struct checkpoints_call *c = self;
	const struct word *word = NULL;
	bool broken = false;

	if (check_words(n, given, &word, err) < 0 ||
	    run(&c->options, &c->overrides, word, n - 1, given + 1, &broken, err) < 0)
		return -1;
	return broken;
}

int
verb_checkpoints(int argc, char **argv)
{
	struct checkpoints_call c = { .overrides = CLIENT_OVERRIDES };
	const struct option_set sets[] = { { "Checkpoints", table, ARRAY_LEN(table), &c.options },
					   { "Kafka", kafka_table, ARRAY_LEN(kafka_table), &c.options } };
	const struct option_program program = {
		"forebay checkpoints",
		"list | show | verify | prune | forget: the states that workers keep in PostgreSQL",
		sets,
		ARRAY_LEN(sets),
		&c.overrides,
		1
	};
	const struct word *none;
	struct err err = ERR_INIT;

	if (!verb_begins_with_option(argc, argv) && check_words(argc > 1, argv + 1, &none, &err) < 0)
		return verb_fail("checkpoints", &err);
	return verb_run(&program, true, argc, argv, &c, checkpoints);
}
