/*
 * keyset.c -- open addressing with linear probing over bare hashes, 0 for a free slot; at most seven tenths full.  A hole is
 * closed at once: hashes behind it move up until one stands where it belongs, or a slot is free.
 */
#include "common/base/keyset.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/base/random.h"

#define SLOTS_LEAST 16

struct keyset {
	uint64_t *slots;
	size_t mask, count; /* slots - 1 */
};

struct keyset *
keyset_new(void)
{
	struct keyset *s = malloc(sizeof(*s));
	uint64_t *slots = calloc(SLOTS_LEAST, sizeof(*slots));

	if (!s || !slots) {
		free(slots);
		free(s);
		return NULL;
	}
	*s = (struct keyset){ slots, SLOTS_LEAST - 1, 0 };
	return s;
}

void
keyset_free(struct keyset *s)
{
	if (!s)
		return;
	free(s->slots);
	free(s);
}

static uint64_t
hash_of(struct span key)
{
	uint64_t hash = random_hash(key);

	return hash ? hash : 1;
}

/* Where HASH is, or the free slot where it would be. */
static size_t
find(const struct keyset *s, uint64_t hash)
{
	size_t at = hash & s->mask;

	while (s->slots[at] && s->slots[at] != hash)
		at = (at + 1) & s->mask;
	return at;
}

static int
grow(struct keyset *s)
{
	struct keyset wider = { calloc((s->mask + 1) * 2, sizeof(*s->slots)), s->mask * 2 + 1, s->count };

	if (!wider.slots)
		return -1;
	for (size_t i = 0; i <= s->mask; i++)
		if (s->slots[i])
			wider.slots[find(&wider, s->slots[i])] = s->slots[i];
	free(s->slots);
	*s = wider;
	return 0;
}

int
keyset_add(struct keyset *s, struct span key)
{
	uint64_t hash = hash_of(key);
	size_t at = find(s, hash);

	if (s->slots[at])
		return 0;
	if ((s->count + 1) * 10 > (s->mask + 1) * 7) {
		if (grow(s) < 0)
			return -1;
		at = find(s, hash);
	}
	s->slots[at] = hash;
	s->count++;
	return 0;
}

bool
keyset_has(const struct keyset *s, struct span key)
{
	return s->slots[find(s, hash_of(key))] != 0;
}

void
keyset_remove(struct keyset *s, struct span key)
{
	size_t hole = find(s, hash_of(key));

	if (!s->slots[hole])
		return;
	s->count--;
	for (size_t at = (hole + 1) & s->mask; s->slots[at]; at = (at + 1) & s->mask) {
		/* It may move up if the hole is not before the slot where it belongs. */
		if (((at - s->slots[at]) & s->mask) < ((at - hole) & s->mask))
			continue;
		s->slots[hole] = s->slots[at];
		hole = at;
	}
	s->slots[hole] = 0;
}

size_t
keyset_count(const struct keyset *s)
{
	return s->count;
}

size_t
keyset_bytes(const struct keyset *s)
{
	return sizeof(*s) + (s->mask + 1) * sizeof(*s->slots);
}
