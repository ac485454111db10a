/*
 * plan.h -- what of a document is wanted: the paths of all path maps as one tree that the scanner walks beside the text.
 *
 * A wanted value has a slot in a row.  The message is one row; every element of an array (or member of an object) that a
 * map takes one by one is a row of its own, of a group that hangs below the row it stands in.  Built once at start,
 * read-only afterwards.
 */
#ifndef FOREBAY_INGEST_ROUTER_PLAN_H
#define FOREBAY_INGEST_ROUTER_PLAN_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "workers/ingest-router/path.h"

struct plan_group;

struct plan_edge {
	uint64_t mark; /* key_mark() of key; edges are sorted by it */
	struct span key;
	struct plan_node *node;
};

struct plan_element {
	uint32_t index;
	struct plan_node *node;
};

struct plan_node {
	struct plan_edge *keys;
	size_t n_keys;
	struct plan_element *elements; /* ascending */
	size_t n_elements;
	const struct plan_group *each;    /* a row for each element of an array */
	const struct plan_group *members; /* a row for each member of an object */
	int slot;                         /* of the value itself; -1: not wanted */
};

/* Rows of one kind. */
struct plan_group {
	struct plan_node *node; /* of the row's own value: @ */
	size_t list;            /* number among the groups below the same parent */
	size_t n_lists;         /* groups below this one */
	size_t n_slots;
};

struct plan {
	struct arena *arena;
	struct plan_group *root;
};

/* -1 when memory is out. */
int plan_new(struct plan **ret, struct err *err);
void plan_free(struct plan *p);
DEFINE_CLEANUP(struct plan, plan_free)

/* The slot of PATH in the rows of GROUP; the same path gets the same slot.  -1 on FILE_INVALID, NO_MEMORY. */
int plan_slot(struct plan *p, struct plan_group *group, const struct path *path, size_t *ret, struct err *err);

/*
 * The group of the elements of the array at PATH, or of the members of the object there; the same for the same path.
 * -1 on FILE_INVALID where a text would stand in two places at once (members and a path into the same object, each and
 * an element of the same array), NO_MEMORY.
 */
int plan_each(struct plan *p, struct plan_group *group, const struct path *path, struct plan_group **ret,
	      struct err *err);
int plan_members(struct plan *p, struct plan_group *group, const struct path *path, struct plan_group **ret,
		 struct err *err);

/* A cheap, not unique, mark of a key; equal keys have equal marks. */
static inline uint64_t
key_mark(struct span key)
{
	const char *p = key.ptr;
	uint64_t head = 0, tail = 0;

	if (key.len >= 8) {
		memcpy(&head, p, 8);
		memcpy(&tail, p + key.len - 8, 8);
	} else if (key.len >= 4) {
		uint32_t a, b;

		memcpy(&a, p, 4);
		memcpy(&b, p + key.len - 4, 4);
		head = a;
		tail = (uint64_t)b << 32;
	} else if (key.len) {
		head = (unsigned char)p[0] | (uint64_t)(unsigned char)p[key.len / 2] << 8 |
		       (uint64_t)(unsigned char)p[key.len - 1] << 16;
	}
	return head ^ (tail << 17 | tail >> 47) ^ key.len << 56;
}

/* The node below NODE for KEY, or NULL. */
static inline const struct plan_node *
plan_child(const struct plan_node *node, uint64_t mark, struct span key)
{
	const struct plan_edge *at = node->keys, *end;

	if (node->n_keys == 0)
		return NULL;
	end = at + node->n_keys;
	for (size_t n = node->n_keys; n > 8; n -= n / 2) /* all edges before AT have smaller marks */
		at += at[n / 2].mark < mark ? n / 2 : 0;
	for (; at < end && at->mark <= mark; at++)
		if (at->mark == mark && span_equal(at->key, key))
			return at->node;
	return NULL;
}

#endif
