/* reading.c -- Reading as a table. */
#include "common/record/reading.h"

#include <math.h>

#include "common/record/rules.h"
#include "common/record/type.h"

static const char *const quality_names[QUALITY_COUNT] = {
	"good", "null", "not_a_number", "not_finite", "out_of_range", "unknown",
};

static const struct codes qualities = { quality_names, QUALITY_COUNT, QUALITY_UNKNOWN };

const char *
quality_name(enum quality q)
{
	return (unsigned)q < QUALITY_COUNT ? quality_names[q] : "unknown";
}

enum quality
quality_parse(struct span name)
{
	return (enum quality)codes_parse(&qualities, name);
}

static const struct field value_fields[] = {
	{ "metric", FIELD_TEXT, AT(struct reading_value, metric), LENGTH(1, NAME_BYTES) },
	{ "value", FIELD_OPTIONAL_REAL, AT(struct reading_value, value), ANY_REAL },
	{ "unit", FIELD_OPTIONAL_TEXT, AT(struct reading_value, unit), LENGTH(0, NAME_BYTES) },
	{ "quality", FIELD_CODE, AT(struct reading_value, quality), .codes = &qualities },
	{ "text", FIELD_OPTIONAL_TEXT, AT(struct reading_value, text), LENGTH(0, NAME_BYTES) },
};

static const struct shape value_shape = SHAPE(value_fields, struct reading_value, 5);

static const struct field fields[] = {
	{ "device", FIELD_TEXT, AT(struct reading, device), LENGTH(1, NAME_BYTES) },
	{ "event_time", FIELD_TIME, AT(struct reading, event_us), ANY_TIME },
	{ "ingest_time", FIELD_TIME, AT(struct reading, ingest_us), ANY_TIME },
	{ "source", FIELD_TEXT, AT(struct reading, source), LENGTH(0, NAME_BYTES) },
	{ "values", FIELD_RECORDS, AT(struct reading, values), COUNT(struct reading, n_values), LENGTH(1, ITEMS_MAX),
	  .item = &value_shape },
};

static const struct shape shape = SHAPE(fields, struct reading, 5);

static int
check(const void *record, struct err *err)
{
	const struct reading *r = record;

	for (size_t i = 0; i < r->n_values; i++) {
		const struct reading_value *v = &r->values[i];

		/* A code of a later version may come with a value: it is kept. */
		if (v->quality != QUALITY_UNKNOWN && (v->quality == QUALITY_GOOD) != !isnan(v->value))
			return err_set(err, REASON_RECORD_INVALID, "values[%zu].value: %s, but the quality is %s", i,
				       isnan(v->value) ? "null" : "a number", quality_name(v->quality));
	}
	return rules_distinct("values", r->values, r->n_values, sizeof(*r->values), err);
}

const struct record_type reading_record = { "Reading", &shape, check };
