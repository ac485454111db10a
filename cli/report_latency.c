/*
 * report_latency.c -- from a raw message's arrival in Kafka to the commit of what came of it, by the workers' histograms; and
 * where to look further.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/endpoint.h"
#include "cli/exposition.h"
#include "common/base/progress.h"
#include "cli/report.h"

#define METRIC "forebay_latency_from_ingest_seconds"

/* Whose commit ends what. */
static const struct end {
	const char *worker, *what;
} ends[] = {
	{ "ingest-router", "a reading in its topic" },
	{ "realtime-scorer", "a score, an alert" },
	{ "sink-writer", "a row in PostgreSQL" },
};

static const char *
what_of(const char *worker)
{
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (strcmp(ends[i].worker, worker) == 0)
			return ends[i].what;
	return NULL;
}

/* "12.3 ms", "1.2 s", "> 60 s" */
static const char *
seconds_text(const struct histogram *h, double q, char *text, size_t room)
{
	int beyond;
	double s = histogram_quantile(h, q, &beyond);

	if (isnan(s))
		snprintf(text, room, "-");
	else if (beyond)
		snprintf(text, room, "> %.3g s", s);
	else if (s < 1)
		snprintf(text, room, "%.3g ms", s * 1000);
	else
		snprintf(text, room, "%.3g s", s);
	return text;
}

static json_t *
seconds_json(const struct histogram *h, double q)
{
	int beyond;
	double s = histogram_quantile(h, q, &beyond);

	return isnan(s) ? json_null() : json_real(s * 1000);
}

static void
tell(const struct report *r, const struct endpoint *e, const struct histogram *h, json_t *latency)
{
	char p50[32], p99[32], count[32];

	json_object_set_new(latency, e->name,
			    json_pack("{s:o, s:o, s:I}", "p50_ms", seconds_json(h, 0.5), "p99_ms",
				      seconds_json(h, 0.99), "records", (json_int_t)histogram_count(h)));
	if (!r->options->json)
		printf("  %-16s %-23s %10s %10s %12s\n", e->name, what_of(e->name),
		       seconds_text(h, 0.5, p50, sizeof(p50)), seconds_text(h, 0.99, p99, sizeof(p99)),
		       progress_number(histogram_count(h), count));
}

/* A worker that does not answer is told of and left out: the report is about what came out. */
int
report_latency(struct report *r, json_t *result, struct err *err)
{
	json_t *latency = json_object();
	struct endpoint *e;
	size_t n;

	json_object_set_new(result, "latency_from_ingest", latency);
	if (endpoints_parse(r->options->workers, r->arena, &e, &n, err) < 0)
		return -1;
	if (n > 0 && !r->options->json) {
		report_heading(r, "Latency");
		printf("  %-40s %10s %10s %12s\n", "from a raw message's arrival to the commit of", "p50", "p99",
		       "records");
	}
	for (size_t i = 0; i < n; i++) {
		CLEANUP(buffer_clear)
		struct buffer text = BUFFER_INIT(ENDPOINT_METRICS_MAX);
		struct histogram h = { .n = 0 };
		struct err why = ERR_INIT;

		if (!what_of(e[i].name))
			continue;
		if (endpoint_get(&e[i], "/metrics", &text, &why) < 0) {
			json_object_set_new(latency, e[i].name, json_pack("{s:s}", "error", why.text));
			if (!r->options->json)
				printf("  %-16s %s\n", e[i].name, why.text);
			continue;
		}
		histogram_read(&h, buffer_span(&text), METRIC);
		tell(r, &e[i], &h, latency);
	}
	return 0;
}

/* ---- where to look ---- */

/* The URI is printed only where it holds no password. */
static bool
holds_password(const char *uri)
{
	const char *at = strchr(uri, '@'), *user = strstr(uri, "://");

	return strstr(uri, "password") || (at && user && memchr(user + 3, ':', (size_t)(at - user - 3)));
}

int
report_look(struct report *r, json_t *result, struct err *err)
{
	const char *uri = r->options->postgres_uri;
	const char *psql =
	    holds_password(uri) ? "psql \"$FOREBAY_POSTGRES_URI\"" : arena_printf(r->arena, "psql '%s'", uri);
	json_t *look = json_object(), *workers = json_object();
	struct endpoint *e;
	size_t n;

	json_object_set_new(result, "look", look);
	json_object_set_new(look, "workers", workers);
	if (!psql)
		return err_set(err, REASON_NO_MEMORY, "report");
	json_object_set_new(look, "psql", json_string(psql));
	json_object_set_new(look, "kafka", json_string(r->options->kafka.bootstrap_servers));
	if (endpoints_parse(r->options->workers, r->arena, &e, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		json_object_set_new(workers, e[i].name,
				    json_pack("{s:o, s:o}", "metrics", json_sprintf("http://%s/metrics", e[i].address),
					      "health", json_sprintf("http://%s/health", e[i].address)));
	if (r->options->json)
		return 0;
	report_heading(r, "To look further");
	printf("  %s -c 'TABLE forebay.alerts LIMIT 10'\n", psql);
	for (size_t i = 0; i < n; i++)
		printf("  http://%s/metrics  /health  %s\n", e[i].address, e[i].name);
	return 0;
}
