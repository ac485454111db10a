/* alerts.h -- alert records: who, since when, how bad, and one line for people. */
#ifndef FOREBAY_SCORER_ALERTS_H
#define FOREBAY_SCORER_ALERTS_H

#include "common/base/arena.h"
#include "common/record/alert.h"
#include "common/record/score.h"
#include "workers/realtime-scorer/stream.h"

/*
 * The record that SCORE's verdict (EPISODE_OPENED or EPISODE_CLOSED) asks for; RECORD is the score record of the same value,
 * EPISODE the stream's after it.  Texts live in ARENA.  -1 on NO_MEMORY.
 */
int alert_make(const struct stream_score *score, const struct score *record, const struct episode *episode,
	       double critical_p, struct arena *arena, struct alert *ret, struct err *err);

#endif
