/* forecast.c -- Forecast as a table. */
#include "common/record/forecast.h"

#include <float.h>
#include <inttypes.h>

#include "common/record/rules.h"
#include "common/record/type.h"

#define LEVELS_MAX 1000
#define MEMBERS_MAX 1000

static const struct field member_fields[] = {
	{ "name", FIELD_TEXT, AT(struct forecast_member, name), LENGTH(1, LABEL_BYTES) },
	{ "weight", FIELD_REAL, AT(struct forecast_member, weight), ANY_REAL },
};

static const struct shape member_shape = SHAPE(member_fields, struct forecast_member, 9);

static const struct field fields[] = {
	{ "device", FIELD_TEXT, AT(struct forecast, device), LENGTH(1, NAME_BYTES) },
	{ "metric", FIELD_TEXT, AT(struct forecast, metric), LENGTH(1, NAME_BYTES) },
	{ "origin_time", FIELD_TIME, AT(struct forecast, origin_us), ANY_TIME },
	{ "step_us", FIELD_LONG, AT(struct forecast, step_us), LENGTH(1, INT64_MAX) },
	{ "levels", FIELD_REALS, AT(struct forecast, levels), COUNT(struct forecast, n_levels), LENGTH(1, LEVELS_MAX),
	  RANGE(REAL_LEAST, 1 - DBL_EPSILON / 2) },
	{ "values", FIELD_MATRIX, AT(struct forecast, values), COUNT(struct forecast, n_steps), LENGTH(1, ITEMS_MAX),
	  ANY_REAL, .columns_at = offsetof(struct forecast, n_levels) },
	{ "model", FIELD_TEXT, AT(struct forecast, model), LENGTH(1, LABEL_BYTES) },
	{ "version", FIELD_TEXT, AT(struct forecast, version), LENGTH(0, LABEL_BYTES) },
	{ "members", FIELD_RECORDS, AT(struct forecast, members), COUNT(struct forecast, n_members),
	  LENGTH(0, MEMBERS_MAX), .item = &member_shape },
	{ "ingest_time", FIELD_TIME, AT(struct forecast, ingest_us), ANY_TIME },
};

static const struct shape shape = SHAPE(fields, struct forecast, 10);

static int
check(const void *record, struct err *err)
{
	const struct forecast *f = record;
	size_t n = f->n_levels;

	for (size_t i = 1; i < n; i++) {
		if (f->levels[i - 1] >= f->levels[i])
			return err_set(err, REASON_RECORD_INVALID, "levels[%zu]: %g follows %g, they must ascend", i,
				       f->levels[i], f->levels[i - 1]);
	}
	for (size_t step = 0; step < f->n_steps; step++) {
		const double *row = f->values + step * n;

		for (size_t i = 1; i < n; i++) {
			if (row[i - 1] > row[i])
				return err_set(err, REASON_RECORD_INVALID,
					       "values: step %zu has %g at level %g, below that of the level before",
					       step, row[i], f->levels[i]);
		}
	}
	if (f->step_us > (TIME_MAX_US - f->origin_us) / (int64_t)f->n_steps)
		return err_set(err, REASON_RECORD_INVALID,
			       "step_us: %zu steps of %" PRId64 " us end past the year 9999", f->n_steps, f->step_us);
	return rules_distinct("members", f->members, f->n_members, sizeof(*f->members), err);
}

const struct record_type forecast_record = { "Forecast", &shape, check };
