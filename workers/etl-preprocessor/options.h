/* options.h -- the preprocessor's own options, and the rule they make. */
#ifndef FOREBAY_ETL_OPTIONS_H
#define FOREBAY_ETL_OPTIONS_H

#include <stdint.h>

#include "common/config/options.h"
#include "workers/etl-preprocessor/cleaner.h"

struct etl_options {
	char *series_topic, *aggregates_topic;
	int64_t step_ms, lateness_ms, reorder_max;
	int repeat_policy; /* enum repeat_policy */
	int late_policy;   /* 0 drop, 1 count */
	int resample;      /* enum resample_method */
	int gap_fill;      /* enum gap_method */
	int64_t gap_fill_max_steps, gap_max_steps;
	int outlier_policy; /* enum outlier_policy */
	double outlier_threshold;
	int64_t outlier_warmup, outlier_restart;
	int64_t window_steps, window_ms;
};

extern const struct option etl_option_table[];
extern const size_t etl_option_count;

/*
 * -1 on OPTION_INVALID: options that contradict each other, also as the state of a series would be larger than STATE_MAX_BYTES
 * (state.key.max.bytes) before its oldest readings go on.
 */
int etl_rule(const struct etl_options *opt, int64_t state_max_bytes, struct cleaner_rule *rule, struct err *err);

#endif
