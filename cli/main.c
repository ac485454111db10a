/*
 * forebay -- the command line of the fleet.
 *
 *	set up		topics, schemas, db
 *	feed		publish, simulate
 *	look		status, report, checkpoints, reasons
 *	forecast	train, backtest, forecast, models
 *	detect		detect
 *
 * A verb is a row of the table below and a file of this folder.
 */
#include <stdio.h>
#include <string.h>

#include "cli/verbs.h"
#include "common/base/cleanup.h"
#include "common/config/options.h"

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *words, *summary;
} verbs[] = {
	{ "topics", verb_topics, "apply|diff|list|page", "create and adjust the topics of a declarative file" },
	{ "schemas", verb_schemas, "list|show|check|...", "register and show the schemas of the records" },
	{ "db", verb_db, "migrate|status|retain", "migrate and check the tables in PostgreSQL" },
	{ "publish", verb_publish, "FILE...", "send CSV, JSON Lines or matrices of numbers to telemetry.raw" },
	{ "simulate", verb_simulate, "", "send telemetry of made-up devices, with labelled anomalies" },
	{ "status", verb_status, "", "lag, throughput and dead letters of the fleet" },
	{ "report", verb_report, "", "what came out of a run: counts, forecasts, alerts, latency" },
	{ "checkpoints", verb_checkpoints, "list|show|verify|...", "the states that workers keep in PostgreSQL" },
	{ "models", verb_models, "list|show|promote|...", "trained models and their standing" },
	{ "train", verb_train, "FILE", "a forecasting model from the series of a file" },
	{ "backtest", verb_backtest, "FILE", "how good forecasts of these series would have been" },
	{ "forecast", verb_forecast, "FILE", "DeepAR JSON Lines in, quantiles out" },
	{ "detect", verb_detect, "FILE", "how strange each row of a table is" },
	{ "reasons", verb_reasons, "[page]", "why records fail, and what to do" },
};

static void
help(FILE *out)
{
	fputs(
	    "forebay -- raw telemetry in Kafka becomes readings, series, forecasts, scores and alerts in PostgreSQL\n\n"
	    "usage: forebay VERB [WORD]... [--KEY=VALUE]...\n\n",
	    out);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		fprintf(out, "  %-11s %-21s %s\n", verbs[i].name, verbs[i].words, verbs[i].summary);
	fputs(
	    "\n  forebay VERB --help   its options; each also is an environment variable (FOREBAY_BOOTSTRAP_SERVERS)\n"
	    "  forebay --version\n\n"
	    "Exit codes: 0 done, 1 wrong usage, 2 failed or refused.\n",
	    out);
}

static const struct verb *
find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static int
unknown(const char *word)
{
	const char *names[ARRAY_LEN(verbs)], *near;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		names[i] = verbs[i].name;
	near = options_nearest(word, names, ARRAY_LEN(verbs));
	fprintf(stderr, "forebay: %.100s: no such verb%s%s; `forebay help` lists them\n", word,
		near ? "; did you mean " : "", near ? near : "");
	return EXIT_WRONG_USAGE;
}

static int
run(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	const struct verb *verb = find(word);

	if (strcmp(word, "help") == 0 && argc > 2) {
		verb = find(argv[2]);
		return verb ? verb->run(2, (char *[]){ argv[2], (char[]){ "--help" }, NULL }) : unknown(argv[2]);
	}
	if (verb)
		return verb->run(argc - 1, argv + 1);
	if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		help(stdout);
		return EXIT_DONE;
	}
	if (strcmp(word, "--version") == 0) {
		puts("forebay " FOREBAY_VERSION);
		return EXIT_DONE;
	}
	if (*word)
		return unknown(word);
	help(stderr);
	return EXIT_WRONG_USAGE;
}

int
main(int argc, char **argv)
{
	int code = run(argc, argv);

	if (code != EXIT_DONE || (fflush(stdout) == 0 && !ferror(stdout)))
		return code;
	fputs("forebay: standard output cannot be written\n", stderr);
	return EXIT_FAILED;
}
