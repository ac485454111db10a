/* options.h -- the trainer's options.  Those that the workers have too are called as theirs. */
#ifndef FOREBAY_TRAINER_OPTIONS_H
#define FOREBAY_TRAINER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config/options.h"
#include "common/forecast/panel.h"
#include "common/forecast/train.h"
#include "workers/model-trainer/gate.h"
#include "workers/model-trainer/past.h"
#include "workers/model-trainer/watch.h"

enum trainer_mode { MODE_WATCH, MODE_ONCE };

struct trainer_options {
	int mode; /* enum trainer_mode */
	char *bootstrap_servers, *instance_id, *series_topic, *outcomes_topic, *models_topic;
	char *schema_registry_url, *schema_dir, *postgres_uri, *listen, *log_level;
	int64_t connect_timeout_ms, request_timeout_ms, retry_delay_max_ms, shutdown_timeout_ms, poll_ms,
	    queue_max_bytes;
	char *model_name, *frequencies, *quantiles, *members;
	int64_t horizon, paths, forecast_history;
	int64_t history_steps, gap_steps, series_max, series_min, points_min;
	int64_t networks, epochs, batches, batch, validation_windows, validation_every, validation_series, patience;
	int64_t context, layers, hidden, seed, save_seconds;
	int head; /* enum deepar_head */
	double seconds, rate, weight_decay, clip, dropout, scale_weighted;
	int64_t fit_windows, fit_series;
	int64_t gate_windows, gate_series, gate_resamples;
	double gate_ratio, gate_bound, gate_coverage_min, gate_coverage_max, gate_latency_ms, gate_floor;
	double canary_share;
	int64_t canary_series, canary_outcomes;
	double canary_hours, canary_bound;
	int64_t drift_window_ms, drift_series;
	double drift_share;
	int64_t retrain_min_seconds, retrain_every_seconds;
};

extern const struct option trainer_option_table[];
extern const size_t trainer_option_count;

/* What the options come to. */
struct trainer_rules {
	struct past_rule past;
	struct gate_rule gate;
	struct watch_rule watch;
	struct train_options train;
	double levels[ENSEMBLE_LEVELS_MAX];
	size_t n_levels;
	uint32_t members;
};

/* -1 on OPTION_INVALID. */
int trainer_rules_make(const struct trainer_options *opt, struct trainer_rules *ret, struct err *err);

/* Panel and network for series of this frequency. */
struct panel_rule trainer_panel(const struct trainer_options *opt, const struct trainer_rules *rules,
				const struct frequency *f);
struct deepar_config trainer_network(const struct trainer_options *opt, const struct frequency *f);

/* Of all that decides what a training of frequency F gives. */
uint64_t trainer_options_hash(const struct trainer_options *opt, const struct frequency *f);

/* Points that a series needs to take part in the gate: its windows, those that the training holds back, and one more. */
size_t trainer_needs(const struct trainer_options *opt);

/* Points of a series of N that the training sees: all but the gate's windows, where it takes part in the gate. */
size_t trainer_seen(const struct trainer_options *opt, size_t n);

#endif
