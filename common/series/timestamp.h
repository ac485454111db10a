/*
 * timestamp.h -- event times as they come, in UTC microseconds.
 *
 *	auto		a number (JSON's or a text's) is an epoch, its unit told by its size: below 1e11 seconds, below 1e14
 *			milliseconds, below 1e17 microseconds, else nanoseconds (so seconds to the year 5138, the others from
 *			1973 on); any other text is ISO 8601
 *	epoch_s|ms|us|ns	a number of that unit; fractions and exponents are read exactly
 *	iso8601		calendar (2024-02-29, 20240229), week (2024-W09-4) or ordinal date (2024-060); alone or with 'T', 't' or
 *			blanks and a time 12, 12:30, 12:30:15, 1230, 123015, a fraction of the second behind '.' or ','; alone
 *			or with a zone Z, +01, +0100, +01:00, UTC or GMT.  Without a zone the format's own applies.  A bare
 *			20240229 is a date here and an epoch in auto.
 *	a pattern	any text with '%': %Y %m %d %H %M %S %f (fraction of the second, any number of digits) %y (69 to 99
 *			are 19xx) %e %j %b (Jan or January, English) %I %p %z %s (epoch seconds) %T (%H:%M:%S) %F (%Y-%m-%d)
 *			%%; numbers may have fewer digits; a blank fits any run of blanks; all else stands for itself
 *
 * Digits beyond microseconds are cut off, towards the past.  Blanks around a text do not count.  24:00 is the end of the
 * day; second 60 in minute 59 is the second that follows.  Years 0001 to 9999.
 */
#ifndef FOREBAY_SERIES_TIMESTAMP_H
#define FOREBAY_SERIES_TIMESTAMP_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/base/span.h"
#include "common/series/stamp.h"

enum time_form { TIME_AUTO, TIME_EPOCH_S, TIME_EPOCH_MS, TIME_EPOCH_US, TIME_EPOCH_NS, TIME_ISO8601, TIME_PATTERN };

struct time_format {
	enum time_form form;
	const char *pattern; /* TIME_PATTERN; kept by reference */
	int32_t zone_s;      /* of stamps without a zone, east positive */
};

/* The names above.  -1: neither a name nor a text with '%', or a pattern with an unknown letter. */
int time_format_parse(const char *text, struct time_format *ret);
extern const char *const time_format_names[]; /* ended by NULL */

/* "Z", "+01", "-0530", "+05:30", "UTC".  -1: none of these, or 24 hours and more. */
int time_zone_parse(struct span text, int32_t *ret);

/* -1 on TIME_SYNTAX; TIME_RANGE outside the years 0001 to 9999. */
int timestamp_parse(struct span text, const struct time_format *format, int64_t *ret, struct err *err);

/* ---- for the files of this noun ---- */

/* Both want a text without blanks around it.  -1: not of this form. */
int timestamp_iso8601(struct span text, int32_t zone_s, int64_t *ret);
int timestamp_pattern(struct span text, const struct time_format *format, int64_t *ret);

/* A zone at *P, which moves behind it.  -1: none. */
int timestamp_zone(const char **p, const char *end, int32_t *ret);

/* Digits of a fraction at *P as microseconds, all of them passed over.  -1: no digit. */
int timestamp_fraction(const char **p, const char *end, int32_t *ret);

#endif
