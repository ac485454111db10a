/*
 * state.c -- one shelf per partition number.  An entry is in its shelf's map and in one list of all entries, the longest
 * silent first; when dirty, also in its shelf's queue.
 *
 * What a shelf knows of keys that are not in memory is a set of hashes: a wrong "it is stored" costs a question to
 * PostgreSQL, and no more.
 */
#include "common/worker/state.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/keyset.h"
#include "common/base/map.h"

/* Where a partition stood, shared by the states that began to change then. */
struct mark {
	size_t users;
	int64_t time_us;
	struct vector v;
};

struct entry {
	void *now, *before, *call; /* before: the copy of a touched state that is not new; call: see state_call_end() */
	struct shelf *shelf;
	struct mark *since; /* dirty; NULL: stored, or nothing to store */
	struct entry *next_dirty;
	struct entry *older, *younger; /* in the order of their last use */
	struct vector *holds; /* while rebuilding: records before these are in it; NULL: those before the floor */
	int64_t born, active_us;
	uint64_t round; /* in which it was stored last */
	size_t bytes;
	bool touched, fresh, in_call, alone;
	struct span key;
	char key_bytes[];
};

struct shelf {
	int32_t partition;
	struct map *entries;
	struct keyset *asleep;
	struct mark *stand;
	struct entry *dirty, *dirty_last;
	struct vector floor;
	bool has_floor;
};

struct list {
	struct entry **items;
	size_t n, cap;
};

struct state_table {
	const struct state_type *type;
	size_t n_sources;
	struct state_limits limits;
	struct shelf **shelves;
	size_t n_shelves;
	struct list touched, called;
	struct entry *oldest, *youngest;
	size_t bytes;
	uint64_t round, durable;
	int64_t newest_us; /* time stamp seen */
	bool refolds;
	/* the call */
	struct shelf *shelf;
	size_t source;
	int64_t offset, timestamp_us;
	void **spare; /* states to play with: of keys that have seen the record already */
	size_t n_spare;
};

/* ---- pieces ---- */

static void
state_free(const struct state_type *type, void *state)
{
	if (state && type->clear)
		type->clear(state);
	free(state);
}

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
	state_free(type, copy);
	return NULL;
}

static void
mark_release(struct mark *m)
{
	if (m && --m->users == 0)
		free(m);
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

static void
unlink_used(struct state_table *t, struct entry *e)
{
	*(e->older ? &e->older->younger : &t->oldest) = e->younger;
	*(e->younger ? &e->younger->older : &t->youngest) = e->older;
	e->older = e->younger = NULL;
}

static void
link_used(struct state_table *t, struct entry *e)
{
	e->older = t->youngest;
	*(t->youngest ? &t->youngest->younger : &t->oldest) = e;
	t->youngest = e;
}

static void
entry_free(struct state_table *t, struct entry *e)
{
	unlink_used(t, e);
	t->bytes -= e->bytes;
	state_free(t->type, e->now);
	state_free(t->type, e->before);
	state_free(t->type, e->call);
	mark_release(e->since);
	free(e->holds);
	free(e);
}

static void
shelf_free(struct state_table *t, struct shelf *s)
{
	struct span key;
	void *e;

	for (size_t at = 0; s->entries && map_next(s->entries, &at, &key, &e);)
		entry_free(t, e);
	map_free(s->entries);
	keyset_free(s->asleep);
	mark_release(s->stand);
	free(s);
}

struct state_table *
state_table_new(const struct state_type *type, size_t n_sources, const struct state_limits *limits)
{
	struct state_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->type = type;
	t->n_sources = n_sources;
	t->limits = *limits;
	return t;
}

static void
spare_clear(struct state_table *t)
{
	for (size_t i = 0; i < t->n_spare; i++)
		state_free(t->type, t->spare[i]);
	t->n_spare = 0;
}

void
state_table_free(struct state_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_shelves; i++)
		shelf_free(t, t->shelves[i]);
	spare_clear(t);
	free(t->spare);
	free(t->shelves);
	free(t->touched.items);
	free(t->called.items);
	free(t);
}

static struct shelf *
shelf_find(const struct state_table *t, int32_t partition)
{
	for (size_t i = 0; i < t->n_shelves; i++)
		if (t->shelves[i]->partition == partition)
			return t->shelves[i];
	return NULL;
}

static struct shelf *
shelf_of(struct state_table *t, int32_t partition)
{
	struct shelf *s = shelf_find(t, partition), **grown;

	if (s)
		return s;
	grown = realloc(t->shelves, (t->n_shelves + 1) * sizeof(struct shelf *));
	if (!grown)
		return NULL;
	t->shelves = grown;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->partition = partition;
	s->entries = map_new(NULL);
	s->asleep = keyset_new();
	if (!s->entries || !s->asleep) {
		shelf_free(t, s);
		return NULL;
	}
	return grown[t->n_shelves++] = s;
}

static struct entry *
entry_new(struct state_table *t, struct shelf *s, struct span key, void *state)
{
	struct entry *e = calloc(1, sizeof(*e) + key.len);

	if (!e)
		return NULL;
	memcpy(e->key_bytes, key.ptr, key.len);
	e->key = (struct span){ e->key_bytes, key.len };
	e->shelf = s;
	if (map_put(s->entries, key, e) < 0) {
		free(e);
		return NULL;
	}
	e->now = state;
	link_used(t, e);
	return e;
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

static void *
spare_state(struct state_table *t)
{
	void **grown = realloc(t->spare, (t->n_spare + 1) * sizeof(void *));

	if (!grown)
		return NULL;
	t->spare = grown;
	grown[t->n_spare] = calloc(1, t->type->size);
	return grown[t->n_spare] ? grown[t->n_spare++] : NULL;
}

/* First use in the transaction: remember what E is. */
static int
touch(struct state_table *t, struct entry *e)
{
	if (!e->fresh && !(e->before = state_copy(t->type, e->now)))
		return -1;
	if (list_add(&t->touched, e) < 0) {
		state_free(t->type, e->before);
		e->before = NULL;
		return -1;
	}
	e->touched = true;
	unlink_used(t, e);
	link_used(t, e);
	return 0;
}

/* First use in the call: a state near its limit is remembered once more. */
static int
call(struct state_table *t, struct entry *e)
{
	if (list_add(&t->called, e) < 0)
		return -1;
	e->in_call = true;
	if (t->type->bytes && t->type->bytes(e->now) > t->limits.key_bytes / 2)
		return (e->call = state_copy(t->type, e->now)) ? 0 : -1;
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
	if (t->refolds && holds_record(t, e)) {
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

		if (e && e->touched)
			return e->now;
	}
	return NULL;
}

bool
state_call_touched(const struct state_table *t)
{
	return t->called.n > 0;
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

		state_free(t->type, e->now);
		e->now = e->call;
		e->call = NULL;
	}
	return true;
}

enum state_size
state_call_end(struct state_table *t, bool check, struct span *key)
{
	enum state_size result = STATE_FITS;

	for (size_t i = 0; check && t->type->bytes && i < t->called.n && result == STATE_FITS; i++)
		if (t->type->bytes(t->called.items[i]->now) > t->limits.key_bytes) {
			*key = t->called.items[i]->key;
			result = undo_call(t) ? STATE_UNDONE : STATE_TOO_LARGE_FOR_GOOD;
		}
	for (size_t i = 0; i < t->called.n; i++) {
		struct entry *e = t->called.items[i];

		state_free(t->type, e->call);
		e->call = NULL;
		e->in_call = false;
	}
	t->called.n = 0;
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
		size_t bytes = sizeof(*e) + e->key.len + t->type->size + (t->type->bytes ? t->type->bytes(e->now) : 0);

		if (!e->shelf->stand && state_stand(t, e->shelf->partition, &nowhere, 0) < 0)
			return -1;
		if (!e->since)
			enqueue(e->shelf, e);
		state_free(t->type, e->before);
		e->before = NULL;
		e->touched = e->fresh = false;
		t->bytes += bytes - e->bytes;
		e->bytes = bytes;
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
		state_free(t->type, e->now);
		e->now = e->before;
		e->before = NULL;
		e->touched = false;
	}
	t->touched.n = 0;
}

int
state_stand(struct state_table *t, int32_t partition, const struct vector *v, int64_t now_us)
{
	struct shelf *s = shelf_of(t, partition);
	struct mark *m;

	if (!s)
		return -1;
	m = malloc(sizeof(*m));
	if (!m)
		return -1;
	*m = (struct mark){ 1, now_us, *v };
	mark_release(s->stand);
	s->stand = m;
	return 0;
}

void
state_drop(struct state_table *t, int32_t partition)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->touched.n; i++)
		if (t->touched.items[i]->shelf->partition != partition)
			t->touched.items[kept++] = t->touched.items[i];
	t->touched.n = kept;
	for (size_t i = 0; i < t->n_shelves; i++)
		if (t->shelves[i]->partition == partition) {
			if (t->shelf == t->shelves[i])
				t->shelf = NULL;
			shelf_free(t, t->shelves[i]);
			t->shelves[i] = t->shelves[--t->n_shelves];
			return;
		}
}

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

	if (!e || e->since->time_us > before_us)
		return false;
	s->dirty = e->next_dirty;
	if (!s->dirty)
		s->dirty_last = NULL;
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
		bool idle = t->newest_us - e->active_us > t->limits.idle_us;

		next = e->younger;
		if (!idle && t->bytes <= t->limits.max_bytes)
			break;
		if (e->since || e->touched || e->round > t->durable)
			break; /* the first one that is not stored: those behind it are hardly better off */
		if (keyset_add(e->shelf->asleep, e->key) < 0)
			break;
		map_take(e->shelf->entries, e->key);
		entry_free(t, e);
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
	struct vector *holds = NULL;
	struct entry *e;

	if (!s)
		return -1;
	if (alone || is_ahead(t, s, positions)) {
		holds = malloc(sizeof(*holds));
		if (!holds)
			return -1;
		*holds = *positions;
	}
	e = entry_new(t, s, v->key, state);
	if (!e) {
		free(holds);
		return -1;
	}
	keyset_remove(s->asleep, v->key);
	e->holds = holds;
	e->alone = alone;
	e->born = v->born;
	e->active_us = v->active_us;
	e->bytes = sizeof(*e) + e->key.len + t->type->size + (t->type->bytes ? t->type->bytes(state) : 0);
	t->bytes += e->bytes;
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
	struct span key;
	void *value;

	if (!s)
		return;
	for (size_t at = 0; map_next(s->entries, &at, &key, &value);) {
		struct entry *e = value;

		free(e->holds);
		e->holds = NULL;
		e->alone = false;
	}
	s->has_floor = false;
}

/* ---- figures ---- */

size_t
state_count(const struct state_table *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_shelves; i++)
		n += map_count(t->shelves[i]->entries);
	return n;
}

size_t
state_sleepers(const struct state_table *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_shelves; i++)
		n += keyset_count(t->shelves[i]->asleep);
	return n;
}

size_t
state_bytes(const struct state_table *t)
{
	return t->bytes;
}
