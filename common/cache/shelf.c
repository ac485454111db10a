/* shelf.c -- a map for finding, a list for the order; an item is one allocation with its bytes behind it. */
#include "common/cache/shelf.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/map.h"

#define INDEX_BYTES 96 /* about what the map takes for an entry, its copy of the key aside */

struct slot {
	struct shelf_item item; /* first */
	struct slot *newer, *older;
	char bytes[];
};

struct shelf {
	struct map *slots;
	struct slot *newest, *oldest, *hand; /* hand: where the walk is; NULL: over */
	size_t bytes, bytes_max;
};

int
shelf_new(size_t bytes_max, struct shelf **ret, struct err *err)
{
	CLEANUP(shelf_free) struct shelf *s = calloc(1, sizeof(*s));

	if (s)
		s->slots = map_new(free);
	if (!s || !s->slots)
		return err_set(err, REASON_NO_MEMORY, "cache: no memory");
	s->bytes_max = bytes_max;
	*ret = TAKE(s);
	return 0;
}

void
shelf_free(struct shelf *s)
{
	if (!s)
		return;
	map_free(s->slots);
	free(s);
}

static size_t
cost(struct span key, struct span value)
{
	return sizeof(struct slot) + INDEX_BYTES + 2 * key.len + value.len;
}

void
shelf_drop(struct shelf *s, struct shelf_item *item)
{
	struct slot *slot = (struct slot *)item;

	if (s->hand == slot)
		s->hand = slot->older;
	*(slot->newer ? &slot->newer->older : &s->newest) = slot->older;
	*(slot->older ? &slot->older->newer : &s->oldest) = slot->newer;
	s->bytes -= cost(item->key, item->value);
	free(map_take(s->slots, item->key));
}

static struct slot *
slot_new(const struct shelf_item *item)
{
	struct slot *slot = malloc(sizeof(*slot) + item->key.len + item->value.len);
	char *at;

	if (!slot)
		return NULL;
	at = slot->bytes;
	*slot = (struct slot){ .item = *item };
	memcpy(at, item->key.ptr, item->key.len);
	memcpy(at + item->key.len, item->value.ptr, item->value.len);
	slot->item.key.ptr = at;
	slot->item.value.ptr = at + item->key.len;
	return slot;
}

void
shelf_put(struct shelf *s, const struct shelf_item *item)
{
	size_t bytes = cost(item->key, item->value);
	struct slot *old = map_get(s->slots, item->key), *slot;

	if (old)
		shelf_drop(s, &old->item);
	if (bytes > s->bytes_max)
		return;
	while (s->bytes + bytes > s->bytes_max)
		shelf_drop(s, &s->oldest->item);
	slot = slot_new(item);
	if (!slot || map_put(s->slots, slot->item.key, slot) < 0) {
		free(slot);
		return;
	}
	slot->older = s->newest;
	*(s->newest ? &s->newest->newer : &s->oldest) = slot;
	s->newest = slot;
	s->bytes += bytes;
}

void
shelf_clear(struct shelf *s)
{
	while (s->newest)
		shelf_drop(s, &s->newest->item);
}

size_t
shelf_count(const struct shelf *s)
{
	return map_count(s->slots);
}

size_t
shelf_bytes(const struct shelf *s)
{
	return s->bytes;
}

void
shelf_walk(struct shelf *s)
{
	s->hand = s->newest;
}

struct shelf_item *
shelf_step(struct shelf *s)
{
	struct slot *slot = s->hand;

	if (!slot)
		return NULL;
	s->hand = slot->older;
	return &slot->item;
}
