/* state.h -- struct stream as the worker's state: copied, stored, read back. */
#ifndef FOREBAY_SCORER_STATE_H
#define FOREBAY_SCORER_STATE_H

#include "common/worker/worker.h"

extern const struct state_type scorer_state; /* of struct stream */

#endif
