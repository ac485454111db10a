/* scorer.h -- what the worker holds between records: its rule, its topics, where it looks for forecasts, its counters. */
#ifndef FOREBAY_SCORER_SCORER_H
#define FOREBAY_SCORER_SCORER_H

#include "common/worker/worker.h"
#include "workers/realtime-scorer/emit.h"
#include "workers/realtime-scorer/lookup.h"
#include "workers/realtime-scorer/options.h"

enum scorer_outcome {
	OUTCOME_TAKEN,
	OUTCOME_LATE,
	OUTCOME_AHEAD,
	OUTCOME_REPEATED,
	OUTCOME_BAD_QUALITY,
	OUTCOME_COUNT
};

struct scorer {
	struct scorer_options opt;
	struct versions_source models; /* list NULL: PostgreSQL, if the options name it */
	struct stream_rule rule;
	struct codec *readings, *forecasts; /* the worker's */
	struct collective_rule collective;
	struct groups groups;
	struct lookup lookup;
	struct emitter emitter;
	struct metric_series *outcomes[OUTCOME_COUNT];
};

/* The hooks of struct worker_spec; SELF is the scorer. */
int scorer_open(void *self, struct worker *w, struct err *err);
int scorer_record(void *self, struct context *ctx, const struct input *in, struct err *err);
int scorer_side(void *self, struct context *ctx, const struct input *in, struct err *err);
void scorer_close(void *self);

#endif
