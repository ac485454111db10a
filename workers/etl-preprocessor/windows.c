/* windows.c -- numbers to records: step numbers become times, absent statistics NaN. */
#include "workers/etl-preprocessor/windows.h"

#include <math.h>

#include "workers/etl-preprocessor/units.h"

_Static_assert(STEP_IMPUTED == POINT_IMPUTED && STEP_OUTLIER == POINT_OUTLIER && STEP_CLIPPED == POINT_CLIPPED,
	       "the flags of a step are those of the record");

struct series
windows_series(const struct cleaner *c, struct span device, struct span metric)
{
	const struct window *w = &c->window;

	return (struct series){
		.device = device,
		.metric = metric,
		.unit = units_in_force(c),
		.start_us = calendar_start(w->first, c->step_us),
		.step_us = c->step_us,
		.sequence = w->sequence,
		.target = w->values,
		.flags = w->flags,
		.n_target = w->n,
		.readings = w->readings.count,
		.imputed = w->tally.imputed,
		.outliers = w->tally.outliers,
		.dropped = w->tally.dropped,
		.late = w->tally.late,
		.repeated = w->tally.repeated,
		.ingest_us = w->tally.ingest_us,
	};
}

struct aggregate
windows_aggregate(const struct cleaner *c, struct span device, struct span metric)
{
	const struct window *w = &c->window;
	const struct moments *m = &w->readings;

	return (struct aggregate){
		.device = device,
		.metric = metric,
		.start_us = calendar_start(w->first, c->step_us),
		.end_us = calendar_start(w->first + (int64_t)w->n, c->step_us),
		.count = m->count,
		.mean = m->count ? m->mean : NAN,
		.deviation = moments_deviation(m),
		.minimum = m->count ? m->minimum : NAN,
		.maximum = m->count ? m->maximum : NAN,
		.first = m->count ? m->first : NAN,
		.last = m->count ? m->last : NAN,
	};
}
