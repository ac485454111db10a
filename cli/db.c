/*
 * db.c -- `forebay db`: the database's schema and what is kept in it.
 *
 *	migrate	apply the migrations that are missing; --dry.run says which those are
 *	status	the migrations, and how far each sink has come
 *	retain	drop what is older than the mapping's retention.days, table by table; --dry.run counts
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/verb.h"
#include "cli/verbs.h"
#include "common/base/clock.h"
#include "common/base/map.h"
#include "common/store/migration.h"
#include "common/store/partition.h"
#include "common/store/query.h"

struct db_options {
	char *uri, *migrations, *mapping;
	int64_t connect_timeout_ms;
	bool dry_run, json;
};

#define AT(field) offsetof(struct db_options, field)

static const struct option table[] = {
	{ "postgres.uri", OPTION_SECRET, AT(uri), NULL, 1, 4096, "", "postgresql://user:password@host:port/database" },
	{ "postgres.connect.timeout.ms", OPTION_INT, AT(connect_timeout_ms), "10000", 100, 600000, "ms",
	  "how long to try to connect, all hosts of the URI together" },
	{ "migrations", OPTION_TEXT, AT(migrations), "", 0, 4096, "",
	  "folder of the files NNNN-name.sql; empty: deploy/migrations below this directory, else the installed one" },
	{ "sink.mapping", OPTION_TEXT, AT(mapping), "", 0, 4096, "",
	  "retain: the sink's mapping; empty: deploy/sink.properties below this directory, else the installed one" },
	{ "dry.run", OPTION_BOOL, AT(dry_run), "false", 0, 0, "", "change nothing, only say what would be done" },
	{ "json", OPTION_BOOL, AT(json), "false", 0, 0, "", "one JSON object on standard output" },
};

/* ---- migrations ---- */

static json_t *
migrations_json(const struct migrations *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->n; i++) {
		const struct migration *one = &m->items[i];

		json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:s*}", "version", one->version, "name",
						      one->name, "checksum", one->checksum, "applied_at",
						      one->applied_at[0] ? one->applied_at : NULL));
	}
	return list;
}

static size_t
missing(const struct migrations *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += !m->items[i].applied_at[0];
	return n;
}

struct applying {
	bool silent;
	size_t n;
};

static void
say_applied(void *ctx, const struct migration *one)
{
	struct applying *a = ctx;

	a->n++;
	if (!a->silent)
		printf("applied %04d-%s\n", one->version, one->name);
}

/* Of two at once one applies them, and the other finds them there: what is told as applied is one's own. */
static int
migrate(const struct db_options *o, struct store *store, struct migrations *m, struct err *err)
{
	struct applying applying = { .silent = o->json };
	size_t n;

	if (migrations_compare(store, m, err) < 0)
		return -1;
	for (size_t i = 0; i < m->n && o->dry_run && !o->json; i++)
		if (!m->items[i].applied_at[0])
			printf("missing %04d-%s\n", m->items[i].version, m->items[i].name);
	if (!o->dry_run && migrations_apply(store, m, say_applied, &applying, err) < 0)
		return -1;
	n = o->dry_run ? missing(m) : applying.n;
	if (o->json)
		return verb_print_json(json_pack("{s:b, s:I, s:o}", "applied", !o->dry_run, "missing", (json_int_t)n,
						 "migrations", migrations_json(m)),
				       err);
	printf("%s: %zu migrations, %zu %s\n", store_address(store), m->n, n, o->dry_run ? "missing" : "applied now");
	return 0;
}

/* ---- status ---- */

static int
sinks(struct store *store, struct rows **rows, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *exists = NULL;

	*rows = NULL;
	if (store_query(store, "SELECT to_regclass('forebay.sink_offsets') IS NOT NULL", NULL, 0, &exists, err) < 0)
		return -1;
	if (!rows_bool(exists, 0, 0))
		return 0;
	return store_query(
	    store,
	    "SELECT sink, topic, partition, next_offset, instance, rows_inserted, rows_repeated, dead_letters, "
	    "to_char(updated_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM forebay.sink_offsets ORDER BY 1, 2, 3",
	    NULL, 0, rows, err);
}

static json_t *
sinks_json(const struct rows *rows)
{
	json_t *list = json_array();

	for (size_t i = 0; rows && i < rows_count(rows); i++)
		json_array_append_new(
		    list,
		    json_pack("{s:s, s:s, s:I, s:I, s:s, s:I, s:I, s:I, s:s}", "sink", rows_text(rows, i, 0).ptr,
			      "topic", rows_text(rows, i, 1).ptr, "partition", (json_int_t)rows_int(rows, i, 2),
			      "next_offset", (json_int_t)(rows_null(rows, i, 3) ? -1 : rows_int(rows, i, 3)),
			      "instance", rows_text(rows, i, 4).ptr, "rows_inserted", (json_int_t)rows_int(rows, i, 5),
			      "rows_repeated", (json_int_t)rows_int(rows, i, 6), "dead_letters",
			      (json_int_t)rows_int(rows, i, 7), "updated_at", rows_text(rows, i, 8).ptr));
	return list;
}

static int
status(const struct db_options *o, struct store *store, struct migrations *m, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	if (migrations_compare(store, m, err) < 0 || sinks(store, &rows, err) < 0)
		return -1;
	if (o->json)
		return verb_print_json(json_pack("{s:s, s:I, s:o, s:o}", "database", store_address(store), "missing",
						 (json_int_t)missing(m), "migrations", migrations_json(m), "sinks",
						 sinks_json(rows)),
				       err);
	printf("%s\n", store_address(store));
	for (size_t i = 0; i < m->n; i++)
		printf("  %04d-%-24s %s\n", m->items[i].version, m->items[i].name,
		       m->items[i].applied_at[0] ? m->items[i].applied_at : "missing: forebay db migrate");
	for (size_t i = 0; rows && i < rows_count(rows); i++)
		printf("  %s %s/%" PRId64 ": next offset %s, %" PRId64 " rows, %" PRId64 " repeated, %" PRId64
		       " dead letters, by %s at %s\n",
		       rows_text(rows, i, 0).ptr, rows_text(rows, i, 1).ptr, rows_int(rows, i, 2),
		       rows_null(rows, i, 3) ? "unknown" : rows_text(rows, i, 3).ptr, rows_int(rows, i, 5),
		       rows_int(rows, i, 6), rows_int(rows, i, 7), rows_text(rows, i, 4).ptr,
		       rows_text(rows, i, 8).ptr);
	return 0;
}

/* ---- retention ---- */

/* Of a block of the mapping, what retention needs; what it says is checked by the sink. */
struct rule {
	char table[200], column[64];
	int64_t days;
};

static int
take_rule(void *ctx, const char *key, const char *value, int line, struct err *err)
{
	struct map *rules = ctx;
	const char *dot = strchr(key, '.');
	struct span name = { key, dot ? (size_t)(dot - key) : 0 };
	struct rule *rule = map_get(rules, name);
	char *end;

	if (!dot)
		return err_set(err, REASON_FILE_INVALID, "%s: not of the form NAME.key", key);
	if (!rule) {
		rule = calloc(1, sizeof(*rule));
		if (!rule || map_put(rules, name, rule) < 0) {
			free(rule);
			return err_set(err, REASON_NO_MEMORY, "mapping");
		}
	}
	if (strcmp(dot, ".table") == 0)
		snprintf(rule->table, sizeof(rule->table), "%s", value);
	if (strcmp(dot, ".time") == 0)
		snprintf(rule->column, sizeof(rule->column), "%s", value);
	if (strcmp(dot, ".retention.days") != 0)
		return 0;
	rule->days = strtoll(value, &end, 10);
	return end == value || *end || rule->days < 0 || rule->days > 36500
		   ? err_set(err, REASON_FILE_INVALID, "%s: %s is not a number of days (0 to 36500)", key, value)
		   : 0;
}

static int
retain_one(const struct db_options *o, struct store *store, const struct rule *rule, json_t *list, struct err *err)
{
	struct retained gone;
	char cutoff[CLOCK_TEXT_BYTES];
	int64_t cutoff_us = clock_real_us() - rule->days * 86400 * US_PER_SECOND;

	if (!rule->table[0] || !rule->column[0])
		return err_set(err, REASON_FILE_INVALID, "a table with retention.days needs the keys table and time");
	if (partition_retain(store, rule->table, rule->column, cutoff_us, o->dry_run, &gone, err) < 0)
		return -1;
	clock_iso8601(cutoff_us, cutoff);
	if (!o->json)
		printf("%s: %" PRId64 " partitions and %" PRId64 " single rows before %s%s\n", rule->table,
		       gone.partitions, gone.rows, cutoff, o->dry_run ? " would go" : " gone");
	json_array_append_new(list,
			      json_pack("{s:s, s:s, s:I, s:I}", "table", rule->table, "before", cutoff, "partitions",
					(json_int_t)gone.partitions, "rows", (json_int_t)gone.rows));
	return 0;
}

static int
retain(const struct db_options *o, struct store *store, struct err *err)
{
	CLEANUP(map_free)
	struct map *rules = map_new(free);
	json_t *list = json_array();
	struct span name;
	void *rule;
	int failed =
	    !rules
		? err_set(err, REASON_NO_MEMORY, "mapping")
		: properties_read(verb_path(o->mapping, "deploy/sink.properties", FOREBAY_DATA_DIR "/sink.properties"),
				  take_rule, rules, err);

	if (!failed)
		failed = store_connect(store, err);
	for (size_t at = 0; !failed && map_next(rules, &at, &name, &rule);)
		if (((struct rule *)rule)->days > 0)
			failed = retain_one(o, store, rule, list, err);
	if (!failed && o->json)
		return verb_print_json(json_pack("{s:b, s:o}", "dropped", !o->dry_run, "tables", list), err);
	if (!failed && json_array_size(list) == 0)
		printf("nothing to do: no table of the mapping has retention.days\n");
	json_decref(list);
	return failed;
}

/* ---- the verb ---- */

static int
run(const struct db_options *o, const char *word, struct err *err)
{
	const struct store_options store_options = { .uri = o->uri,
						     .application_name = "forebay db",
						     .connect_timeout_ms = o->connect_timeout_ms,
						     /* of two that migrate one waits for the other */
						     .lock_timeout_ms =
							 strcmp(word, "migrate") == 0 ? 0 : VERB_LOCK_TIMEOUT_MS };
	CLEANUP(store_free)
	struct store *store = NULL;
	CLEANUP(migrations_free)
	struct migrations *m = NULL;

	if (store_new(&store_options, &store, err) < 0)
		return -1;
	if (strcmp(word, "retain") == 0)
		return retain(o, store, err);
	if (migrations_load(verb_path(o->migrations, "deploy/migrations", FOREBAY_DATA_DIR "/migrations"), &m, err) < 0)
		return -1;
	return strcmp(word, "status") == 0 ? status(o, store, m, err) : migrate(o, store, m, err);
}

static int
check_words(int n, char **words, struct err *err)
{
	static const char *const known[] = { "migrate", "status", "retain" };

	for (size_t i = 0; n == 1 && i < ARRAY_LEN(known); i++)
		if (strcmp(words[0], known[i]) == 0)
			return 0;
	return err_set(err, REASON_USAGE, "say what to do: migrate, status or retain");
}

static int
db(void *self, int n, char **words, struct err *err)
{
	return check_words(n, words, err) < 0 ? -1 : run(self, words[0], err);
}

int
verb_db(int argc, char **argv)
{
	struct db_options options = { 0 };
	const struct option_set sets[] = { { "Database", table, ARRAY_LEN(table), &options } };
	const struct option_program program = {
		"forebay db", "migrate | status | retain: the database's schema, and what is kept in it",
		sets,         ARRAY_LEN(sets),
		NULL,         0
	};
	struct err err = ERR_INIT;

	if (!verb_begins_with_option(argc, argv) && check_words(argc > 1, argv + 1, &err) < 0)
		return verb_fail("db", &err);
	return verb_run(&program, true, argc, argv, &options, db);
}
