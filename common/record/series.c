/* series.c -- Series as a table. */
#include "common/record/series.h"

#include <inttypes.h>

#include "common/record/type.h"

static const struct field fields[] = {
	{ "device", FIELD_TEXT, AT(struct series, device), LENGTH(1, NAME_BYTES) },
	{ "metric", FIELD_TEXT, AT(struct series, metric), LENGTH(1, NAME_BYTES) },
	{ "unit", FIELD_OPTIONAL_TEXT, AT(struct series, unit), LENGTH(0, NAME_BYTES) },
	{ "start_time", FIELD_TIME, AT(struct series, start_us), ANY_TIME },
	{ "step_us", FIELD_LONG, AT(struct series, step_us), LENGTH(1, INT64_MAX) },
	{ "sequence", FIELD_LONG, AT(struct series, sequence), LENGTH(0, INT64_MAX) },
	{ "target", FIELD_OPTIONAL_REALS, AT(struct series, target), COUNT(struct series, n_target),
	  LENGTH(1, ITEMS_MAX), ANY_REAL },
	{ "flags", FIELD_FLAGS, AT(struct series, flags), COUNT(struct series, n_target), LENGTH(1, ITEMS_MAX) },
	{ "readings", FIELD_LONG, AT(struct series, readings), LENGTH(0, INT64_MAX) },
	{ "imputed", FIELD_LONG, AT(struct series, imputed), LENGTH(0, INT64_MAX) },
	{ "outliers", FIELD_LONG, AT(struct series, outliers), LENGTH(0, INT64_MAX) },
	{ "dropped", FIELD_LONG, AT(struct series, dropped), LENGTH(0, INT64_MAX) },
	{ "late", FIELD_LONG, AT(struct series, late), LENGTH(0, INT64_MAX) },
	{ "repeated", FIELD_LONG, AT(struct series, repeated), LENGTH(0, INT64_MAX) },
	{ "ingest_time", FIELD_TIME, AT(struct series, ingest_us), ANY_TIME },
};

static const struct shape shape = SHAPE(fields, struct series, 16);

static int
check(const void *record, struct err *err)
{
	const struct series *s = record;

	if (s->step_us <= (TIME_MAX_US - s->start_us) / (int64_t)s->n_target)
		return 0;
	return err_set(err, REASON_RECORD_INVALID, "step_us: %zu steps of %" PRId64 " us end past the year 9999",
		       s->n_target, s->step_us);
}

const struct record_type series_record = { "Series", &shape, check };
