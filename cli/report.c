/*
 * report.c -- `forebay report`: what came out of a run.
 *
 *	counts		what went in = what came out, exactly; rows of the tables
 *	forecasts	some of them drawn, with what came
 *	models		who forecast, and what it lost
 *	anomalies	those that a simulation planted against the alerts
 *	detection	what was called strange, by whom, and why
 *	deliveries	who was told of the alerts
 *	latency		from the workers' histograms
 *	look		where to go on
 *
 * Everything but latency is read from Kafka and PostgreSQL alone, so the fleet need not run; it should have nothing left to
 * read (forebay status).  Exit code 2 when something was lost or made up.
 */
#include "cli/report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/endpoint.h"
#include "cli/verbs.h"
#include "common/base/terminal.h"
#include "common/record/registry.h"

#define WIDTH_WITHOUT_TERMINAL 100

#define AT(field) offsetof(struct report_options, field)

static const struct option table[] = {
	{ "postgres.uri", OPTION_SECRET, AT(postgres_uri), NULL, 1, 4096, "",
	  "postgresql://user:password@host:port/database" },
	{ "labels", OPTION_TEXT, AT(labels), "", 0, 4096, "",
	  "the file that `forebay simulate --labels` wrote: which anomalies there are to find; empty: not looked for" },
	{ "tolerance.ms", OPTION_INT, AT(tolerance_ms), "1800000", 0, 8.64e10, "ms",
	  "an alert that starts so long after an anomaly's end still belongs to it" },
	{ "devices", OPTION_INT, AT(devices), "3", 0, 100, "", "for so many of them a forecast is drawn" },
	{ "workers", OPTION_TEXT, AT(workers), "", 0, 4096, "",
	  "name=host:port of each worker's HTTP side, comma separated: for latency" },
	{ "sink", OPTION_TEXT, AT(sink), "forebay-sink-writer", 1, 249, "", "the sink-writer's group.id" },
	{ "several.readings", OPTION_BOOL, AT(several_readings), "false", 0, 0, "",
	  "a path map makes several readings of one message, so there may be more readings than messages" },
	{ "schema.registry.url", OPTION_SECRET, AT(registry_url), SCHEMA_REGISTRY_URL_DEFAULT, 1, 4096, "",
	  "file: (ids pinned beside the schemas) or http(s)://... of a Confluent-compatible registry" },
	{ "schema.dir", OPTION_TEXT, AT(schema_dir), "", 0, 4096, "", SCHEMA_DIR_SUMMARY },
	{ "width", OPTION_INT, AT(width), "0", 0, CHART_MOST_WIDTH, "columns",
	  "of the drawings; 0: as wide as the terminal, 100 where there is none" },
	{ "json", OPTION_BOOL, AT(json), "false", 0, 0, "", "one JSON object on standard output" },
};

static int (*const sections[])(struct report *r, json_t *result, struct err *err) = {
	report_counts,    report_forecasts,  report_models,  report_anomalies,
	report_detection, report_deliveries, report_latency, report_look,
};

void
report_heading(const struct report *r, const char *text)
{
	if (r->style == CHART_COLOUR)
		printf("\n\033[1;4m%s\033[0m\n", text);
	else
		printf("\n%s\n", text);
}

void
report_news(const struct report *r, bool good, const char *text)
{
	if (r->style == CHART_COLOUR)
		printf("\033[%sm%s\033[0m", good ? "32" : "1;97;41", text);
	else
		fputs(text, stdout);
}

static void
choose_style(struct report *r)
{
	bool terminal = isatty(STDOUT_FILENO), plain = getenv("NO_COLOR") && *getenv("NO_COLOR");

	r->style = !terminal || !terminal_utf8() ? CHART_ASCII : plain ? CHART_UTF8 : CHART_COLOUR;
	r->width = r->options->width ? (int)r->options->width : terminal_width(STDOUT_FILENO, WIDTH_WITHOUT_TERMINAL);
}

static int
take_sections(struct report *r, struct err *err)
{
	json_t *result = json_object();

	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		if (sections[i](r, result, err) < 0) {
			json_decref(result);
			return -1;
		}
	if (r->options->json)
		return verb_print_json(result, err);
	json_decref(result);
	return 0;
}

static int
run(const struct report_options *options, const struct property_list *overrides, bool *broken, struct err *err)
{
	CLEANUP(arena_free)
	struct arena *arena = arena_new(1 << 16, 0);
	CLEANUP(store_free)
	struct store *store = NULL;
	const struct store_options where = { .uri = options->postgres_uri,
					     .application_name = "forebay report",
					     .connect_timeout_ms = options->kafka.timeout_ms,
					     .lock_timeout_ms = VERB_LOCK_TIMEOUT_MS };
	struct report r = { .options = options, .arena = arena };
	struct endpoint *workers;
	size_t n_workers;

	if (!arena)
		return err_set(err, REASON_NO_MEMORY, "report");
	if (endpoints_parse(options->workers, arena, &workers, &n_workers, err) < 0) /* before all topics are read */
		return -1;
	choose_style(&r);
	if (kafka_client(&options->kafka, overrides, arena, &r.client, err) < 0 || store_new(&where, &store, err) < 0 ||
	    store_connect(store, err) < 0)
		return -1;
	r.store = store;
	if (take_sections(&r, err) < 0)
		return -1;
	*broken = r.broken;
	return 0;
}

struct report_call {
	struct report_options options;
	struct property_list overrides;
};

static int
report(void *self, int n, char **words, struct err *err)
{
	const struct report_call *c = self;
	bool broken = false;

	if (run(&c->options, &c->overrides, &broken, err) < 0)
		return -1;
	if (broken)
		fputs(
		    "forebay report: WHAT WENT IN IS NOT WHAT CAME OUT; `forebay status` tells whether the fleet is still "
		    "at work, else this is a bug\n",
		    stderr);
	return broken;
}

int
verb_report(int argc, char **argv)
{
	struct report_call c = { .overrides = CLIENT_OVERRIDES };
	const struct option_set sets[] = { { "Report", table, ARRAY_LEN(table), &c.options },
					   { "Kafka", kafka_access_table, kafka_access_count, &c.options.kafka } };
	const struct option_program program = {
		"forebay report", "what came out of a run", sets, ARRAY_LEN(sets), &c.overrides, 1
	};

	return verb_run(&program, false, argc, argv, &c, report);
}
