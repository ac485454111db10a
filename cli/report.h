/*
 * report.h -- what the sections of `forebay report` share.  A section takes its numbers, puts them into RESULT as one
 * member, and prints them unless --json was asked for.
 */
#ifndef FOREBAY_CLI_REPORT_H
#define FOREBAY_CLI_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/chart.h"
#include "cli/verb.h"
#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/store/query.h"

struct report_options {
	struct kafka_access kafka;
	char *postgres_uri, *registry_url, *schema_dir, *labels, *workers, *sink;
	int64_t devices, width, tolerance_ms;
	bool several_readings, json;
};

struct report {
	const struct report_options *options;
	struct client_config client;
	struct store *store;
	struct arena *arena; /* lives as long as the report */
	enum chart_style style;
	int width;   /* of the terminal, in columns */
	bool broken; /* something was lost or made up: the exit code says so */
};

/* -1 on what Kafka, the database or a file says. */
int report_counts(struct report *r, json_t *result, struct err *err);
int report_forecasts(struct report *r, json_t *result, struct err *err);
int report_models(struct report *r, json_t *result, struct err *err);
int report_anomalies(struct report *r, json_t *result, struct err *err);
int report_detection(struct report *r, json_t *result, struct err *err);
int report_deliveries(struct report *r, json_t *result, struct err *err);
int report_latency(struct report *r, json_t *result, struct err *err);
int report_look(struct report *r, json_t *result, struct err *err);

/* A heading, in bold where colours are. */
void report_heading(const struct report *r, const char *text);

/* Print a piece of text for good or bad news, in colour where colours are. */
void report_news(const struct report *r, bool good, const char *text);

#endif
