/* state.c -- one map per partition number; a list of the entries that the transaction has touched. */
#include "common/worker/state.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/map.h"

struct entry {
	void *now, *before; /* before: the copy of a touched state that is not new */
	bool touched, fresh;
	int32_t partition;
	const struct state_type *type;
	struct span key;
	char key_bytes[];
};

struct shelf {
	int32_t partition;
	struct map *entries;
};

struct state_table {
	const struct state_type *type;
	struct shelf *shelves;
	size_t n_shelves;
	struct entry **touched;
	size_t n_touched, cap_touched;
};

static void
state_free(const struct state_type *type, void *state)
{
	if (state && type->clear)
		type->clear(state);
	free(state);
}

static void
entry_free(void *p)
{
	struct entry *e = p;

	state_free(e->type, e->now);
	state_free(e->type, e->before);
	free(e);
}

struct state_table *
state_table_new(const struct state_type *type)
{
	struct state_table *t = calloc(1, sizeof(*t));

	if (t)
		t->type = type;
	return t;
}

void
state_table_free(struct state_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_shelves; i++)
		map_free(t->shelves[i].entries);
	free(t->shelves);
	free(t->touched);
	free(t);
}

static struct map *
shelf_of(struct state_table *t, int32_t partition)
{
	struct shelf *grown;

	for (size_t i = 0; i < t->n_shelves; i++)
		if (t->shelves[i].partition == partition)
			return t->shelves[i].entries;
	grown = realloc(t->shelves, (t->n_shelves + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	t->shelves = grown;
	grown[t->n_shelves] = (struct shelf){ partition, map_new(entry_free) };
	return grown[t->n_shelves].entries ? grown[t->n_shelves++].entries : NULL;
}

static struct entry *
entry_new(struct state_table *t, struct map *shelf, int32_t partition, struct span key)
{
	struct entry *e = calloc(1, sizeof(*e) + key.len);

	if (!e)
		return NULL;
	memcpy(e->key_bytes, key.ptr, key.len);
	e->key = (struct span){ e->key_bytes, key.len };
	e->type = t->type;
	e->partition = partition;
	e->fresh = true;
	e->now = calloc(1, t->type->size);
	if (!e->now || map_put(shelf, key, e) < 0) {
		entry_free(e);
		return NULL;
	}
	return e;
}

/* Remember what E is before the transaction changes it. */
static int
touch(struct state_table *t, struct entry *e)
{
	if (t->n_touched == t->cap_touched) {
		size_t cap = t->cap_touched ? t->cap_touched * 2 : 64;
		struct entry **grown = realloc(t->touched, cap * sizeof(struct entry *));

		if (!grown)
			return -1;
		t->touched = grown;
		t->cap_touched = cap;
	}
	if (!e->fresh) {
		e->before = calloc(1, t->type->size);
		if (!e->before)
			return -1;
		if (!t->type->copy)
			memcpy(e->before, e->now, t->type->size);
		else if (t->type->copy(e->before, e->now) < 0) {
			state_free(t->type, e->before);
			e->before = NULL;
			return -1;
		}
	}
	e->touched = true;
	t->touched[t->n_touched++] = e;
	return 0;
}

void *
state_get(struct state_table *t, int32_t partition, struct span key)
{
	struct map *shelf = shelf_of(t, partition);
	struct entry *e = shelf ? map_get(shelf, key) : NULL;

	if (shelf && !e)
		e = entry_new(t, shelf, partition, key);
	if (!e || (!e->touched && touch(t, e) < 0))
		return NULL;
	return e->now;
}

void *
state_in_use(struct state_table *t, struct span key)
{
	for (size_t i = 0; i < t->n_shelves; i++) {
		struct entry *e = map_get(t->shelves[i].entries, key);

		if (e && e->touched)
			return e->now;
	}
	return NULL;
}

void
state_commit(struct state_table *t)
{
	for (size_t i = 0; i < t->n_touched; i++) {
		struct entry *e = t->touched[i];

		state_free(t->type, e->before);
		e->before = NULL;
		e->touched = e->fresh = false;
	}
	t->n_touched = 0;
}

void
state_rollback(struct state_table *t)
{
	for (size_t i = 0; i < t->n_touched; i++) {
		struct entry *e = t->touched[i];

		if (e->fresh) {
			entry_free(map_take(shelf_of(t, e->partition), e->key));
			continue;
		}
		state_free(t->type, e->now);
		e->now = e->before;
		e->before = NULL;
		e->touched = false;
	}
	t->n_touched = 0;
}

void
state_drop(struct state_table *t, int32_t partition)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n_touched; i++)
		if (t->touched[i]->partition != partition)
			t->touched[kept++] = t->touched[i];
	t->n_touched = kept;
	for (size_t i = 0; i < t->n_shelves; i++)
		if (t->shelves[i].partition == partition) {
			map_free(t->shelves[i].entries);
			t->shelves[i] = t->shelves[--t->n_shelves];
			return;
		}
}

size_t
state_count(const struct state_table *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_shelves; i++)
		n += map_count(t->shelves[i].entries);
	return n;
}
