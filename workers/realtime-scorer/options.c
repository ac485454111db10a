/* options.c -- the table of the scorer's options. */
#include "workers/realtime-scorer/options.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/forecast/engine.h"
#include "common/forecast/panel.h"

#define AT(field) offsetof(struct scorer_options, field)

const struct option scorer_option_table[] = {
	/* key, type, field, default, min, max, unit or choices, what it does */
	{ "scores.topic", OPTION_TEXT, AT(scores_topic), "scores", 1, 249, "", "where scores go" },
	{ "anomalies.topic", OPTION_TEXT, AT(anomalies_topic), "anomalies", 1, 249, "", "where anomalies go" },
	{ "alerts.topic", OPTION_TEXT, AT(alerts_topic), "alerts", 1, 249, "", "where alerts go" },
#undef AT
#define AT(field) offsetof(struct scorer_options, settings.field)
#define SETTINGS_MEMBERS "scalar,forecast" /* what any number of series can afford */
#include "common/detect/settings.def"
#undef AT
#define AT(field) offsetof(struct scorer_options, field)
	{ "detect.groups", OPTION_TEXT, AT(groups), "", 0, 65536, "",
	  "metrics of a device that are judged together, by a forest over the rows that they make: NAME=METRIC,METRIC...; NAME=..., where * "
	  "stands for all metrics of the device, learnt from its first readings.  A device takes part where a reading carries at least half "
	  "of the metrics; scores, anomalies and alerts call it group:NAME.  Each device's group takes as much memory, and as much of the "
	  "database, as a forest of its own (forest.trees); that is why there is none until asked for" },
	{ "forecast.max.steps", OPTION_INT, AT(forecast_max_steps), "1000", 1, 10000, "steps",
	  "what is held of a forecast, per series, 4 bytes a step and level; later steps are not used" },
	{ "forecast.max.levels", OPTION_INT, AT(forecast_max_levels), "99", 1, 1000, "levels",
	  "a forecast with more quantile levels is dead-lettered" },
	{ "forecast.retry.ms", OPTION_INT, AT(forecast_retry_ms), "3600000", 1000, 31536000000.0, "ms",
	  "a series that no forecast is held of, or whose forecast has run out, asks for one (cache, ondemand) at most once in this "
	  "time, by its event times" },
	{ "ondemand.history.steps", OPTION_INT, AT(ondemand_steps), "0", 0, RECENT_STEPS_MAX, "steps",
	  "means of the near past that are kept per series, so that a forecast can be made here where none comes by topic or cache; "
	  "0: none is made.  4 bytes each, in memory and in every stored state, which is why it is off until asked for; a season needs "
	  "8 steps more than its length (32 of an hour), other forecasts 12" },
	{ "ondemand.step.ms", OPTION_INT, AT(ondemand_step_ms), "3600000", 1000, 604800000, "ms",
	  "length of such a step: whole seconds, and not much longer than readings are apart, as a mean of many values moves less than "
	  "each of them" },
	{ "ondemand.members", OPTION_TEXT, AT(ondemand_members), "season,last", 1, 200, "",
	  "who makes such a forecast, comma separated: last, season, long-season, theta, ets, ridge, deepar; or all.  deepar is the trained "
	  "model of ondemand.step.ms that lives (or the canary, for its share of the devices), out of postgres.uri; it is asked once it can "
	  "look back as far as it wants to (its context and greatest lag), which ondemand.history.steps must allow; where it is not at "
	  "hand the others make the forecast, and the score's model says so: ondemand/classical" },
	{ "ondemand.paths", OPTION_INT, AT(ondemand_paths), "100", 1, ENGINE_PATHS_MAX, "paths",
	  "futures that a trained model draws for one forecast, its networks together; each of them 32 or more" },
	{ "ondemand.seed", OPTION_INT, AT(ondemand_seed), "1", 0, 9007199254740992.0, "",
	  "seed of what is drawn: the same readings and the same seed give the same forecasts" },
	{ "models.family", OPTION_TEXT, AT(models_family), "deepar", 1, 64, "",
	  "models of this family are used, others are left alone" },
	{ "models.refresh.ms", OPTION_INT, AT(models_refresh_ms), "10000", 0, 86400000, "ms",
	  "PostgreSQL is asked again which models live when a forecast is to be made and the last answer is older than this" },
	{ "cache.uri", OPTION_SECRET, AT(cache_uri), "", 0, 4096, "",
	  "redis://[[user]:password@]host[:port][/db]: asked for the forecast of a series that none is held of or whose forecast has run "
	  "out; empty: never, and then scores depend on the topics alone" },
	{ "cache.timeout.ms", OPTION_INT, AT(cache_timeout_ms), "50", 1, 60000, "ms",
	  "how long the cache may keep us waiting" },
	{ "cache.ratio.window.ms", OPTION_INT, AT(cache_window_ms), "300000", 1000, 86400000, "ms",
	  "the hit ratio is that of so much time; the forecaster's must be the same, for it goes by what is reported here" },
};
const size_t scorer_option_count = sizeof(scorer_option_table) / sizeof(scorer_option_table[0]);

int
scorer_rule(const struct scorer_options *opt, struct stream_rule *rule, struct err *err)
{
	*rule = (struct stream_rule){
		.detector = detector_defaults(),
		.order = settings_order(&opt->settings),
		.recent = { opt->ondemand_step_ms * US_PER_MS, (size_t)opt->ondemand_steps },
		.retry_us = opt->forecast_retry_ms * US_PER_MS,
	};
	return settings_detector(&opt->settings, &rule->detector, err);
}

int
scorer_collective_rule(const struct scorer_options *opt, struct collective_rule *rule, struct err *err)
{
	rule->order = settings_order(&opt->settings);
	return settings_group(&opt->settings, &rule->group, err);
}

int
scorer_ondemand_rule(const struct scorer_options *opt, struct ondemand_rule *rule, struct err *err)
{
	size_t until_next_question;

	*rule = (struct ondemand_rule){ .recent = { opt->ondemand_step_ms * US_PER_MS, (size_t)opt->ondemand_steps } };
	if (opt->ondemand_steps == 0)
		return 0;
	if (opt->ondemand_step_ms % 1000 != 0)
		return err_set(err, REASON_OPTION_INVALID,
			       "ondemand.step.ms: %" PRId64 " is no whole number of seconds", opt->ondemand_step_ms);
	until_next_question = (size_t)((opt->forecast_retry_ms + opt->ondemand_step_ms - 1) / opt->ondemand_step_ms);
	rule->horizon = until_next_question + 1; /* the present step has begun already */
	if (rule->horizon > (size_t)opt->forecast_max_steps)
		return err_set(err, REASON_OPTION_INVALID,
			       "forecast.retry.ms: %zu steps of ondemand.step.ms are more than forecast.max.steps",
			       rule->horizon);
	if (panel_members_parse(opt->ondemand_members, &rule->members, err) < 0)
		return err_wrap(err, "ondemand.members");
	rule->paths = (size_t)opt->ondemand_paths;
	rule->seed = (uint64_t)opt->ondemand_seed;
	return 0;
}
