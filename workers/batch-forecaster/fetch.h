/* fetch.h -- PostgreSQL as the place that artefacts come from.  One thread. */
#ifndef FOREBAY_FORECASTER_FETCH_H
#define FOREBAY_FORECASTER_FETCH_H

#include "common/store/connection.h"
#include "workers/batch-forecaster/library.h"

/* S stays the caller's. */
struct library_source fetch_from(struct store *s);

#endif
