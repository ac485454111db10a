/* plan.c -- grows the tree path by path.  It is small and built once, so arrays are copied to grow. */
#include "workers/ingest-router/plan.h"

#include <stdlib.h>

#define BLOCK_BYTES 8192

static int
out_of_memory(struct err *err)
{
	return err_set(err, REASON_NO_MEMORY, "path map");
}

static struct plan_node *
node_new(struct plan *p)
{
	struct plan_node *node = arena_zalloc(p->arena, sizeof(*node));

	if (node)
		node->slot = -1;
	return node;
}

static struct plan_group *
group_new(struct plan *p)
{
	struct plan_group *group = arena_zalloc(p->arena, sizeof(*group));

	return group && (group->node = node_new(p)) ? group : NULL;
}

int
plan_new(struct plan **ret, struct err *err)
{
	CLEANUP(plan_free)
	struct plan *p = calloc(1, sizeof(*p));

	if (!p || !(p->arena = arena_new(BLOCK_BYTES, 0)) || !(p->root = group_new(p)))
		return out_of_memory(err);
	*ret = TAKE(p);
	return 0;
}

void
plan_free(struct plan *p)
{
	if (!p)
		return;
	arena_free(p->arena);
	free(p);
}

/* A copy of the N items of SIZE bytes at OLD with a hole at AT, or NULL. */
static void *
grown(struct plan *p, const void *old, size_t n, size_t size, size_t at)
{
	char *items = arena_alloc(p->arena, (n + 1) * size);

	if (items && n) {
		memcpy(items, old, at * size);
		memcpy(items + (at + 1) * size, (const char *)old + at * size, (n - at) * size);
	}
	return items;
}

static struct plan_node *
by_key(struct plan *p, struct plan_node *node, struct span key)
{
	uint64_t mark = key_mark(key);
	struct plan_edge *edges;
	struct plan_node *child;
	size_t at = 0;

	for (; at < node->n_keys && node->keys[at].mark <= mark; at++)
		if (span_equal(node->keys[at].key, key))
			return node->keys[at].node;
	child = node_new(p);
	edges = grown(p, node->keys, node->n_keys, sizeof(*edges), at);
	key = arena_copy(p->arena, key);
	if (!child || !edges || !key.ptr)
		return NULL;
	edges[at] = (struct plan_edge){ mark, key, child };
	node->keys = edges;
	node->n_keys++;
	return child;
}

static struct plan_node *
by_index(struct plan *p, struct plan_node *node, uint32_t index)
{
	struct plan_element *elements;
	struct plan_node *child;
	size_t at = 0;

	for (; at < node->n_elements && node->elements[at].index <= index; at++)
		if (node->elements[at].index == index)
			return node->elements[at].node;
	child = node_new(p);
	elements = grown(p, node->elements, node->n_elements, sizeof(*elements), at);
	if (!child || !elements)
		return NULL;
	elements[at] = (struct plan_element){ index, child };
	node->elements = elements;
	node->n_elements++;
	return child;
}

static int
members_and_path(struct err *err)
{
	return err_set(err, REASON_FILE_INVALID,
		       "the members of an object are taken one by one (members), so no path may lead to one of them");
}

static int
each_and_path(struct err *err)
{
	return err_set(
	    err, REASON_FILE_INVALID,
	    "the elements of an array are taken one by one (items, each), so no path may lead to one of them");
}

static struct plan_node *
descend(struct plan *p, struct plan_group *group, const struct path *path, struct err *err)
{
	struct plan_node *node = group->node;

	for (size_t i = 0; i < path->n_steps; i++) {
		const struct path_step *step = &path->steps[i];

		if (step->key.ptr ? node->members != NULL : node->each != NULL) {
			(void)(step->key.ptr ? members_and_path(err) : each_and_path(err));
			return NULL;
		}
		node = step->key.ptr ? by_key(p, node, step->key) : by_index(p, node, step->index);
		if (!node) {
			out_of_memory(err);
			return NULL;
		}
	}
	return node;
}

int
plan_slot(struct plan *p, struct plan_group *group, const struct path *path, size_t *ret, struct err *err)
{
	struct plan_node *node = descend(p, group, path, err);

	if (!node)
		return -1;
	if (node->slot < 0)
		node->slot = (int)group->n_slots++;
	*ret = (size_t)node->slot;
	return 0;
}

/* The group that *PLACE names, new if there is none. */
static int
below(struct plan *p, struct plan_group *group, const struct plan_group **place, struct plan_group **ret,
      struct err *err)
{
	struct plan_group *child = (struct plan_group *)*place;

	if (!child) {
		child = group_new(p);
		if (!child)
			return out_of_memory(err);
		child->list = group->n_lists++;
		*place = child;
	}
	*ret = child;
	return 0;
}

int
plan_each(struct plan *p, struct plan_group *group, const struct path *path, struct plan_group **ret, struct err *err)
{
	struct plan_node *node = descend(p, group, path, err);

	if (!node)
		return -1;
	return node->n_elements ? each_and_path(err) : below(p, group, &node->each, ret, err);
}

int
plan_members(struct plan *p, struct plan_group *group, const struct path *path, struct plan_group **ret,
	     struct err *err)
{
	struct plan_node *node = descend(p, group, path, err);

	if (!node)
		return -1;
	return node->n_keys ? members_and_path(err) : below(p, group, &node->members, ret, err);
}
