/*
 * lookup.h -- a forecast for a value that none held reaches to: what Redis has, else one made here from the stream's near past.
 *
 * Answers of Redis are noted in fleet.journal: who folds the same records again repeats them and asks nobody.  Whether one is made
 * here depends on the stream and on that answer alone.
 */
#ifndef FOREBAY_SCORER_LOOKUP_H
#define FOREBAY_SCORER_LOOKUP_H

#include "common/cache/cache.h"
#include "common/worker/worker.h"
#include "workers/realtime-scorer/ondemand.h"
#include "workers/realtime-scorer/options.h"
#include "workers/realtime-scorer/stream.h"

enum lookup_outcome { LOOKUP_CACHE, LOOKUP_MADE, LOOKUP_NOTHING, LOOKUP_OUTCOMES };

/* Zeroed is closed. */
struct lookup {
	struct cache *cache;
	struct ondemand *ondemand;
	struct codec *codec; /* of forecasts; the worker's */
	size_t max_steps, max_levels;
	struct metric_series *outcomes[LOOKUP_OUTCOMES], *seconds;
};

int lookup_open(struct lookup *l, const struct scorer_options *opt, struct worker *w, struct codec *codec,
		struct err *err);
void lookup_close(struct lookup *l);

/* A value of EVENT_US asks, see stream_asks(). */
struct question {
	struct span device, metric, key; /* key: of the stream's state */
	const struct stream *stream;
	int64_t event_us;
};

/* *RET is the caller's; NULL: there is none.  -1 on NO_MEMORY. */
int lookup_find(struct lookup *l, struct context *ctx, const struct question *q, struct held **ret, struct err *err);

#endif
