/*
 * state.c -- what a call and a transaction do to states, and how they are undone.
 *
 * A touched state is copied when the transaction uses it first; a state near its limit is copied once more for the call.
 */
#include <stdlib.h>
#include <string.h>

#include "common/worker/state_shelf.h"

static void *
state_copy(const struct state_type *type, const void *from)
{
	void *copy = calloc(1, type->size);

	if (!copy)
		return NULL;
	if (!type->copy)
		return memcpy(copy, from, type->size);
	if (type->copy(copy, from) == 0)
		return copy;
	shelf_state_free(type, copy);
	return NULL;
}

static int
list_add(struct list *l, struct entry *e)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct entry **grown = realloc(l->items, cap * sizeof(struct entry *));

		if (!grown)
			return -1;
		l->items = grown;
		l->cap = cap;
	}
	l->items[l->n++] = e;
	return 0;
}

/* ---- one call ---- */

void
state_call_begin(struct state_table *t, int32_t partition, size_t source, int64_t offset, int64_t timestamp_us)
{
	if (!t->shelf || t->shelf->partition != partition)
		t->shelf = shelf_of(t, partition);
	t->source = source;
	t->offset = offset;
	t->timestamp_us = timestamp_us;
	if (timestamp_us > t->newest_us)
		t->newest_us = timestamp_us;
}

/* Is the record at hand in E's state already? */
static bool
holds_record(const struct state_table *t, const struct entry *e)
{
	if (e && e->holds && t->offset < e->holds->at[t->source])
		return true;
	return !(e && e->alone) && t->shelf->has_floor && t->offset < t->shelf->floor.at[t->source];
}

/* First use in the transaction: remember what E is. */
static int
touch(struct state_table *t, struct entry *e)
{
	if (!e->fresh && !(e->before = state_copy(t->type, e->now)))
		return -1;
	if (list_add(&t->touched, e) < 0) {
		shelf_state_free(t->type, e->before);
		e->before = NULL;
		return -1;
	}
	e->touched = true;
	entry_used(t, e);
	return 0;
}

/* First use in the call: a state near its limit is remembered once more. */
static int
call(struct state_table *t, struct entry *e)
{
	if (list_add(&t->called, e) < 0)
		return -1;
	e->in_call = true;
	if (entry_encoded(t, e) > t->limits.key_bytes / 2 && !(e->call = state_copy(t->type, e->now)))
		return -1;
	e->sized = false;
	return 0;
}

static struct entry *
entry_fresh(struct state_table *t, struct span key)
{
	void *state = calloc(1, t->type->size);
	struct entry *e = state ? entry_new(t, t->shelf, key, state) : NULL;

	if (!e) {
		free(state);
		return NULL;
	}
	e->fresh = true;
	e->born = t->shelf->stand ? t->shelf->stand->v.at[0] : 0;
	if (t->source == 0)
		e->born = t->offset;
	return e;
}

enum state_found
state_get(struct state_table *t, struct span key, void **ret)
{
	struct entry *e = t->shelf ? map_get(t->shelf->entries, key) : NULL;

	if (!t->shelf)
		return STATE_NO_MEMORY;
	if (t->show || (t->refolds && holds_record(t, e))) {
		*ret = spare_state(t);
		return *ret ? STATE_HERE : STATE_NO_MEMORY;
	}
	if (!e && keyset_has(t->shelf->asleep, key))
		return STATE_ASLEEP;
	if (!e)
		e = entry_fresh(t, key);
	if (!e || (!e->touched && touch(t, e) < 0) || (!e->in_call && call(t, e) < 0))
		return STATE_NO_MEMORY;
	if (t->timestamp_us > e->active_us)
		e->active_us = t->timestamp_us;
	*ret = e->now;
	return STATE_HERE;
}

void *
state_in_use(struct state_table *t, struct span key)
{
	for (size_t i = 0; i < t->n_shelves; i++) {
		struct entry *e = map_get(t->shelves[i]->entries, key);

		if (e && e->touched) {
			e->sized = false;
			return e->now;
		}
	}
	return NULL;
}

void
state_call_for_show(struct state_table *t)
{
	t->show = true;
}

bool
state_call_played(const struct state_table *t)
{
	return t->n_spare > 0;
}

/* Every state of the call as it was before.  False: of one of them that is not known. */
static bool
undo_call(struct state_table *t)
{
	for (size_t i = 0; i < t->called.n; i++)
		if (!t->called.items[i]->call)
			return false;
	for (size_t i = 0; i < t->called.n; i++) {
		struct entry *e = t->called.items[i];

		shelf_state_free(t->type, e->now);
		e->now = e->call;
		e->call = NULL;
		e->sized = false;
	}
	return true;
}

enum state_size
state_call_end(struct state_table *t, bool check, struct span *key)
{
	enum state_size result = STATE_FITS;

	for (size_t i = 0; check && i < t->called.n && result == STATE_FITS; i++)
		if (entry_encoded(t, t->called.items[i]) > t->limits.key_bytes) {
			*key = t->called.items[i]->key;
			result = undo_call(t) ? STATE_UNDONE : STATE_TOO_LARGE_FOR_GOOD;
		}
	for (size_t i = 0; i < t->called.n; i++) {
		struct entry *e = t->called.items[i];

		shelf_state_free(t->type, e->call);
		e->call = NULL;
		e->in_call = false;
	}
	t->called.n = 0;
	t->show = false;
	spare_clear(t);
	return result;
}

/* ---- one transaction ---- */

static void
enqueue(struct shelf *s, struct entry *e)
{
	e->since = s->stand;
	s->stand->users++;
	*(s->dirty_last ? &s->dirty_last->next_dirty : &s->dirty) = e;
	s->dirty_last = e;
}

int
state_commit(struct state_table *t)
{
	static const struct vector nowhere;

	for (size_t i = 0; i < t->touched.n; i++) {
		struct entry *e = t->touched.items[i];

		if (!e->shelf->stand && state_stand(t, e->shelf->partition, &nowhere, 0) < 0)
			return -1;
		if (!e->since)
			enqueue(e->shelf, e);
		shelf_state_free(t->type, e->before);
		e->before = NULL;
		e->touched = e->fresh = false;
		entry_measure(t, e);
	}
	t->touched.n = 0;
	return 0;
}

void
state_rollback(struct state_table *t)
{
	for (size_t i = 0; i < t->touched.n; i++) {
		struct entry *e = t->touched.items[i];

		if (e->fresh) {
			map_take(e->shelf->entries, e->key);
			entry_free(t, e);
			continue;
		}
		shelf_state_free(t->type, e->now);
		e->now = e->before;
		e->before = NULL;
		e->touched = e->sized = false;
		entry_measure(t, e);
	}
	t->touched.n = 0;
}
