/*
 * choice.h -- which versions a series is to use, as the roster has it: the one that lives serves, or the canary where the device is in
 * its share; the other one forecasts unseen.
 *
 * Of several models that fit a series' step, the first by name.  While the version that lives is not at hand (PostgreSQL is away, the
 * artefact is broken or gone), what uses another version of the same model goes on with that.  A canary that is broken or gone is
 * none; one that cannot be asked for at present leaves everything as it is, as far as the roster still knows what is used.
 */
#ifndef FOREBAY_FORECASTER_CHOICE_H
#define FOREBAY_FORECASTER_CHOICE_H

#include "common/forecast/library.h"
#include "workers/batch-forecaster/adopted.h"
#include "workers/batch-forecaster/options.h"
#include "workers/batch-forecaster/roster.h"

/* *RET gets an owner (NULL: none); it is NOW where nothing changes.  -1 on NO_MEMORY. */
int choose(struct library *l, const struct forecast_plan *plan, const struct roster *r, int64_t step_us,
	   struct span device, struct adopted *now, struct adopted **ret, struct err *err);

#endif
