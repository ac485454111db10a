/* anomaly.c -- Anomaly as a table. */
#include "common/record/anomaly.h"

#include "common/record/attribution_shape.h"
#include "common/record/type.h"

#define ID_BYTES 32

static const char *const kind_names[ANOMALY_KIND_COUNT] = { "onset", "shift_accepted", "unknown" };

static const struct codes kinds = { kind_names, ANOMALY_KIND_COUNT, ANOMALY_UNKNOWN };

const char *
anomaly_kind_name(enum anomaly_kind k)
{
	return (unsigned)k < ANOMALY_KIND_COUNT ? kind_names[k] : "unknown";
}

static const struct field fields[] = {
	{ "device", FIELD_TEXT, AT(struct anomaly, device), LENGTH(1, NAME_BYTES) },
	{ "metric", FIELD_TEXT, AT(struct anomaly, metric), LENGTH(1, NAME_BYTES) },
	{ "event_time", FIELD_TIME, AT(struct anomaly, event_us), ANY_TIME },
	{ "kind", FIELD_CODE, AT(struct anomaly, kind), .codes = &kinds },
	{ "value", FIELD_REAL, AT(struct anomaly, value), ANY_REAL },
	{ "expected", FIELD_OPTIONAL_REAL, AT(struct anomaly, expected), ANY_REAL },
	{ "lower", FIELD_OPTIONAL_REAL, AT(struct anomaly, lower), ANY_REAL },
	{ "upper", FIELD_OPTIONAL_REAL, AT(struct anomaly, upper), ANY_REAL },
	{ "p_value", FIELD_REAL, AT(struct anomaly, p_value), PROBABILITY },
	{ "onset", FIELD_REAL, AT(struct anomaly, onset), ANY_REAL },
	{ "state", FIELD_REAL, AT(struct anomaly, state), ANY_REAL },
	{ "p_scalar", FIELD_OPTIONAL_REAL, AT(struct anomaly, p_scalar), PROBABILITY },
	{ "p_forecast", FIELD_OPTIONAL_REAL, AT(struct anomaly, p_forecast), PROBABILITY },
	{ "p_forest", FIELD_OPTIONAL_REAL, AT(struct anomaly, p_forest), PROBABILITY },
	{ "p_neighbours", FIELD_OPTIONAL_REAL, AT(struct anomaly, p_neighbours), PROBABILITY },
	{ "forecast_origin", FIELD_OPTIONAL_TIME, AT(struct anomaly, forecast_origin_us), ANY_TIME },
	{ "model", FIELD_TEXT, AT(struct anomaly, model), LENGTH(0, LABEL_BYTES) },
	{ "detector", FIELD_TEXT, AT(struct anomaly, detector), LENGTH(0, LABEL_BYTES) },
	ATTRIBUTION_FIELD(struct anomaly),
	{ "reason", FIELD_TEXT, AT(struct anomaly, reason), LENGTH(0, NOTE_BYTES) },
	{ "alert", FIELD_TEXT, AT(struct anomaly, alert), LENGTH(0, ID_BYTES) },
	{ "ingest_time", FIELD_TIME, AT(struct anomaly, ingest_us), ANY_TIME },
};

static const struct shape shape = SHAPE(fields, struct anomaly, 56);

const struct record_type anomaly_record = { "Anomaly", &shape, NULL };
