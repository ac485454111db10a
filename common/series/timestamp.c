/*
 * timestamp.c -- which form is it?  Epochs are decimal numbers, shifted to microseconds in integers: a double would already
 * lose the nanoseconds of our days.
 */
#include "common/series/timestamp.h"

#include <stdbool.h>
#include <strings.h>

#include "common/base/number.h"

#define SHOWN 64 /* bytes of a refused text in the error */
#define TEXT_MAX 1024
#define YEAR_1_US (INT64_C(-62135596800) * 1000000)
#define YEAR_10000_US (INT64_C(253402300800) * 1000000)

const char *const time_format_names[] = { "auto", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "iso8601", NULL };

static bool
pattern_is_known(const char *p)
{
	for (; *p; p++)
		if (*p == '%' && (*++p == '\0' || !strchr("YmdHMSfyejbIpzsTF%", *p)))
			return false;
	return true;
}

int
time_format_parse(const char *text, struct time_format *ret)
{
	for (int i = 0; time_format_names[i]; i++) {
		if (strcmp(text, time_format_names[i]) == 0) {
			ret->form = (enum time_form)i;
			return 0;
		}
	}
	if (!strchr(text, '%') || !pattern_is_known(text))
		return -1;
	ret->form = TIME_PATTERN;
	ret->pattern = text;
	return 0;
}

int
timestamp_fraction(const char **p, const char *end, int32_t *ret)
{
	int32_t us = 0, unit = 100000;
	const char *start = *p;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		us += unit * (**p - '0');
		unit /= 10;
	}
	*ret = us;
	return *p == start ? -1 : 0;
}

static bool
two_digits(const char *p, const char *end, int *ret)
{
	if (end - p < 2 || p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return false;
	*ret = (p[0] - '0') * 10 + p[1] - '0';
	return true;
}

int
timestamp_zone(const char **p, const char *end, int32_t *ret)
{
	const char *q = *p;
	int hours, minutes = 0, sign;

	if (q < end && (*q == 'Z' || *q == 'z')) {
		*p = q + 1;
		*ret = 0;
		return 0;
	}
	if (end - q >= 3 && (strncasecmp(q, "UTC", 3) == 0 || strncasecmp(q, "GMT", 3) == 0)) {
		*p = q + 3;
		*ret = 0;
		return 0;
	}
	if (q == end || (*q != '+' && *q != '-') || !two_digits(q + 1, end, &hours) || hours > 23)
		return -1;
	sign = *q == '-' ? -1 : 1;
	q += 3;
	if (q < end && *q == ':') {
		if (!two_digits(q + 1, end, &minutes))
			return -1;
		q += 3;
	} else if (two_digits(q, end, &minutes)) {
		q += 2;
	}
	if (minutes > 59)
		return -1;
	*ret = sign * (hours * 3600 + minutes * 60);
	*p = q;
	return 0;
}

int
time_zone_parse(struct span text, int32_t *ret)
{
	const char *p = text.ptr, *end = p + text.len;

	return timestamp_zone(&p, end, ret) < 0 || p != end ? -1 : 0;
}

/* D * 10^SHIFT, rounded towards minus infinity.  False: beyond 64 bits. */
static bool
shifted(const struct decimal *d, int64_t shift, int64_t *ret)
{
	__int128 n = d->digits;
	bool rest = d->cut;

	shift += d->exponent;
	if (n == 0)
		shift = 0;
	for (; shift > 0; shift--) {
		n *= 10;
		if (n > INT64_MAX)
			return false;
	}
	for (; shift < 0 && n != 0; shift++) {
		rest |= n % 10 != 0;
		n /= 10;
	}
	if (d->negative)
		n = -n - rest;
	if (n > INT64_MAX || n < INT64_MIN)
		return false;
	*ret = (int64_t)n;
	return true;
}

static enum time_form
unit_by_size(const struct decimal *d)
{
	static const struct {
		double below;
		enum time_form unit;
	} sizes[] = { { 1e11, TIME_EPOCH_S }, { 1e14, TIME_EPOCH_MS }, { 1e17, TIME_EPOCH_US } };
	struct decimal size = *d;
	double value;

	size.negative = false;
	value = decimal_double(&size);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (value < sizes[i].below)
			return sizes[i].unit;
	return TIME_EPOCH_NS;
}

static int
within_years(int64_t us, struct span text, const char *form, int64_t *ret, struct err *err)
{
	if (us < YEAR_1_US || us >= YEAR_10000_US)
		return err_set(err, REASON_TIME_RANGE, "%.*s as %s is outside the years 0001 to 9999",
			       (int)(text.len < SHOWN ? text.len : SHOWN), text.ptr, form);
	*ret = us;
	return 0;
}

static int
epoch(const struct decimal *d, enum time_form unit, int64_t *ret, struct err *err)
{
	static const int shifts[] = {
		[TIME_EPOCH_S] = 6, [TIME_EPOCH_MS] = 3, [TIME_EPOCH_US] = 0, [TIME_EPOCH_NS] = -3
	};
	int64_t us;

	if (unit == TIME_AUTO)
		unit = unit_by_size(d);
	if (!shifted(d, shifts[unit], &us))
		us = INT64_MAX;
	return within_years(us, d->text, time_format_names[unit], ret, err);
}

static struct span
trimmed(struct span s)
{
	while (s.len && (*s.ptr == ' ' || *s.ptr == '\t' || *s.ptr == '\r' || *s.ptr == '\n'))
		s = (struct span){ s.ptr + 1, s.len - 1 };
	while (s.len && strchr(" \t\r\n", s.ptr[s.len - 1]) && s.ptr[s.len - 1])
		s.len--;
	return s;
}

int
timestamp_parse(struct span text, const struct time_format *format, int64_t *ret, struct err *err)
{
	struct span t = trimmed(text);
	const char *name = format->form == TIME_PATTERN ? format->pattern : time_format_names[format->form];
	struct decimal number;
	int64_t us;

	if (t.len > TEXT_MAX)
		return err_set(err, REASON_TIME_SYNTAX, "a time of %zu bytes", t.len);
	if (format->form < TIME_ISO8601 && decimal_parse(t, '.', &number) == NUMBER_OK)
		return epoch(&number, format->form, ret, err);
	if ((format->form == TIME_AUTO || format->form == TIME_ISO8601) &&
	    timestamp_iso8601(t, format->zone_s, &us) == 0)
		return within_years(us, t, name, ret, err);
	if (format->form == TIME_PATTERN && timestamp_pattern(t, format, &us) == 0)
		return within_years(us, t, name, ret, err);
	return err_set(err, REASON_TIME_SYNTAX, "\"%.*s\" is no time of the form %s",
		       (int)(t.len < SHOWN ? t.len : SHOWN), t.ptr, name);
}
