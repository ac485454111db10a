/*
 * track.h -- all that is kept of one series; or, under a key that no series has, which models a partition has been told of.  The
 * state of a key.  A copy is cheap: what is large is shared.
 */
#ifndef FOREBAY_FORECASTER_TRACK_H
#define FOREBAY_FORECASTER_TRACK_H

#include "workers/batch-forecaster/adopted.h"
#include "workers/batch-forecaster/history.h"
#include "workers/batch-forecaster/learnt.h"
#include "workers/batch-forecaster/owed.h"
#include "workers/batch-forecaster/roster.h"
#include "workers/batch-forecaster/watch.h"

/* Zeroed: a new series, a partition that has not been told of any model. */
struct track {
	struct history history;
	struct adopted *adopted; /* versions in use */
	struct learnt *learnt;
	struct owed *owed[ENSEMBLE_BUCKETS_MAX]; /* steps to be judged: at most one for each part of the horizon */
	struct watch watch;
	struct roster roster; /* empty in a series */
};

/* All that was learnt and is owed: another step or another unit make another series of it. */
void track_forget(struct track *t);
void track_drop_owed(struct track *t);

/* For struct state_type. */
int track_copy(void *to, const void *from);
void track_clear(void *state);

#endif
