/* clock.c -- civil dates by the proleptic Gregorian calendar (H. Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms"), without the C library's time zones. */
#include "common/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static int64_t
now_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * US_PER_SECOND + t.tv_nsec / 1000;
}

int64_t
clock_real_us(void)
{
	return now_us(CLOCK_REALTIME);
}

int64_t
clock_monotonic_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

void
clock_sleep_us(int64_t us)
{
	struct timespec t = { .tv_sec = us / US_PER_SECOND, .tv_nsec = (us % US_PER_SECOND) * 1000 };

	if (us <= 0)
		return;
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

void
clock_iso8601(int64_t us, char text[CLOCK_TEXT_BYTES])
{
	int64_t second = us / US_PER_SECOND, rest = us % US_PER_SECOND, day, of_day, era, doe, yoe, doy, mp, year;

	if (rest < 0) {
		rest += US_PER_SECOND;
		second--;
	}
	day = second / 86400;
	of_day = second % 86400;
	if (of_day < 0) {
		of_day += 86400;
		day--;
	}
	day += 719468; /* days since 0000-03-01 */
	era = (day >= 0 ? day : day - 146096) / 146097;
	doe = day - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	year = yoe + era * 400 + (mp >= 10);
	snprintf(text, CLOCK_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", (int)year,
		 (int)(mp < 10 ? mp + 3 : mp - 9), (int)(doy - (153 * mp + 2) / 5 + 1), (int)(of_day / 3600),
		 (int)(of_day / 60 % 60), (int)(of_day % 60), (int)rest);
}
