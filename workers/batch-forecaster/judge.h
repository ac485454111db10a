/*
 * judge.h -- steps that were owed meet their values: what each member lost by them is learnt, the detector of drift is told, and so is
 * topic forecasts.outcomes.  One owner.
 */
#ifndef FOREBAY_FORECASTER_JUDGE_H
#define FOREBAY_FORECASTER_JUDGE_H

#include "common/worker/worker.h"
#include "workers/batch-forecaster/serving.h"

struct judge {
	const struct forecast_plan *plan;
	struct output *output;                       /* the worker's; NULL: nobody is told */
	struct metric_series *outcomes[2], *dropped; /* without and with drift */
};

/* -1 on NO_MEMORY, what schemas and registry say. */
int judge_open(struct judge *j, const struct forecaster_options *opt, const struct forecast_plan *plan,
	       struct worker *w, struct err *err);

/*
 * O's history has grown by W: every step owed whose value is known by now is judged by DESK's panel.  A value that is missing, or made
 * up from its neighbours, judges nothing.  -1 on NO_MEMORY.
 */
int judge_settle(struct judge *j, struct context *ctx, const struct desk *desk, const struct order *o,
		 const struct series *w, struct err *err);

#endif
