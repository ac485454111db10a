/* state.h -- what the scorer knows of one key: copied, stored, read back. */
#ifndef FOREBAY_SCORER_STATE_H
#define FOREBAY_SCORER_STATE_H

#include "common/worker/worker.h"
#include "workers/realtime-scorer/collective.h"
#include "workers/realtime-scorer/stream.h"

/* A device's metric; or, under a key of its own, a device's group.  Zeroed is new, and a stream. */
struct scored {
	struct stream stream;
	struct collective *collective; /* its own; NULL: a stream */
};

extern const struct state_type scorer_state; /* of struct scored */

#endif
