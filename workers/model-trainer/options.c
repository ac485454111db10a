/* options.c -- the table of the trainer's options, and what they come to. */
#include "workers/model-trainer/options.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/random.h"

#define AT(field) offsetof(struct trainer_options, field)

const struct option trainer_option_table[] = {
	/* key, type, field, default, min, max, unit or choices, what it does */
	{ "mode", OPTION_CHOICE, AT(mode), "watch", 0, 0, "watch|once",
	  "watch: follow outcomes, train when needed, for ever; once: train now, pass the gate, leave" },
	{ "bootstrap.servers", OPTION_TEXT, AT(bootstrap_servers), NULL, 1, 4096, "",
	  "brokers to start from, host:port, comma separated" },
	{ "instance.id", OPTION_TEXT, AT(instance_id), "", 0, 200, "", "name in the log; empty: a random one" },
	{ "series.topic", OPTION_TEXT, AT(series_topic), "telemetry.series", 1, 249, "", "what is learnt from" },
	{ "outcomes.topic", OPTION_TEXT, AT(outcomes_topic), "forecasts.outcomes", 1, 249, "",
	  "what became of forecasts: canaries and drift are judged by it" },
	{ "models.topic", OPTION_TEXT, AT(models_topic), "models", 1, 249, "", "where versions are announced" },
	{ "schema.registry.url", OPTION_SECRET, AT(schema_registry_url), "file:", 1, 4096, "",
	  "file: (ids pinned beside the schemas) or http(s)://… of a Confluent-compatible registry" },
	{ "schema.dir", OPTION_TEXT, AT(schema_dir), FOREBAY_DATA_DIR "/schemas", 1, 4096, "",
	  "directory of the *.avsc files" },
	{ "postgres.uri", OPTION_SECRET, AT(postgres_uri), NULL, 1, 4096, "",
	  "postgresql://user:password@host:port/database where models and trainings under way are kept" },
	{ "postgres.connect.timeout.ms", OPTION_INT, AT(connect_timeout_ms), "5000", 1, 600000, "ms",
	  "how long a connection attempt may take" },
	{ "request.timeout.ms", OPTION_INT, AT(request_timeout_ms), "15000", 100, 600000, "ms",
	  "how long an answer of the brokers is waited for" },
	{ "errors.retry.delay.max.ms", OPTION_INT, AT(retry_delay_max_ms), "10000", 1, 3600000, "ms",
	  "longest pause between two attempts" },
	{ "shutdown.timeout.ms", OPTION_INT, AT(shutdown_timeout_ms), "2000", 100, 600000, "ms",
	  "after SIGTERM: time to save the progress; what was not saved is trained again" },
	{ "queue.max.bytes", OPTION_BYTES, AT(queue_max_bytes), "64M", 1 << 20, 2e9, "bytes",
	  "what may be fetched ahead" },
	{ "listen", OPTION_TEXT, AT(listen), ":8083", 0, 256, "", "address of /health and /metrics; empty: none" },
	{ "log.level", OPTION_TEXT, AT(log_level), "info", 1, 10, "", "trace, debug, info, warn or error" },
	{ "poll.interval.ms", OPTION_INT, AT(poll_ms), "5000", 50, 3600000, "ms",
	  "mode=watch: pause between two looks at outcomes and models" },
	{ "model.name", OPTION_TEXT, AT(model_name), "deepar", 1, 40, "",
	  "a model of hourly series is called <model.name>-1h" },
	{ "train.frequencies", OPTION_TEXT, AT(frequencies), "", 0, 500, "",
	  "steps of the series to train for (1min,1h), comma separated; empty: all there are" },
	{ "horizon.steps", OPTION_INT, AT(horizon), "60", 1, 10000, "steps",
	  "how far the model reaches; not less than the batch forecaster's" },
	{ "quantiles", OPTION_TEXT, AT(quantiles),
	  "0.025,0.05,0.1,0.15,0.2,0.25,0.3,0.35,0.4,0.45,0.5,0.55,0.6,0.65,0.7,0.75,0.8,0.85,0.9,0.95,0.975", 1, 2000,
	  "", "levels that weights and shifts are fitted for: ascending, above 0, below 1; 0.1 and 0.9 among them" },
	{ "members", OPTION_TEXT, AT(members), "all", 1, 200, "",
	  "of the ensemble: last, season, long-season, theta, ets, ridge, deepar" },
	{ "forecast.paths", OPTION_INT, AT(paths), "100", 1, 1024, "paths", "that DeepAR draws, for each network" },
	{ "forecast.history.steps", OPTION_INT, AT(forecast_history), "1000", 0, 1e7, "steps",
	  "points that classical members look at; 0: all" },
	{ "train.history.steps", OPTION_INT, AT(history_steps), "10080", 10, 1e7, "steps",
	  "newest points of each series that are learnt from" },
	{ "history.gap.max.steps", OPTION_INT, AT(gap_steps), "1440", 0, 1e7, "steps",
	  "a hole between two windows that is longer starts the series anew" },
	{ "train.series.max", OPTION_INT, AT(series_max), "1000", 1, 1e6, "series",
	  "with more of them a sample by the hash of device and metric is taken" },
	{ "train.series.min", OPTION_INT, AT(series_min), "1", 1, 1e6, "series",
	  "that are long enough; with fewer there is no training" },
	{ "train.points.min", OPTION_INT, AT(points_min), "1000", 300, 1e12, "points",
	  "with fewer there is no training" },
	{ "train.networks", OPTION_INT, AT(networks), "3", 1, ARTEFACT_NETWORKS_MAX, "networks",
	  "trained one after the other; forecasts are their mixture" },
	{ "train.seconds", OPTION_REAL, AT(seconds), "600", 0, 1e7, "s",
	  "CPU time for all networks together; 0: no limit" },
	{ "train.epochs", OPTION_INT, AT(epochs), "100", 1, 1e6, "epochs", "at most, of each network" },
	{ "train.batches", OPTION_INT, AT(batches), "50", 1, 1e6, "batches", "in an epoch" },
	{ "train.batch.windows", OPTION_INT, AT(batch), "32", 1, 4096, "windows", "in a batch" },
	{ "train.validation.windows", OPTION_INT, AT(validation_windows), "2", 0, 100, "windows",
	  "of horizon.steps, held back at the end of each series to choose the best weights; 0: the last ones" },
	{ "train.validation.every", OPTION_INT, AT(validation_every), "5", 1, 1000, "epochs",
	  "between two validations" },
	{ "train.validation.series", OPTION_INT, AT(validation_series), "200", 1, 1e6, "series",
	  "at most, evenly chosen" },
	{ "train.patience", OPTION_INT, AT(patience), "3", 1, 1000, "validations",
	  "without a better one before the rate is halved; the third halving ends it" },
	{ "train.rate", OPTION_REAL, AT(rate), "0.001", 1e-7, 1, "", "of learning (Adam)" },
	{ "train.weight.decay", OPTION_REAL, AT(weight_decay), "1e-8", 0, 1, "", "of Adam" },
	{ "train.clip", OPTION_REAL, AT(clip), "10", 1e-6, 1e6, "", "greatest norm of a gradient" },
	{ "train.scale.weighted", OPTION_REAL, AT(scale_weighted), "0", 0, 1, "",
	  "0: every window equally likely; 1: in proportion to the mean |value| of its series" },
	{ "train.context.steps", OPTION_INT, AT(context), "0", 0, 10000, "steps",
	  "read before each forecast; 0: by the horizon" },
	{ "train.layers", OPTION_INT, AT(layers), "2", 1, DEEPAR_LAYERS_MAX, "layers", "of the network" },
	{ "train.hidden", OPTION_INT, AT(hidden), "40", 1, DEEPAR_HIDDEN_MAX, "cells", "of each layer" },
	{ "train.dropout", OPTION_REAL, AT(dropout), "0.1", 0, 0.99, "", "between layers" },
	{ "train.head", OPTION_CHOICE, AT(head), "student-t", 0, 0, "student-t|normal|negative-binomial|beta",
	  "the distribution of a value; negative-binomial: counts; beta: shares in (0, 1)" },
	{ "train.seed", OPTION_INT, AT(seed), "1", 0, 1e15, "",
	  "the same series, options and seed give the same weights" },
	{ "train.save.seconds", OPTION_INT, AT(save_seconds), "30", 0, 86400, "s",
	  "the progress is stored so often, for who goes on with it" },
	{ "fit.windows", OPTION_INT, AT(fit_windows), "3", 1, 100, "windows",
	  "held back to choose the ensemble's weights and the calibration" },
	{ "fit.series.max", OPTION_INT, AT(fit_series), "200", 1, 1e6, "series", "at most for that, evenly chosen" },
	{ "gate.windows", OPTION_INT, AT(gate_windows), "2", 1, 100, "windows",
	  "of horizon.steps at the end of each series that no training sees: the gate is judged on them" },
	{ "gate.series.max", OPTION_INT, AT(gate_series), "200", 1, 1e6, "series", "at most for that, evenly chosen" },
	{ "gate.ratio.max", OPTION_REAL, AT(gate_ratio), "1.00", 0, 100, "",
	  "loss of the new version over that of the live one, at most" },
	{ "gate.bound.max", OPTION_REAL, AT(gate_bound), "1.01", 0, 100, "", "its upper bound of 95 %, at most" },
	{ "gate.coverage.min", OPTION_REAL, AT(gate_coverage_min), "0.76", 0, 1, "",
	  "share of values that the 80 % interval holds, at least" },
	{ "gate.coverage.max", OPTION_REAL, AT(gate_coverage_max), "0.84", 0, 1, "", "… and at most" },
	{ "gate.latency.ms", OPTION_REAL, AT(gate_latency_ms), "50", 0.001, 1e6, "ms",
	  "CPU time of one forecast, the slowest in a hundred, at most" },
	{ "gate.floor.max", OPTION_REAL, AT(gate_floor), "1.00", 0, 100, "",
	  "loss of the new version over that of the best naive member, at most" },
	{ "gate.resamples", OPTION_INT, AT(gate_resamples), "2000", 100, 1000000, "draws", "of the bootstrap" },
	{ "gate.canary.share", OPTION_REAL, AT(canary_share), "0.1", 0, 1, "",
	  "of the devices that a version on trial serves; 0: no trial, it lives at once" },
	{ "gate.canary.series", OPTION_INT, AT(canary_series), "20", 1, 1e6, "series", "a trial needs so many …" },
	{ "gate.canary.outcomes", OPTION_INT, AT(canary_outcomes), "500", 1, 1e12, "outcomes",
	  "… and so many outcomes" },
	{ "gate.canary.bound.max", OPTION_REAL, AT(canary_bound), "1.01", 0, 100, "",
	  "upper bound of 95 % of the canary's loss over that of the live version, at most" },
	{ "gate.canary.hours", OPTION_REAL, AT(canary_hours), "24", 0.0001, 8760, "hours",
	  "a canary without proof by then is rejected" },
	{ "drift.window.ms", OPTION_INT, AT(drift_window_ms), "21600000", 1000, 1e13, "ms",
	  "event time, back from the newest, in which alarms are counted" },
	{ "drift.share", OPTION_REAL, AT(drift_share), "0.2", 0, 1, "",
	  "of the series seen in it: so many with an alarm ask for a training" },
	{ "drift.series.min", OPTION_INT, AT(drift_series), "3", 1, 1e6, "series", "… and at least so many" },
	{ "drift.retrain.min.seconds", OPTION_INT, AT(retrain_min_seconds), "3600", 0, 1e9, "s",
	  "between the end of a training and the next one" },
	{ "retrain.every.seconds", OPTION_INT, AT(retrain_every_seconds), "0", 0, 1e9, "s",
	  "train again at this age; 0: only when series drift" },
};
const size_t trainer_option_count = sizeof(trainer_option_table) / sizeof(trainer_option_table[0]);

static bool
among(const struct trainer_rules *rules, double level)
{
	for (size_t i = 0; i < rules->n_levels; i++)
		if (fabs(rules->levels[i] - level) < 1e-6)
			return true;
	return false;
}

static int
read_levels(const char *text, struct trainer_rules *rules, struct err *err)
{
	double last = 0;

	while (*text) {
		char *behind;
		double level = strtod(text, &behind);

		behind += strspn(behind, " ");
		if (behind == text || (*behind && *behind != ',') || !(level > last) || !(level < 1))
			return err_set(err, REASON_OPTION_INVALID,
				       "quantiles: \"%.40s\": ascending numbers above 0 and below 1 are needed", text);
		if (rules->n_levels == ENSEMBLE_LEVELS_MAX)
			return err_set(err, REASON_OPTION_INVALID, "quantiles: at most %d", ENSEMBLE_LEVELS_MAX);
		rules->levels[rules->n_levels++] = last = level;
		text = *behind ? behind + 1 : behind;
	}
	if (!among(rules, .1) || !among(rules, .9))
		return err_set(err, REASON_OPTION_INVALID,
			       "quantiles: 0.1 and 0.9 are needed: the gate judges what lies between them");
	return 0;
}

static void
train_rule(const struct trainer_options *opt, struct train_options *t)
{
	train_options_default(t);
	t->networks = (int32_t)opt->networks;
	t->epochs = (int32_t)opt->epochs;
	t->batches = (int32_t)opt->batches;
	t->batch = (int32_t)opt->batch;
	t->validation_windows = (int32_t)opt->validation_windows;
	t->validation_every = (int32_t)opt->validation_every;
	t->validation_series = (int32_t)opt->validation_series;
	t->patience = (int32_t)opt->patience;
	t->rate = opt->rate;
	t->weight_decay = opt->weight_decay;
	t->clip = opt->clip;
	t->scale_weighted = opt->scale_weighted;
	t->seconds = opt->seconds;
	t->seed = (uint64_t)opt->seed;
}

int
trainer_rules_make(const struct trainer_options *opt, struct trainer_rules *ret, struct err *err)
{
	const struct paired_rule bootstrap = { (size_t)opt->gate_resamples, .95, (uint64_t)opt->seed };

	*ret = (struct trainer_rules){
		.past = { (size_t)opt->history_steps, opt->gap_steps },
		.gate = { opt->gate_ratio, opt->gate_bound, opt->gate_coverage_min, opt->gate_coverage_max,
			  opt->gate_latency_ms, opt->gate_floor, bootstrap },
		.watch = { .canary_series = (size_t)opt->canary_series,
			   .canary_outcomes = (size_t)opt->canary_outcomes,
			   .bound_max = opt->canary_bound,
			   .canary_us = (int64_t)(opt->canary_hours * 3600e6),
			   .drift_us = opt->drift_window_ms * US_PER_MS,
			   .drift_share = opt->drift_share,
			   .drift_series = (size_t)opt->drift_series,
			   .retrain_least_us = opt->retrain_min_seconds * US_PER_SECOND,
			   .retrain_every_us = opt->retrain_every_seconds * US_PER_SECOND,
			   .bootstrap = bootstrap },
	};
	if (read_levels(opt->quantiles, ret, err) < 0 || panel_members_parse(opt->members, &ret->members, err) < 0)
		return -1;
	if (!(ret->members & 1U << PANEL_DEEPAR))
		return err_set(err, REASON_OPTION_INVALID, "members: \"%.100s\" has no deepar to train", opt->members);
	train_rule(opt, &ret->train);
	return 0;
}

struct panel_rule
trainer_panel(const struct trainer_options *opt, const struct trainer_rules *rules, const struct frequency *f)
{
	struct panel_rule p = { .frequency = *f,
				.horizon = (size_t)opt->horizon,
				.n_levels = rules->n_levels,
				.members = rules->members,
				.paths = (size_t)opt->paths,
				.seed = (uint64_t)opt->seed,
				.history_max = (size_t)opt->forecast_history,
				.calibrate = true };

	memcpy(p.levels, rules->levels, sizeof(p.levels));
	return p;
}

struct deepar_config
trainer_network(const struct trainer_options *opt, const struct frequency *f)
{
	struct deepar_config c;

	deepar_config_default(f, (int32_t)opt->horizon, &c);
	if (opt->context)
		c.context = (int32_t)opt->context;
	c.layers = (int32_t)opt->layers;
	c.hidden = (int32_t)opt->hidden;
	c.dropout = opt->dropout;
	c.head = (enum deepar_head)opt->head;
	return c;
}

uint64_t
trainer_options_hash(const struct trainer_options *opt, const struct frequency *f)
{
	char text[1000];
	int n = snprintf(text, sizeof(text),
			 "%s h%" PRId64 " w%" PRId64 " n%" PRId64 " e%" PRId64 " b%" PRId64 "x%" PRId64 " v%" PRId64
			 "/%" PRId64 "/%" PRId64 " p%" PRId64 " c%" PRId64 " l%" PRId64 "x%" PRId64 " s%" PRId64
			 " head%d %a %a %a %a %a",
			 f->name, opt->horizon, opt->gate_windows, opt->networks, opt->epochs, opt->batches, opt->batch,
			 opt->validation_windows, opt->validation_every, opt->validation_series, opt->patience,
			 opt->context, opt->layers, opt->hidden, opt->seed, opt->head, opt->rate, opt->weight_decay,
			 opt->clip, opt->dropout, opt->scale_weighted);

	return random_hash((struct span){ text, (size_t)n });
}

size_t
trainer_needs(const struct trainer_options *opt)
{
	int64_t held = opt->fit_windows > opt->validation_windows ? opt->fit_windows : opt->validation_windows;

	return (size_t)((opt->gate_windows + held + 1) * opt->horizon + 1);
}

size_t
trainer_seen(const struct trainer_options *opt, size_t n)
{
	return n >= trainer_needs(opt) ? n - (size_t)(opt->gate_windows * opt->horizon) : n;
}
