/*
 * units.c -- names with a NUL between two.  A text of one name is that name, as it was before readings brought theirs along.
 *
 * All but the comparison with a single name is rare: a name that is new, or a unit that has changed.
 */
#include "workers/etl-preprocessor/units.h"

#include <stdlib.h>
#include <string.h>

static struct span
known(const struct cleaner *c)
{
	return c->unit_len ? (struct span){ c->unit, c->unit_len } : SPAN("");
}

/* The name that TEXT begins with; what follows it is left, ptr NULL: nothing. */
static struct span
next_name(struct span *text)
{
	const char *end = memchr(text->ptr, 0, text->len);
	struct span name = { text->ptr, end ? (size_t)(end - text->ptr) : text->len };

	*text = end ? (struct span){ end + 1, text->len - name.len - 1 } : SPAN_NONE;
	return name;
}

static bool
is_one(const struct cleaner *c)
{
	struct span text = known(c);

	return !memchr(text.ptr, 0, text.len);
}

size_t
units_known(const struct cleaner *c)
{
	struct span text = known(c);
	size_t n = 0;

	for (; text.ptr; n++)
		next_name(&text);
	return n;
}

struct span
units_in_force(const struct cleaner *c)
{
	struct span text = known(c), name = SPAN_NONE;

	for (size_t i = 0; c->has_unit && text.ptr && i <= c->unit_at; i++)
		name = next_name(&text);
	return name;
}

/* USED[n]: name number n is in force, or a reading that waits has brought it. */
static void
find_used(const struct cleaner *c, bool used[UNITS_MAX + 1])
{
	memset(used, 0, (UNITS_MAX + 1) * sizeof(*used));
	for (size_t i = c->order.first; i < c->order.end; i++)
		used[c->order.items[i].unit] = true;
	if (c->order.waits)
		used[c->order.doubtful.unit] = true;
	if (c->has_unit)
		used[c->unit_at + 1] = true;
}

static void
renumber(struct cleaner *c, const uint8_t now[UNITS_MAX + 1])
{
	for (size_t i = c->order.first; i < c->order.end; i++)
		c->order.items[i].unit = now[c->order.items[i].unit];
	c->order.doubtful.unit = c->order.waits ? now[c->order.doubtful.unit] : 0;
	if (c->has_unit)
		c->unit_at = now[c->unit_at + 1] - 1;
}

/* How many names are left. */
static size_t
keep_used(struct cleaner *c)
{
	bool used[UNITS_MAX + 1];
	uint8_t now[UNITS_MAX + 1] = { 0 };
	struct span text = known(c);
	size_t kept = 0, len = 0, number = 0;

	find_used(c, used);
	while (text.ptr) {
		struct span name = next_name(&text);

		if (++number > UNITS_MAX || !used[number])
			continue;
		if (kept)
			c->unit[len++] = 0;
		if (name.len)
			memmove(c->unit + len, name.ptr, name.len);
		len += name.len;
		now[number] = (uint8_t)++kept;
	}
	c->unit_len = len;
	if (kept < number)
		renumber(c, now);
	return kept;
}

void
units_prune(struct cleaner *c)
{
	if (c->has_unit ? !is_one(c) : c->unit_len > 0)
		keep_used(c);
}

static int
add(struct cleaner *c, struct span unit, uint8_t *number)
{
	size_t kept = keep_used(c), len = kept ? c->unit_len + 1 : 0;

	*number = 0;
	if (kept == UNITS_MAX)
		return 0;
	if (len + unit.len > c->cap_unit) {
		char *grown = realloc(c->unit, len + unit.len);

		if (!grown)
			return -1;
		c->unit = grown;
		c->cap_unit = len + unit.len;
	}
	if (kept)
		c->unit[len - 1] = 0;
	if (unit.len)
		memcpy(c->unit + len, unit.ptr, unit.len);
	c->unit_len = len + unit.len;
	*number = (uint8_t)(kept + 1);
	return 0;
}

int
units_number(struct cleaner *c, struct span unit, uint8_t *number)
{
	struct span text = known(c);

	*number = 0;
	if (!unit.ptr)
		return 0;
	*number = 1;
	if (span_equal(unit, text)) /* nearly always */
		return 0;
	for (size_t n = 1; text.ptr && n <= UNITS_MAX; n++)
		if (span_equal(unit, next_name(&text))) {
			*number = (uint8_t)n;
			return 0;
		}
	return add(c, unit, number);
}
