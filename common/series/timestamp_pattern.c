/* timestamp_pattern.c -- times by a pattern, a small part of POSIX strptime, without its locale and its clock. */
#include <stdbool.h>
#include <strings.h>

#include "common/series/timestamp.h"

struct match {
	const char *p, *end;
	struct stamp stamp;
	bool afternoon, half_day, epoch;
	int64_t epoch_s;
};

/* 1 to MOST digits, after blanks. */
static bool
number(struct match *m, int most, int *ret)
{
	int value = 0, n = 0;

	while (m->p < m->end && *m->p == ' ')
		m->p++;
	for (; n < most && m->p < m->end && *m->p >= '0' && *m->p <= '9'; n++)
		value = value * 10 + (*m->p++ - '0');
	*ret = value;
	return n > 0;
}

static bool
month_name(struct match *m)
{
	static const char *const names[] = { "january", "february", "march",     "april",   "may",      "june",
					     "july",    "august",   "september", "october", "november", "december" };

	for (int i = 0; i < 12; i++) {
		size_t left = (size_t)(m->end - m->p), full = strlen(names[i]);

		if (left < 3 || strncasecmp(m->p, names[i], 3) != 0)
			continue;
		m->p += left >= full && strncasecmp(m->p, names[i], full) == 0 ? full : 3;
		m->stamp.month = i + 1;
		return true;
	}
	return false;
}

static bool
half_of_day(struct match *m)
{
	if (m->end - m->p < 2 || (strncasecmp(m->p, "AM", 2) != 0 && strncasecmp(m->p, "PM", 2) != 0))
		return false;
	m->afternoon = *m->p == 'P' || *m->p == 'p';
	m->p += 2;
	return true;
}

static bool
epoch_seconds(struct match *m)
{
	bool negative = m->p < m->end && *m->p == '-';
	int64_t n = 0;
	int digits = 0;

	m->p += negative;
	for (; digits < 12 && m->p < m->end && *m->p >= '0' && *m->p <= '9'; digits++)
		n = n * 10 + (*m->p++ - '0');
	m->epoch = true;
	m->epoch_s = negative ? -n : n;
	return digits > 0;
}

static bool
field(struct match *m, char letter)
{
	struct stamp *s = &m->stamp;

	switch (letter) {
	case 'Y': return number(m, 4, &s->year);
	case 'y':
		if (!number(m, 2, &s->year))
			return false;
		s->year += s->year < 69 ? 2000 : 1900;
		return true;
	case 'm': return number(m, 2, &s->month) && s->month > 0;
	case 'b': return month_name(m);
	case 'd':
	case 'e': return number(m, 2, &s->day);
	case 'j': s->month = 0; return number(m, 3, &s->day);
	case 'H': return number(m, 2, &s->hour);
	case 'I': m->half_day = true; return number(m, 2, &s->hour) && s->hour >= 1 && s->hour <= 12;
	case 'p': return half_of_day(m);
	case 'M': return number(m, 2, &s->minute);
	case 'S': return number(m, 2, &s->second);
	case 'f': return timestamp_fraction(&m->p, m->end, &s->fraction_us) == 0;
	case 'z': return timestamp_zone(&m->p, m->end, &s->offset_s) == 0;
	case 's': return epoch_seconds(m);
	default: return false;
	}
}

static bool
pattern(struct match *m, const char *text)
{
	for (; *text; text++) {
		if (*text == ' ') {
			while (m->p < m->end && *m->p == ' ')
				m->p++;
			continue;
		}
		if (*text == '%' && *++text != '%') {
			if (*text == 'T' || *text == 'F' ? !pattern(m, *text == 'T' ? "%H:%M:%S" : "%Y-%m-%d")
							 : !field(m, *text))
				return false;
			continue;
		}
		if (m->p == m->end || *m->p != *text)
			return false;
		m->p++;
	}
	return true;
}

int
timestamp_pattern(struct span text, const struct time_format *format, int64_t *ret)
{
	struct match m = { .p = text.ptr, .end = text.ptr + text.len, .stamp.offset_s = format->zone_s };

	m.stamp.day = 1;
	if (!pattern(&m, format->pattern) || m.p != m.end)
		return -1;
	if (m.epoch) {
		*ret = m.epoch_s * 1000000 + m.stamp.fraction_us;
		return 0;
	}
	if (m.half_day)
		m.stamp.hour = m.stamp.hour % 12 + (m.afternoon ? 12 : 0);
	return stamp_us(&m.stamp, ret);
}
