/*
 * roster.h -- which trained models are in use, as topic `models` has told this partition: of every name at most one version that
 * lives and one canary.  In the order of their names.
 */
#ifndef FOREBAY_FORECASTER_ROSTER_H
#define FOREBAY_FORECASTER_ROSTER_H

#include <stddef.h>

#include "common/base/error.h"
#include "common/record/model.h"

#define ROSTER_NAMES_MAX 100

struct roster_entry {
	char *name; /* texts are the entry's; never NULL in a roster; "" for none */
	char *live, *canary;
	size_t name_len, live_len, canary_len;
	double share; /* of the devices that the canary serves */
};

/* Zeroed: nothing told. */
struct roster {
	struct roster_entry *entries;
	size_t n;
};

/*
 * A version's standing is told.  -1 on RECORD_INVALID (a text that is empty, too long, or holds control characters; more than
 * ROSTER_NAMES_MAX names), NO_MEMORY; nothing has changed then.
 */
int roster_told(struct roster *r, const struct model *m, struct err *err);

int roster_copy(struct roster *to, const struct roster *from); /* -1: no memory; *TO owns nothing */
void roster_clear(struct roster *r);
/* Sorted, distinct, bounded?  For what was read back. */
int roster_check(const struct roster *r, struct err *err);

#endif
