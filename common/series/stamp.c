/*
 * stamp.c -- days are counted in eras of 400 years that begin on March 1, so that the leap day is the last of its year
 * and month lengths follow one linear formula (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013).
 */
#include "common/series/stamp.h"

#include <stdbool.h>

#define DAY_S INT64_C(86400)
#define US INT64_C(1000000)

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 1970-01-01 to a date of the years 1 to 9999. */
static int64_t
days_of(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year;
	int era = y / 400, of_era = y % 400;
	int of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return (int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int
stamp_us(const struct stamp *s, int64_t *ret)
{
	bool midnight = s->hour == 24 && s->minute == 0 && s->second == 0 && s->fraction_us == 0;
	int64_t days, seconds;

	if (s->year < 1 || s->year > 9999 || s->month < 0 || s->month > 12 || s->day < 1)
		return -1;
	if (s->day > (s->month ? month_days(s->year, s->month) : 365 + is_leap(s->year)))
		return -1;
	if ((s->hour > 23 && !midnight) || s->minute > 59 || s->second > (s->minute == 59 ? 60 : 59))
		return -1;
	days = s->month ? days_of(s->year, s->month, s->day) : days_of(s->year, 1, 1) + s->day - 1;
	seconds = days * DAY_S + s->hour * 3600 + s->minute * 60 + s->second - s->offset_s;
	*ret = seconds * US + s->fraction_us;
	return 0;
}

int
stamp_week(int *year, int week, int weekday, int *day)
{
	int64_t january_4, monday;
	int in_year, of_year;

	if (*year < 1 || *year > 9999 || week < 1 || week > 53 || weekday < 1 || weekday > 7)
		return -1;
	january_4 = days_of(*year, 1, 4); /* is always in week 1 */
	monday = january_4 - ((january_4 + 3) % 7 + 7) % 7;
	of_year = (int)(monday - days_of(*year, 1, 1)) + (week - 1) * 7 + weekday;
	in_year = 365 + is_leap(*year);
	/* Week 53 exists where its Thursday still lies in the year. */
	if (week == 53 && of_year - weekday + 4 > in_year)
		return -1;
	if (of_year < 1) {
		(*year)--;
		of_year += 365 + is_leap(*year);
	} else if (of_year > in_year) {
		(*year)++;
		of_year -= in_year;
	}
	*day = of_year;
	return 0;
}
