/*
 * batch.h -- series that wait for their forecast within a transaction, and the hooks of the worker.
 *
 * A series waits at most once: a second window of it first sends the forecast of the one before.  So each new window gives
 * one forecast from the history up to its own end, wherever transactions begin and end.
 */
#ifndef FOREBAY_FORECASTER_BATCH_H
#define FOREBAY_FORECASTER_BATCH_H

#include "common/base/map.h"
#include "workers/batch-forecaster/serving.h"

enum window_outcome { WINDOW_NEW, WINDOW_RESTART, WINDOW_OLD, WINDOW_OUTCOMES };

struct forecaster {
	struct forecaster_options opt;
	struct serving serving;
	struct codec *windows;
	struct map *waiting; /* keys of states; those of a transaction that was given up are stale */
	struct metric_series *outcomes[WINDOW_OUTCOMES];
};

/* The hooks of struct worker_spec; SELF is the forecaster. */
int forecaster_open(void *self, struct worker *w, struct err *err);
int forecaster_record(void *self, struct context *ctx, const struct input *in, struct err *err);
int forecaster_flush(void *self, struct context *ctx, struct err *err);
void forecaster_close(void *self);

#endif
