/* preprocessor.h -- what the worker holds between records: its rule, its topics, its counters. */
#ifndef FOREBAY_ETL_PREPROCESSOR_H
#define FOREBAY_ETL_PREPROCESSOR_H

#include "common/worker/worker.h"
#include "workers/etl-preprocessor/lateness.h"
#include "workers/etl-preprocessor/options.h"

enum outcome { TAKEN, MISSING, LATE, REPEATED, OUTLIER, DROPPED, WILD, OUTCOMES };

struct preprocessor {
	struct etl_options opt;
	struct cleaner_rule rule;
	struct codec *readings;
	struct output *series, *aggregates; /* aggregates NULL: none are written */
	struct metric_series *outcomes[OUTCOMES], *unit_changes;
	struct lateness lateness;
	int64_t told_us; /* monotonic: that most readings are late; 0: not yet */
};

/* The hooks of struct worker_spec; SELF is the preprocessor. */
int preprocessor_open(void *self, struct worker *w, struct err *err);
int preprocessor_record(void *self, struct context *ctx, const struct input *in, struct err *err);

/* "DEVICE<0x1f>METRIC": the key of a series' state.  ptr NULL when memory is out. */
struct span preprocessor_key(struct arena *a, struct span device, struct span metric);

#endif
