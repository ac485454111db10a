/* aggregate.c -- Aggregate as a table. */
#include "common/record/aggregate.h"

#include "common/record/rules.h"
#include "common/record/type.h"

static const struct field fields[] = {
	{ "device", FIELD_TEXT, AT(struct aggregate, device), LENGTH(1, NAME_BYTES) },
	{ "metric", FIELD_TEXT, AT(struct aggregate, metric), LENGTH(1, NAME_BYTES) },
	{ "start_time", FIELD_TIME, AT(struct aggregate, start_us), ANY_TIME },
	{ "end_time", FIELD_TIME, AT(struct aggregate, end_us), ANY_TIME },
	{ "count", FIELD_LONG, AT(struct aggregate, count), LENGTH(0, INT64_MAX) },
	{ "mean", FIELD_OPTIONAL_REAL, AT(struct aggregate, mean), ANY_REAL },
	{ "deviation", FIELD_OPTIONAL_REAL, AT(struct aggregate, deviation), RANGE(0, REAL_MAX) },
	{ "minimum", FIELD_OPTIONAL_REAL, AT(struct aggregate, minimum), ANY_REAL },
	{ "maximum", FIELD_OPTIONAL_REAL, AT(struct aggregate, maximum), ANY_REAL },
	{ "first", FIELD_OPTIONAL_REAL, AT(struct aggregate, first), ANY_REAL },
	{ "last", FIELD_OPTIONAL_REAL, AT(struct aggregate, last), ANY_REAL },
};

static const struct shape shape = SHAPE(fields, struct aggregate, 11);

static int
check(const void *record, struct err *err)
{
	const struct aggregate *a = record;

	if (a->minimum > a->maximum) /* false where one is NaN */
		return err_set(err, REASON_RECORD_INVALID, "minimum: %g is above the maximum, %g", a->minimum,
			       a->maximum);
	return rules_order("start_time", a->start_us, NOT_EQUAL, "end_time", a->end_us, err);
}

const struct record_type aggregate_record = { "Aggregate", &shape, check };
