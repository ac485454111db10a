/* state.h -- struct track as the worker's state: copied, stored, read back. */
#ifndef FOREBAY_FORECASTER_STATE_H
#define FOREBAY_FORECASTER_STATE_H

#include "common/worker/worker.h"

extern const struct state_type forecaster_state; /* of struct track */

#endif
