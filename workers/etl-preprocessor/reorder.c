/*
 * reorder.c -- a sorted array.  Readings are nearly in order, so that a new one goes to the end or close to it; released
 * ones leave at the front, and the front is closed when the array is full.
 */
#include "workers/etl-preprocessor/reorder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_ITEMS 4

int
reorder_copy(struct reorder *copy, const struct reorder *r)
{
	size_t n = r->end - r->first;

	*copy = *r;
	copy->items = NULL;
	copy->first = 0;
	copy->end = copy->cap = n;
	if (!n)
		return 0;
	copy->items = malloc(n * sizeof(*copy->items));
	if (!copy->items)
		return -1;
	memcpy(copy->items, r->items + r->first, n * sizeof(*copy->items));
	return 0;
}

void
reorder_clear(struct reorder *r)
{
	free(r->items);
	*r = (struct reorder){ 0 };
}

/* Room for one more behind the end. */
static int
make_room(struct reorder *r)
{
	struct sample *items;
	size_t cap;

	if (r->end < r->cap)
		return 0;
	if (r->first) {
		memmove(r->items, r->items + r->first, (r->end - r->first) * sizeof(*r->items));
		r->end -= r->first;
		r->first = 0;
		return 0;
	}
	cap = r->cap < LEAST_ITEMS ? LEAST_ITEMS : r->cap * 2;
	items = realloc(r->items, cap * sizeof(*items));
	if (!items)
		return -1;
	r->items = items;
	r->cap = cap;
	return 0;
}

/* Two readings with the same time become one. */
static void
unite(enum repeat_policy policy, struct sample *old, const struct sample *s)
{
	uint64_t repeated = (uint64_t)old->repeated + 1 + s->repeated;

	if (isnan(old->value) || (policy == REPEAT_LAST && !isnan(s->value))) {
		old->value = s->value;
		old->unit = s->unit;
	}
	if (old->ingest_us < s->ingest_us)
		old->ingest_us = s->ingest_us;
	old->repeated = repeated < UINT32_MAX ? (uint32_t)repeated : UINT32_MAX;
}

static int
insert(const struct reorder_rule *rule, struct reorder *r, const struct sample *s, int *what)
{
	size_t at;

	if (r->released && s->time_us <= r->released_us) {
		*what |= s->time_us < r->released_us ? REORDER_LATE : REORDER_REPEATED | REORDER_GONE;
		return 0;
	}
	if (make_room(r) < 0)
		return -1;
	for (at = r->end; at > r->first && r->items[at - 1].time_us > s->time_us; at--)
		;
	if (at > r->first && r->items[at - 1].time_us == s->time_us) {
		unite(rule->repeats, &r->items[at - 1], s);
		*what |= REORDER_REPEATED;
		return 0;
	}
	memmove(r->items + at + 1, r->items + at, (r->end - at) * sizeof(*r->items));
	r->items[at] = *s;
	r->end++;
	if (!r->started || s->time_us > r->newest_us)
		r->newest_us = s->time_us;
	r->started = true;
	return 0;
}

/* The doubtful one is not where S is.  All times are of the years 1 to 9999. */
static bool
contradicts(const struct reorder_rule *rule, const struct reorder *r, const struct sample *s)
{
	int64_t behind_us = r->doubtful.time_us - s->time_us;

	if (behind_us <= rule->lateness_us)
		return false;
	if (!rule->lateness_us)
		return true;
	return behind_us > rule->jump_us || (r->started && s->time_us - r->newest_us <= rule->jump_us);
}

int
reorder_push(const struct reorder_rule *rule, struct reorder *r, const struct sample *s, int *what)
{
	*what = REORDER_TAKEN;
	if (r->waits && s->time_us == r->doubtful.time_us) { /* sent twice: confirms nothing */
		unite(rule->repeats, &r->doubtful, s);
		*what = REORDER_REPEATED;
		return 0;
	}
	if (r->waits) {
		r->waits = false;
		if (contradicts(rule, r, s))
			*what |= REORDER_WILD;
		else if (insert(rule, r, &r->doubtful, what) < 0)
			return -1;
	}
	if (!r->started || s->time_us - r->newest_us > rule->jump_us) {
		r->waits = true;
		r->doubtful = *s;
		return 0;
	}
	return insert(rule, r, s, what);
}

bool
reorder_pop(const struct reorder_rule *rule, struct reorder *r, struct sample *s)
{
	size_t n = r->end - r->first;

	if (!n || (r->items[r->first].time_us > r->newest_us - rule->lateness_us && n <= (size_t)rule->max_items))
		return false;
	*s = r->items[r->first++];
	r->released = true;
	r->released_us = s->time_us;
	return true;
}
