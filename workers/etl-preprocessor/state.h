/* state.h -- struct cleaner as the worker's state: copied, stored, read back. */
#ifndef FOREBAY_ETL_STATE_H
#define FOREBAY_ETL_STATE_H

#include "common/worker/worker.h"

extern const struct state_type etl_state; /* of struct cleaner */

#endif
