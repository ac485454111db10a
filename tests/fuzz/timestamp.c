/*
 * timestamp.c -- the first byte chooses a form; a pattern ends at the first zero byte; the rest is the time.  What is
 * read lies in the years 1 to 9999, and its ISO 8601 form is read as the same.
 */
#include <string.h>

#include "common/base/clock.h"
#include "tests/fuzz/target.h"
#include "common/series/timestamp.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct time_format iso = { .form = TIME_ISO8601 };
	struct time_format format = { .zone_s = 3600 };
	struct span text = { (const char *)data + 1, size - 1 };
	char pattern[64] = "", again[CLOCK_TEXT_BYTES];
	int64_t us, same;

	if (size == 0)
		return 0;
	format.form = (enum time_form)(data[0] % (TIME_PATTERN + 1));
	if (format.form == TIME_PATTERN) {
		size_t n = strnlen(text.ptr, text.len);

		if (n == text.len || n >= sizeof(pattern))
			return 0;
		memcpy(pattern, text.ptr, n);
		if (time_format_parse(pattern, &format) < 0)
			return 0;
		text = (struct span){ text.ptr + n + 1, text.len - n - 1 };
	}
	time_zone_parse(text, &format.zone_s);
	if (timestamp_parse(text, &format, &us, NULL) < 0)
		return 0;
	clock_iso8601(us, again);
	if (timestamp_parse(span_of(again), &iso, &same, NULL) < 0 || same != us)
		target_broken(again);
	return 0;
}
