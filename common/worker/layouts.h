/*
 * layouts.h -- stored states that another version of this program has written.  What their bytes mean stands beside them
 * (forebay.state_layouts), so an upgrade, or a step back, that only adds or takes away members of a state keeps what was learnt.
 */
#ifndef FOREBAY_WORKER_LAYOUTS_H
#define FOREBAY_WORKER_LAYOUTS_H

#include "common/base/cleanup.h"
#include "common/worker/worker.h"

struct layouts; /* what has been looked up */

struct layouts *layouts_new(void); /* NULL: no memory */
void layouts_free(struct layouts *l);
DEFINE_CLEANUP(struct layouts, layouts_free)

/*
 * The state type's decode(): fill the zeroed *STATE.  Bytes of another layout are translated (image_translate) first.  -1 on
 * STATE_CORRUPT, STATE_VERSION (the layout is not known, or more than names has changed), NO_MEMORY, and what reading the
 * description runs into (STORE_DOWN); the state then owns nothing.
 */
int layouts_decode(struct worker *w, struct span bytes, void *state, struct err *err);

/* Is it the state that *WHY complains about, or was there no way to read it? */
static inline bool
layouts_blame_state(const struct err *why)
{
	return why->reason == REASON_STATE_CORRUPT || why->reason == REASON_STATE_VERSION;
}

#endif
