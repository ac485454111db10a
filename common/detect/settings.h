/*
 * settings.h -- what may be said about detection from outside, by whoever detects: one table of keys (settings.def), one
 * meaning.  So a file is judged by the same rule as a stream.
 */
#ifndef FOREBAY_DETECT_SETTINGS_H
#define FOREBAY_DETECT_SETTINGS_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/detect/detector.h"
#include "common/detect/group.h"
#include "common/detect/order.h"

/* Filled by an option table that includes settings.def. */
struct settings {
	int64_t slots_per_day, warmup_readings, state_readings;
	double pending_p, firing_p, critical_p;
	int64_t firing_readings, window_readings, calm_readings, refractory_readings;
	double calm_ratio, refire_ratio;
	int64_t jump_max_ms, late_max_readings;
	char *members;
	double fdr_level;
	int64_t fdr_memory, accept_readings, flap_alerts, flap_ms;
	int64_t forest_trees, forest_sample, forest_shingle, group_shingle;
	int64_t neighbours_length, neighbours_stride, neighbours_bank, neighbours_nearest;
};

/*
 * What the settings mean to a detector; members of *RET that no setting speaks of stay as they are.  -1 on OPTION_INVALID: values
 * that do not go together.
 */
int settings_detector(const struct settings *s, struct detector_options *ret, struct err *err);

/* What they mean to a group, but for the number of its columns.  -1 on OPTION_INVALID. */
int settings_group(const struct settings *s, struct group_options *ret, struct err *err);

/* What they mean to a stream's clock. */
struct order_rule settings_order(const struct settings *s);

#endif
