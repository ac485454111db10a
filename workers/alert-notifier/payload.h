/*
 * payload.h -- an alert as a receiver wants to read it: JSON in one of three forms.  Pure.
 *
 *	PAYLOAD_FOREBAY       one object, the alert's fields by their names in the record; times in ISO 8601, UTC
 *	PAYLOAD_SNS           the message of an Amazon CloudWatch alarm: AlarmName, NewStateValue (ALARM, OK) ... Trigger
 *	PAYLOAD_ALERTMANAGER  one element of what POST /api/v2/alerts takes.  Labels are the identity: alertname, device, metric,
 *	                      alert_id and those of the configuration.  Whatever may change while it fires, severity too, is an
 *	                      annotation, or a change would make a second alert.
 *
 * A new field of the record is one row of the table in payload.c.
 */
#ifndef FOREBAY_NOTIFIER_PAYLOAD_H
#define FOREBAY_NOTIFIER_PAYLOAD_H

#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/record/alert.h"

#define PAYLOAD_MAX_BYTES ((size_t)1 << 20)

enum payload_form { PAYLOAD_FOREBAY, PAYLOAD_SNS, PAYLOAD_ALERTMANAGER };

/* A label that all alerts get; texts are the configuration's. */
struct payload_label {
	struct span name, value;
};

struct payload_rule {
	const char *alertname;
	const struct payload_label *labels;
	size_t n_labels;
	const char *page_url; /* with {id}, {device}, {metric}; "": none */
};

/* Append the JSON text of A.  -1 on NO_MEMORY, RECORD_INVALID (larger than OUT may be). */
int payload_make(enum payload_form form, const struct payload_rule *rule, const struct alert *a, struct buffer *out,
		 struct err *err);

/*
 * Append the body of a POST from N stored elements.  Alertmanager refuses what ends before it begins and forgets what has no
 * end in sight, so times are made to fit NOW_US: nothing begins or has ended later, and what fires ends VALID_US from now
 * unless it is told again.  -1 on NO_MEMORY, RECORD_INVALID (an element is not what payload_make() wrote).
 */
int payload_alertmanager_post(const struct span *stored, size_t n, int64_t now_us, int64_t valid_us, struct buffer *out,
			      struct err *err);

#endif
