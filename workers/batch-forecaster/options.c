/* options.c -- the table of the forecaster's options. */
#include "workers/batch-forecaster/options.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/forecast/engine.h"

#define AT(field) offsetof(struct forecaster_options, field)
#define NUMBERS_MAX 100000 /* of a forecast: 800 kB, below what a broker takes by default */

const struct option forecaster_option_table[] = {
	/* key, type, field, default, min, max, unit or choices, what it does */
	{ "forecasts.topic", OPTION_TEXT, AT(forecasts_topic), "forecasts", 1, 249, "", "where forecasts go" },
	{ "outcomes.topic", OPTION_TEXT, AT(outcomes_topic), "forecasts.outcomes", 0, 249, "",
	  "where it is told what became of a forecast's steps, once their values are known; empty: nowhere" },
	{ "horizon.steps", OPTION_INT, AT(horizon_steps), "60", 1, 10000, "steps",
	  "how far a forecast reaches, in steps of its series" },
	{ "quantiles", OPTION_TEXT, AT(quantiles),
	  "0.05,0.1,0.15,0.2,0.25,0.3,0.35,0.4,0.45,0.5,0.55,0.6,0.65,0.7,0.75,0.8,0.85,0.9,0.95", 1, 2000, "",
	  "levels of the forecast's quantiles: at most 32, ascending, above 0, below 1, comma separated" },
	{ "members", OPTION_TEXT, AT(members), "all", 1, 200, "",
	  "who takes part in the ensemble, comma separated: last, season, long-season, theta, ets, ridge, deepar; or all" },
	{ "seasons", OPTION_TEXT, AT(seasons), "", 0, 200, "steps",
	  "lengths of a season and of a longer one, comma separated, where they do not follow from the step (a day and a week "
	  "of minutes: 1440,10080); empty: they follow from it" },
	{ "history.steps", OPTION_INT, AT(history_steps), "2880", 2, 10000000, "steps",
	  "points kept per series, 8 bytes each, with a quarter of slack; a season needs twice its length, a trained model "
	  "twice the horizon and its greatest lag (at most 1200)" },
	{ "history.gap.max.steps", OPTION_INT, AT(history_gap_max_steps), "1440", 0, 10000000, "steps",
	  "a hole between two windows that is longer starts the history anew" },
	{ "classical.steps", OPTION_INT, AT(classical_steps), "0", 0, 10000000, "steps",
	  "newest points of a history that the classical members look at; 0: all of them (theta, ets and ridge never look "
	  "further back than 1344)" },
	{ "paths", OPTION_INT, AT(paths), "100", 1, ENGINE_PATHS_MAX, "paths",
	  "futures that each network of a trained model draws for one forecast" },
	{ "forecast.seed", OPTION_INT, AT(seed), "1", 0, 9007199254740992.0, "",
	  "seed of what is drawn: the same windows and the same seed give the same forecasts" },
	{ "calibrate", OPTION_BOOL, AT(calibrate), "true", 0, 0, "",
	  "move quantiles so that as many values stay below them as they say" },
	{ "models.family", OPTION_TEXT, AT(models_family), "deepar", 1, 64, "",
	  "announced models of this family are used, others are left alone; their artefacts come from postgres.uri" },
	{ "drift.least", OPTION_INT, AT(drift_least), "30", 1, 1000000, "losses",
	  "losses of a series before it can be said that they have grown for good" },
	{ "drift.delta", OPTION_REAL, AT(drift_delta), "0.5", 0, 10, "usual losses",
	  "by how much losses may exceed the usual without being counted" },
	{ "drift.threshold", OPTION_REAL, AT(drift_threshold), "30", 0.1, 1e6, "usual losses",
	  "when what was counted comes to this, losses have grown for good" },
	{ "drift.alpha", OPTION_REAL, AT(drift_alpha), "0.9999", 0.5, 1, "",
	  "share of what was counted that is still counted at the next loss" },
	{ "batch.max.series", OPTION_INT, AT(batch_max_series), "256", 1, 100000, "series",
	  "forecasts that are gathered to be computed together before a commit; beyond it one by one" },
	{ "cache.uri", OPTION_SECRET, AT(cache_uri), "", 0, 4096, "",
	  "redis://[[user]:password@]host[:port][/db]: the newest forecast of every series is kept there too; empty: no cache" },
	{ "cache.ttl.ms", OPTION_INT, AT(cache_ttl_ms), "7200000", 1, 31536000000.0, "ms",
	  "how long the cache keeps a forecast" },
	{ "cache.ttl.max.ms", OPTION_INT, AT(cache_ttl_max_ms), "86400000", 1, 31536000000.0, "ms",
	  "the most that cache.ttl.ms is raised to while readers miss too often" },
	{ "cache.hit.ratio.target", OPTION_REAL, AT(cache_target), "0.94", 0.01, 0.999, "",
	  "below this share of lookups that find a forecast (as scorers report) entries live longer and are kept warm" },
	{ "cache.ratio.window.ms", OPTION_INT, AT(cache_window_ms), "300000", 1000, 86400000, "ms",
	  "the hit ratio is that of so much time; the scorers' must be the same, for it goes by what they report" },
	{ "cache.warm.bytes", OPTION_INT, AT(cache_warm_bytes), "67108864", 0, 1099511627776.0, "bytes",
	  "newest entries that are remembered, to be put again when Redis has lost them; 0: none.  Redis itself is bounded by its maxmemory, with maxmemory-policy allkeys-lru or volatile-lru" },
	{ "cache.warm.per.second", OPTION_INT, AT(cache_warm_per_second), "200", 1, 1000000, "entries",
	  "entries put again, at most" },
	{ "cache.timeout.ms", OPTION_INT, AT(cache_timeout_ms), "50", 1, 60000, "ms",
	  "how long the cache may keep us waiting" },
};
const size_t forecaster_option_count = sizeof(forecaster_option_table) / sizeof(forecaster_option_table[0]);

/* Numbers, comma separated, with blanks around; at most MAX.  Each greater than LEAST and the one before, less than END. */
static int
read_list(const char *key, const char *text, double least, double end, size_t max, double *numbers, size_t *n,
	  struct err *err)
{
	*n = 0;
	while (*text) {
		char *behind;
		double number = strtod(text, &behind);

		behind += strspn(behind, " ");
		if (behind == text || (*behind && *behind != ','))
			return err_set(err, REASON_OPTION_INVALID, "%s: \"%.40s\" is no number", key, text);
		if (!(number > least) || !(number < end))
			return err_set(err, REASON_OPTION_INVALID, "%s: %g must be above %g%s and below %g", key,
				       number, least, *n ? ", the one before," : "", end);
		if (*n == max)
			return err_set(err, REASON_OPTION_INVALID, "%s: at most %zu numbers", key, max);
		numbers[(*n)++] = least = number;
		text = *behind ? behind + 1 : behind;
	}
	return 0;
}

static int
read_seasons(const struct forecaster_options *opt, struct forecast_plan *plan, struct err *err)
{
	double numbers[PLAN_SEASONS_MAX];

	if (read_list("seasons", opt->seasons, 0, 1e7 + 1, PLAN_SEASONS_MAX, numbers, &plan->n_seasons, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->n_seasons; i++) {
		if (numbers[i] != floor(numbers[i]))
			return err_set(err, REASON_OPTION_INVALID, "seasons: %g is no whole number of steps",
				       numbers[i]);
		plan->seasons[i] = (int32_t)numbers[i];
		if (plan->seasons[i] >= opt->history_steps)
			return err_set(err, REASON_OPTION_INVALID,
				       "seasons: %" PRId32 " steps never fit into history.steps, %" PRId64,
				       plan->seasons[i], opt->history_steps);
	}
	return 0;
}

static int
read_levels(const struct forecaster_options *opt, struct panel_rule *rule, struct err *err)
{
	if (read_list("quantiles", opt->quantiles, 0, 1, ENSEMBLE_LEVELS_MAX, rule->levels, &rule->n_levels, err) < 0)
		return -1;
	if (!rule->n_levels)
		return err_set(err, REASON_OPTION_INVALID, "quantiles: at least one is needed");
	if (rule->horizon * rule->n_levels > NUMBERS_MAX)
		return err_set(err, REASON_OPTION_INVALID,
			       "horizon.steps: %zu steps of %zu quantiles make a record of more than %d numbers",
			       rule->horizon, rule->n_levels, NUMBERS_MAX);
	return 0;
}

int
forecast_plan_make(const struct forecaster_options *opt, struct forecast_plan *plan, struct err *err)
{
	*plan = (struct forecast_plan){
		.history = { opt->history_steps, opt->history_gap_max_steps },
		.panel = { .horizon = (size_t)opt->horizon_steps,
			   .paths = (size_t)opt->paths,
			   .seed = (uint64_t)opt->seed,
			   .history_max = (size_t)opt->classical_steps,
			   .calibrate = opt->calibrate,
			   .single_steps = true },
		.drift = { .least = (uint32_t)opt->drift_least,
			   .delta = opt->drift_delta,
			   .threshold = opt->drift_threshold,
			   .alpha = opt->drift_alpha },
	};
	if (read_levels(opt, &plan->panel, err) < 0 || read_seasons(opt, plan, err) < 0)
		return -1;
	if (panel_members_parse(opt->members, &plan->panel.members, err) < 0)
		return err_wrap(err, "members");
	return 0;
}

struct panel_rule
plan_rule(const struct forecast_plan *plan, int64_t step_us, bool *trained)
{
	struct panel_rule rule = plan->panel;
	struct frequency *f = &rule.frequency;

	*trained = frequency_of_step(step_us, f, NULL) == 0;
	if (!*trained) {
		*f = (struct frequency){ .unit = UNIT_SECOND, .multiple = 1, .lags = { 1 }, .n_lags = 1, .season = 1 };
		snprintf(f->name, sizeof(f->name), "none");
	}
	if (plan->n_seasons) {
		f->season = plan->seasons[0];
		f->long_season = plan->n_seasons > 1 ? plan->seasons[1] : 0;
	}
	return rule;
}
