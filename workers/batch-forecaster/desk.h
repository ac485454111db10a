/*
 * desk.h -- where series of one step and with the same versions in use get their forecasts: their panel, and one of the rival alone.
 * Desks are made when they are needed; the few that were used last are kept.  One thread.
 */
#ifndef FOREBAY_FORECASTER_DESK_H
#define FOREBAY_FORECASTER_DESK_H

#include "common/forecast/library.h"
#include "common/forecast/panel.h"
#include "workers/batch-forecaster/adopted.h"
#include "workers/batch-forecaster/learnt.h"
#include "workers/batch-forecaster/options.h"

#define DESKS_MAX 32

struct desk {
	int64_t step_us;
	struct adopted *versions;
	struct panel *panel, *rival; /* rival NULL: none forecasts unseen */
	struct learnt_size size;
	bool serves; /* is there a model in the panel? */
	struct book *books[2];
	uint64_t used;
};

struct desks {
	const struct forecast_plan *plan;
	struct library *library;
	struct desk *desks[DESKS_MAX];
	size_t n;
	uint64_t clock;
};

/*
 * The desk of series of this step with these VERSIONS (NULL: none).  It stays for the next DESKS_MAX - 1 calls at least.  A version
 * that is not for this step, or not for so far a horizon, has no part in it.  -1 on what library_take() says, NO_MEMORY.
 */
int desks_get(struct desks *d, int64_t step_us, struct adopted *versions, struct desk **ret, struct err *err);
void desks_clear(struct desks *d);

/* The step that is owed in BUCKET of the desk's horizon, in its middle; -1: there is no such part. */
int64_t desk_owed_step(const struct desk *d, size_t horizon, size_t bucket);

#endif
