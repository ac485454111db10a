/* moments.c -- see moments.h. */
#include "cli/moments.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"

#define LONGEST_US (INT64_C(36500) * 86400 * US_PER_SECOND) /* a hundred years */

static const struct unit {
	const char *name;
	int64_t us;
} units[] = {
	{ "ms", US_PER_MS },           { "s", US_PER_SECOND },         { "m", 60 * US_PER_SECOND },
	{ "h", 3600 * US_PER_SECOND }, { "d", 86400 * US_PER_SECOND }, { "us", 1 },
};

static const struct unit *
unit_at(const char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strlen(units[i].name) == len && strncmp(units[i].name, text, len) == 0)
			return &units[i];
	return NULL;
}

int
duration_parse(const char *text, int64_t *us, struct err *err)
{
	const char *at = text;
	int64_t sum = 0;

	while (isdigit((unsigned char)*at) && sum <= LONGEST_US) {
		const struct unit *unit;
		int64_t number = 0;
		size_t len = 0;

		for (; isdigit((unsigned char)*at) && number <= LONGEST_US; at++)
			number = number * 10 + (*at - '0');
		while (isalpha((unsigned char)at[len]))
			len++;
		unit = unit_at(at, len);
		if (!unit || number > LONGEST_US / unit->us)
			break;
		sum += number * unit->us;
		at += len;
	}
	if (*at || sum <= 0 || sum > LONGEST_US)
		return err_set(err, REASON_OPTION_INVALID,
			       "%.60s: not a span of time such as 250ms, 30s, 5m, 6h, 2d, 1h30m", text);
	*us = sum;
	return 0;
}

/* DIGITS digits at *AT, at most MOST. */
static bool
take_digits(const char **at, int digits, int most, int *ret)
{
	int number = 0;

	for (int i = 0; i < digits; i++, ++*at) {
		if (!isdigit((unsigned char)**at))
			return false;
		number = number * 10 + (**at - '0');
	}
	*ret = number;
	return number <= most;
}

static bool
take_char(const char **at, char c)
{
	if (**at != c)
		return false;
	++*at;
	return true;
}

/* ".25" -> microseconds. */
static bool
take_fraction(const char **at, int64_t *us)
{
	int64_t unit = US_PER_SECOND / 10;

	if (!take_char(at, '.'))
		return true;
	if (!isdigit((unsigned char)**at))
		return false;
	for (; isdigit((unsigned char)**at); ++*at, unit /= 10)
		*us += (**at - '0') * unit;
	return true;
}

/* "Z", "+02:00", "" -> seconds east of UTC. */
static bool
take_zone(const char **at, int *east_s)
{
	int sign = **at == '-' ? -1 : 1, hours, minutes;

	*east_s = 0;
	if (**at == '\0' || take_char(at, 'Z'))
		return true;
	if ((!take_char(at, '+') && !take_char(at, '-')) || !take_digits(at, 2, 18, &hours) || !take_char(at, ':') ||
	    !take_digits(at, 2, 59, &minutes))
		return false;
	*east_s = sign * (hours * 3600 + minutes * 60);
	return true;
}

int
moment_parse(const char *text, int64_t *us, struct err *err)
{
	const char *at = text;
	struct tm tm = { 0 };
	int year = 0, month = 0, day = 0, east_s = 0;
	int64_t fraction_us = 0;
	time_t seconds;
	bool good = take_digits(&at, 4, 9999, &year) && take_char(&at, '-') && take_digits(&at, 2, 12, &month) &&
		    take_char(&at, '-') && take_digits(&at, 2, 31, &day) && month > 0 && day > 0;

	if (good && (take_char(&at, 'T') || take_char(&at, ' '))) {
		good =
		    take_digits(&at, 2, 23, &tm.tm_hour) && take_char(&at, ':') && take_digits(&at, 2, 59, &tm.tm_min);
		if (good && take_char(&at, ':'))
			good = take_digits(&at, 2, 59, &tm.tm_sec) && take_fraction(&at, &fraction_us);
	}
	good = good && take_zone(&at, &east_s) && *at == '\0';
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	seconds = timegm(&tm);
	if (!good || tm.tm_mday != day) /* timegm moves 30 February to March */
		return err_set(err, REASON_OPTION_INVALID, "%.60s: not a time such as 2024-02-29T12:00:00Z", text);
	*us = ((int64_t)seconds - east_s) * US_PER_SECOND + fraction_us;
	return 0;
}
