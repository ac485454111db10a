/* rows.c -- fields as tables: a name, a type, and where in the structure it lies. */
#include "workers/sink-writer/rows.h"

#include <string.h>

#include "common/store/copy.h"
#include "workers/sink-writer/puts.h"

const char *
wire_sql(enum wire w)
{
	static const char *const names[WIRE_COUNT] = { "text",  "double precision",   "timestamptz", "int",    "bigint",
						       "bytea", "double precision[]", "text[]",      "boolean" };

	return names[w];
}

const char *
wire_typname(enum wire w)
{
	static const char *const names[WIRE_COUNT] = { "text",  "float8",  "timestamptz", "int4", "int8",
						       "bytea", "_float8", "_text",       "bool" };

	return names[w];
}

#define ROW_FIELD(name, wire, put, place, type, member)              \
	{                                                            \
		name, wire, put, place, offsetof(type, member), NULL \
	}
#define TEXT(type, name, member) ROW_FIELD(name, WIRE_TEXT, put_span, PLACE_RECORD, type, member)
#define REAL(type, name, member) ROW_FIELD(name, WIRE_REAL, put_real, PLACE_RECORD, type, member)
#define TIME(type, name, member) ROW_FIELD(name, WIRE_TIME, put_time, PLACE_RECORD, type, member)
#define INT8(type, name, member) ROW_FIELD(name, WIRE_INT8, put_int8, PLACE_RECORD, type, member)
#define MAYBE(type, name, member) ROW_FIELD(name, WIRE_TIME, put_time_or_none, PLACE_RECORD, type, member)
#define ATTRIBUTION(type)                                                                 \
	ROW_FIELD("columns", WIRE_TEXTS, put_columns, PLACE_RECORD, type, attribution),   \
	    ROW_FIELD("shares", WIRE_REALS, put_shares, PLACE_RECORD, type, attribution), \
	    ROW_FIELD("directions", WIRE_TEXTS, put_directions, PLACE_RECORD, type, attribution)
#define SPECIAL(name, wire, put)                       \
	{                                              \
		name, wire, put, PLACE_RECORD, 0, NULL \
	}
#define HEADER(name, header)                                        \
	{                                                           \
		name, WIRE_TEXT, put_header, PLACE_INPUT, 0, header \
	}

static const struct field input_fields[] = {
	ROW_FIELD("topic", WIRE_TEXT, put_name, PLACE_INPUT, struct input, topic),
	ROW_FIELD("partition", WIRE_INT4, put_int4, PLACE_INPUT, struct input, partition),
	ROW_FIELD("offset", WIRE_INT8, put_int8, PLACE_INPUT, struct input, offset),
	ROW_FIELD("timestamp", WIRE_TIME, put_stamp, PLACE_INPUT, struct input, timestamp_us),
	ROW_FIELD("key", WIRE_BYTES, put_span, PLACE_INPUT, struct input, key),
	ROW_FIELD("payload", WIRE_BYTES, put_span, PLACE_INPUT, struct input, value),
};

static const struct field reading_fields[] = {
	TEXT(struct reading, "device", device),
	TIME(struct reading, "event_time", event_us),
	TIME(struct reading, "ingest_time", ingest_us),
	TEXT(struct reading, "source", source),
	ROW_FIELD("metric", WIRE_TEXT, put_span, PLACE_VALUE, struct reading_value, metric),
	ROW_FIELD("value", WIRE_REAL, put_real, PLACE_VALUE, struct reading_value, value),
	ROW_FIELD("unit", WIRE_TEXT, put_span, PLACE_VALUE, struct reading_value, unit),
	ROW_FIELD("quality", WIRE_TEXT, put_quality, PLACE_VALUE, struct reading_value, quality),
	ROW_FIELD("text", WIRE_TEXT, put_span, PLACE_VALUE, struct reading_value, text),
};

static const struct field series_fields[] = {
	TEXT(struct series, "device", device),
	TEXT(struct series, "metric", metric),
	TEXT(struct series, "unit", unit),
	TIME(struct series, "start_time", start_us),
	INT8(struct series, "step_us", step_us),
	INT8(struct series, "sequence", sequence),
	SPECIAL("target", WIRE_REALS, put_target),
	SPECIAL("flags", WIRE_BYTES, put_flags),
	INT8(struct series, "readings", readings),
	INT8(struct series, "imputed", imputed),
	INT8(struct series, "outliers", outliers),
	INT8(struct series, "dropped", dropped),
	INT8(struct series, "late", late),
	INT8(struct series, "repeated", repeated),
	TIME(struct series, "ingest_time", ingest_us),
};

static const struct field aggregate_fields[] = {
	TEXT(struct aggregate, "device", device),       TEXT(struct aggregate, "metric", metric),
	TIME(struct aggregate, "start_time", start_us), TIME(struct aggregate, "end_time", end_us),
	INT8(struct aggregate, "count", count),         REAL(struct aggregate, "mean", mean),
	REAL(struct aggregate, "deviation", deviation), REAL(struct aggregate, "minimum", minimum),
	REAL(struct aggregate, "maximum", maximum),     REAL(struct aggregate, "first", first),
	REAL(struct aggregate, "last", last),
};

static const struct field forecast_fields[] = {
	TEXT(struct forecast, "device", device),         TEXT(struct forecast, "metric", metric),
	TIME(struct forecast, "origin_time", origin_us), INT8(struct forecast, "step_us", step_us),
	SPECIAL("levels", WIRE_REALS, put_levels),       SPECIAL("quantiles", WIRE_REALS, put_quantiles),
	TEXT(struct forecast, "model", model),           TEXT(struct forecast, "version", version),
	SPECIAL("members", WIRE_TEXTS, put_members),     SPECIAL("weights", WIRE_REALS, put_weights),
	TIME(struct forecast, "ingest_time", ingest_us),
};

static const struct field outcome_fields[] = {
	TEXT(struct outcome, "device", device),
	TEXT(struct outcome, "metric", metric),
	TIME(struct outcome, "origin_time", origin_us),
	TIME(struct outcome, "event_time", event_us),
	ROW_FIELD("step", WIRE_INT4, put_int4, PLACE_RECORD, struct outcome, step),
	REAL(struct outcome, "value", value),
	REAL(struct outcome, "scale", scale),
	REAL(struct outcome, "loss", loss),
	REAL(struct outcome, "lower", lower),
	REAL(struct outcome, "upper", upper),
	TEXT(struct outcome, "model", model),
	TEXT(struct outcome, "version", version),
	REAL(struct outcome, "model_loss", model_loss),
	TEXT(struct outcome, "rival", rival),
	REAL(struct outcome, "rival_loss", rival_loss),
	SPECIAL("members", WIRE_TEXTS, put_judged),
	SPECIAL("losses", WIRE_REALS, put_losses),
	ROW_FIELD("drift", WIRE_BOOLEAN, put_boolean, PLACE_RECORD, struct outcome, drift),
	TIME(struct outcome, "ingest_time", ingest_us),
};

static const struct field score_fields[] = {
	TEXT(struct score, "device", device),
	TEXT(struct score, "metric", metric),
	TIME(struct score, "event_time", event_us),
	REAL(struct score, "value", value),
	REAL(struct score, "p_value", p_value),
	REAL(struct score, "onset", onset),
	REAL(struct score, "state", state),
	REAL(struct score, "p_scalar", p_scalar),
	REAL(struct score, "p_forecast", p_forecast),
	REAL(struct score, "expected", expected),
	REAL(struct score, "lower", lower),
	REAL(struct score, "upper", upper),
	TEXT(struct score, "basis", basis),
	TIME(struct score, "ingest_time", ingest_us),
	REAL(struct score, "p_forest", p_forest),
	REAL(struct score, "p_neighbours", p_neighbours),
	TEXT(struct score, "model", model),
	MAYBE(struct score, "forecast_origin", forecast_origin_us),
	ATTRIBUTION(struct score),
	TEXT(struct score, "note", note),
};

static const struct field anomaly_fields[] = {
	TEXT(struct anomaly, "device", device),
	TEXT(struct anomaly, "metric", metric),
	TIME(struct anomaly, "event_time", event_us),
	ROW_FIELD("kind", WIRE_TEXT, put_kind, PLACE_RECORD, struct anomaly, kind),
	REAL(struct anomaly, "value", value),
	REAL(struct anomaly, "expected", expected),
	REAL(struct anomaly, "lower", lower),
	REAL(struct anomaly, "upper", upper),
	REAL(struct anomaly, "p_value", p_value),
	REAL(struct anomaly, "onset", onset),
	REAL(struct anomaly, "state", state),
	REAL(struct anomaly, "p_scalar", p_scalar),
	REAL(struct anomaly, "p_forecast", p_forecast),
	REAL(struct anomaly, "p_forest", p_forest),
	REAL(struct anomaly, "p_neighbours", p_neighbours),
	MAYBE(struct anomaly, "forecast_origin", forecast_origin_us),
	TEXT(struct anomaly, "model", model),
	TEXT(struct anomaly, "detector", detector),
	ATTRIBUTION(struct anomaly),
	TEXT(struct anomaly, "reason", reason),
	TEXT(struct anomaly, "alert", alert),
	TIME(struct anomaly, "ingest_time", ingest_us),
};

static const struct field alert_fields[] = {
	TEXT(struct alert, "id", id),
	TEXT(struct alert, "device", device),
	TEXT(struct alert, "metric", metric),
	ROW_FIELD("status", WIRE_TEXT, put_status, PLACE_RECORD, struct alert, status),
	ROW_FIELD("severity", WIRE_TEXT, put_severity, PLACE_RECORD, struct alert, severity),
	TIME(struct alert, "starts_time", starts_us),
	TIME(struct alert, "event_time", event_us),
	REAL(struct alert, "p_value", p_value),
	REAL(struct alert, "value", value),
	REAL(struct alert, "expected", expected),
	REAL(struct alert, "lower", lower),
	REAL(struct alert, "upper", upper),
	TEXT(struct alert, "summary", summary),
	TIME(struct alert, "ingest_time", ingest_us),
	TEXT(struct alert, "detector", detector),
	ATTRIBUTION(struct alert),
};

static const struct field dead_letter_fields[] = {
	HEADER("reason", "forebay.reason"),
	HEADER("message", "__connect.errors.exception.message"),
	HEADER("worker", "forebay.worker"),
	HEADER("attempt", "forebay.attempt"),
	HEADER("source_topic", "__connect.errors.topic"),
	HEADER("source_partition", "__connect.errors.partition"),
	HEADER("source_offset", "__connect.errors.offset"),
	HEADER("device", "forebay.device"),
};

static size_t
reading_count(const void *record)
{
	return ((const struct reading *)record)->n_values;
}

static const void *
reading_at(const void *record, size_t index)
{
	return &((const struct reading *)record)->values[index];
}

static const struct row_kind kinds[] = {
	{ "reading", &reading_record, reading_fields, ARRAY_LEN(reading_fields), reading_count, reading_at },
	{ "series", &series_record, series_fields, ARRAY_LEN(series_fields), NULL, NULL },
	{ "aggregate", &aggregate_record, aggregate_fields, ARRAY_LEN(aggregate_fields), NULL, NULL },
	{ "forecast", &forecast_record, forecast_fields, ARRAY_LEN(forecast_fields), NULL, NULL },
	{ "outcome", &outcome_record, outcome_fields, ARRAY_LEN(outcome_fields), NULL, NULL },
	{ "score", &score_record, score_fields, ARRAY_LEN(score_fields), NULL, NULL },
	{ "anomaly", &anomaly_record, anomaly_fields, ARRAY_LEN(anomaly_fields), NULL, NULL },
	{ "alert", &alert_record, alert_fields, ARRAY_LEN(alert_fields), NULL, NULL },
	{ "dead_letter", NULL, dead_letter_fields, ARRAY_LEN(dead_letter_fields), NULL, NULL },
};

const struct row_kind *
row_kind_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

const struct field *
row_field(const struct row_kind *kind, const char *name)
{
	for (size_t i = 0; i < kind->n_fields; i++)
		if (strcmp(kind->fields[i].name, name) == 0)
			return &kind->fields[i];
	for (size_t i = 0; i < ARRAY_LEN(input_fields); i++)
		if (strcmp(input_fields[i].name, name) == 0)
			return &input_fields[i];
	return NULL;
}

size_t
row_count(const struct row_kind *kind, const void *record)
{
	return kind->count ? kind->count(record) : 1;
}

struct row
row_at(const struct row_kind *kind, const struct input *in, const void *record, size_t index)
{
	return (struct row){ in, record, kind->value ? kind->value(record, index) : NULL };
}

int
row_put(struct buffer *out, const struct row *row, const struct field *const *fields, size_t n_fields)
{
	if (copy_row(out, (int)n_fields) < 0)
		return -1;
	for (size_t i = 0; i < n_fields; i++)
		if (fields[i]->put(out, row, fields[i]) < 0)
			return -1;
	return 0;
}

int64_t
row_time(const struct row *row, const struct field *field)
{
	return *(const int64_t *)field_at(row, field);
}
