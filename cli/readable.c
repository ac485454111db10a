/* readable.c -- see readable.h. */
#include "cli/readable.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"

char *
readable_age(int64_t us, char text[READABLE_BYTES])
{
	static const struct {
		int64_t seconds, part;
		char unit, next;
	} units[] = { { 86400, 3600, 'd', 'h' }, { 3600, 60, 'h', 'm' }, { 60, 1, 'm', 's' } };
	int64_t seconds = us > 0 ? us / US_PER_SECOND : 0;

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (seconds >= units[i].seconds) {
			snprintf(text, READABLE_BYTES, "%" PRId64 "%c%02" PRId64 "%c", seconds / units[i].seconds,
				 units[i].unit, seconds % units[i].seconds / units[i].part, units[i].next);
			return text;
		}
	snprintf(text, READABLE_BYTES, "%" PRId64 "s", seconds);
	return text;
}

char *
readable_size(int64_t bytes, char text[READABLE_BYTES])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB" };
	double value = (double)bytes;
	size_t unit = 0;

	if (bytes < 1000) {
		snprintf(text, READABLE_BYTES, "%" PRId64 " B", bytes);
		return text;
	}
	for (value /= 1024; value >= 999.5 && unit + 1 < ARRAY_LEN(units); unit++)
		value /= 1024;
	snprintf(text, READABLE_BYTES, value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

/* A control character, also one that UTF-8 spells in two bytes: terminals obey both. */
static bool
is_control(const char *text, size_t len)
{
	unsigned char c = (unsigned char)text[0];

	return len == 1 ? c < ' ' || c == 0x7f : len == 2 && c == 0xc2 && (unsigned char)text[1] < 0xa0;
}

char *
readable_text(char *text)
{
	for (size_t at = 0, left = strlen(text), len; left > 0; at += len, left -= len) {
		len = utf8_sequence(text + at, left);
		if (len == 0)
			text[at] = '?';
		else if (is_control(text + at, len))
			memset(text + at, ' ', len);
		len += len == 0;
	}
	return text;
}

/* ---- JSON ---- */

struct indent {
	const char *start, *at, *end;
	struct buffer *out;
	size_t line; /* where the line at hand begins */
	int depth, width;
	int bad;
};

static void
put(struct indent *x, const char *bytes, size_t len)
{
	x->bad |= buffer_append(x->out, bytes, len);
}

static void
new_line(struct indent *x)
{
	x->bad |= buffer_printf(x->out, "\n%*s", 2 * x->depth, "");
	x->line = x->out->len > (size_t)(2 * x->depth) ? x->out->len - (size_t)(2 * x->depth) : 0;
}

static void
put_string(struct indent *x)
{
	const char *start = x->at++;

	while (x->at < x->end && *x->at != '"')
		x->at += *x->at == '\\' && x->at + 1 < x->end ? 2 : 1;
	x->at += x->at < x->end;
	put(x, start, (size_t)(x->at - start));
}

static bool
is_bracket(char c)
{
	return c == '{' || c == '[';
}

/* FLAT: an array of numbers, whose elements share lines. */
static void
put_open(struct indent *x, bool *flat)
{
	char c = *x->at++;
	bool empty = x->at < x->end && (*x->at == '}' || *x->at == ']');

	put(x, &c, 1);
	*flat = c == '[' && (empty || (x->at < x->end && !is_bracket(*x->at)));
	x->depth++;
	if (!*flat && !empty)
		new_line(x);
}

static void
put_close(struct indent *x, bool flat)
{
	bool empty = x->at > x->start && is_bracket(x->at[-1]);

	x->depth -= x->depth > 0;
	if (!flat && !empty)
		new_line(x);
	put(x, x->at++, 1);
}

static void
put_comma(struct indent *x, bool flat)
{
	put(x, x->at++, 1);
	if (!flat || x->out->len - x->line >= (size_t)x->width)
		new_line(x);
	else
		put(x, " ", 1);
}

int
readable_json(struct span json, int depth, int width, struct buffer *out)
{
	struct indent x = { json.ptr, json.ptr, json.ptr + json.len, out, out->len, depth, width, 0 };
	bool flat = false; /* a flat array holds no brackets, so what follows its end is not flat */

	while (x.at < x.end && !x.bad) {
		switch (*x.at) {
		case '"': put_string(&x); break;
		case '{':
		case '[': put_open(&x, &flat); break;
		case '}':
		case ']':
			put_close(&x, flat);
			flat = false;
			break;
		case ',': put_comma(&x, flat); break;
		case ':':
			x.at++;
			put(&x, ": ", 2);
			break;
		default: put(&x, x.at++, 1);
		}
	}
	return x.bad ? -1 : 0;
}
