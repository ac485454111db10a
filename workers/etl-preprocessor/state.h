/* state.h -- struct cleaner as the worker's state: copied, stored, read back. */
#ifndef FOREBAY_ETL_STATE_H
#define FOREBAY_ETL_STATE_H

#include "common/worker/worker.h"

extern const struct state_type etl_state; /* of struct cleaner */

/* Bytes of a state with so many readings that wait and a window of so many steps; no blank ones, no unit. */
size_t etl_state_bytes(size_t readings, size_t steps);

#endif
