/* state_shelf.c -- see state_shelf.h. */
#include "common/worker/state_shelf.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"

#define STATE_ALIGN ((size_t)16)

void
shelf_state_free(const struct state_type *type, void *state)
{
	if (state && type->clear)
		type->clear(state);
	free(state);
}

void
mark_release(struct mark *m)
{
	if (m && --m->users == 0)
		free(m);
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
	if (t->type->clear) {
		t->type->clear(e->now);
		if (e->before && e->copied && e->transaction == t->transaction)
			t->type->clear(e->before);
		if (e->call && e->call_copied)
			t->type->clear(e->call);
	}
	mark_release(e->since);
	free(e->holds);
	free(e);
}

void
entry_take(struct state_table *t, struct entry *e)
{
	index_remove(&e->shelf->entries, e);
	entry_free(t, e);
}

static void
shelf_free(struct state_table *t, struct shelf *s)
{
	struct entry *e;

	for (size_t at = 0; (e = index_next(&s->entries, &at));)
		entry_free(t, e);
	index_clear(&s->entries);
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
	t->transaction = 1;
	return t;
}

void
spare_clear(struct state_table *t)
{
	for (size_t i = 0; i < t->n_spare; i++)
		shelf_state_free(t->type, t->spare[i]);
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
	undo_clear(&t->undo);
	undo_clear(&t->call_undo);
	free(t);
}

struct shelf *
shelf_find(const struct state_table *t, int32_t partition)
{
	for (size_t i = 0; i < t->n_shelves; i++)
		if (t->shelves[i]->partition == partition)
			return t->shelves[i];
	return NULL;
}

struct shelf *
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
	s->asleep = keyset_new();
	if (!s->asleep) {
		shelf_free(t, s);
		return NULL;
	}
	return grown[t->n_shelves++] = s;
}

struct entry *
entry_of(const struct shelf *s, struct span key)
{
	return index_get(&s->entries, key, random_hash(key));
}

struct entry *
entry_new(struct state_table *t, struct shelf *s, struct span key)
{
	size_t ahead = (offsetof(struct entry, key_bytes) + key.len + STATE_ALIGN - 1) & ~(STATE_ALIGN - 1);
	struct entry *e = calloc(1, ahead + t->type->size);

	if (!e)
		return NULL;
	memcpy(e->key_bytes, key.ptr, key.len);
	e->key = (struct span){ e->key_bytes, key.len };
	e->hash = random_hash(key);
	e->shelf = s;
	e->now = (char *)e + ahead;
	if (index_add(&s->entries, e) < 0) {
		free(e);
		return NULL;
	}
	link_used(t, e);
	return e;
}

void
entry_used(struct state_table *t, struct entry *e)
{
	unlink_used(t, e);
	link_used(t, e);
}

static size_t
beside_state(const struct state_table *t, const struct entry *e)
{
	return sizeof(*e) + e->key.len + t->type->size;
}

void
entry_measure(struct state_table *t, struct entry *e)
{
	size_t bytes;

	if (e->sized)
		return;
	bytes = beside_state(t, e) + (t->type->bytes ? t->type->bytes(e->now) : 0);
	t->bytes += bytes - e->bytes;
	e->bytes = bytes;
	e->sized = true;
}

size_t
entry_encoded(struct state_table *t, struct entry *e)
{
	entry_measure(t, e);
	return e->bytes - beside_state(t, e);
}

void *
spare_state(struct state_table *t)
{
	void **grown = realloc(t->spare, (t->n_spare + 1) * sizeof(void *));

	if (!grown)
		return NULL;
	t->spare = grown;
	grown[t->n_spare] = calloc(1, t->type->size);
	return grown[t->n_spare] ? grown[t->n_spare++] : NULL;
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

/* ---- figures ---- */

size_t
state_count(const struct state_table *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_shelves; i++)
		n += t->shelves[i]->entries.n;
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
