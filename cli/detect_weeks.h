/*
 * detect_weeks.h -- where a column is what it was a week ago rather than a day ago: forecasts of its next values from its own past.
 * The detector's usual level is that of a time of day, the same on all days; in the line the fleet's forecasts know better, and
 * this takes their place for a table, where nobody else forecasts.
 *
 * Values are gathered in steps, their means, of a quarter of an hour or as far apart as the first values are, up to a day.  Every
 * day the last four weeks (or 500 steps) are looked at: as soon as two weeks have come back, and differ from the week before by
 * less than WEEKS_RHYTHM times what days differ from the day before, the day ahead is forecast by the classical members
 * (panel.h).  A fold of the values: nothing later changes what was said.  One thread.
 */
#ifndef FOREBAY_CLI_DETECT_WEEKS_H
#define FOREBAY_CLI_DETECT_WEEKS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"

#define WEEKS_RHYTHM 0.7

struct weeks;

/* SEED: of what is drawn.  -1 on NO_MEMORY. */
int weeks_new(uint64_t seed, struct weeks **ret, struct err *err);
void weeks_free(struct weeks *w);
DEFINE_CLEANUP(struct weeks, weeks_free)

/* A value of EVENT_US comes, later than all before: steps before its own are over, and a day may be forecast.  -1 on NO_MEMORY. */
int weeks_turn(struct weeks *w, int64_t event_us, struct err *err);

/* What was forecast for a value, in its unit. */
struct weeks_view {
	double p;                      /* the value's two-sided tail */
	double expected, lower, upper; /* the median, the 5 and the 95 % quantile */
};

/* Of a VALUE of EVENT_US, at or after the last turn; GRAIN: what is too small to be worth a word.  False: nothing was forecast. */
bool weeks_look(const struct weeks *w, int64_t event_us, double value, double grain, struct weeks_view *ret);

/* Add the finite VALUE of the last turn. */
void weeks_add(struct weeks *w, double value);

#endif
