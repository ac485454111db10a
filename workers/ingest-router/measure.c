/*
 * measure.c -- the order of things: read the number, compare it with the sentinels as it stands, scale, then look whether
 * the result is finite and in range.  A scale of 0.01 is a division by 100: 2358 / 100 is the double nearest to 23.58,
 * 2358 * 0.01 is not.
 */
#include "workers/ingest-router/measure.h"

#include <math.h>

#include "workers/ingest-router/mapping.h"
#include "common/base/number.h"

/* At most BAD_TEXT_MAX bytes, not inside a character (a continuation byte begins with the bits 10). */
static struct span
cut(struct span text)
{
	if (text.len <= BAD_TEXT_MAX)
		return text;
	text.len = BAD_TEXT_MAX;
	while (text.len && ((unsigned char)text.ptr[text.len] & 0xc0) == 0x80)
		text.len--;
	return text;
}

/* Avro's strings and PostgreSQL's texts hold no NUL, JSON's may. */
static struct span
without_nul(struct span text, struct arena *arena)
{
	char *copy;
	size_t n = 0;

	if (text.len == 0 || !memchr(text.ptr, '\0', text.len))
		return text;
	copy = arena_alloc(arena, text.len * 3);
	if (!copy)
		return SPAN_NONE;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i]) {
			copy[n++] = text.ptr[i];
		} else {
			memcpy(copy + n, "\xef\xbf\xbd", 3);
			n += 3;
		}
	}
	return (struct span){ copy, n };
}

int
measure_refuse(const struct reference *from, const struct place *at, enum quality quality, struct arena *arena,
	       struct reading_value *ret, struct err *err)
{
	const struct scan_value *v = reference_value(from, at);
	struct span text = v->kind == SCAN_STRING ? reference_text(from, at) : v->text;

	ret->value = NAN;
	ret->quality = quality;
	ret->text = cut(without_nul(cut(text.ptr ? text : v->text), arena));
	return ret->text.ptr ? 0 : err_set(err, REASON_NO_MEMORY, "message");
}

static enum quality
from_text(const struct measure *m, struct span text, double *ret)
{
	struct decimal d;

	if (!text.ptr)
		return QUALITY_NOT_A_NUMBER;
	switch (decimal_parse(text, m->point, &d)) {
	case NUMBER_OK: *ret = decimal_double(&d); return isfinite(*ret) ? QUALITY_GOOD : QUALITY_NOT_FINITE;
	case NUMBER_EMPTY: return QUALITY_NULL;
	case NUMBER_NOT_FINITE: return QUALITY_NOT_FINITE;
	case NUMBER_NONE: break;
	}
	return QUALITY_NOT_A_NUMBER;
}

static enum quality
as_sent(const struct measure *m, const struct reference *from, const struct place *at, double *ret)
{
	const struct scan_value *v = reference_value(from, at);

	switch (v->kind) {
	case SCAN_NUMBER:
		if (from->after.ptr || from->until.ptr)
			return from_text(m, reference_text(from, at), ret);
		*ret = v->number;
		return QUALITY_GOOD;
	case SCAN_STRING: return from_text(m, reference_text(from, at), ret);
	case SCAN_TRUE: *ret = 1; return QUALITY_GOOD;
	case SCAN_FALSE: *ret = 0; return QUALITY_GOOD;
	case SCAN_NULL: return QUALITY_NULL;
	default: return QUALITY_NOT_A_NUMBER;
	}
}

int
measure_take(const struct measure *m, const struct reference *from, const struct place *at, struct arena *arena,
	     struct reading_value *ret, struct err *err)
{
	double value = NAN;
	enum quality quality = as_sent(m, from, at, &value);

	if (quality == QUALITY_GOOD) {
		for (size_t i = 0; i < m->n_sentinels; i++)
			if (value == m->sentinels[i])
				quality = QUALITY_OUT_OF_RANGE;
		value = value * m->factor / m->divisor + m->offset;
		if (!isfinite(value))
			quality = QUALITY_NOT_FINITE;
		else if (value < m->min || value > m->max)
			quality = QUALITY_OUT_OF_RANGE;
	}
	if (quality != QUALITY_GOOD)
		return measure_refuse(from, at, quality, arena, ret, err);
	ret->value = value;
	ret->quality = QUALITY_GOOD;
	ret->text = SPAN_NONE;
	return 0;
}
