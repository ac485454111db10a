/*
 * payload.c -- one table of the alert's fields; a form takes those that are marked for it.
 *
 * Alertmanager: api/v2/openapi.yaml of prometheus/alertmanager.  CloudWatch: "Example events and alarms" in its user guide.
 */
#include "workers/alert-notifier/payload.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/http/client.h"
#include "common/record/attribution.h"

enum kind { TEXT, STATUS, SEVERITY, NUMBER, TIME, SHARES };

#define FIELD 1 /* of PAYLOAD_FOREBAY */
#define NOTE 2  /* an annotation of PAYLOAD_ALERTMANAGER, left out where there is nothing to say */

#define AT(field) offsetof(struct alert, field)

static const struct row {
	const char *name;
	enum kind kind;
	size_t offset;
	unsigned forms;
} rows[] = {
	{ "id", TEXT, AT(id), FIELD },
	{ "status", STATUS, AT(status), FIELD },
	{ "severity", SEVERITY, AT(severity), FIELD | NOTE },
	{ "device", TEXT, AT(device), FIELD },
	{ "metric", TEXT, AT(metric), FIELD },
	{ "summary", TEXT, AT(summary), FIELD | NOTE },
	{ "start_time", TIME, AT(starts_us), FIELD },
	{ "event_time", TIME, AT(event_us), FIELD },
	{ "ingest_time", TIME, AT(ingest_us), FIELD },
	{ "value", NUMBER, AT(value), FIELD | NOTE },
	{ "expected", NUMBER, AT(expected), FIELD | NOTE },
	{ "lower", NUMBER, AT(lower), FIELD | NOTE },
	{ "upper", NUMBER, AT(upper), FIELD | NOTE },
	{ "p_value", NUMBER, AT(p_value), FIELD | NOTE },
	{ "detector", TEXT, AT(detector), FIELD | NOTE },
	{ "attribution", SHARES, AT(attribution), FIELD | NOTE },
};

static const void *
at(const struct alert *a, const struct row *row)
{
	return (const char *)a + row->offset;
}

static int
put_time(struct buffer *out, int64_t us)
{
	char text[CLOCK_TEXT_BYTES];

	clock_iso8601(us, text);
	return buffer_json_string(out, span_of(text));
}

/* [{"column":"temperature","share":0.7,"direction":"high"}] */
static int
put_shares(struct buffer *out, const struct attributions *a)
{
	int bad = buffer_text(out, "[");

	for (size_t i = 0; i < a->n; i++) {
		const struct attribution *part = &a->items[i];

		bad |= buffer_text(out, i ? ",{\"column\":" : "{\"column\":") | buffer_json_string(out, part->column) |
		       buffer_text(out, ",\"share\":") | buffer_json_number(out, part->share) |
		       buffer_text(out, ",\"direction\":") |
		       buffer_json_string(out, span_of(attribution_direction_name(part->direction))) |
		       buffer_text(out, "}");
	}
	return bad | buffer_text(out, "]");
}

static int
put_value(struct buffer *out, const struct alert *a, const struct row *row)
{
	const void *value = at(a, row);

	switch (row->kind) {
	case TEXT: return buffer_json_string(out, *(const struct span *)value);
	case STATUS: return buffer_json_string(out, span_of(alert_status_name(a->status)));
	case SEVERITY: return buffer_json_string(out, span_of(alert_severity_name(a->severity)));
	case NUMBER: return buffer_json_number(out, *(const double *)value);
	case TIME: return put_time(out, *(const int64_t *)value);
	case SHARES: return put_shares(out, value);
	}
	return -1;
}

/* For people: "temperature 70 % high, humidity 30 % low". */
static int
note_shares(struct buffer *text, const struct attributions *a)
{
	int bad = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct attribution *part = &a->items[i];

		bad |=
		    buffer_text(text, i ? ", " : "") | buffer_append(text, part->column.ptr, part->column.len) |
		    buffer_printf(text, " %.0f %% %s", part->share * 100, attribution_direction_name(part->direction));
	}
	return bad;
}

/* The text of an annotation; empty: there is none. */
static int
note_text(struct buffer *text, const struct alert *a, const struct row *row)
{
	const void *value = at(a, row);

	switch (row->kind) {
	case TEXT: return buffer_append(text, ((const struct span *)value)->ptr, ((const struct span *)value)->len);
	case STATUS: return buffer_text(text, alert_status_name(a->status));
	case SEVERITY: return buffer_text(text, alert_severity_name(a->severity));
	case NUMBER: return isfinite(*(const double *)value) ? buffer_json_number(text, *(const double *)value) : 0;
	case TIME: {
		char time[CLOCK_TEXT_BYTES];

		clock_iso8601(*(const int64_t *)value, time);
		return buffer_text(text, time);
	}
	case SHARES: return note_shares(text, value);
	}
	return -1;
}

/* Append PREFIX"name":  and leave the value to the caller. */
static int
put_name(struct buffer *out, const char *prefix, const char *name)
{
	return buffer_printf(out, "%s\"%s\":", prefix, name);
}

static int
put_text(struct buffer *out, const char *prefix, const char *name, struct span text)
{
	return put_name(out, prefix, name) | buffer_json_string(out, text);
}

/* ---- a page about the alert ---- */

static int
put_page(struct buffer *out, const char *prefix, const char *name, const char *url, const struct alert *a)
{
	const struct {
		const char *word;
		struct span text;
	} words[] = { { "{id}", a->id }, { "{device}", a->device }, { "{metric}", a->metric } };
	CLEANUP(buffer_clear)
	struct buffer page = BUFFER_INIT(PAYLOAD_MAX_BYTES);
	int bad = 0;

	if (!*url)
		return 0;
	while (*url && !bad) {
		size_t i = 0, literal = 1 + strcspn(url + 1, "{");

		while (i < ARRAY_LEN(words) && strncmp(url, words[i].word, strlen(words[i].word)) != 0)
			i++;
		if (i < ARRAY_LEN(words)) {
			CLEANUP(heap_free)
			char *escaped = http_escape(words[i].text);

			bad = escaped ? buffer_text(&page, escaped) : -1;
			url += strlen(words[i].word);
		} else {
			bad = buffer_append(&page, url, literal);
			url += literal;
		}
	}
	return bad | put_text(out, prefix, name, buffer_span(&page));
}

/* ---- the forms ---- */

static int
make_forebay(const struct payload_rule *rule, const struct alert *a, struct buffer *out)
{
	int bad = buffer_text(out, "{\"version\":1");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].forms & FIELD)
			bad |= put_name(out, ",", rows[i].name) | put_value(out, a, &rows[i]);
	return bad | put_page(out, ",", "page", rule->page_url, a) | buffer_text(out, "}");
}

static int
make_annotations(const struct alert *a, struct buffer *out)
{
	int bad = buffer_text(out, ",\"annotations\":{"), any = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buffer_clear)
		struct buffer text = BUFFER_INIT(PAYLOAD_MAX_BYTES);

		if (!(rows[i].forms & NOTE))
			continue;
		bad |= note_text(&text, a, &rows[i]);
		if (text.len)
			bad |= put_text(out, any++ ? "," : "", rows[i].name, buffer_span(&text));
	}
	return bad | buffer_text(out, "}");
}

static int
make_alertmanager(const struct payload_rule *rule, const struct alert *a, struct buffer *out)
{
	int bad = put_text(out, "{\"labels\":{", "alertname", span_of(rule->alertname)) |
		  put_text(out, ",", "device", a->device) | put_text(out, ",", "metric", a->metric) |
		  put_text(out, ",", "alert_id", a->id);

	for (size_t i = 0; i < rule->n_labels; i++)
		bad |= buffer_text(out, ",") | buffer_json_string(out, rule->labels[i].name) | buffer_text(out, ":") |
		       buffer_json_string(out, rule->labels[i].value);
	bad |= buffer_text(out, "}") | make_annotations(a, out);
	bad |= put_name(out, ",", "startsAt") | put_time(out, a->starts_us);
	if (a->status == ALERT_RESOLVED)
		bad |= put_name(out, ",", "endsAt") | put_time(out, a->event_us);
	return bad | put_page(out, ",", "generatorURL", rule->page_url, a) | buffer_text(out, "}");
}

/* As CloudWatch writes it: milliseconds and an offset without a colon. */
static int
put_cloudwatch_time(struct buffer *out, int64_t us)
{
	char text[CLOCK_TEXT_BYTES];
	size_t len;

	clock_iso8601(us, text);
	len = strlen(text);
	return buffer_printf(out, "\"%.*s+0000\"", (int)(len > 4 ? len - 4 : len), text);
}

/* The bound that the value has passed, or is nearer to. */
static double
threshold_of(const struct alert *a)
{
	if (!isfinite(a->lower) || !isfinite(a->upper))
		return NAN;
	return a->upper - a->value <= a->value - a->lower ? a->upper : a->lower;
}

static int
make_sns(const struct alert *a, struct buffer *out)
{
	bool alarm = a->status == ALERT_FIRING;
	CLEANUP(buffer_clear)
	struct buffer name = BUFFER_INIT(PAYLOAD_MAX_BYTES);
	int bad = buffer_printf(&name, "forebay/%.*s/%.*s", SPAN_ARG(a->device), SPAN_ARG(a->metric));

	bad |= put_text(out, "{", "AlarmName", buffer_span(&name)) | put_name(out, ",", "AlarmDescription") |
	       buffer_printf(out, "\"alert %.*s, %s\"", SPAN_ARG(a->id), alert_severity_name(a->severity));
	bad |= put_text(out, ",", "NewStateValue", span_of(alarm ? "ALARM" : "OK")) |
	       put_text(out, ",", "NewStateReason", a->summary) | put_name(out, ",", "StateChangeTime") |
	       put_cloudwatch_time(out, a->event_us) |
	       put_text(out, ",", "OldStateValue", span_of(alarm ? "OK" : "ALARM"));
	bad |= buffer_text(out, ",\"Trigger\":{") | put_text(out, "", "MetricName", a->metric) |
	       buffer_text(out, ",\"Namespace\":\"Forebay\",\"StatisticType\":\"Statistic\",\"Statistic\":\"Value\","
				"\"Unit\":null,\"Dimensions\":[") |
	       put_text(out, "{", "value", a->device) |
	       buffer_text(out, ",\"name\":\"device\"}],\"Period\":0,\"EvaluationPeriods\":1,"
				"\"ComparisonOperator\":\"LessThanLowerOrGreaterThanUpperThreshold\",\"Threshold\":") |
	       buffer_json_number(out, threshold_of(a));
	return bad | buffer_text(out, ",\"TreatMissingData\":\"ignore\"}}");
}

int
payload_make(enum payload_form form, const struct payload_rule *rule, const struct alert *a, struct buffer *out,
	     struct err *err)
{
	size_t len = out->len;
	int bad = -1;

	switch (form) {
	case PAYLOAD_FOREBAY: bad = make_forebay(rule, a, out); break;
	case PAYLOAD_SNS: bad = make_sns(a, out); break;
	case PAYLOAD_ALERTMANAGER: bad = make_alertmanager(rule, a, out); break;
	}
	if (!bad)
		return 0;
	out->len = len;
	return err_set(err, REASON_RECORD_INVALID, "alert %.*s does not fit into %zu bytes of JSON", SPAN_ARG(a->id),
		       out->max);
}

/* ---- what is posted ---- */

/* ISO 8601 with four digits of the year: texts compare as times do. */
static int
not_after(json_t *element, const char *name, const char *now)
{
	const char *text = json_string_value(json_object_get(element, name));

	return text && strcmp(text, now) > 0 ? json_object_set_new(element, name, json_string(now)) : 0;
}

int
payload_alertmanager_post(const struct span *stored, size_t n, int64_t now_us, int64_t valid_us, struct buffer *out,
			  struct err *err)
{
	char now[CLOCK_TEXT_BYTES], end[CLOCK_TEXT_BYTES];
	json_t *all = json_array();
	char *text = NULL;
	int bad = all ? 0 : -1;

	clock_iso8601(now_us, now);
	clock_iso8601(now_us + valid_us, end);
	for (size_t i = 0; i < n && !bad; i++) {
		json_t *element = json_loadb(stored[i].ptr, stored[i].len, 0, NULL);

		bad = not_after(element, "startsAt", now) | not_after(element, "endsAt", now);
		if (!json_object_get(element, "endsAt"))
			bad |= json_object_set_new(element, "endsAt", json_string(end));
		bad |= json_array_append_new(all, element);
	}
	text = bad ? NULL : json_dumps(all, JSON_COMPACT);
	json_decref(all);
	if (text)
		bad = buffer_text(out, text);
	free(text);
	return text && !bad ? 0 : err_set(err, REASON_RECORD_INVALID, "a stored payload is no JSON object");
}
