/* audit.c -- a line or two in the life of a worker; kept until the transaction that holds them is committed. */
#include "common/worker/audit.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/record/audit.h"
#include "common/worker/internal.h"

#define AUDIT_TOPIC "fleet.audit"

struct audit_line {
	int64_t time_us;
	char *action, *subject, *reason;
	struct audit_line *next;
};

static void
line_free(struct audit_line *l)
{
	free(l->action);
	free(l->subject);
	free(l->reason);
	free(l);
}

int
audit_add(struct worker *w, const char *action, const char *subject, const char *reason, struct err *err)
{
	struct audit_line *l = calloc(1, sizeof(*l)), **last = &w->audit;

	if (!l)
		return err_set(err, REASON_NO_MEMORY, "audit");
	*l = (struct audit_line){ clock_real_us(), strdup(action), strdup(subject), strdup(reason), NULL };
	if (!l->action || !l->subject || !l->reason) {
		line_free(l);
		return err_set(err, REASON_NO_MEMORY, "audit");
	}
	while (*last)
		last = &(*last)->next;
	*last = l;
	if (!w->batch.begun_us)
		w->batch.begun_us = clock_monotonic_us(); /* so that there is a transaction to come */
	return 0;
}

int
audit_send(struct worker *w, struct err *err)
{
	if (w->audit && !w->audit_codec && worker_input(w, AUDIT_TOPIC, &audit_record, &w->audit_codec, err) < 0)
		return -1;
	if (w->audit && batch_begin(w, err) < 0)
		return -1;
	for (const struct audit_line *l = w->audit; l; l = l->next) {
		const struct audit record = { .time_us = l->time_us,
					      .actor = span_of(w->instance),
					      .action = span_of(l->action),
					      .subject = span_of(l->subject),
					      .reason = span_of(l->reason) };
		struct producer_record out = { .topic = AUDIT_TOPIC,
					       .partition = PARTITION_BY_KEY,
					       .key = span_of(l->subject) };

		w->batch.values.len = 0;
		if (codec_encode(w->audit_codec, &record, &w->batch.values, err) < 0)
			return err_wrap(err, "topic " AUDIT_TOPIC);
		out.value = buffer_span(&w->batch.values);
		if (producer_send(w->producer, &out, err) < 0)
			return -1;
	}
	return 0;
}

void
audit_done(struct worker *w)
{
	while (w->audit) {
		struct audit_line *next = w->audit->next;

		line_free(w->audit);
		w->audit = next;
	}
}
