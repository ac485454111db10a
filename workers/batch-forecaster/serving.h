/*
 * serving.h -- forecasts of series that share a desk: computed together, a step of each part of the horizon kept to be judged, sent to
 * topic and cache.  One owner.
 */
#ifndef FOREBAY_FORECASTER_SERVING_H
#define FOREBAY_FORECASTER_SERVING_H

#include "common/base/buffer.h"
#include "common/cache/keeper.h"
#include "common/record/forecast.h"
#include "common/worker/worker.h"
#include "workers/batch-forecaster/desk.h"
#include "workers/batch-forecaster/track.h"

#define SERVING_BATCH_MAX 32 /* series computed at once */

/* Members that do not make an ensemble: what they say alone is called "seasonal-naive". */
#define NAIVE_MEMBERS (1U << PANEL_LAST | 1U << PANEL_SEASON | 1U << PANEL_LONG_SEASON)

/* A series that wants its forecast: its state, and whose it is. */
struct order {
	struct track *track;
	struct span key; /* of the state: device and metric, see order_of() */
	struct span device, metric;
};

struct scratch {
	double *values, *combined, *members, *rival; /* of `room` forecasts; rival of one */
	struct panelist *learnt;
	size_t room;
};

struct serving {
	const struct forecast_plan *plan;
	struct scratch scratch;
	struct buffer bytes;   /* the encoded forecast */
	struct codec *codec;   /* the worker's */
	struct output *output; /* the worker's */
	struct cache *cache;
	struct keeper *keeper;
	double each_seconds; /* what a forecast took of late; 0: none was made yet */
	struct metric_series *bases[FORECAST_MODEL + 1], *batch, *seconds;
};

/* *S is zeroed before.  -1 on OPTION_INVALID, NO_MEMORY, what schemas and registry say. */
int serving_open(struct serving *s, const struct forecaster_options *opt, const struct forecast_plan *plan,
		 struct worker *w, struct err *err);
void serving_close(struct serving *s); /* also after a failed open */

/*
 * The forecasts that follow N histories of DESK's step, whose versions are DESK's: steps owed are kept where none is, and
 * unless all is silent the forecasts are sent.  A series of which nothing is known has none.  -1 on NO_MEMORY; what was kept until
 * then is what would be kept again.
 */
int serving_run(struct serving *s, struct context *ctx, struct desk *desk, const struct order *orders, size_t n,
		struct err *err);

/* -1 on TIME_RANGE: a forecast from the end of this window would leave the years up to 9999. */
int serving_check_time(const struct forecast_plan *plan, const struct series *w, struct err *err);

#endif
