/* frequency.c -- names, seasons, lags of odd multiples; the calendar against the C library's, day by day. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/forecast/frequency.h"

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

static struct frequency
of(const char *name)
{
	struct frequency f;
	struct err err = ERR_INIT;

	if (frequency_parse(name, &f, &err) < 0)
		fail_msg("%s", err.text);
	return f;
}

static int64_t
date(int year, int month, int day)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };

	return (int64_t)timegm(&tm) * SECOND;
}

static const struct name_row {
	const char *text, *name;
	int season, long_season;
} names[] = {
	{ "H", "1h", 24, 168 },
	{ "h", "1h", 24, 168 },
	{ "2h", "2h", 12, 84 },
	{ "24h", "24h", 7, 0 },
	{ "5h", "5h", 1, 0 },
	{ "15min", "15min", 96, 672 },
	{ "15T", "15min", 96, 672 },
	{ "T", "1min", 1440, 10080 },
	{ "7min", "7min", 1440, 0 },
	{ "s", "1s", 3600, 86400 },
	{ "30s", "30s", 120, 2880 },
	{ "30S", "30s", 120, 2880 },
	{ "D", "1D", 7, 0 },
	{ "1D", "1D", 7, 0 },
	{ "2D", "2D", 1, 0 },
	{ "B", "1B", 5, 0 },
	{ "W", "1W", 52, 0 },
	{ "W-SUN", "1W", 52, 0 },
	{ "4W", "4W", 13, 0 },
	{ "M", "1M", 12, 0 },
	{ "ME", "1M", 12, 0 },
	{ "3MS", "3M", 4, 0 },
	{ "31622400s", "31622400s", 1, 0 },
};

static void
parses(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct frequency f = of(names[i].text);

		assert_string_equal(f.name, names[i].name);
		assert_int_equal(f.season, names[i].season);
		assert_int_equal(f.long_season, names[i].long_season);
	}
}

static void
refuses(void **state)
{
	static const char *const wrong[] = { "",     "0h",  "x",         "hh",
					     "1.5h", "-1h", "m",         "W-MON",
					     "367D", "53W", "31622401s", "99999999999999999999s",
					     " h",   "Q",   "h24",       "18446744073709551617h" };
	struct frequency f;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(frequency_parse(wrong[i], &f, &err), -1);
		assert_int_equal(err.reason, REASON_OPTION_INVALID);
	}
}

static void
steps(void **state)
{
	static const struct {
		int64_t us;
		const char *name;
	} rows[] = { { SECOND, "1s" },
		     { 60 * SECOND, "1min" },
		     { 90 * SECOND, "90s" },
		     { 900 * SECOND, "15min" },
		     { HOUR, "1h" },
		     { 90 * 60 * SECOND, "90min" },
		     { 24 * HOUR, "1D" },
		     { 36 * HOUR, "36h" },
		     { 7 * DAY, "1W" },
		     { 6 * DAY, "6D" },
		     { 0, NULL },
		     { -HOUR, NULL },
		     { 1500000, NULL },
		     { 8 * DAY, NULL },
		     { INT64_MAX, NULL } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		struct frequency f;
		int result = frequency_of_step(rows[i].us, &f, &err);

		assert_int_equal(result, rows[i].name ? 0 : -1);
		assert_int_equal(err.reason, rows[i].name ? REASON_NONE : REASON_OPTION_INVALID);
		if (!rows[i].name)
			continue;
		assert_string_equal(f.name, rows[i].name);
		assert_int_equal(frequency_time(&f, 5, 1), rows[i].us + 5);
	}
}

/* As the rule gives them in Python, whose division of floats it rests on. */
static const struct lag_row {
	const char *name;
	int lags[50];
} lag_rows[] = {
	{ "7min", { 1,  2,  3,   4,   5,   6,   7,   8,   9,   10,  15,  16,  17,  18,  19,   23,   24,  25,
		    26, 27, 204, 205, 206, 410, 411, 412, 616, 617, 618, 821, 822, 823, 1027, 1028, 1029 } },
	{ "12h", { 1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,  13,  14,  15,  27,
		   28, 29, 41, 42, 43, 55, 56, 57, 59, 60, 61, 112, 168, 727, 728, 729 } },
	{ "30s",
	  { 1, 2, 3, 4, 5, 6, 7, 8, 118, 119, 120, 121, 122, 238, 239, 240, 241, 242, 358, 359, 360, 361, 362 } },
	{ "2D",
	  { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 28, 42, 181, 182, 183, 363, 364, 365, 545, 546, 547 } },
	{ "2W", { 1, 2, 3, 4, 5, 6, 7, 25, 26, 27, 51, 52, 53, 77, 78, 79 } },
	{ "2B", { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 19, 29, 128, 129, 130, 258, 259, 260, 388, 389, 390 } },
	{ "366D", { 1, 2, 3, 4, 5, 6, 7 } },
};

static void
lags(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(lag_rows); i++) {
		struct frequency f = of(lag_rows[i].name);
		size_t n = 0;

		while (lag_rows[i].lags[n])
			n++;
		assert_int_equal(f.n_lags, n);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(f.lags[k], lag_rows[i].lags[k]);
	}
}

/* There is room for the lags of every multiple. */
static void
lags_fit(void **state)
{
	static const char *const units[] = { "s", "min", "h", "D", "B", "W", "M" };

	for (size_t u = 0; u < ARRAY_LEN(units); u++)
		for (int multiple = 1; multiple <= 2000; multiple++) {
			struct err err = ERR_INIT;
			struct frequency f;
			char name[32];

			snprintf(name, sizeof(name), "%d%s", multiple, units[u]);
			if (frequency_parse(name, &f, &err) < 0)
				break;
			assert_in_range(f.n_lags, 7, FREQUENCY_LAGS_MAX - 1);
			for (size_t k = 1; k < f.n_lags; k++)
				assert_true(f.lags[k] > f.lags[k - 1] && f.lags[k] <= 1200);
		}
}

static void
assert_feature(float value, double number, double most, const struct tm *tm)
{
	if (value != (float)(number / most - 0.5))
		fail_msg("%d-%02d-%02d: %.9g, must be %.9g", tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday,
			 (double)value, number / most - 0.5);
}

/* Every day of 84 centuries; ISO weeks around every New Year. */
static void
calendar(void **state)
{
	struct frequency daily = of("D"), weekly = of("W"), monthly = of("M");

	for (int64_t at = date(1600, 1, 1); at < date(9999, 12, 31); at += DAY) {
		float day[FREQUENCY_FEATURES_MAX], week[FREQUENCY_FEATURES_MAX], month[FREQUENCY_FEATURES_MAX];
		time_t seconds = (time_t)(at / SECOND);
		struct tm tm;
		char text[8];

		gmtime_r(&seconds, &tm);
		frequency_features(&daily, at + 86399 * SECOND + 999999, day);
		assert_feature(day[0], (tm.tm_wday + 6) % 7, 6, &tm);
		assert_feature(day[1], tm.tm_mday - 1, 30, &tm);
		assert_feature(day[2], tm.tm_yday, 365, &tm);
		frequency_features(&monthly, at, month);
		assert_feature(month[0], tm.tm_mon, 11, &tm);
		if (tm.tm_yday > 7 && tm.tm_yday < 355)
			continue;
		frequency_features(&weekly, at, week);
		strftime(text, sizeof(text), "%V", &tm);
		assert_feature(week[1], atoi(text) - 1, 52, &tm);
	}
}

static void
clock_features(void **state)
{
	struct frequency f = of("s");
	int64_t at = date(1969, 12, 31) + 23 * HOUR + 58 * 60 * SECOND + 7 * SECOND;
	float values[FREQUENCY_FEATURES_MAX];

	frequency_features(&f, at, values);
	assert_true(values[0] == (float)(7 / 59.0 - 0.5));
	assert_true(values[1] == (float)(58 / 59.0 - 0.5));
	assert_true(values[2] == 0.5f);
}

static void
business_days(void **state)
{
	struct frequency f = of("B"), two = of("2B");
	int64_t friday = date(2024, 12, 27) + 9 * HOUR;

	assert_int_equal(frequency_time(&f, friday, 0), friday);
	assert_int_equal(frequency_time(&f, friday, 1), friday + 3 * DAY);
	assert_int_equal(frequency_time(&f, friday, 6), friday + 10 * DAY);
	assert_int_equal(frequency_time(&f, friday, -4), friday - 4 * DAY);
	assert_int_equal(frequency_time(&f, friday, -5), friday - 7 * DAY);
	assert_int_equal(frequency_time(&two, friday, 1), friday + 4 * DAY);
	/* Saturday and Sunday are the Monday behind them. */
	assert_int_equal(frequency_time(&f, friday + DAY, 0), friday + 3 * DAY);
	assert_int_equal(frequency_time(&f, friday + 2 * DAY, 1), friday + 4 * DAY);
	assert_int_equal(frequency_time(&f, date(1969, 12, 31), 2), date(1970, 1, 2));
}

static void
months(void **state)
{
	struct frequency f = of("M"), quarter = of("3M");
	int64_t last = date(2024, 1, 31) + HOUR;

	assert_int_equal(frequency_time(&f, last, 1), date(2024, 2, 29) + HOUR);
	assert_int_equal(frequency_time(&f, last, 2), date(2024, 3, 31) + HOUR);
	assert_int_equal(frequency_time(&f, last, 13), date(2025, 2, 28) + HOUR);
	assert_int_equal(frequency_time(&f, last, -1), date(2023, 12, 31) + HOUR);
	assert_int_equal(frequency_time(&f, last, -12 * 424), date(1600, 1, 31) + HOUR);
	assert_int_equal(frequency_time(&f, date(2000, 5, 1), 12 * 7999), date(9999, 5, 1));
	assert_int_equal(frequency_time(&quarter, date(2024, 11, 30), 1), date(2025, 2, 28));
}

/* Far outside of all years numbers stop, and nothing breaks. */
static void
far_away(void **state)
{
	static const int64_t far[] = { INT64_MIN, INT64_MIN + 1, -(INT64_C(1) << 60), INT64_C(1) << 60, INT64_MAX };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct frequency f = of(names[i].text);

		for (size_t a = 0; a < ARRAY_LEN(far); a++)
			for (size_t b = 0; b < ARRAY_LEN(far); b++) {
				int64_t time = frequency_time(&f, far[a], far[b]);
				float values[FREQUENCY_FEATURES_MAX];

				frequency_features(&f, time, values);
				for (size_t k = 0; k < f.n_features; k++)
					assert_true(fabsf(values[k]) <= 0.5f);
				if ((far[a] > 0) == (far[b] > 0))
					assert_true((time > 0) == (far[a] > 0));
			}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),         cmocka_unit_test(refuses),       cmocka_unit_test(steps),
		cmocka_unit_test(lags),           cmocka_unit_test(lags_fit),      cmocka_unit_test(calendar),
		cmocka_unit_test(clock_features), cmocka_unit_test(business_days), cmocka_unit_test(months),
		cmocka_unit_test(far_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
