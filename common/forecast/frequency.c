/*
 * frequency.c -- lags and features by the rules of GluonTS 0.17 (gluonts/time_feature/lag.py, _base.py), calendar arithmetic on
 * days since 1970.
 *
 * A lag looks at the same place in an earlier cycle and at its neighbours: minutes at the last three hours, hours at the last
 * seven days, days at four weeks and a month, weeks at three years and at 4, 8, 12 weeks.  A fine unit looks at the cycles of the
 * coarser ones too, counted in its own steps: the length of a cycle divided by the multiple, rounded down on doubles.  52 weeks of
 * business days are 52 // 0.2 = 259 that way, not 260: 0.2 is a little more than a fifth.  Kept, for weights to be exchanged.
 *
 * Features of a week are those of its last day, Sunday, as periods have it there.
 */
#include "common/forecast/frequency.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/series/calendar.h"

#define SECOND_US INT64_C(1000000)
#define DAY_US (86400 * SECOND_US)
#define FAR_US INT64_C(9000000000000000000) /* times end there, 285000 years from 1970 */
#define FAR_STEPS INT64_C(10000000000)      /* months and business days that lead there from anywhere */
#define LAG_MAX 1200
#define ALWAYS 7 /* lags 1 to 7 are always there */

static const struct unit {
	const char *name, *others[4];
	int64_t seconds;             /* about, for business days and months */
	int64_t season, long_season; /* in units */
	size_t n_features;
	enum time_feature features[FREQUENCY_FEATURES_MAX];
} units[] = {
	[UNIT_SECOND] = { "s",
			  { "S", "sec" },
			  1,
			  3600,
			  86400,
			  6,
			  { FEATURE_SECOND_OF_MINUTE, FEATURE_MINUTE_OF_HOUR, FEATURE_HOUR_OF_DAY, FEATURE_DAY_OF_WEEK,
			    FEATURE_DAY_OF_MONTH, FEATURE_DAY_OF_YEAR } },
	[UNIT_MINUTE] = { "min",
			  { "T" },
			  60,
			  1440,
			  10080,
			  5,
			  { FEATURE_MINUTE_OF_HOUR, FEATURE_HOUR_OF_DAY, FEATURE_DAY_OF_WEEK, FEATURE_DAY_OF_MONTH,
			    FEATURE_DAY_OF_YEAR } },
	[UNIT_HOUR] = { "h",
			{ "H" },
			3600,
			24,
			168,
			4,
			{ FEATURE_HOUR_OF_DAY, FEATURE_DAY_OF_WEEK, FEATURE_DAY_OF_MONTH, FEATURE_DAY_OF_YEAR } },
	[UNIT_DAY] = { "D",
		       { "d" },
		       86400,
		       7,
		       0,
		       3,
		       { FEATURE_DAY_OF_WEEK, FEATURE_DAY_OF_MONTH, FEATURE_DAY_OF_YEAR } },
	[UNIT_BUSINESS_DAY] = { "B",
				{ NULL },
				120960,
				5,
				0,
				3,
				{ FEATURE_DAY_OF_WEEK, FEATURE_DAY_OF_MONTH, FEATURE_DAY_OF_YEAR } },
	[UNIT_WEEK] = { "W", { "W-SUN" }, 7 * 86400, 52, 0, 2, { FEATURE_DAY_OF_MONTH, FEATURE_WEEK_OF_YEAR } },
	[UNIT_MONTH] = { "M", { "ME", "MS" }, 2629746, 12, 0, 1, { FEATURE_MONTH_OF_YEAR } },
};

/* ---- lags ---- */

/* floor(A / B) of the exact quotient, as Python divides floats. */
static double
floor_quotient(double a, double b)
{
	double q = (a - fmod(a, b)) / b, whole = floor(q);

	return q - whole > 0.5 ? whole + 1 : whole;
}

/* Mark CYCLES multiples of LENGTH, in steps of MULTIPLE units, with DELTA neighbours on both sides. */
static void
mark(bool *marks, double length, double multiple, int cycles, int delta)
{
	for (int k = 1; k <= cycles; k++)
		for (int d = -delta; d <= delta; d++) {
			double lag = floor_quotient(k * length, multiple) + d;

			if (lag > ALWAYS && lag <= LAG_MAX)
				marks[(int)lag] = true;
		}
}

static void
mark_days(bool *marks, double multiple, double week, double month)
{
	mark(marks, week, multiple, 4, 1);
	mark(marks, month, multiple, 1, 1);
}

static void
mark_weeks(bool *marks, double multiple)
{
	mark(marks, 52, multiple, 3, 1);
	mark(marks, 4, multiple, 3, 0);
}

static void
mark_all(bool *marks, enum frequency_unit unit, double n)
{
	switch (unit) {
	case UNIT_SECOND:
		mark(marks, 60, n, 3, 2);
		mark(marks, 60, n / 60.0, 3, 2);
		mark(marks, 24, n / (60.0 * 60), 7, 1);
		break;
	case UNIT_MINUTE:
		mark(marks, 60, n, 3, 2);
		mark(marks, 24, n / 60.0, 7, 1);
		mark_days(marks, n / (60.0 * 24), 7, 30);
		mark_weeks(marks, n / (60.0 * 24 * 7));
		break;
	case UNIT_HOUR:
		mark(marks, 24, n, 7, 1);
		mark_days(marks, n / 24.0, 7, 30);
		mark_weeks(marks, n / (24.0 * 7));
		break;
	case UNIT_DAY:
		mark_days(marks, n, 7, 30);
		mark_weeks(marks, n / 7.0);
		break;
	case UNIT_BUSINESS_DAY:
		mark_days(marks, n, 5, 22);
		mark_weeks(marks, n / 5.0);
		break;
	case UNIT_WEEK: mark_weeks(marks, n); break;
	case UNIT_MONTH: mark(marks, 12, n, 3, 1); break;
	}
}

static void
fill_lags(struct frequency *f)
{
	bool marks[LAG_MAX + 1] = { false };

	for (int lag = 1; lag <= ALWAYS; lag++)
		marks[lag] = true;
	mark_all(marks, f->unit, f->multiple);
	for (int lag = 1; lag <= LAG_MAX && f->n_lags < FREQUENCY_LAGS_MAX; lag++)
		if (marks[lag])
			f->lags[f->n_lags++] = lag;
}

/* ---- making one ---- */

/* CYCLE units in steps of MULTIPLE; 0: not a whole number of them, or one alone. */
static int32_t
season_steps(int64_t cycle, int32_t multiple)
{
	return cycle % multiple == 0 && cycle > multiple ? (int32_t)(cycle / multiple) : 0;
}

static void
fill(enum frequency_unit unit, int32_t multiple, struct frequency *f)
{
	const struct unit *u = &units[unit];
	int32_t season = season_steps(u->season, multiple), longer = season_steps(u->long_season, multiple);

	*f = (struct frequency){ .unit = unit, .multiple = multiple, .n_features = u->n_features };
	snprintf(f->name, sizeof(f->name), "%" PRId32 "%s", multiple, u->name);
	memcpy(f->features, u->features, sizeof(f->features));
	fill_lags(f);
	f->season = season ? season : longer ? longer : 1;
	f->long_season = season ? longer : 0;
}

static bool
unit_find(const char *name, enum frequency_unit *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		bool found = strcmp(name, units[i].name) == 0;

		for (size_t k = 0; k < ARRAY_LEN(units[i].others) && units[i].others[k]; k++)
			found = found || strcmp(name, units[i].others[k]) == 0;
		if (found) {
			*ret = (enum frequency_unit)i;
			return true;
		}
	}
	return false;
}

int
frequency_parse(const char *name, struct frequency *ret, struct err *err)
{
	const int64_t year = 366 * INT64_C(86400);
	size_t digits = strspn(name, "0123456789");
	enum frequency_unit unit = UNIT_HOUR;
	int64_t multiple = digits ? 0 : 1;

	for (size_t i = 0; i < digits && multiple <= year; i++)
		multiple = multiple * 10 + (name[i] - '0');
	if (!unit_find(name + digits, &unit))
		return err_set(
		    err, REASON_OPTION_INVALID,
		    "frequency \"%.40s\": a unit of s, min, h, D, B, W, M, with a number before it or without", name);
	if (multiple < 1 || multiple * units[unit].seconds > year)
		return err_set(err, REASON_OPTION_INVALID, "frequency \"%.40s\": the number must be 1 to %" PRId64,
			       name, year / units[unit].seconds);
	fill(unit, (int32_t)multiple, ret);
	return 0;
}

int
frequency_of_step(int64_t step_us, struct frequency *ret, struct err *err)
{
	static const enum frequency_unit coarse_first[] = { UNIT_WEEK, UNIT_DAY, UNIT_HOUR, UNIT_MINUTE, UNIT_SECOND };

	if (step_us <= 0 || step_us % SECOND_US != 0 || step_us > 7 * DAY_US)
		return err_set(err, REASON_OPTION_INVALID,
			       "a step of %" PRId64 " us: must be a whole number of seconds, at most a week", step_us);
	for (size_t i = 0; i < ARRAY_LEN(coarse_first); i++) {
		int64_t unit_us = units[coarse_first[i]].seconds * SECOND_US;

		if (step_us % unit_us == 0) {
			fill(coarse_first[i], (int32_t)(step_us / unit_us), ret);
			break;
		}
	}
	return 0;
}

/* ---- the calendar ---- */

struct date {
	int64_t year;
	int month, day;  /* from 1 */
	int day_of_year; /* from 0 */
};

static bool
is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days before the first of MONTH (1 to 13), in a year that is no leap year. */
static const int before_month[] = { 0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365 };

static int64_t
year_start(int64_t year)
{
	int64_t y = year - 1;

	return y * 365 + calendar_floor(y, 4) - calendar_floor(y, 100) + calendar_floor(y, 400) - 719162;
}

static int
days_before(int64_t year, int month)
{
	return before_month[month] + (month > 2 && is_leap(year));
}

static struct date
date_of(int64_t days)
{
	/* 146097 days are 400 years; the guess is at most one year off. */
	struct date d = { .year = calendar_floor((days + 719162) * 400, 146097) + 1 };

	if (year_start(d.year) > days)
		d.year--;
	else if (year_start(d.year + 1) <= days)
		d.year++;
	d.day_of_year = (int)(days - year_start(d.year));
	d.month = d.day_of_year / 32 + 1;
	if (days_before(d.year, d.month + 1) <= d.day_of_year)
		d.month++;
	d.day = d.day_of_year - days_before(d.year, d.month) + 1;
	return d;
}

/* Monday 0. */
static int
weekday_of(int64_t days)
{
	return (int)(days + 3 - calendar_floor(days + 3, 7) * 7);
}

static int64_t
limit(int64_t a, int64_t most)
{
	return a < -most ? -most : a > most ? most : a;
}

/* A + B * C, but not beyond FAR_US. */
static int64_t
add_product(int64_t a, int64_t b, int64_t c)
{
	int64_t product, sum;

	if (__builtin_mul_overflow(b, c, &product) || __builtin_add_overflow(a, product, &sum))
		return (b < 0) == (c < 0) ? FAR_US : -FAR_US;
	return limit(sum, FAR_US);
}

/* The same day of the month, or the last one where the month is shorter. */
static int64_t
month_time(int64_t start_us, int64_t months)
{
	int64_t days = calendar_floor(start_us, DAY_US);
	struct date d = date_of(days);
	int64_t index = d.year * 12 + d.month - 1 + months, year = calendar_floor(index, 12);
	int month = (int)(index - year * 12) + 1;
	int length = days_before(year, month + 1) - days_before(year, month);

	days = year_start(year) + days_before(year, month) + (d.day < length ? d.day : length) - 1;
	return add_product(start_us - calendar_floor(start_us, DAY_US) * DAY_US, days, DAY_US);
}

/* A weekend counts as the Monday behind it. */
static int64_t
business_time(int64_t start_us, int64_t steps)
{
	int64_t days = calendar_floor(start_us, DAY_US), week = calendar_floor(days + 3, 7), index;
	int weekday = weekday_of(days);

	index = week * 5 + (weekday < 5 ? weekday : 5) + steps;
	week = calendar_floor(index, 5);
	return add_product(start_us - days * DAY_US, week * 7 + (index - week * 5) - 3, DAY_US);
}

int64_t
frequency_time(const struct frequency *f, int64_t start_us, int64_t k)
{
	int64_t start = limit(start_us, FAR_US);

	switch (f->unit) {
	case UNIT_MONTH: return month_time(start, limit(k, FAR_STEPS) * f->multiple);
	case UNIT_BUSINESS_DAY: return business_time(start, limit(k, FAR_STEPS) * f->multiple);
	default: return add_product(start, k, units[f->unit].seconds * SECOND_US * f->multiple);
	}
}

static int
iso_week(int64_t days)
{
	/* The week belongs to the year that its Thursday lies in. */
	return date_of(days - weekday_of(days) + 3).day_of_year / 7 + 1;
}

void
frequency_features(const struct frequency *f, int64_t time_us, float *values)
{
	int64_t time = limit(time_us, FAR_US), days = calendar_floor(time, DAY_US);
	int64_t second = (time - days * DAY_US) / SECOND_US;
	struct date d;

	if (f->unit == UNIT_WEEK)
		days += 6 - weekday_of(days);
	d = date_of(days);
	for (size_t i = 0; i < f->n_features; i++) {
		double value = 0;

		switch (f->features[i]) {
		case FEATURE_SECOND_OF_MINUTE: value = (double)(second % 60) / 59; break;
		case FEATURE_MINUTE_OF_HOUR: value = (double)(second / 60 % 60) / 59; break;
		case FEATURE_HOUR_OF_DAY: value = (double)(second / 3600) / 23; break;
		case FEATURE_DAY_OF_WEEK: value = weekday_of(days) / 6.0; break;
		case FEATURE_DAY_OF_MONTH: value = (d.day - 1) / 30.0; break;
		case FEATURE_DAY_OF_YEAR: value = d.day_of_year / 365.0; break;
		case FEATURE_WEEK_OF_YEAR: value = (iso_week(days) - 1) / 52.0; break;
		case FEATURE_MONTH_OF_YEAR: value = (d.month - 1) / 11.0; break;
		}
		values[i] = (float)(value - 0.5);
	}
}
