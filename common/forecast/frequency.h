/*
 * frequency.h -- what follows from how often a series has a point: where in the past to look (lags), what of the calendar
 * matters (time features), how long a season is, when the next point is.  Wall time without zone: UTC throughout.
 *
 * Lags and features are those of GluonTS (gluonts/time_feature/lag.py, _base.py; 0.17), cap 1200, also for multiples ("20min",
 * "2h"): see frequency.c.
 */
#ifndef FOREBAY_FORECAST_FREQUENCY_H
#define FOREBAY_FORECAST_FREQUENCY_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define FREQUENCY_LAGS_MAX 64
#define FREQUENCY_FEATURES_MAX 8
#define FREQUENCY_NAME_BYTES 16

enum frequency_unit { UNIT_SECOND, UNIT_MINUTE, UNIT_HOUR, UNIT_DAY, UNIT_BUSINESS_DAY, UNIT_WEEK, UNIT_MONTH };

/* Each is scaled to [-0.5, 0.5]. */
enum time_feature {
	FEATURE_SECOND_OF_MINUTE, /* second / 59 - 0.5 */
	FEATURE_MINUTE_OF_HOUR,   /* minute / 59 - 0.5 */
	FEATURE_HOUR_OF_DAY,      /* hour / 23 - 0.5 */
	FEATURE_DAY_OF_WEEK,      /* Monday 0: day / 6 - 0.5 */
	FEATURE_DAY_OF_MONTH,     /* (day - 1) / 30 - 0.5 */
	FEATURE_DAY_OF_YEAR,      /* (day - 1) / 365 - 0.5 */
	FEATURE_WEEK_OF_YEAR,     /* (ISO week - 1) / 52 - 0.5 */
	FEATURE_MONTH_OF_YEAR,    /* (month - 1) / 11 - 0.5 */
};

struct frequency {
	char name[FREQUENCY_NAME_BYTES]; /* canonical: "1h", "15min", "1D", "1B", "1W", "1M" */
	enum frequency_unit unit;
	int32_t multiple;                 /* of the unit, >= 1 */
	int32_t lags[FREQUENCY_LAGS_MAX]; /* ascending, 1: the value before the one forecast */
	size_t n_lags;
	enum time_feature features[FREQUENCY_FEATURES_MAX];
	size_t n_features;
	/*
	 * Steps: a day and a week of minutes and hours (24, 168), an hour and a day of seconds, a week of days, a year of weeks
	 * and months.  Where the shorter one is no whole number of steps > 1 the longer one takes its place; 1 and 0: none.
	 */
	int32_t season, long_season;
};

/*
 * NAME as pandas and SageMaker write it: "H", "h", "15min", "15T", "D", "B", "W", "M", "ME", "30s".  -1 on OPTION_INVALID:
 * another one, a step of more than a year.
 */
int frequency_parse(const char *name, struct frequency *ret, struct err *err);

/*
 * For a fixed step, in the coarsest unit: an hour is "1h", not "60min".  -1 on OPTION_INVALID: not a whole number of seconds, or
 * longer than a week.
 */
int frequency_of_step(int64_t step_us, struct frequency *ret, struct err *err);

/*
 * When point K (may be negative) of a series is that begins at START_US: microseconds since 1970-01-01.  Months keep the day
 * (the last one where a month is shorter), business days skip Saturday and Sunday: a start on a weekend is the Monday behind it.
 */
int64_t frequency_time(const struct frequency *f, int64_t start_us, int64_t k);

/* The features of TIME_US in the order of f->features, as VALUES[n_features].  Of weeks: those of the week's Sunday. */
void frequency_features(const struct frequency *f, int64_t time_us, float *values);

#endif
