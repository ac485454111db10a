/*
 * lookup.h -- a forecast for a value that none held reaches to: what Redis has, else one made here from the stream's near past.
 *
 * Answers of Redis are noted in fleet.journal, and so is the version of a trained model that took part in a forecast made here: who folds
 * the same records again repeats them, asks nobody, and uses that very version.  Nothing noted means that none took part.  All else
 * depends on the stream alone.
 */
#ifndef FOREBAY_SCORER_LOOKUP_H
#define FOREBAY_SCORER_LOOKUP_H

#include "common/cache/cache.h"
#include "common/worker/trained.h"
#include "common/worker/worker.h"
#include "workers/realtime-scorer/ondemand.h"
#include "workers/realtime-scorer/options.h"
#include "workers/realtime-scorer/stream.h"
#include "workers/realtime-scorer/versions.h"

enum lookup_outcome { LOOKUP_CACHE, LOOKUP_MADE, LOOKUP_MODEL, LOOKUP_NOTHING, LOOKUP_OUTCOMES };

/* Zeroed is closed. */
struct lookup {
	struct cache *cache;
	struct ondemand *ondemand;
	struct trained trained;
	struct versions *versions; /* NULL: no trained model is wanted */
	struct codec *codec;       /* of forecasts; the worker's */
	size_t max_steps, max_levels;
	struct metric_series *outcomes[LOOKUP_OUTCOMES], *seconds;
};

/* MODELS: where trained models come from; list NULL: PostgreSQL, which the options must name if any is wanted. */
int lookup_open(struct lookup *l, const struct scorer_options *opt, const struct versions_source *models,
		struct worker *w, struct codec *codec, struct err *err);
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
