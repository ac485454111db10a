/* options.h -- the scorer's own options, and the rule they make. */
#ifndef FOREBAY_SCORER_OPTIONS_H
#define FOREBAY_SCORER_OPTIONS_H

#include <stdint.h>

#include "common/config/options.h"
#include "common/detect/settings.h"
#include "workers/realtime-scorer/collective.h"
#include "workers/realtime-scorer/ondemand.h"
#include "workers/realtime-scorer/stream.h"

struct scorer_options {
	char *scores_topic, *anomalies_topic, *alerts_topic;
	char *groups;
	struct settings settings;
	int64_t forecast_max_steps, forecast_max_levels;
	char *cache_uri;
	int64_t cache_timeout_ms, cache_window_ms;
	int64_t forecast_retry_ms;
	int64_t ondemand_steps, ondemand_step_ms;
	char *ondemand_members;
	int64_t ondemand_paths, ondemand_seed;
	char *models_family;
	int64_t models_refresh_ms;
};

extern const struct option scorer_option_table[];
extern const size_t scorer_option_count;

/* What the options mean to a stream.  -1 on OPTION_INVALID: values that do not go together. */
int scorer_rule(const struct scorer_options *opt, struct stream_rule *rule, struct err *err);

/* What they mean to a group.  -1 on OPTION_INVALID. */
int scorer_collective_rule(const struct scorer_options *opt, struct collective_rule *rule, struct err *err);

/* What they mean to forecasts on demand.  -1 on OPTION_INVALID. */
int scorer_ondemand_rule(const struct scorer_options *opt, struct ondemand_rule *rule, struct err *err);

#endif
