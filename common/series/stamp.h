/* stamp.h -- a date and a time of day as microseconds since 1970-01-01T00:00:00Z, proleptic Gregorian calendar. */
#ifndef FOREBAY_SERIES_STAMP_H
#define FOREBAY_SERIES_STAMP_H

#include <stdint.h>

/* What a text says.  The offset is that of local time from UTC in seconds, east positive. */
struct stamp {
	int year, month, day; /* month 0: day is that of the year, 1 to 366 */
	int hour, minute, second;
	int32_t fraction_us, offset_s;
};

/*
 * Check every field and compute.  -1: there is no such moment (February 30, minute 60, year 0).  Two that are easily
 * refused but exist: 24:00:00 is the end of its day, and second 60, where the minute is 59, is read as the second after
 * it, as POSIX clocks count a leap second.
 */
int stamp_us(const struct stamp *s, int64_t *ret);

/* Day WEEKDAY (1 Monday to 7) of ISO week WEEK of YEAR as month 0 and a day of *YEAR's (which may be a neighbour's).
 * -1: no such week or day. */
int stamp_week(int *year, int week, int weekday, int *day);

#endif
