/*
 * cleaner_save.c -- a cleaner put aside and put back: its bytes, behind them what it owns, one list after the other.  All lists only
 * grow, so that what they were has room in what they have become.
 */
#include <string.h>

#include "workers/etl-preprocessor/cleaner.h"

#define LISTS 5
#define LINE_BYTES 64
#define FETCH_MAX 100 /* elements; longer lists come by themselves, as they are read in a row */

/* A list that a cleaner owns, in use. */
struct part {
	void *at;
	size_t bytes;
};

/* In an order in which each is aligned. */
static void
parts_of(const struct cleaner *c, struct part parts[LISTS])
{
	parts[0] =
	    (struct part){ c->order.items + c->order.first, (c->order.end - c->order.first) * sizeof(*c->order.items) };
	parts[1] = (struct part){ c->blank, c->n_blank * sizeof(*c->blank) };
	parts[2] = (struct part){ c->window.values, c->window.n * sizeof(*c->window.values) };
	parts[3] = (struct part){ c->window.flags, c->window.n };
	parts[4] = (struct part){ c->unit, c->unit_len };
}

size_t
cleaner_room(const void *state)
{
	struct part parts[LISTS];
	size_t bytes = 0;

	parts_of(state, parts);
	for (size_t i = 0; i < LISTS; i++)
		bytes += parts[i].bytes;
	return bytes;
}

void
cleaner_save(const void *state, void *to)
{
	struct part parts[LISTS];
	char *at = to;

	memcpy(at, state, sizeof(struct cleaner));
	at += sizeof(struct cleaner);
	parts_of(state, parts);
	for (size_t i = 0; i < LISTS; i++)
		if (parts[i].bytes) {
			memcpy(at, parts[i].at, parts[i].bytes);
			at += parts[i].bytes;
		}
}

void
cleaner_restore(void *state, const void *saved)
{
	struct cleaner *c = state, now = *c;
	const char *from = (const char *)saved + sizeof(*c);
	struct part parts[LISTS];

	memcpy(c, saved, sizeof(*c));
	c->order.items = now.order.items;
	c->order.cap = now.order.cap;
	c->order.end -= c->order.first;
	c->order.first = 0;
	c->blank = now.blank;
	c->cap_blank = now.cap_blank;
	c->window.values = now.window.values;
	c->window.flags = now.window.flags;
	c->window.cap = now.window.cap;
	c->unit = now.unit;
	c->cap_unit = now.cap_unit;
	parts_of(c, parts);
	for (size_t i = 0; i < LISTS; i++)
		if (parts[i].bytes) {
			memcpy(parts[i].at, from, parts[i].bytes);
			from += parts[i].bytes;
		}
}

static void
fetch(const void *from, const void *to)
{
	for (const char *p = from; p < (const char *)to; p += LINE_BYTES)
		__builtin_prefetch(p);
	__builtin_prefetch((const char *)to - 1);
}

/* Lists, and the place behind their ends, where more will be written. */
void
cleaner_fetch(const void *state)
{
	const struct cleaner *c = state;
	size_t end = c->order.end < c->order.cap ? c->order.end + 1 : c->order.end;
	size_t n = c->window.n < c->window.cap ? c->window.n + 1 : c->window.n;

	if (end - c->order.first <= FETCH_MAX && c->order.items)
		fetch(c->order.items + c->order.first, c->order.items + end);
	if (n <= FETCH_MAX && c->window.values) {
		fetch(c->window.values, c->window.values + n);
		fetch(c->window.flags, c->window.flags + n);
	}
	__builtin_prefetch(c->unit);
}
