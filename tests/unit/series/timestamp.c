/* timestamp.c -- every form of time, and its broken siblings.  Expected values are from `date -u -d`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/series/timestamp.h"

#define LEAP INT64_C(1709208000000000) /* 2024-02-29T12:00:00Z */
#define HOUR INT64_C(3600000000)

static const struct row {
	const char *format, *zone, *text;
	enum err_reason reason;
	int64_t us;
} rows[] = {
	/* epochs, by size */
	{ "auto", "Z", "1709208000", REASON_NONE, LEAP },
	{ "auto", "Z", "1709208000.123456789", REASON_NONE, LEAP + 123456 },
	{ "auto", "Z", "1709208000123", REASON_NONE, LEAP + 123000 },
	{ "auto", "Z", "1709208000123456", REASON_NONE, LEAP + 123456 },
	{ "auto", "Z", "1709208000123456789", REASON_NONE, LEAP + 123456 },
	{ "auto", "Z", "1.709208e9", REASON_NONE, LEAP },
	{ "auto", "Z", "1.709208e12", REASON_NONE, LEAP },
	{ "auto", "Z", " 1709208000 ", REASON_NONE, LEAP },
	{ "auto", "Z", "0", REASON_NONE, 0 },
	{ "auto", "Z", "-1", REASON_NONE, -1000000 },
	{ "auto", "Z", "-0.0000001", REASON_NONE, -1 },
	{ "auto", "Z", "99999999999", REASON_NONE, INT64_C(99999999999000000) },
	{ "auto", "Z", "100000000000", REASON_NONE, INT64_C(100000000000000) },
	{ "auto", "Z", "99999999999999", REASON_NONE, INT64_C(99999999999999000) },
	{ "auto", "Z", "100000000000000", REASON_NONE, INT64_C(100000000000000) },
	{ "auto", "Z", "100000000000000000", REASON_NONE, INT64_C(100000000000000) },
	{ "epoch_s", "Z", "5", REASON_NONE, 5000000 },
	{ "epoch_ms", "Z", "1163438041250", REASON_NONE, INT64_C(1163438041250000) },
	{ "epoch_ms", "Z", "0.5", REASON_NONE, 500 },
	{ "epoch_us", "Z", "1", REASON_NONE, 1 },
	{ "epoch_ns", "Z", "1999", REASON_NONE, 1 },
	{ "epoch_ns", "Z", "-1999", REASON_NONE, -2 },
	{ "epoch_s", "Z", "253402300799", REASON_NONE, INT64_C(253402300799000000) },
	{ "epoch_s", "Z", "253402300800", REASON_TIME_RANGE, 0 },
	{ "epoch_s", "Z", "-62135596801", REASON_TIME_RANGE, 0 },
	{ "epoch_s", "Z", "1e300", REASON_TIME_RANGE, 0 },
	{ "auto", "Z", "99999999999999999999999", REASON_TIME_RANGE, 0 },
	{ "epoch_s", "Z", "2024-02-29T12:00:00Z", REASON_TIME_SYNTAX, 0 },
	{ "epoch_s", "Z", "1709208000s", REASON_TIME_SYNTAX, 0 },
	/* ISO 8601 */
	{ "auto", "Z", "2024-02-29T12:00:00Z", REASON_NONE, LEAP },
	{ "auto", "Z", "2024-02-29t12:00:00z", REASON_NONE, LEAP },
	{ "auto", "Z", "2024-02-29 12:00:00", REASON_NONE, LEAP },
	{ "auto", "Z", "2024-02-29  12:00:00 UTC", REASON_NONE, LEAP },
	{ "auto", "Z", "2024-02-29 12:00:00 +0000", REASON_NONE, LEAP },
	{ "auto", "Z", "2024-02-29T12", REASON_NONE, LEAP },
	{ "auto", "Z", "2024-02-29T12:00", REASON_NONE, LEAP },
	{ "auto", "Z", "2024-02-29", REASON_NONE, LEAP - 12 * HOUR },
	{ "auto", "Z", "20240229T120000Z", REASON_NONE, LEAP },
	{ "auto", "Z", "20240229T1200", REASON_NONE, LEAP },
	{ "auto", "Z", "20240229T120000.5Z", REASON_NONE, LEAP + 500000 },
	{ "auto", "Z", "2024-02-29T12:00:00.1Z", REASON_NONE, LEAP + 100000 },
	{ "auto", "Z", "2024-02-29T12:00:00,123456Z", REASON_NONE, LEAP + 123456 },
	{ "auto", "Z", "2024-02-29T12:00:00.123456999Z", REASON_NONE, LEAP + 123456 },
	{ "auto", "Z", "2024-02-29T12:00:00.123456789012345Z", REASON_NONE, LEAP + 123456 },
	{ "auto", "Z", "2024-02-29T13:00:00+01:00", REASON_NONE, LEAP },
	{ "auto", "Z", "2024-02-29T13:00:00+01", REASON_NONE, LEAP },
	{ "auto", "Z", "2024-02-29T13:00+0100", REASON_NONE, LEAP },
	{ "auto", "Z", "2024-02-29T07:30:00-0430", REASON_NONE, LEAP },
	{ "auto", "+01:00", "2024-02-29T13:00:00", REASON_NONE, LEAP },
	{ "auto", "-05:00", "2024-02-29 07:00:00", REASON_NONE, LEAP },
	{ "auto", "-05:00", "2024-02-29T12:00:00Z", REASON_NONE, LEAP },
	{ "auto", "Z", "2024-060T12:00:00Z", REASON_NONE, LEAP },
	{ "auto", "Z", "2024060T120000Z", REASON_NONE, LEAP },
	{ "auto", "Z", "2024-W09-4T12:00:00Z", REASON_NONE, LEAP },
	{ "auto", "Z", "2024W094T12Z", REASON_NONE, LEAP },
	{ "auto", "Z", "2020-W53-5T00:00:00Z", REASON_NONE, INT64_C(1609459200000000) },
	{ "auto", "Z", "2025-W01-1T00:00:00Z", REASON_NONE, INT64_C(1735516800000000) },
	{ "iso8601", "Z", "20240229", REASON_NONE, LEAP - 12 * HOUR },
	{ "auto", "Z", "20240229", REASON_NONE, INT64_C(20240229000000) },
	{ "auto", "Z", "2016-12-31T23:59:60Z", REASON_NONE, INT64_C(1483228800000000) },
	{ "auto", "Z", "2024-02-28T24:00:00Z", REASON_NONE, LEAP - 12 * HOUR },
	{ "auto", "Z", "1969-12-31T23:59:59.999999Z", REASON_NONE, -1 },
	{ "auto", "Z", "0001-01-01T00:00:00Z", REASON_NONE, INT64_C(-62135596800000000) },
	{ "auto", "Z", "9999-12-31T23:59:59Z", REASON_NONE, INT64_C(253402300799000000) },
	{ "auto", "Z", "9999-12-31T23:59:59-01:00", REASON_TIME_RANGE, 0 },
	{ "auto", "Z", "2024-02-29T12:00:60Z", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "2024-02-29T24:00:01Z", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "2024-02-29T25:00:00Z", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "2023-02-29T12:00:00Z", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "2024-13-01T00:00:00Z", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "2024-00-10T00:00:00Z", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "2024-02-00T00:00:00Z", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "0000-01-01T00:00:00Z", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "2023-366T00:00:00Z", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "2021-W53-1", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "2025-W53-1", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "2026-W53-1", REASON_NONE, INT64_C(1798416000000000) },
	{ "auto", "Z", "2026-W53-8", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "2024-02-29T12:60:00Z", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "2024-02-29T12:00:00.Z", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "2024-02-29T12:00:00+24:00", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "2024-02-29T12:00:00+01:60", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "2024-02-29T12:00:00Zulu", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "2024-2-9T12:00:00Z", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "2024-02T12:00:00Z", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "2024-02-29T", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "2024-02-29T1:00", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "29.02.2024 12:00", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "yesterday", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "", REASON_TIME_SYNTAX, 0 },
	{ "auto", "Z", "NaN", REASON_TIME_SYNTAX, 0 },
	/* patterns */
	{ "%d.%m.%Y %H:%M:%S", "Z", "29.02.2024 12:00:00", REASON_NONE, LEAP },
	{ "%d.%m.%Y %H:%M:%S", "Z", "29.2.2024   12:00:00", REASON_NONE, LEAP },
	{ "%m/%d/%y %I:%M %p", "Z", "02/29/24 12:00 PM", REASON_NONE, LEAP },
	{ "%m/%d/%y %I:%M %p", "Z", "02/29/24 12:00 am", REASON_NONE, LEAP - 12 * HOUR },
	{ "%d %b %Y %T.%f", "Z", "29 February 2024 12:00:00.25", REASON_NONE, LEAP + 250000 },
	{ "%d-%b-%Y %T%z", "Z", "29-FEB-2024 13:00:00+01:00", REASON_NONE, LEAP },
	{ "%F %H.%M.%S", "+01:00", "2024-02-29 13.00.00", REASON_NONE, LEAP },
	{ "%Y%j%H", "Z", "202406012", REASON_NONE, LEAP },
	{ "[%s]", "Z", "[1709208000]", REASON_NONE, LEAP },
	{ "%y%m%d", "Z", "690101", REASON_NONE, INT64_C(-31536000000000) },
	{ "100%%%Y", "Z", "100%2024", REASON_NONE, INT64_C(1704067200000000) },
	{ "%d.%m.%Y", "Z", "30.02.2024", REASON_TIME_SYNTAX, 0 },
	{ "%d.%m.%Y", "Z", "29.02.2024x", REASON_TIME_SYNTAX, 0 },
	{ "%d.%m.%Y", "Z", "29.02", REASON_TIME_SYNTAX, 0 },
	{ "%d.%m.%Y", "Z", "1709208000", REASON_TIME_SYNTAX, 0 },
	{ "%H:%M", "Z", "12:00", REASON_TIME_SYNTAX, 0 },
	{ "%s", "Z", "999999999999", REASON_TIME_RANGE, 0 },
};

static void
reads_times(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct time_format format = { 0 };
		struct err err = ERR_INIT;
		int64_t us = 0;

		assert_int_equal(time_format_parse(rows[i].format, &format), 0);
		assert_int_equal(time_zone_parse(span_of(rows[i].zone), &format.zone_s), 0);
		timestamp_parse(span_of(rows[i].text), &format, &us, &err);
		if (err.reason != rows[i].reason || us != rows[i].us)
			fail_msg("%s by %s: %s, %lld us, not %lld; %s", rows[i].text, rows[i].format,
				 err_reason_name(err.reason), (long long)us, (long long)rows[i].us, err.text);
	}
}

/* Every day of 800 years, and some hours around, against the C library. */
static void
agrees_with_gmtime(void **state)
{
	const struct time_format iso = { .form = TIME_ISO8601 };

	for (int64_t s = INT64_C(-12219292800); s < INT64_C(13000000000); s += 86399) {
		time_t t = (time_t)s;
		struct tm tm;
		char text[3][64];

		gmtime_r(&t, &tm);
		strftime(text[0], sizeof(text[0]), "%Y-%m-%dT%H:%M:%SZ", &tm);
		strftime(text[1], sizeof(text[1]), "%Y%jT%H%M%S", &tm);
		strftime(text[2], sizeof(text[2]), "%G-W%V-%uT%H:%M:%S", &tm);
		for (int i = 0; i < 3; i++) {
			int64_t us = 0;

			if (timestamp_parse(span_of(text[i]), &iso, &us, NULL) < 0 || us != s * 1000000)
				fail_msg("%s: %lld, not %lld", text[i], (long long)us, (long long)s * 1000000);
		}
	}
}

static void
refuses_odd_formats(void **state)
{
	static const char *const formats[] = { "", "epoch", "iso", "%Q", "%", "%Y %" };
	static const char *const zones[] = { "", "+1", "CET", "+24:00", "Z ", "01:00", "+01:0" };
	struct time_format format;

	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		assert_int_equal(time_format_parse(formats[i], &format), -1);
	for (size_t i = 0; i < ARRAY_LEN(zones); i++)
		assert_int_equal(time_zone_parse(span_of(zones[i]), &format.zone_s), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_times),
		cmocka_unit_test(agrees_with_gmtime),
		cmocka_unit_test(refuses_odd_formats),
	};

	return cmocka_run_group_tests_name("timestamp", tests, NULL, NULL);
}
