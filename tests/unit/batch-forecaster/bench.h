/* bench.h -- what tests of the forecaster's hooks share: its options, announcements of models. */
#ifndef FOREBAY_TEST_FORECASTER_BENCH_H
#define FOREBAY_TEST_FORECASTER_BENCH_H

#include "tests/support/bookshelf.h"
#include "tests/support/workbench.h"
#include "workers/batch-forecaster/batch.h"
#include "workers/batch-forecaster/state.h"

#define STEP INT64_C(1000000)

extern const struct worker_spec bench_spec;

/* Three quantiles, four steps, a season of 6, histories of 60 steps; models from the bookshelf. */
struct forecaster bench_forecaster(int64_t batch_max_series);

/* Topic `models` says so.  What the worker's side() says. */
int bench_announce(struct workbench *b, const char *name, const char *version, enum model_status status, double share,
		   struct err *err);

#endif
