/* options.c -- the table of the preprocessor's options. */
#include "workers/etl-preprocessor/options.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "workers/etl-preprocessor/state.h"

#define AT(field) offsetof(struct etl_options, field)
#define WINDOW_STEPS_MAX 100000 /* a record of 900 kB, below what a broker takes by default */

const struct option etl_option_table[] = {
	/* key, type, field, default, min, max, unit or choices, what it does */
	{ "series.topic", OPTION_TEXT, AT(series_topic), "telemetry.series", 1, 249, "", "where windows go" },
	{ "aggregates.topic", OPTION_TEXT, AT(aggregates_topic), "telemetry.aggregates", 0, 249, "",
	  "where the windows' statistics go; empty: nowhere" },
	{ "step.ms", OPTION_INT, AT(step_ms), "60000", 1, 31536000000.0, "ms",
	  "distance of the points of a series; steps begin at multiples of it since 1970-01-01 UTC" },
	{ "lateness.ms", OPTION_INT, AT(lateness_ms), "10000", 0, 31536000000.0, "ms",
	  "readings are put in order by event time as long as none is more than this behind the newest of its series; later "
	  "ones are left out (late.policy); also what the order costs in delay: the last readings of a series wait for newer "
	  "ones, and a series that ends keeps them" },
	{ "reorder.max.readings", OPTION_INT, AT(reorder_max), "1000", 1, 1000000, "readings",
	  "how many readings of one series may wait for their order; beyond it the oldest goes on early, and lateness.ms is "
	  "shorter than it says; they are part of the state, see state.key.max.bytes" },
	{ "repeat.policy", OPTION_CHOICE, AT(repeat_policy), "first", 0, 0, "first|last",
	  "which of several readings with the same event time counts, also where their values differ, while they wait for their "
	  "order; a usable value always beats one of bad quality" },
	{ "late.policy", OPTION_CHOICE, AT(late_policy), "count", 0, 0, "drop|count",
	  "readings that are later than lateness.ms, or ahead with a wrong time stamp (gap.max.steps), are left out; count: and "
	  "counted in the next window of their series" },
	{ "outlier.policy", OPTION_CHOICE, AT(outlier_policy), "keep", 0, 0, "drop|clip|keep",
	  "what happens to an outlier: left out, moved to the edge of the accepted range, or flagged only" },
	{ "outlier.threshold", OPTION_REAL, AT(outlier_threshold), "3", 0.1, 1000, "deviations",
	  "a reading so far from the running mean of its series is an outlier; in a series that has been constant any other "
	  "value is one" },
	{ "outlier.warmup.readings", OPTION_INT, AT(outlier_warmup), "30", 2, 1000000, "readings",
	  "readings of a series before the first judgement" },
	{ "outlier.restart.readings", OPTION_INT, AT(outlier_restart), "30", 0, 1000000, "readings",
	  "so many outliers in a row are a new level, which is learned from scratch; 0: never.  Until then a set point that has "
	  "moved counts as outlier, which drop and clip keep from its series" },
	{ "resample", OPTION_CHOICE, AT(resample), "mean", 0, 0, "mean|last",
	  "how several readings within a step become one point, for all metrics of this worker.  The mean of degrees of an angle "
	  "(350 and 10) or of a counter says nothing: such metrics want last, in a worker of their own topic" },
	{ "gap.fill", OPTION_CHOICE, AT(gap_fill), "linear", 0, 0, "forward|linear|none",
	  "how steps without a reading are filled" },
	{ "gap.fill.max.steps", OPTION_INT, AT(gap_fill_max_steps), "10", 0, 1000000, "steps",
	  "a longer gap stays open: its points are null; no more than gap.max.steps" },
	{ "gap.max.steps", OPTION_INT, AT(gap_max_steps), "1440", 1, 1000000, "steps",
	  "a gap longer than this ends the window before it; the next window begins behind it.  A first reading, and one "
	  "farther than this ahead of its series, is believed when the next one is: if that goes on where the series was, or is "
	  "as far behind a first one, the time stamp was wrong, and the reading is left out and counted as late" },
	{ "window.steps", OPTION_INT, AT(window_steps), "60", 1, WINDOW_STEPS_MAX, "steps",
	  "points of a window, counted from its first.  A window goes out when a later reading comes that fills it, or that begins "
	  "another one; a series that ends keeps what it has begun" },
	{ "window.ms", OPTION_INT, AT(window_ms), "0", 0, 31536000000.0, "ms",
	  "windows by time instead: they end at multiples of this since 1970-01-01 UTC; a multiple of step.ms; 0: by "
	  "window.steps" },
};
const size_t etl_option_count = sizeof(etl_option_table) / sizeof(etl_option_table[0]);

/* Readings that wait for their order, one in a millisecond at most, and the window: they have to fit. */
static int
check_room(const struct etl_options *opt, int64_t steps, int64_t state_max_bytes, struct err *err)
{
	int64_t readings = opt->lateness_ms < opt->reorder_max ? opt->lateness_ms + 1 : opt->reorder_max;
	int64_t bytes = (int64_t)etl_state_bytes((size_t)readings, (size_t)steps);

	if (bytes <= state_max_bytes)
		return 0;
	return err_set(err, REASON_OPTION_INVALID,
		       "reorder.max.readings: with lateness.ms=%" PRId64 ", %" PRId64
		       " readings may wait for their order: a state of %" PRId64 " bytes with a window of %" PRId64
		       " steps, and state.key.max.bytes allows %" PRId64 ": what is more would be dead-lettered",
		       opt->lateness_ms, readings, bytes, steps, state_max_bytes);
}

int
etl_rule(const struct etl_options *opt, int64_t state_max_bytes, struct cleaner_rule *rule, struct err *err)
{
	int64_t step_us = opt->step_ms * US_PER_MS, lateness_us = opt->lateness_ms * US_PER_MS, jump_us;
	int64_t steps = opt->window_ms ? opt->window_ms / opt->step_ms : opt->window_steps;

	if (opt->window_ms % opt->step_ms)
		return err_set(err, REASON_OPTION_INVALID, "window.ms: %" PRId64 " is no multiple of step.ms, %" PRId64,
			       opt->window_ms, opt->step_ms);
	if (steps > WINDOW_STEPS_MAX)
		return err_set(err, REASON_OPTION_INVALID, "window.ms: %" PRId64 " steps, at most %d are allowed",
			       steps, WINDOW_STEPS_MAX);
	if (__builtin_mul_overflow(opt->gap_max_steps, step_us, &jump_us) ||
	    steps > (int64_t)(3e10 * US_PER_SECOND) / step_us)
		return err_set(err, REASON_OPTION_INVALID,
			       "step.ms: %" PRId64 " is too long for windows of %" PRId64 " steps and gaps of %" PRId64
			       " (gap.max.steps)",
			       opt->step_ms, steps, opt->gap_max_steps);
	if (check_room(opt, steps, state_max_bytes, err) < 0)
		return -1;
	*rule = (struct cleaner_rule){
		.order = { .lateness_us = lateness_us,
			   .jump_us = jump_us > lateness_us ? jump_us : lateness_us,
			   .max_items = opt->reorder_max,
			   .repeats = (enum repeat_policy)opt->repeat_policy },
		.count_late = opt->late_policy == 1,
		.outlier = { .policy = (enum outlier_policy)opt->outlier_policy,
			     .threshold = opt->outlier_threshold,
			     .warmup = opt->outlier_warmup,
			     .restart = opt->outlier_restart },
		.step_us = step_us,
		.resample = (enum resample_method)opt->resample,
		.gap = { .method = (enum gap_method)opt->gap_fill, .max_steps = opt->gap_fill_max_steps },
		.gap_max_steps = opt->gap_max_steps,
		.window = { .kind = opt->window_ms ? WINDOW_BY_TIME : WINDOW_BY_COUNT, .steps = steps },
	};
	return 0;
}
