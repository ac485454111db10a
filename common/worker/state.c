/*
 * state.c -- what a call and a transaction do to states, and how they are undone.
 *
 * What a state was is put aside when the transaction uses it first; of a state near its limit once more for the call.  With few
 * keys that is rare, with many it is done for every record: so it goes to memory that is used again and again (state_undo.h),
 * what has changed enters its queue at once, while it is at hand, and the end of a transaction need not look at what was touched.
 */
#include <stdlib.h>
#include <string.h>

#include "common/worker/state_shelf.h"

/* What STATE is now, in MEMORY.  *COPIED: it may own more, and wants state_type.clear.  NULL: memory is out. */
static void *
put_aside(const struct state_type *type, struct undo *memory, const void *state, bool *copied)
{
	size_t more = type->room ? type->room(state) : SIZE_MAX;
	void *aside;

	*copied = more == SIZE_MAX && type->copy;
	aside = undo_room(memory, type->size + (more == SIZE_MAX ? 0 : more));
	if (!aside)
		return NULL;
	if (more != SIZE_MAX)
		return type->save(state, aside), aside;
	if (!*copied)
		return memcpy(aside, state, type->size);
	if (type->copy(aside, state) == 0)
		return aside;
	if (type->clear)
		type->clear(aside);
	return NULL;
}

/* STATE becomes what was put aside. */
static void
put_back(const struct state_type *type, void *state, void *aside, bool copied)
{
	if (!copied && type->restore) {
		type->restore(state, aside);
		return;
	}
	if (type->clear)
		type->clear(state);
	memcpy(state, aside, type->size);
}

static void
forget_aside(const struct state_type *type, void *aside, bool copied)
{
	if (aside && copied && type->clear)
		type->clear(aside);
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

static bool
touched(const struct state_table *t, const struct entry *e)
{
	return e->transaction == t->transaction;
}

/* Is the record at hand in E's state already? */
static bool
holds_record(const struct state_table *t, const struct entry *e)
{
	if (e && e->holds && t->offset < e->holds->at[t->source])
		return true;
	return !(e && e->alone) && t->shelf->has_floor && t->offset < t->shelf->floor.at[t->source];
}

/* It has changed since its partition stood where it stands. */
static void
enqueue(struct state_table *t, struct entry *e)
{
	struct shelf *s = e->shelf;

	e->since = s->stand;
	e->dirtied = t->transaction;
	s->stand->users++;
	*(s->dirty_last ? &s->dirty_last->next_dirty : &s->dirty) = e;
	s->dirty_last = e;
}

/* First use in the transaction: remember what E is. */
static int
touch(struct state_table *t, struct entry *e, bool fresh)
{
	void *before = NULL;
	bool copied = false;

	if (!fresh && !(before = put_aside(t->type, &t->undo, e->now, &copied)))
		return -1;
	if (list_add(&t->touched, e) < 0) {
		forget_aside(t->type, before, copied);
		return -1;
	}
	e->before = before;
	e->copied = copied;
	e->transaction = t->transaction;
	t->unsettled |= copied || !e->shelf->stand;
	entry_used(t, e);
	if (!e->since && e->shelf->stand)
		enqueue(t, e);
	return 0;
}

/* First use in the call: a state near its limit is remembered once more. */
static int
call(struct state_table *t, struct entry *e)
{
	if (list_add(&t->called, e) < 0)
		return -1;
	e->in_call = true;
	if (entry_encoded(t, e) > t->limits.key_bytes / 2 &&
	    !(e->call = put_aside(t->type, &t->call_undo, e->now, &e->call_copied)))
		return -1;
	e->sized = false;
	return 0;
}

static struct entry *
entry_fresh(struct state_table *t, struct span key)
{
	struct entry *e = entry_new(t, t->shelf, key);

	if (!e)
		return NULL;
	e->born = t->shelf->stand ? t->shelf->stand->v.at[0] : 0;
	if (t->source == 0)
		e->born = t->offset;
	if (touch(t, e, true) == 0)
		return e;
	entry_take(t, e);
	return NULL;
}

enum state_found
state_get(struct state_table *t, struct span key, void **ret)
{
	struct entry *e = t->shelf ? entry_of(t->shelf, key) : NULL;

	if (!t->shelf)
		return STATE_NO_MEMORY;
	if (t->show || (t->refolds && holds_record(t, e))) {
		*ret = spare_state(t);
		return *ret ? STATE_HERE : STATE_NO_MEMORY;
	}
	if (e)
		ahead_of(t, e);
	if (!e && keyset_has(t->shelf->asleep, key))
		return STATE_ASLEEP;
	if (!e)
		e = entry_fresh(t, key);
	if (!e || (!touched(t, e) && touch(t, e, false) < 0) || (!e->in_call && call(t, e) < 0))
		return STATE_NO_MEMORY;
	if (t->timestamp_us > e->active_us)
		e->active_us = t->timestamp_us;
	e->used_us = t->newest_us; /* its own time stamp may be far behind: so may its partition be */
	*ret = e->now;
	return STATE_HERE;
}

void *
state_in_use(struct state_table *t, struct span key)
{
	for (size_t i = 0; i < t->n_shelves; i++) {
		struct entry *e = entry_of(t->shelves[i], key);

		if (e && touched(t, e)) {
			e->sized = false;
			t->unsettled = true;
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

		put_back(t->type, e->now, e->call, e->call_copied);
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

		forget_aside(t->type, e->call, e->call_copied);
		e->call = NULL;
		e->in_call = false;
		t->unsettled |= !e->sized;
	}
	t->called.n = 0;
	undo_reset(&t->call_undo);
	t->show = false;
	spare_clear(t);
	return result;
}

/* ---- one transaction ---- */

/* What the end of a transaction has to look at one by one, if there is anything. */
static int
settle(struct state_table *t)
{
	static const struct vector nowhere;

	for (size_t i = 0; i < t->touched.n; i++) {
		struct entry *e = t->touched.items[i];

		if (!e->shelf->stand && state_stand(t, e->shelf->partition, &nowhere, 0) < 0)
			return -1;
		if (!e->since)
			enqueue(t, e);
		forget_aside(t->type, e->before, e->copied);
		e->before = NULL;
		entry_measure(t, e);
	}
	return 0;
}

/* The next transaction begins: nothing is touched. */
static void
turn(struct state_table *t)
{
	for (size_t i = 0; i < t->n_shelves; i++)
		t->shelves[i]->dirty_before = t->shelves[i]->dirty_last;
	undo_reset(&t->undo);
	t->touched.n = 0;
	t->unsettled = false;
	t->transaction++;
}

int
state_commit(struct state_table *t)
{
	if (t->unsettled && settle(t) < 0)
		return -1;
	turn(t);
	return 0;
}

/* Those that this transaction has put into the queues leave them. */
static void
cut_queues(struct state_table *t)
{
	for (size_t i = 0; i < t->n_shelves; i++) {
		struct shelf *s = t->shelves[i];

		s->dirty_last = s->dirty_before;
		*(s->dirty_last ? &s->dirty_last->next_dirty : &s->dirty) = NULL;
	}
	for (size_t i = 0; i < t->touched.n; i++) {
		struct entry *e = t->touched.items[i];

		if (e->dirtied != t->transaction)
			continue;
		mark_release(e->since);
		e->since = NULL;
		e->next_dirty = NULL;
	}
}

void
state_rollback(struct state_table *t)
{
	cut_queues(t);
	for (size_t i = 0; i < t->touched.n; i++) {
		struct entry *e = t->touched.items[i];

		if (!e->before) {
			entry_take(t, e);
			continue;
		}
		put_back(t->type, e->now, e->before, e->copied);
		e->before = NULL;
		e->copied = false;
		e->sized = false;
		entry_measure(t, e);
	}
	turn(t);
}
