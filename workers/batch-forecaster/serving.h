/*
 * serving.h -- a forecast of one series, from its history to the topic and the cache.  One owner.
 */
#ifndef FOREBAY_FORECASTER_SERVING_H
#define FOREBAY_FORECASTER_SERVING_H

#include "common/base/buffer.h"
#include "common/cache/cache.h"
#include "common/record/forecast.h"
#include "common/worker/worker.h"
#include "workers/batch-forecaster/options.h"

enum serving_count { SERVED_SEASONAL, SERVED_LAST, SERVED_NOTHING, SERVING_COUNTS };

struct serving {
	struct forecast_plan plan;
	double *values;        /* scratch: horizon x levels */
	struct buffer bytes;   /* scratch: the encoded forecast */
	struct codec *codec;   /* the worker's */
	struct output *output; /* the worker's */
	struct cache *cache;
	int64_t ttl_ms;
	struct metric_series *counts[SERVING_COUNTS];
};

/* *S is zeroed before.  -1 on OPTION_INVALID, NO_MEMORY, what schemas and registry say. */
int serving_open(struct serving *s, const struct forecaster_options *opt, struct worker *w, struct err *err);
void serving_close(struct serving *s); /* also after a failed open */

/*
 * The forecast that follows H.  *F is filled but for device and metric; its arrays are S's and hold until the next call.
 * *BASIS NAIVE_NONE: there is none, nothing in H is known.  -1 on NO_MEMORY.
 */
int serving_compute(struct serving *s, const struct history *h, struct forecast *f, enum naive_basis *basis,
		    struct err *err);

/* Compute, emit under DEVICE, put into the cache.  -1 on NO_MEMORY. */
int serving_send(struct serving *s, struct context *ctx, struct span device, struct span metric,
		 const struct history *h, struct err *err);

/* -1 on TIME_RANGE: a forecast from the end of this window would leave the years up to 9999. */
int serving_check_time(const struct forecast_plan *plan, const struct series *w, struct err *err);

#endif
