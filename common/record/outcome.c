/* outcome.c -- Outcome as a table. */
#include "common/record/outcome.h"

#include <math.h>

#include "common/record/rules.h"
#include "common/record/type.h"

#define MEMBERS_MAX 1000
#define LOSS RANGE(0, REAL_MAX)

static const struct field loss_fields[] = {
	{ "name", FIELD_TEXT, AT(struct outcome_loss, name), LENGTH(1, LABEL_BYTES) },
	{ "loss", FIELD_REAL, AT(struct outcome_loss, loss), LOSS },
};

static const struct shape loss_shape = SHAPE(loss_fields, struct outcome_loss, 9);

static const struct field fields[] = {
	{ "device", FIELD_TEXT, AT(struct outcome, device), LENGTH(1, NAME_BYTES) },
	{ "metric", FIELD_TEXT, AT(struct outcome, metric), LENGTH(1, NAME_BYTES) },
	{ "origin_time", FIELD_TIME, AT(struct outcome, origin_us), ANY_TIME },
	{ "event_time", FIELD_TIME, AT(struct outcome, event_us), ANY_TIME },
	{ "step", FIELD_INT, AT(struct outcome, step), LENGTH(0, INT32_MAX) },
	{ "value", FIELD_REAL, AT(struct outcome, value), ANY_REAL },
	{ "scale", FIELD_REAL, AT(struct outcome, scale), RANGE(REAL_LEAST, REAL_MAX) },
	{ "loss", FIELD_REAL, AT(struct outcome, loss), LOSS },
	{ "lower", FIELD_REAL, AT(struct outcome, lower), ANY_REAL },
	{ "upper", FIELD_REAL, AT(struct outcome, upper), ANY_REAL },
	{ "model", FIELD_TEXT, AT(struct outcome, model), LENGTH(1, LABEL_BYTES) },
	{ "version", FIELD_OPTIONAL_TEXT, AT(struct outcome, version), LENGTH(1, LABEL_BYTES) },
	{ "model_loss", FIELD_OPTIONAL_REAL, AT(struct outcome, model_loss), LOSS },
	{ "rival", FIELD_OPTIONAL_TEXT, AT(struct outcome, rival), LENGTH(1, LABEL_BYTES) },
	{ "rival_loss", FIELD_OPTIONAL_REAL, AT(struct outcome, rival_loss), LOSS },
	{ "members", FIELD_MAP, AT(struct outcome, members), COUNT(struct outcome, n_members), LENGTH(0, MEMBERS_MAX),
	  .item = &loss_shape },
	{ "drift", FIELD_BOOLEAN, AT(struct outcome, drift) },
	{ "ingest_time", FIELD_TIME, AT(struct outcome, ingest_us), ANY_TIME },
};

static const struct shape shape = SHAPE(fields, struct outcome, 50);

static int
check(const void *record, struct err *err)
{
	const struct outcome *o = record;

	if (rules_order("origin_time", o->origin_us, OR_EQUAL, "event_time", o->event_us, err) < 0)
		return -1;
	if (o->lower > o->upper)
		return err_set(err, REASON_RECORD_INVALID, "lower: %g is above upper, which is %g", o->lower, o->upper);
	if (!o->version.ptr && !isnan(o->model_loss))
		return err_set(err, REASON_RECORD_INVALID, "model_loss: there is no version that it could be of");
	if (!o->rival.ptr && !isnan(o->rival_loss))
		return err_set(err, REASON_RECORD_INVALID, "rival_loss: there is no rival that it could be of");
	return rules_distinct("members", o->members, o->n_members, sizeof(*o->members), err);
}

const struct record_type outcome_record = { "Outcome", &shape, check };
