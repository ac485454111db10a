/* audit.h -- fleet.audit: who did what to the fleet, and why. */
#ifndef FOREBAY_RECORD_AUDIT_H
#define FOREBAY_RECORD_AUDIT_H

#include <stddef.h>
#include <stdint.h>

#include "common/record/codec.h"

struct audit_detail {
	struct span name, value;
};

struct audit {
	int64_t time_us;
	struct span actor;   /* a worker's instance, or a person as the system names them */
	struct span action;  /* "model.promote", "replay.start", "topic.create", ... */
	struct span subject; /* what it was done to */
	struct span reason;  /* one line for people; SPAN_NONE: none given */
	struct audit_detail *details;
	size_t n_details; /* names are distinct */
};

extern const struct record_type audit_record;

#endif
