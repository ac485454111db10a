/* options.h -- the forecaster's own options, and the plan they make. */
#ifndef FOREBAY_FORECASTER_OPTIONS_H
#define FOREBAY_FORECASTER_OPTIONS_H

#include <stdint.h>

#include "common/config/options.h"
#include "common/forecast/naive.h"
#include "workers/batch-forecaster/history.h"

#define PLAN_LEVELS_MAX 99
#define PLAN_SEASONS_MAX 8
#define PLAN_VERSION_BYTES 200

struct forecaster_options {
	char *forecasts_topic;
	char *quantiles, *seasons;
	int64_t horizon_steps, history_steps, history_gap_max_steps, residual_steps, residual_min;
	int64_t batch_max_series;
	char *cache_uri;
	int64_t cache_ttl_ms, cache_timeout_ms;
};

extern const struct option forecaster_option_table[];
extern const size_t forecaster_option_count;

/* What the options mean.  naive.seasons points into the plan: it is not to be copied. */
struct forecast_plan {
	struct history_rule history;
	struct naive_rule naive;
	int64_t seasons[PLAN_SEASONS_MAX];
	double levels[PLAN_LEVELS_MAX];
	size_t n_levels, horizon;
	char version[PLAN_VERSION_BYTES]; /* names every parameter that the numbers depend on */
};

/* -1 on OPTION_INVALID. */
int forecast_plan_make(const struct forecaster_options *opt, struct forecast_plan *plan, struct err *err);

#endif
