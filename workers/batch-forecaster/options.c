/* options.c -- the table of the forecaster's options. */
#include "workers/batch-forecaster/options.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct forecaster_options, field)
#define NUMBERS_MAX 100000 /* of a forecast: 800 kB, below what a broker takes by default */

const struct option forecaster_option_table[] = {
	/* key, type, field, default, min, max, unit or choices, what it does */
	{ "forecasts.topic", OPTION_TEXT, AT(forecasts_topic), "forecasts", 1, 249, "", "where forecasts go" },
	{ "horizon.steps", OPTION_INT, AT(horizon_steps), "60", 1, 10000, "steps",
	  "how far a forecast reaches, in steps of its series" },
	{ "quantiles", OPTION_TEXT, AT(quantiles),
	  "0.05,0.1,0.15,0.2,0.25,0.3,0.35,0.4,0.45,0.5,0.55,0.6,0.65,0.7,0.75,0.8,0.85,0.9,0.95", 1, 2000, "",
	  "levels of the forecast's quantiles: ascending, above 0, below 1, comma separated" },
	{ "seasons", OPTION_TEXT, AT(seasons), "1440", 0, 200, "steps",
	  "lengths of the seasons, comma separated (a day and a week of minutes: 1440,10080); their forecasts are averaged; "
	  "those that a history is too short for are left out; empty: none" },
	{ "history.steps", OPTION_INT, AT(history_steps), "2880", 2, 10000000, "steps",
	  "points kept per series, 8 bytes each, with a quarter of slack; a season needs its own length and residual.steps" },
	{ "history.gap.max.steps", OPTION_INT, AT(history_gap_max_steps), "1440", 0, 10000000, "steps",
	  "a hole between two windows that is longer starts the history anew" },
	{ "residual.steps", OPTION_INT, AT(residual_steps), "1440", 1, 10000000, "steps",
	  "how much of the history's end tells how wrong such forecasts were" },
	{ "residual.min", OPTION_INT, AT(residual_min), "16", 1, 1000000, "residuals",
	  "with fewer of them a season is left out" },
	{ "batch.max.series", OPTION_INT, AT(batch_max_series), "256", 1, 100000, "series",
	  "forecasts that are gathered to be computed together before a commit; beyond it one by one" },
	{ "cache.uri", OPTION_SECRET, AT(cache_uri), "", 0, 4096, "",
	  "redis://[[user]:password@]host[:port][/db]: the newest forecast of every series is kept there too; empty: no cache" },
	{ "cache.ttl.ms", OPTION_INT, AT(cache_ttl_ms), "7200000", 1, 31536000000.0, "ms",
	  "how long the cache keeps a forecast" },
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

	if (read_list("seasons", opt->seasons, 0, 1e7 + 1, PLAN_SEASONS_MAX, numbers, &plan->naive.n_seasons, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->naive.n_seasons; i++) {
		if (numbers[i] != floor(numbers[i]))
			return err_set(err, REASON_OPTION_INVALID, "seasons: %g is no whole number of steps",
				       numbers[i]);
		plan->seasons[i] = (int64_t)numbers[i];
		if (plan->seasons[i] + opt->residual_min > opt->history_steps)
			return err_set(err, REASON_OPTION_INVALID,
				       "seasons: %" PRId64 " steps and %" PRId64
				       " residuals (residual.min) never fit into history.steps, %" PRId64,
				       plan->seasons[i], opt->residual_min, opt->history_steps);
	}
	plan->naive.seasons = plan->seasons;
	return 0;
}

static void
name_version(struct forecast_plan *plan)
{
	size_t at = (size_t)snprintf(plan->version, sizeof(plan->version), "1 seasons=");

	for (size_t i = 0; i < plan->naive.n_seasons; i++)
		at += (size_t)snprintf(plan->version + at, sizeof(plan->version) - at, "%s%" PRId64, i ? "," : "",
				       plan->seasons[i]);
	snprintf(plan->version + at, sizeof(plan->version) - at,
		 " residuals=%" PRId64 " min=%" PRId64 " history=%" PRId64 " gap=%" PRId64, plan->naive.residuals,
		 plan->naive.residuals_min, plan->history.max_steps, plan->history.gap_max_steps);
}

int
forecast_plan_make(const struct forecaster_options *opt, struct forecast_plan *plan, struct err *err)
{
	*plan = (struct forecast_plan){
		.history = { opt->history_steps, opt->history_gap_max_steps },
		.naive = { .residuals = opt->residual_steps, .residuals_min = opt->residual_min },
		.horizon = (size_t)opt->horizon_steps,
	};
	if (read_list("quantiles", opt->quantiles, 0, 1, PLAN_LEVELS_MAX, plan->levels, &plan->n_levels, err) < 0 ||
	    read_seasons(opt, plan, err) < 0)
		return -1;
	if (!plan->n_levels)
		return err_set(err, REASON_OPTION_INVALID, "quantiles: at least one is needed");
	if (plan->horizon * plan->n_levels > NUMBERS_MAX)
		return err_set(err, REASON_OPTION_INVALID,
			       "horizon.steps: %zu steps of %zu quantiles make a record of more than %d numbers",
			       plan->horizon, plan->n_levels, NUMBERS_MAX);
	name_version(plan);
	return 0;
}
