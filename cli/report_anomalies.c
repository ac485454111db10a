/* report_anomalies.c -- the anomalies that a simulation planted against the alerts that came of them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/progress.h"
#include "cli/report.h"
#include "cli/report_match.h"
#include "common/base/clock.h"

#define MOST_ALERTS 1000000
#define MOST_SHOWN 5 /* lines about single alerts */

struct findings {
	struct anomaly_labels *labels;
	struct match_alert *alerts;
	size_t n_alerts;
	int64_t *found;
	struct match match;
	double device_days;
};

static int
take_alerts(struct report *r, struct findings *f, struct err *err)
{
	static const char sql[] = "SELECT device, metric, (extract(epoch FROM starts_time) * 1000000)::bigint "
				  "FROM forebay.alerts WHERE metric NOT LIKE 'group:%' ORDER BY 1, 2, 3 LIMIT $1";
	const struct param params[] = { PARAM_INT(MOST_ALERTS) };
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	if (store_query(r->store, sql, params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	f->n_alerts = rows_count(rows);
	f->alerts = arena_zalloc(r->arena, (f->n_alerts + 1) * sizeof(*f->alerts));
	if (!f->alerts)
		return err_set(err, REASON_NO_MEMORY, "%zu alerts", f->n_alerts);
	for (size_t i = 0; i < f->n_alerts; i++) {
		struct span device = arena_copy(r->arena, rows_text(rows, i, 0));
		struct span metric = arena_copy(r->arena, rows_text(rows, i, 1));

		if (!device.ptr || !metric.ptr)
			return err_set(err, REASON_NO_MEMORY, "%zu alerts", f->n_alerts);
		f->alerts[i] = (struct match_alert){ device.ptr, metric.ptr, rows_int(rows, i, 2), MATCH_FALSE };
	}
	return 0;
}

static int
take_days(struct report *r, struct findings *f, struct err *err)
{
	static const char sql[] =
	    "SELECT coalesce(sum(extract(epoch FROM last - first)) / 86400, 0)::float8 FROM "
	    "(SELECT min(event_time) AS first, max(event_time) AS last FROM forebay.readings GROUP BY device) AS d";
	CLEANUP(rows_free)
	struct rows *rows = NULL;

	if (store_query(r->store, sql, NULL, 0, &rows, err) < 0)
		return -1;
	f->device_days = rows_real(rows, 0, 0);
	return 0;
}

static int
take(struct report *r, struct findings *f, struct err *err)
{
	if (anomaly_labels_read(r->options->labels, &f->labels, err) < 0 || take_alerts(r, f, err) < 0 ||
	    take_days(r, f, err) < 0)
		return -1;
	f->found = arena_zalloc(r->arena, (f->labels->n + 1) * sizeof(*f->found));
	if (!f->found)
		return err_set(err, REASON_NO_MEMORY, "%zu labels", f->labels->n);
	return match_alerts(f->labels, r->options->tolerance_ms * US_PER_MS, f->alerts, f->n_alerts, f->found,
			    &f->match, err);
}

/* ---- telling ---- */

static double
share(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

static void
print_kinds(const struct match *m)
{
	printf("    %-14s %8s %8s %8s   %s\n", "kind", "injected", "found", "missed", "half of them within");
	for (size_t i = 0; i < m->n_kinds; i++) {
		const struct match_kind *k = &m->kinds[i];

		printf("    %-14s %8" PRId64 " %8" PRId64 " %8" PRId64, k->name, k->injected, k->found,
		       k->injected - k->found);
		if (k->delay_us >= 0)
			printf("   %.4g min", (double)k->delay_us / 6e7);
		puts("");
	}
}

static void
print_moment(int64_t us, const char *device, const char *metric, const char *more)
{
	char text[CLOCK_TEXT_BYTES];

	clock_iso8601(us, text);
	printf("    %.10s %.5s  %s %s%s\n", text, text + 11, device, metric, more);
}

static void
print_missed(const struct findings *f)
{
	int shown = 0;

	for (size_t k = 0; k < f->labels->n && shown < MOST_SHOWN; k++) {
		const struct anomaly_label *l = &f->labels->items[k];
		char kind[48];

		if (f->found[k] >= 0)
			continue;
		if (shown++ == 0)
			puts("  Missed, the first few");
		snprintf(kind, sizeof(kind), "  %s", l->kind);
		print_moment(l->from_us, l->device, l->metric, kind);
	}
}

static void
print_false(const struct findings *f)
{
	int shown = 0;

	for (size_t i = 0; i < f->n_alerts && shown < MOST_SHOWN; i++) {
		if (f->alerts[i].label != MATCH_FALSE)
			continue;
		if (shown++ == 0)
			puts("  False, the first few");
		print_moment(f->alerts[i].starts_us, f->alerts[i].device, f->alerts[i].metric, "");
	}
}

static void
print(const struct report *r, const struct findings *f)
{
	const struct match *m = &f->match;
	char days[32];

	report_heading(r, "Anomalies");
	printf("  %" PRId64 " injected: %" PRId64 " found, %" PRId64 " missed\n", m->injected, m->found,
	       m->injected - m->found);
	printf("  %" PRId64 " alerts: %" PRId64 " of an anomaly, %" PRId64 " false: %.3g per device and day (%s "
	       "device-days)\n",
	       m->alerts, m->alerts - m->false_alerts, m->false_alerts, share((double)m->false_alerts, f->device_days),
	       progress_number((int64_t)f->device_days, days));
	print_kinds(m);
	print_missed(f);
	print_false(f);
}

static json_t *
findings_json(const struct report *r, const struct findings *f)
{
	const struct match *m = &f->match;
	json_t *kinds = json_object();

	for (size_t i = 0; i < m->n_kinds; i++) {
		const struct match_kind *k = &m->kinds[i];

		json_object_set_new(kinds, k->name,
				    json_pack("{s:I, s:I, s:I, s:o}", "injected", (json_int_t)k->injected, "found",
					      (json_int_t)k->found, "missed", (json_int_t)(k->injected - k->found),
					      "median_delay_ms",
					      k->delay_us < 0 ? json_null() : json_integer(k->delay_us / US_PER_MS)));
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:I, s:o}", "injected", (json_int_t)m->injected, "found",
			 (json_int_t)m->found, "missed", (json_int_t)(m->injected - m->found), "alerts",
			 (json_int_t)m->alerts, "false_alerts", (json_int_t)m->false_alerts, "device_days",
			 f->device_days, "false_alerts_per_device_day", share((double)m->false_alerts, f->device_days),
			 "tolerance_ms", (json_int_t)r->options->tolerance_ms, "kinds", kinds);
}

int
report_anomalies(struct report *r, json_t *result, struct err *err)
{
	struct findings f = { 0 };
	int failed;

	if (!*r->options->labels)
		return 0;
	failed = take(r, &f, err);
	if (!failed && r->options->json)
		json_object_set_new(result, "anomalies", findings_json(r, &f));
	else if (!failed)
		print(r, &f);
	anomaly_labels_free(f.labels);
	return failed;
}
