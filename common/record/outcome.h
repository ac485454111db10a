/*
 * outcome.h -- forecasts.outcomes: what became of one step of one forecast, once its value is known.  The model trainer judges
 * canaries and drift by them; they are kept as rows, too.
 */
#ifndef FOREBAY_RECORD_OUTCOME_H
#define FOREBAY_RECORD_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/record/codec.h"

/* Losses: mean over the levels of the pinball loss, divided by the scale: pure numbers, comparable between series. */
struct outcome_loss {
	struct span name; /* of a member: "season", "deepar" */
	double loss;
};

struct outcome {
	struct span device, metric;
	int64_t origin_us;          /* of the forecast */
	int64_t event_us;           /* start of the step that is judged */
	int32_t step;               /* its number, from 0 */
	double value;               /* what it was, in the metric's unit */
	double scale;               /* of the series when it was forecast: mean |value| of its last context, > 0 */
	double loss;                /* of the forecast as it was sent */
	double lower, upper;        /* its outermost quantiles */
	struct span model, version; /* that served it; version SPAN_NONE: no trained model took part */
	double model_loss;          /* of the trained model alone; NaN: none took part */
	struct span rival; /* the other version that this device's forecast was made with as well, unseen: of live and
				       canary the one that did not serve; SPAN_NONE: there was none */
	double rival_loss; /* of the rival alone; NaN */
	struct outcome_loss *members;
	size_t n_members;
	bool drift; /* this series' losses have grown for good: the detector alarmed at this value */
	int64_t ingest_us;
};

extern const struct record_type outcome_record;

#endif
