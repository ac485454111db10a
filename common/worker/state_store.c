/* state_store.c -- which states have to be stored, which may leave memory, and how they come back. */
#include <stdlib.h>
#include <string.h>

#include "common/worker/state_shelf.h"

/* ---- to PostgreSQL ---- */

bool
state_standing(const struct state_table *t, int32_t partition, struct vector *ret)
{
	const struct shelf *s = shelf_find(t, partition);

	if (!s || !s->stand)
		return false;
	*ret = s->stand->v;
	return true;
}

bool
state_frontier(const struct state_table *t, int32_t partition, struct vector *ret)
{
	const struct shelf *s = shelf_find(t, partition);

	if (!s || !s->dirty)
		return state_standing(t, partition, ret);
	*ret = s->dirty->since->v;
	return true;
}

int64_t
state_dirty_since(const struct state_table *t, int32_t partition)
{
	const struct shelf *s = shelf_find(t, partition);

	return s && s->dirty ? s->dirty->since->time_us : INT64_MAX;
}

bool
state_take_dirty(struct state_table *t, int32_t partition, int64_t before_us, struct state_view *ret)
{
	struct shelf *s = shelf_find(t, partition);
	struct entry *e = s ? s->dirty : NULL;

	if (!e || e->since->time_us > before_us || e->dirtied == t->transaction)
		return false;
	s->dirty = e->next_dirty;
	if (!s->dirty)
		s->dirty_last = s->dirty_before = NULL;
	e->next_dirty = NULL;
	mark_release(e->since);
	e->since = NULL;
	e->round = t->round;
	*ret = (struct state_view){ e->key, e->now, e->born, e->active_us };
	return true;
}

void
state_round_begin(struct state_table *t)
{
	t->round++;
}

void
state_round_done(struct state_table *t)
{
	t->durable = t->round;
}

size_t
state_evict(struct state_table *t, size_t most)
{
	size_t n = 0;

	for (struct entry *e = t->oldest, *next; e && n < most; e = next) {
		bool idle = t->newest_us - e->used_us > t->limits.idle_us;

		next = e->younger;
		if (!idle && t->bytes <= t->limits.max_bytes)
			break;
		if (e->since || e->transaction == t->transaction || e->round > t->durable)
			break; /* the first one that is not stored: those behind it are hardly better off */
		if (keyset_add(e->shelf->asleep, e->key) < 0)
			break;
		entry_take(t, e);
		n++;
	}
	return n;
}

/* ---- from PostgreSQL ---- */

int
state_floor(struct state_table *t, int32_t partition, const struct vector *frontier)
{
	struct shelf *s = shelf_of(t, partition);

	if (!s)
		return -1;
	s->floor = *frontier;
	s->has_floor = true;
	return 0;
}

/* Does the state hold records that the floor does not tell of? */
static bool
is_ahead(const struct state_table *t, const struct shelf *s, const struct vector *positions)
{
	for (size_t i = 0; i < t->n_sources && s->has_floor; i++)
		if (positions->at[i] > s->floor.at[i])
			return true;
	return false;
}

int
state_restore(struct state_table *t, int32_t partition, const struct state_view *v, void *state,
	      const struct vector *positions, bool alone)
{
	struct shelf *s = shelf_of(t, partition);
	bool holds = s && (alone || is_ahead(t, s, positions));
	struct vector *copy = holds ? malloc(sizeof(*copy)) : NULL;
	struct entry *e = s && (copy || !holds) ? entry_new(t, s, v->key) : NULL;

	if (!e) {
		free(copy);
		shelf_state_free(t->type, state);
		return -1;
	}
	memcpy(e->now, state, t->type->size);
	free(state);
	if (copy)
		*copy = *positions;
	e->holds = copy;
	keyset_remove(s->asleep, v->key);
	e->alone = alone;
	e->born = v->born;
	e->active_us = e->used_us = v->active_us;
	entry_measure(t, e);
	if (v->active_us > t->newest_us)
		t->newest_us = v->active_us;
	return 0;
}

int
state_asleep(struct state_table *t, int32_t partition, struct span key)
{
	struct shelf *s = shelf_of(t, partition);

	return s ? keyset_add(s->asleep, key) : -1;
}

void
state_unknown(struct state_table *t, int32_t partition, struct span key)
{
	struct shelf *s = shelf_find(t, partition);

	if (s)
		keyset_remove(s->asleep, key);
}

void
state_refold(struct state_table *t, bool on)
{
	t->refolds = on;
}

void
state_refold_end(struct state_table *t, int32_t partition)
{
	struct shelf *s = shelf_find(t, partition);
	struct entry *e;

	if (!s)
		return;
	for (size_t at = 0; (e = index_next(&s->entries, &at));) {
		free(e->holds);
		e->holds = NULL;
		e->alone = false;
	}
	s->has_floor = false;
}
