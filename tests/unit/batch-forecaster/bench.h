/* bench.h -- what tests of the forecaster's hooks share: its options, windows of made-up series, models of random weights. */
#ifndef FOREBAY_TEST_FORECASTER_BENCH_H
#define FOREBAY_TEST_FORECASTER_BENCH_H

#include "tests/support/workbench.h"
#include "workers/batch-forecaster/batch.h"
#include "workers/batch-forecaster/state.h"

#define STEP INT64_C(1000000)

extern const struct worker_spec bench_spec;

/* Three quantiles, four steps, a season of 6, histories of 60 steps; models from bench_shelf. */
struct forecaster bench_forecaster(int64_t batch_max_series);

/* The artefacts that can be fetched, by version; fetched: how often something was. */
struct bench_shelf {
	struct {
		const char *version;
		struct buffer bytes;
	} models[8];
	size_t n, fetched;
	bool down; /* PostgreSQL is away */
};
extern struct bench_shelf bench_shelf;
void bench_shelf_clear(void);

/* An artefact of random weights for this frequency and horizon. */
void bench_model(const char *version, const char *frequency, int32_t horizon, uint64_t seed);

/* Topic `models` says so.  What the worker's side() says. */
int bench_announce(struct workbench *b, const char *name, const char *version, enum model_status status, double share,
		   struct err *err);

#endif
