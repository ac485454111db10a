/* options.h -- the forecaster's own options, and the plan they make. */
#ifndef FOREBAY_FORECASTER_OPTIONS_H
#define FOREBAY_FORECASTER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config/options.h"
#include "common/forecast/drift.h"
#include "common/forecast/panel.h"
#include "workers/batch-forecaster/history.h"

#define PLAN_SEASONS_MAX 2

struct forecaster_options {
	char *forecasts_topic, *outcomes_topic;
	char *quantiles, *seasons, *members;
	int64_t horizon_steps, history_steps, history_gap_max_steps, classical_steps;
	int64_t paths, seed;
	bool calibrate;
	char *models_family;
	double drift_delta, drift_threshold, drift_alpha;
	int64_t drift_least;
	int64_t batch_max_series;
	char *cache_uri;
	int64_t cache_ttl_ms, cache_ttl_max_ms, cache_timeout_ms;
	int64_t cache_window_ms, cache_warm_bytes, cache_warm_per_second;
	double cache_target;
};

extern const struct option forecaster_option_table[];
extern const size_t forecaster_option_count;

/* What the options mean. */
struct forecast_plan {
	struct history_rule history;
	struct panel_rule panel; /* but for its frequency */
	int32_t seasons[PLAN_SEASONS_MAX];
	size_t n_seasons; /* 0: what follows from the step */
	struct page_hinkley_rule drift;
};

/* -1 on OPTION_INVALID. */
int forecast_plan_make(const struct forecaster_options *opt, struct forecast_plan *plan, struct err *err);

/*
 * The panel's rule for series of this step.  A step that no calendar knows (no whole number of seconds, longer than a week) has no
 * season of its own.  *TRAINED: is there a frequency that a model can have been trained for?
 */
struct panel_rule plan_rule(const struct forecast_plan *plan, int64_t step_us, bool *trained);

#endif
