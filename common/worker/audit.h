/* audit.h -- what a worker does that somebody should be able to ask about later: records of fleet.audit, sent with the next
 * transaction. */
#ifndef FOREBAY_WORKER_AUDIT_H
#define FOREBAY_WORKER_AUDIT_H

#include "common/base/error.h"

struct worker;

int audit_add(struct worker *w, const char *action, const char *subject, const char *reason, struct err *err);
int audit_send(struct worker *w, struct err *err);
void audit_done(struct worker *w); /* the transaction was committed */

#endif
