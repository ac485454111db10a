/* pathmap.c -- choosing a map, and taking texts out of rows. */
#include "workers/ingest-router/pathmap.h"

#include <stdlib.h>

void
pathmaps_free(struct pathmaps *m)
{
	if (!m)
		return;
	plan_free(m->plan);
	arena_free(m->arena);
	free(m);
}

/* The part of TEXT behind AFTER and before UNTIL. */
static struct span
between(struct span text, struct span after, struct span until)
{
	const char *start = text.ptr, *end = text.ptr + text.len;

	if (after.ptr) {
		start = memmem(start, text.len, after.ptr, after.len);
		if (!start)
			return SPAN_NONE;
		start += after.len;
	}
	if (until.ptr) {
		const char *stop = memmem(start, (size_t)(end - start), until.ptr, until.len);

		end = stop ? stop : end;
	}
	return (struct span){ start, (size_t)(end - start) };
}

struct span
reference_text(const struct reference *r, const struct place *at)
{
	const struct scan_value *v = reference_value(r, at);

	switch (v->kind) {
	case SCAN_STRING:
	case SCAN_NUMBER:
	case SCAN_TRUE:
	case SCAN_FALSE: return r->after.ptr || r->until.ptr ? between(v->text, r->after, r->until) : v->text;
	default: return SPAN_NONE;
	}
}

static bool
holds(const struct condition *c, struct span topic, const struct place *at)
{
	switch (c->kind) {
	case CONDITION_TOPIC: return span_equal(topic, c->text);
	case CONDITION_PRESENT: return reference_value(&c->from, at)->kind != SCAN_ABSENT;
	case CONDITION_EQUALS: {
		struct span text = reference_text(&c->from, at);

		return text.ptr && span_equal(text, c->text);
	}
	}
	return false;
}

const struct pathmap *
pathmaps_choose(const struct pathmaps *m, struct span topic, const struct scan_row *message)
{
	struct place at = { .rows[LEVEL_MESSAGE] = message };

	for (size_t i = 0; i < m->n; i++) {
		const struct pathmap *map = &m->maps[i];
		size_t n = 0;

		while (n < map->n_conditions && holds(&map->conditions[n], topic, &at))
			n++;
		if (n == map->n_conditions)
			return map;
	}
	return NULL;
}
