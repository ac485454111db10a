/*
 * map.c -- an array of entries in order of insertion and an open-addressed index of entry numbers (linear probing, at most
 * half full).  A removed entry leaves a hole in the array; holes are closed when the index is rebuilt.
 */
#include "common/base/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"

struct entry {
	uint64_t hash;
	struct span key; /* ptr NULL: a hole */
	void *value;
};

struct map {
	void (*value_free)(void *);
	struct entry *entries;
	size_t n_entries, cap_entries, live;
	uint32_t *index; /* entry number + 1; 0: free */
	size_t slots;    /* a power of two */
};

struct map *
map_new(void (*value_free)(void *))
{
	struct map *m = calloc(1, sizeof(*m));

	if (m)
		m->value_free = value_free;
	return m;
}

static void
entry_drop(struct map *m, struct entry *e)
{
	if (!e->key.ptr)
		return;
	if (m->value_free)
		m->value_free(e->value);
	free((char *)e->key.ptr);
	e->key = SPAN_NONE;
}

void
map_free(struct map *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_entries; i++)
		entry_drop(m, &m->entries[i]);
	free(m->entries);
	free(m->index);
	free(m);
}

/* The entry of KEY, or NULL. */
static struct entry *
find(const struct map *m, struct span key, uint64_t hash)
{
	if (!m->slots)
		return NULL;
	for (size_t s = hash & (m->slots - 1); m->index[s]; s = (s + 1) & (m->slots - 1)) {
		struct entry *e = &m->entries[m->index[s] - 1];

		if (e->key.ptr && e->hash == hash && span_equal(e->key, key))
			return e;
	}
	return NULL;
}

static void
index_add(struct map *m, uint64_t hash, size_t number)
{
	size_t s = hash & (m->slots - 1);

	while (m->index[s])
		s = (s + 1) & (m->slots - 1);
	m->index[s] = (uint32_t)number + 1;
}

/* Close the holes and build an index with room for twice what is there. */
static int
rebuild(struct map *m)
{
	size_t slots = 16, cap, n = 0;
	struct entry *entries;
	uint32_t *index;

	while (slots < (m->live + 1) * 4)
		slots *= 2;
	cap = slots / 2;
	index = calloc(slots, sizeof(*index));
	entries = malloc(cap * sizeof(*entries));
	if (!index || !entries || slots > UINT32_MAX / 2) {
		free(index);
		free(entries);
		return -1;
	}
	for (size_t i = 0; i < m->n_entries; i++)
		if (m->entries[i].key.ptr)
			entries[n++] = m->entries[i];
	free(m->entries);
	free(m->index);
	m->entries = entries;
	m->index = index;
	m->n_entries = n;
	m->cap_entries = cap;
	m->slots = slots;
	for (size_t i = 0; i < n; i++)
		index_add(m, entries[i].hash, i);
	return 0;
}

void *
map_get(const struct map *m, struct span key)
{
	struct entry *e = find(m, key, random_hash(key));

	return e ? e->value : NULL;
}

int
map_put(struct map *m, struct span key, void *value)
{
	uint64_t hash = random_hash(key);
	struct entry *e = find(m, key, hash);
	char *copy;

	if (e) {
		if (m->value_free && e->value != value)
			m->value_free(e->value);
		e->value = value;
		return 0;
	}
	if (m->n_entries == m->cap_entries && rebuild(m) < 0)
		return -1;
	copy = malloc(key.len + 1);
	if (!copy)
		return -1;
	if (key.len)
		memcpy(copy, key.ptr, key.len);
	copy[key.len] = '\0';
	m->entries[m->n_entries] = (struct entry){ hash, { copy, key.len }, value };
	index_add(m, hash, m->n_entries);
	m->n_entries++;
	m->live++;
	return 0;
}

void *
map_take(struct map *m, struct span key)
{
	struct entry *e = find(m, key, random_hash(key));
	void *value;

	if (!e)
		return NULL;
	value = e->value;
	free((char *)e->key.ptr);
	e->key = SPAN_NONE;
	e->value = NULL;
	m->live--;
	return value;
}

size_t
map_count(const struct map *m)
{
	return m->live;
}

int
map_next(const struct map *m, size_t *at, struct span *key, void **value)
{
	while (*at < m->n_entries) {
		const struct entry *e = &m->entries[(*at)++];

		if (e->key.ptr) {
			*key = e->key;
			*value = e->value;
			return 1;
		}
	}
	return 0;
}
