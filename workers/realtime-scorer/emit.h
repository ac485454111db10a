/* emit.h -- what the scorer says of values and rows: a score each, alerts and anomalies where they are due; and it counts them. */
#ifndef FOREBAY_SCORER_EMIT_H
#define FOREBAY_SCORER_EMIT_H

#include "common/worker/worker.h"
#include "workers/realtime-scorer/options.h"
#include "workers/realtime-scorer/words.h"

enum emit_basis { BASIS_FORECAST, BASIS_ONDEMAND, BASIS_NONE, BASIS_COUNT };

struct emitter {
	struct output *scores, *anomalies, *alerts; /* the worker's */
	double critical_p, firing_onset;
	struct metric_series *bases[BASIS_COUNT], *rows[COLLECTIVE_KINDS], *opened, *resolved, *onsets, *accepted;
};

int emit_open(struct emitter *e, struct worker *w, const struct scorer_options *opt, struct err *err);

/* What SCORE, which is not ORDER_REPEATED, says of V of R; STREAM after it.  -1: nothing of this record has left. */
int emit_value(struct emitter *e, struct context *ctx, const struct reading *r, const struct reading_value *v,
	       const struct stream *stream, const struct stream_score *score, struct err *err);

/* What SCORE says of R's row of the group WHICH; C after it. */
int emit_row(struct emitter *e, struct context *ctx, const struct reading *r, const struct group_rule *which,
	     const struct collective *c, const struct collective_score *score, struct err *err);

#endif
