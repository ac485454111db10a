/* timestamp_iso.c -- ISO 8601:2004 date and time, basic and extended.  The two may be mixed between date and time. */
#include <stdbool.h>

#include "common/series/timestamp.h"

struct cursor {
	const char *p, *end;
};

static bool
at(const struct cursor *c, char byte)
{
	return c->p < c->end && *c->p == byte;
}

static bool
take(struct cursor *c, char byte)
{
	if (!at(c, byte))
		return false;
	c->p++;
	return true;
}

/* How many digits stand here? */
static int
digits_ahead(const struct cursor *c)
{
	const char *p = c->p;

	while (p < c->end && *p >= '0' && *p <= '9')
		p++;
	return (int)(p - c->p);
}

/* Exactly N digits. */
static bool
number(struct cursor *c, int n, int *ret)
{
	int value = 0;

	if (digits_ahead(c) < n)
		return false;
	for (int i = 0; i < n; i++)
		value = value * 10 + (*c->p++ - '0');
	*ret = value;
	return true;
}

static bool
week_date(struct cursor *c, struct stamp *s)
{
	int week, weekday;

	c->p++;
	if (!number(c, 2, &week))
		return false;
	take(c, '-');
	s->month = 0;
	return number(c, 1, &weekday) && stamp_week(&s->year, week, weekday, &s->day) == 0;
}

static bool
date(struct cursor *c, struct stamp *s)
{
	bool extended;

	if (!number(c, 4, &s->year))
		return false;
	extended = take(c, '-');
	if (at(c, 'W'))
		return week_date(c, s);
	if (digits_ahead(c) == 3) {
		s->month = 0;
		return number(c, 3, &s->day);
	}
	/* Month 0 means a day of the year, so it must not be read from the text. */
	if (!number(c, 2, &s->month) || s->month == 0)
		return false;
	return (!extended || take(c, '-')) && number(c, 2, &s->day) && digits_ahead(c) == 0;
}

static bool
time_of_day(struct cursor *c, struct stamp *s)
{
	bool extended;

	if (!number(c, 2, &s->hour))
		return false;
	extended = take(c, ':');
	if (!extended && digits_ahead(c) == 0)
		return true;
	if (!number(c, 2, &s->minute))
		return false;
	if (extended ? !take(c, ':') : digits_ahead(c) == 0)
		return true;
	if (!number(c, 2, &s->second))
		return false;
	if (take(c, '.') || take(c, ','))
		return timestamp_fraction(&c->p, c->end, &s->fraction_us) == 0;
	return digits_ahead(c) == 0;
}

int
timestamp_iso8601(struct span text, int32_t zone_s, int64_t *ret)
{
	struct cursor c = { text.ptr, text.ptr + text.len };
	struct stamp s = { .offset_s = zone_s };

	if (!date(&c, &s))
		return -1;
	if (c.p < c.end) {
		if (!take(&c, 'T') && !take(&c, 't') && !take(&c, ' '))
			return -1;
		while (take(&c, ' '))
			;
		if (!time_of_day(&c, &s))
			return -1;
		while (take(&c, ' '))
			;
		if (c.p < c.end && timestamp_zone(&c.p, c.end, &s.offset_s) < 0)
			return -1;
	}
	return c.p == c.end ? stamp_us(&s, ret) : -1;
}
