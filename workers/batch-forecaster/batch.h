/*
 * batch.h -- series that wait for their forecast within a transaction, and the hooks of the worker.
 *
 * A series waits at most once: a second window of it first sends the forecast of the one before.  So each new window gives
 * one forecast from the history up to its own end, wherever transactions begin and end.
 */
#ifndef FOREBAY_FORECASTER_BATCH_H
#define FOREBAY_FORECASTER_BATCH_H

#include "common/base/map.h"
#include "common/worker/trained.h"
#include "workers/batch-forecaster/judge.h"
#include "workers/batch-forecaster/serving.h"

#define ROSTER_KEY SPAN("\x1fmodels") /* of the state that holds a partition's roster; no device begins like that */

enum window_outcome { WINDOW_NEW, WINDOW_RESTART, WINDOW_OLD, WINDOW_OUTCOMES };

struct forecaster {
	struct forecaster_options opt;
	struct library_source source; /* get NULL: PostgreSQL, if the options name it */
	struct forecast_plan plan;
	struct trained trained;
	struct library *library;
	struct desks desks;
	struct serving serving;
	struct judge judge;
	struct codec *windows, *models;
	double flush_seconds; /* that a commit may take to forecast: the broker ends a transaction after a while */
	struct map *waiting;  /* keys of states; those of a transaction that was given up are stale */
	struct metric_series *outcomes[WINDOW_OUTCOMES];
};

/* The hooks of struct worker_spec; SELF is the forecaster. */
int forecaster_open(void *self, struct worker *w, struct err *err);
int forecaster_record(void *self, struct context *ctx, const struct input *in, struct err *err);
int forecaster_side(void *self, struct context *ctx, const struct input *in, struct err *err);
int forecaster_flush(void *self, struct context *ctx, struct err *err);
void forecaster_revoked(void *self, const char *topic, int32_t partition);
void forecaster_close(void *self);

#endif
