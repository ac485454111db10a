/* options.c -- the table of the scorer's options. */
#include "workers/realtime-scorer/options.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/forecast/panel.h"

#define AT(field) offsetof(struct scorer_options, field)

const struct option scorer_option_table[] = {
	/* key, type, field, default, min, max, unit or choices, what it does */
	{ "scores.topic", OPTION_TEXT, AT(scores_topic), "scores", 1, 249, "", "where scores go" },
	{ "alerts.topic", OPTION_TEXT, AT(alerts_topic), "alerts", 1, 249, "", "where alerts go" },
	{ "score.slots.per.day", OPTION_INT, AT(slots_per_day), "24", 1, SCALAR_SLOTS_MAX, "slots",
	  "the usual level is learned per time of day (UTC), in so many slots; 1: the same all day" },
	{ "score.warmup.readings", OPTION_INT, AT(warmup_readings), "60", SCALAR_START, 1000000, "readings",
	  "the first values of a series score p = 1: they only teach; after n values no p is below about 1/n^3 either" },
	{ "score.state.readings", OPTION_INT, AT(state_readings), "12", 1, 100000, "readings",
	  "values over which the state score (for dashboards, and for the end of alerts) is smoothed" },
	{ "alert.pending.p", OPTION_REAL, AT(pending_p), "1e-3", 1e-300, 1, "",
	  "a p-value below this makes a series pending; it also begins the quiet time of the onset score" },
	{ "alert.firing.p", OPTION_REAL, AT(firing_p), "1e-4", 1e-300, 1, "",
	  "p-values below this count for an alert" },
	{ "alert.critical.p", OPTION_REAL, AT(critical_p), "1e-6", 1e-300, 1, "",
	  "a single p-value below this opens an alert at once, and makes it critical" },
	{ "alert.firing.readings", OPTION_INT, AT(firing_readings), "2", 1, EPISODE_N_MAX, "readings",
	  "an alert opens when so many of the last alert.window.readings values were below alert.firing.p" },
	{ "alert.window.readings", OPTION_INT, AT(window_readings), "3", 1, EPISODE_N_MAX, "readings",
	  "see alert.firing.readings" },
	{ "alert.calm.ratio", OPTION_REAL, AT(calm_ratio), "0.6", 0.01, 0.99, "",
	  "an alert ends when the state score stays below this part of -log10(alert.firing.p) …" },
	{ "alert.calm.readings", OPTION_INT, AT(calm_readings), "5", 1, 30000, "readings",
	  "… for so many values in a row" },
	{ "alert.refractory.readings", OPTION_INT, AT(refractory_readings), "100", 0, 1000000, "readings",
	  "for so many values after an alert no new one opens, and after a spike the onset score is 0 …" },
	{ "alert.refire.ratio", OPTION_REAL, AT(refire_ratio), "1.5", 1, 100, "",
	  "… unless -log10 p is so many times what it was before" },
	{ "time.jump.max.ms", OPTION_INT, AT(jump_max_ms), "86400000", 1000, 31536000000.0, "ms",
	  "an event time that is further ahead of its series than this is believed when the next one confirms it" },
	{ "time.late.max.readings", OPTION_INT, AT(late_max_readings), "50", 1, 1000000, "readings",
	  "so many late values in a row mean that the series' clock was wrong: it is set back to them" },
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
	  "who makes such a forecast, comma separated: last, season, long-season, theta, ets, ridge; trained models come by topic and "
	  "cache" },
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
	if (opt->firing_p > opt->pending_p || opt->critical_p > opt->firing_p)
		return err_set(err, REASON_OPTION_INVALID,
			       "alert.pending.p %g, alert.firing.p %g and alert.critical.p %g must not ascend",
			       opt->pending_p, opt->firing_p, opt->critical_p);
	if (opt->firing_readings > opt->window_readings)
		return err_set(err, REASON_OPTION_INVALID,
			       "alert.firing.readings: %" PRId64 " of the last %" PRId64
			       " (alert.window.readings) can never be",
			       opt->firing_readings, opt->window_readings);
	*rule = (struct stream_rule){
		.detector = { .members = 1u << DETECTOR_SCALAR | 1u << DETECTOR_FORECAST,
			      .slots = (int)opt->slots_per_day,
			      .warmup_values = (int)opt->warmup_readings,
			      .episode = { .pending = opt->pending_p,
					   .firing = opt->firing_p,
					   .critical = opt->critical_p,
					   .m = (int)opt->firing_readings,
					   .n = (int)opt->window_readings,
					   .calm_ratio = opt->calm_ratio,
					   .calm_values = (int)opt->calm_readings,
					   .refractory_values = (int)opt->refractory_readings,
					   .refire = opt->refire_ratio,
					   .state_span = (int)opt->state_readings } },
		.jump_max_us = opt->jump_max_ms * US_PER_MS,
		.late_max = (int)opt->late_max_readings,
		.recent = { opt->ondemand_step_ms * US_PER_MS, (size_t)opt->ondemand_steps },
		.retry_us = opt->forecast_retry_ms * US_PER_MS,
	};
	return 0;
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
	if (rule->members >> PANEL_DEEPAR & 1)
		return err_set(err, REASON_OPTION_INVALID, "ondemand.members: deepar comes by topic and cache");
	return 0;
}
