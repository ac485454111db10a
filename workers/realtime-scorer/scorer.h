/* scorer.h -- what the worker holds between records: its rule, its topics, where it looks for forecasts, its counters. */
#ifndef FOREBAY_SCORER_SCORER_H
#define FOREBAY_SCORER_SCORER_H

#include "common/worker/worker.h"
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
enum scorer_basis { BASIS_FORECAST, BASIS_ONDEMAND, BASIS_NONE, BASIS_COUNT };

struct scorer {
	struct scorer_options opt;
	struct stream_rule rule;
	struct codec *readings, *forecasts; /* the worker's */
	struct output *scores, *alerts;     /* the worker's */
	struct lookup lookup;
	struct metric_series *outcomes[OUTCOME_COUNT], *bases[BASIS_COUNT], *opened, *resolved;
};

/* The hooks of struct worker_spec; SELF is the scorer. */
int scorer_open(void *self, struct worker *w, struct err *err);
int scorer_record(void *self, struct context *ctx, const struct input *in, struct err *err);
int scorer_side(void *self, struct context *ctx, const struct input *in, struct err *err);
void scorer_close(void *self);

#endif
