/*
 * state_index.c -- linear probing, at most half full.  A slot holds the whole hash beside the pointer, so that a question costs one
 * line of memory here and the entry's own.  What is removed leaves no hole: those behind it that may move up do so (D. E. Knuth,
 * The Art of Computer Programming, vol. 3, section 6.4, algorithm R).
 */
#include "common/worker/state_index.h"

#include <stdlib.h>

#include "common/worker/state_shelf.h"

#define LEAST_SLOTS 64

struct index_slot {
	uint64_t hash;
	struct entry *e; /* NULL: free */
};

struct entry *
index_get(const struct index *x, struct span key, uint64_t hash)
{
	for (size_t s = hash & (x->cap - 1); x->cap && x->slots[s].e; s = (s + 1) & (x->cap - 1))
		if (x->slots[s].hash == hash && span_equal(x->slots[s].e->key, key))
			return x->slots[s].e;
	return NULL;
}

void
index_fetch(const struct index *x, uint64_t hash)
{
	if (x->cap)
		__builtin_prefetch(&x->slots[hash & (x->cap - 1)]);
}

static void
put(struct index *x, struct index_slot slot)
{
	size_t s = slot.hash & (x->cap - 1);

	while (x->slots[s].e)
		s = (s + 1) & (x->cap - 1);
	x->slots[s] = slot;
}

static int
grow(struct index *x)
{
	struct index old = *x;

	x->cap = old.cap ? old.cap * 2 : LEAST_SLOTS;
	x->slots = calloc(x->cap, sizeof(*x->slots));
	if (!x->slots) {
		*x = old;
		return -1;
	}
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i].e)
			put(x, old.slots[i]);
	free(old.slots);
	return 0;
}

int
index_add(struct index *x, struct entry *e)
{
	if (x->n * 2 >= x->cap && grow(x) < 0)
		return -1;
	put(x, (struct index_slot){ e->hash, e });
	x->n++;
	return 0;
}

void
index_remove(struct index *x, const struct entry *e)
{
	size_t mask = x->cap - 1, hole = e->hash & mask;

	while (x->slots[hole].e != e)
		hole = (hole + 1) & mask;
	for (size_t s = (hole + 1) & mask; x->slots[s].e; s = (s + 1) & mask) {
		size_t home = x->slots[s].hash & mask;

		if (((s - home) & mask) < ((s - hole) & mask))
			continue; /* its home lies behind the hole */
		x->slots[hole] = x->slots[s];
		hole = s;
	}
	x->slots[hole].e = NULL;
	x->n--;
}

struct entry *
index_next(const struct index *x, size_t *at)
{
	while (*at < x->cap)
		if (x->slots[(*at)++].e)
			return x->slots[*at - 1].e;
	return NULL;
}

void
index_clear(struct index *x)
{
	free(x->slots);
	*x = (struct index){ 0 };
}
