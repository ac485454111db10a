/*
 * report_counts.c -- what went in is what came out: the topics, counted record by record, against the tables.
 *
 *	raw messages	  = messages that became readings + dead letters
 *	values		  = distinct readings + repeated ones
 *	distinct readings = rows of forebay.readings
 *	dead letters	  = rows of forebay.dead_letters
 *
 * The first holds where a message is one reading, as it is but for path maps with `items`: these make several of one, and
 * all that can be said (--several.readings) is that there are not fewer.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/progress.h"
#include "cli/report.h"
#include "cli/census.h"

static const char *const tables[] = {
	"readings",  "series", "aggregates",    "forecasts",    "scores",
	"anomalies", "alerts", "alert_changes", "dead_letters",
};
enum { ROWS_READINGS = 0, ROWS_DEAD_LETTERS = 8 };

struct counts {
	struct census topics;
	int64_t rows[ARRAY_LEN(tables)];
	int64_t devices, series;
	int64_t repeated; /* as the sink counted them */
};

/* ---- taking ---- */

static int
take_rows(struct report *r, struct counts *c, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		CLEANUP(rows_free)
		struct rows *rows = NULL;
		const char *sql = arena_printf(r->arena, "SELECT count(*) FROM forebay.%s", tables[i]);

		if (!sql)
			return err_set(err, REASON_NO_MEMORY, "report");
		if (store_query(r->store, sql, NULL, 0, &rows, err) < 0)
			return -1;
		c->rows[i] = rows_int(rows, 0, 0);
	}
	return 0;
}

static int
take_sums(struct report *r, struct counts *c, struct err *err)
{
	static const char sql[] = "SELECT (SELECT count(DISTINCT device) FROM forebay.readings), "
				  "(SELECT count(*) FROM (SELECT DISTINCT device, metric FROM forebay.readings) AS s), "
				  "(SELECT coalesce(sum(rows_repeated), 0)::bigint FROM forebay.sink_offsets "
				  "WHERE sink = $1 AND topic IN ('telemetry.readings', 'telemetry.deferred'))";
	const struct param params[] = { PARAM_TEXT(span_of(r->options->sink)) };
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	if (store_query(r->store, sql, params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	c->devices = rows_int(rows, 0, 0);
	c->series = rows_int(rows, 0, 1);
	c->repeated = rows_int(rows, 0, 2);
	return 0;
}

static int
take(struct report *r, struct counts *c, struct err *err)
{
	CLEANUP(registry_free)
	struct registry *registry = NULL;

	if (registry_new(r->options->registry_url, verb_schema_dir(r->options->schema_dir), &registry, err) < 0 ||
	    census_take(&r->client, (int)r->options->kafka.timeout_ms, registry, r->arena, &c->topics, err) < 0)
		return -1;
	return take_rows(r, c, err) < 0 || take_sums(r, c, err) < 0 ? -1 : 0;
}

/* ---- judging ---- */

struct equation {
	const char *name, *left, *first, *second; /* left = first (+ second) */
	int64_t left_count, first_count, second_count;
	bool at_most; /* the left may be less */
};

#define EQUATIONS 4

static void
equations(const struct counts *c, bool several, struct equation ret[EQUATIONS])
{
	const struct census *t = &c->topics;
	const struct equation all[EQUATIONS] = {
		{ "messages", "raw messages", "became readings", "dead-lettered", t->raw, t->readings, t->raw_dead,
		  several },
		{ "repeated", "readings in the topic", "distinct", "repeated (by the sink's count)", t->values,
		  t->distinct, c->repeated },
		{ "rows", "distinct readings", "rows of forebay.readings", NULL, t->distinct, c->rows[ROWS_READINGS],
		  0 },
		{ "dead_letters", "dead letters", "rows of forebay.dead_letters", NULL, t->dead,
		  c->rows[ROWS_DEAD_LETTERS], 0 },
	};

	memcpy(ret, all, sizeof(all));
}

static bool
holds(const struct equation *e)
{
	int64_t right = e->first_count + e->second_count;

	return e->left_count == right || (e->at_most && e->left_count < right);
}

/* ---- telling ---- */

static void
print_equation(const struct report *r, const struct equation *e)
{
	char left[32], first[32], second[32], off[64] = "exact";
	int64_t right = e->first_count + e->second_count;

	if (holds(e) && e->left_count < right)
		snprintf(off, sizeof(off), "at least one each");
	else if (!holds(e))
		snprintf(off, sizeof(off), "DIFFERS BY %" PRId64, e->left_count - right);
	fputs("  ", stdout);
	report_news(r, holds(e), off);
	printf("  %s %s = %s %s", progress_number(e->left_count, left), e->left, progress_number(e->first_count, first),
	       e->first);
	if (e->second)
		printf(" + %s %s", progress_number(e->second_count, second), e->second);
	puts("");
}

static void
print_reasons(const struct census *c)
{
	int column = 0;

	for (size_t i = 0; i < c->n_reasons; i++) {
		char number[32], item[96];
		int len = snprintf(item, sizeof(item), "%s %s",
				   *c->reasons[i].name ? c->reasons[i].name : "(without a reason)",
				   progress_number(c->reasons[i].count, number));

		if (i > 0 && column + len < 96)
			column += printf(", %s", item);
		else
			column = printf("%s    %s", i ? ",\n" : "", item);
	}
	if (c->n_reasons)
		puts("");
}

static void
print_rows(const struct report *r, const struct counts *c)
{
	char number[32], devices[32], series[32];

	report_heading(r, "Rows");
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		printf("  %-14s %12s%s", tables[i], progress_number(c->rows[i], number),
		       i % 2 || i + 1 == ARRAY_LEN(tables) ? "\n" : "    ");
	printf("  %s devices, %s series\n", progress_number(c->devices, devices), progress_number(c->series, series));
}

static void
print(const struct report *r, const struct counts *c, const struct equation *e)
{
	char number[32];

	report_heading(r, "What went in is what came out");
	for (size_t i = 0; i < EQUATIONS; i++)
		print_equation(r, &e[i]);
	print_reasons(&c->topics);
	if (c->topics.unreadable)
		printf("  (%s more records of telemetry.readings are no readings: see telemetry.readings.dlq)\n",
		       progress_number(c->topics.unreadable, number));
	if (c->topics.cut)
		puts("  (retention has deleted from the topics, so these are not the sums of all time)");
	print_rows(r, c);
}

static json_t *
equation_json(const struct equation *e)
{
	return json_pack("{s:b, s:I, s:I, s:I}", "holds", holds(e), "left", (json_int_t)e->left_count, "right",
			 (json_int_t)(e->first_count + e->second_count), "difference",
			 (json_int_t)(e->left_count - e->first_count - e->second_count));
}

static json_t *
counts_json(const struct counts *c, const struct equation *e, bool all)
{
	const struct census *t = &c->topics;
	json_t *reasons = json_object(), *checks = json_object();

	for (size_t i = 0; i < t->n_reasons; i++)
		json_object_set_new(reasons, t->reasons[i].name, json_integer(t->reasons[i].count));
	for (size_t i = 0; i < EQUATIONS; i++)
		json_object_set_new(checks, e[i].name, equation_json(&e[i]));
	return json_pack("{s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "holds", all,
			 "cut_by_retention", t->cut, "raw_messages", (json_int_t)t->raw, "became_readings",
			 (json_int_t)t->readings, "dead_lettered", (json_int_t)t->raw_dead, "readings",
			 (json_int_t)t->values, "distinct_readings", (json_int_t)t->distinct, "repeated_readings",
			 (json_int_t)c->repeated, "unreadable", (json_int_t)t->unreadable, "dead_letters",
			 (json_int_t)t->dead, "dead_letters_by_reason", reasons, "checks", checks);
}

int
report_counts(struct report *r, json_t *result, struct err *err)
{
	struct counts c = { 0 };
	struct equation e[EQUATIONS];
	json_t *rows = json_object();
	bool all = true;

	if (take(r, &c, err) < 0) {
		json_decref(rows);
		return -1;
	}
	equations(&c, r->options->several_readings, e);
	for (size_t i = 0; i < EQUATIONS; i++)
		all &= holds(&e[i]);
	r->broken |= !all && !c.topics.cut;
	if (!r->options->json)
		print(r, &c, e);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		json_object_set_new(rows, tables[i], json_integer(c.rows[i]));
	json_object_set_new(result, "conservation", counts_json(&c, e, all));
	json_object_set_new(result, "rows", rows);
	json_object_set_new(result, "devices", json_integer(c.devices));
	json_object_set_new(result, "series", json_integer(c.series));
	return 0;
}
