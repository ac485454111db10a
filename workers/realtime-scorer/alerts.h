/* alerts.h -- records about what is strange: who, since when, how bad, and one line for people. */
#ifndef FOREBAY_SCORER_ALERTS_H
#define FOREBAY_SCORER_ALERTS_H

#include "common/base/arena.h"
#include "common/detect/episode.h"
#include "common/record/alert.h"
#include "common/record/anomaly.h"
#include "common/record/score.h"

/* What there is to say of one value of a stream, or one row of a group. */
struct finding {
	const struct score *record;    /* of the same value */
	const struct episode *episode; /* after it */
	struct span detector;          /* who minds most */
	double expected, lower, upper; /* by the forecast, else by the past; NaN: not known */
	struct span reason;            /* why it is strange, or that it is over */
};

/*
 * The record of an alert that ACTION opens or closes.  Its id is derived from device, metric and the event time it began at, so that
 * every repetition of the work names it alike, also when readings come again by another topic or offset, and a receiver sees one
 * alert.  Texts live in ARENA.  -1 on NO_MEMORY.
 */
int alert_make(const struct finding *f, enum episode_action action, double critical_p, struct arena *arena,
	       struct alert *ret, struct err *err);

/* The record of an anomaly, with the id of the alert that is open. */
int anomaly_make(const struct finding *f, enum anomaly_kind kind, struct arena *arena, struct anomaly *ret,
		 struct err *err);

#endif
