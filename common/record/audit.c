/* audit.c -- Audit as a table. */
#include "common/record/audit.h"

#include "common/record/rules.h"
#include "common/record/type.h"

#define DETAILS_MAX 1000

static const struct field detail_fields[] = {
	{ "name", FIELD_TEXT, AT(struct audit_detail, name), LENGTH(1, LABEL_BYTES) },
	{ "value", FIELD_TEXT, AT(struct audit_detail, value), LENGTH(0, NOTE_BYTES) },
};

static const struct shape detail_shape = SHAPE(detail_fields, struct audit_detail, 2);

static const struct field fields[] = {
	{ "time", FIELD_TIME, AT(struct audit, time_us), ANY_TIME },
	{ "actor", FIELD_TEXT, AT(struct audit, actor), LENGTH(1, LABEL_BYTES) },
	{ "action", FIELD_TEXT, AT(struct audit, action), LENGTH(1, LABEL_BYTES) },
	{ "subject", FIELD_TEXT, AT(struct audit, subject), LENGTH(1, NOTE_BYTES) },
	{ "reason", FIELD_OPTIONAL_TEXT, AT(struct audit, reason), LENGTH(0, NOTE_BYTES) },
	{ "details", FIELD_MAP, AT(struct audit, details), COUNT(struct audit, n_details), LENGTH(0, DETAILS_MAX),
	  .item = &detail_shape },
};

static const struct shape shape = SHAPE(fields, struct audit, 6);

static int
check(const void *record, struct err *err)
{
	const struct audit *a = record;

	return rules_distinct("details", a->details, a->n_details, sizeof(*a->details), err);
}

const struct record_type audit_record = { "Audit", &shape, check };
