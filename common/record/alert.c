/* alert.c -- Alert as a table. */
#include "common/record/alert.h"

#include "common/record/attribution_shape.h"
#include "common/record/rules.h"
#include "common/record/type.h"

#define ID_BYTES 32

static const char *const status_names[ALERT_STATUS_COUNT] = { "firing", "resolved" };
static const char *const severity_names[ALERT_SEVERITY_COUNT] = { "warning", "critical" };

static const struct codes statuses = { status_names, ALERT_STATUS_COUNT, -1 };
static const struct codes severities = { severity_names, ALERT_SEVERITY_COUNT, -1 };

const char *
alert_status_name(enum alert_status s)
{
	return (unsigned)s < ALERT_STATUS_COUNT ? status_names[s] : "unknown";
}

const char *
alert_severity_name(enum alert_severity s)
{
	return (unsigned)s < ALERT_SEVERITY_COUNT ? severity_names[s] : "unknown";
}

static const struct field fields[] = {
	{ "id", FIELD_TEXT, AT(struct alert, id), LENGTH(ID_BYTES, ID_BYTES) },
	{ "device", FIELD_TEXT, AT(struct alert, device), LENGTH(1, NAME_BYTES) },
	{ "metric", FIELD_TEXT, AT(struct alert, metric), LENGTH(1, NAME_BYTES) },
	{ "status", FIELD_CODE, AT(struct alert, status), .codes = &statuses },
	{ "severity", FIELD_CODE, AT(struct alert, severity), .codes = &severities },
	{ "start_time", FIELD_TIME, AT(struct alert, starts_us), ANY_TIME },
	{ "event_time", FIELD_TIME, AT(struct alert, event_us), ANY_TIME },
	{ "p_value", FIELD_REAL, AT(struct alert, p_value), PROBABILITY },
	{ "value", FIELD_REAL, AT(struct alert, value), ANY_REAL },
	{ "expected", FIELD_OPTIONAL_REAL, AT(struct alert, expected), ANY_REAL },
	{ "lower", FIELD_OPTIONAL_REAL, AT(struct alert, lower), ANY_REAL },
	{ "upper", FIELD_OPTIONAL_REAL, AT(struct alert, upper), ANY_REAL },
	{ "summary", FIELD_TEXT, AT(struct alert, summary), LENGTH(0, NOTE_BYTES) },
	{ "ingest_time", FIELD_TIME, AT(struct alert, ingest_us), ANY_TIME },
	{ "detector", FIELD_TEXT, AT(struct alert, detector), LENGTH(0, LABEL_BYTES) },
	ATTRIBUTION_FIELD(struct alert),
};

static const struct shape shape = SHAPE(fields, struct alert, 32);

static int
check(const void *record, struct err *err)
{
	const struct alert *a = record;

	for (size_t i = 0; i < a->id.len; i++) {
		if (!strchr("0123456789abcdef", a->id.ptr[i]))
			return err_set(err, REASON_RECORD_INVALID, "id: not 32 hex digits in lower case");
	}
	return rules_order("start_time", a->starts_us, OR_EQUAL, "event_time", a->event_us, err);
}

const struct record_type alert_record = { "Alert", &shape, check };
