/* score.c -- Score as a table. */
#include "common/record/score.h"

#include "common/record/attribution_shape.h"
#include "common/record/type.h"

static const struct field fields[] = {
	{ "device", FIELD_TEXT, AT(struct score, device), LENGTH(1, NAME_BYTES) },
	{ "metric", FIELD_TEXT, AT(struct score, metric), LENGTH(1, NAME_BYTES) },
	{ "event_time", FIELD_TIME, AT(struct score, event_us), ANY_TIME },
	{ "value", FIELD_REAL, AT(struct score, value), ANY_REAL },
	{ "p_value", FIELD_REAL, AT(struct score, p_value), PROBABILITY },
	{ "onset", FIELD_REAL, AT(struct score, onset), ANY_REAL },
	{ "state", FIELD_REAL, AT(struct score, state), ANY_REAL },
	{ "p_scalar", FIELD_OPTIONAL_REAL, AT(struct score, p_scalar), PROBABILITY },
	{ "p_forecast", FIELD_OPTIONAL_REAL, AT(struct score, p_forecast), PROBABILITY },
	{ "expected", FIELD_OPTIONAL_REAL, AT(struct score, expected), ANY_REAL },
	{ "lower", FIELD_OPTIONAL_REAL, AT(struct score, lower), ANY_REAL },
	{ "upper", FIELD_OPTIONAL_REAL, AT(struct score, upper), ANY_REAL },
	{ "ingest_time", FIELD_TIME, AT(struct score, ingest_us), ANY_TIME },
	{ "basis", FIELD_TEXT, AT(struct score, basis), LENGTH(0, LABEL_BYTES) },
	{ "p_forest", FIELD_OPTIONAL_REAL, AT(struct score, p_forest), PROBABILITY },
	{ "p_neighbours", FIELD_OPTIONAL_REAL, AT(struct score, p_neighbours), PROBABILITY },
	{ "forecast_origin", FIELD_OPTIONAL_TIME, AT(struct score, forecast_origin_us), ANY_TIME },
	{ "model", FIELD_TEXT, AT(struct score, model), LENGTH(0, LABEL_BYTES) },
	ATTRIBUTION_FIELD(struct score),
	{ "note", FIELD_TEXT, AT(struct score, note), LENGTH(0, LABEL_BYTES) },
};

static const struct shape shape = SHAPE(fields, struct score, 49);

const struct record_type score_record = { "Score", &shape, NULL };
