/* attribution.c -- Attribution as a table. */
#include "common/record/attribution.h"

#include "common/record/attribution_shape.h"

static const char *const direction_names[ATTRIBUTION_DIRECTION_COUNT] = { "high", "low", "missing", "unknown" };

static const struct codes directions = { direction_names, ATTRIBUTION_DIRECTION_COUNT, ATTRIBUTION_UNKNOWN };

const char *
attribution_direction_name(enum attribution_direction d)
{
	return (unsigned)d < ATTRIBUTION_DIRECTION_COUNT ? direction_names[d] : "unknown";
}

static const struct field fields[] = {
	{ "column", FIELD_TEXT, AT(struct attribution, column), LENGTH(1, NAME_BYTES) },
	{ "share", FIELD_REAL, AT(struct attribution, share), RANGE(0, 1) },
	{ "direction", FIELD_CODE, AT(struct attribution, direction), .codes = &directions },
};

const struct shape attribution_shape = SHAPE(fields, struct attribution, 11);
