/*
 * forest_tree.c -- insertion and deletion are moves of the arrays: one node and one place come or go, and counts on the way
 * down change by one.
 */
#include "common/detect/forest_tree.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"

#define NODE_ONE_LEFT (UINT32_C(1) << 24)

struct forest_tree *
forest_tree_new(int sample)
{
	struct forest_tree *t = calloc(1, forest_tree_bytes(sample));

	if (t)
		t->owners = 1;
	return t;
}

struct forest_tree *
forest_tree_clone(const struct forest_tree *t, int sample)
{
	struct forest_tree *clone = malloc(forest_tree_bytes(sample));

	if (!clone)
		return NULL;
	memcpy(clone, t, forest_tree_bytes(sample));
	clone->owners = 1;
	return clone;
}

void
forest_tree_release(struct forest_tree *t)
{
	if (t && --t->owners == 0)
		free(t);
}

static void
open_place(struct forest_tree *t, int sample, int mass, int slot, uint16_t at, uint16_t key)
{
	uint16_t *places = forest_places(t, sample), *keys = forest_keys(t, sample);
	size_t behind = (size_t)(mass - slot) * sizeof(*places);

	memmove(places + slot + 1, places + slot, behind);
	memmove(keys + slot + 1, keys + slot, behind);
	places[slot] = at;
	keys[slot] = key;
}

void
forest_tree_insert(struct forest_tree *t, int sample, int mass, const struct forest_place *place, uint16_t at,
		   uint16_t key)
{
	int node = 0, begin = 0, below = mass;
	uint32_t left;

	if (mass == 0) {
		open_place(t, sample, 0, 0, at, key);
		return;
	}
	/* Without branches, as in remove below: half of them would be foreseen wrongly. */
	while (below > place->mass) {
		uint32_t right;

		left = NODE_LEFT(t->node[node]);
		right = place->begin >= begin + (int)left;
		t->node[node] += (1 - right) * NODE_ONE_LEFT;
		node += right ? (int)left : 1;
		begin += right ? (int)left : 0;
		below = right ? below - (int)left : (int)left;
	}
	memmove(t->node + node + 1, t->node + node, (size_t)(mass - 1 - node) * sizeof(t->node[0]));
	left = place->right ? (uint32_t)below : 1;
	t->node[node] =
	    place->equal ? NODE_GROUP : (uint32_t)place->cut | (uint32_t)place->dimension << 16 | left << 24;
	open_place(t, sample, mass, place->right ? begin + below : begin, at, key);
}

void
forest_tree_remove(struct forest_tree *t, int sample, int mass, int slot)
{
	uint16_t *places = forest_places(t, sample), *keys = forest_keys(t, sample);
	size_t behind = (size_t)(mass - 1 - slot) * sizeof(*places);
	int node = 0, begin = 0, below = mass;

	memmove(places + slot, places + slot + 1, behind);
	memmove(keys + slot, keys + slot + 1, behind);
	if (mass == 1)
		return;
	/* The parent goes; its other child moves up in its place, for that stands right behind it. */
	for (;;) {
		uint32_t left = NODE_LEFT(t->node[node]), right = slot >= begin + (int)left, down;

		if (t->node[node] & NODE_GROUP)
			break;
		down = right ? (uint32_t)below - left : left;
		if (down == 1)
			break;
		/* Without branches: half of them would be foreseen wrongly. */
		t->node[node] -= (1 - right) * NODE_ONE_LEFT;
		node += right ? (int)left : 1;
		begin += right ? (int)left : 0;
		below = (int)down;
	}
	memmove(t->node + node, t->node + node + 1, (size_t)(mass - 2 - node) * sizeof(t->node[0]));
}

/* ---- built anew ---- */

/* A random cut of the box of N places; false: they are all equal. */
static bool
draw_cut(const struct forest_view *v, const uint16_t *places, int n, uint64_t random, int *dimension, int *cut)
{
	int16_t lo[FOREST_DIMENSIONS_MAX], hi[FOREST_DIMENSIONS_MAX];
	int range = 0, at;

	memcpy(lo, v->values + places[0] * v->stride, (size_t)v->dimensions * sizeof(*lo));
	memcpy(hi, lo, (size_t)v->dimensions * sizeof(*hi));
	for (int i = 1; i < n; i++) {
		const int16_t *x = v->values + places[i] * v->stride;

		for (int k = 0; k < v->dimensions; k++) {
			lo[k] = x[k] < lo[k] ? x[k] : lo[k];
			hi[k] = x[k] > hi[k] ? x[k] : hi[k];
		}
	}
	for (int k = 0; k < v->dimensions; k++)
		range += hi[k] - lo[k];
	if (range == 0)
		return false;
	at = (int)((random >> 23) * (uint64_t)range >> 41);
	for (int k = 0;; k++) {
		if (at < hi[k] - lo[k]) {
			*dimension = k;
			*cut = lo[k] + at;
			return true;
		}
		at -= hi[k] - lo[k];
	}
}

/* Places and keys at or below the cut come first, else in their order.  How many these are. */
static int
part(const struct forest_view *v, uint16_t *places, uint16_t *keys, int n, int dimension, int cut)
{
	uint16_t later[2][FOREST_SAMPLE_MAX];
	int left = 0, right = 0;

	for (int i = 0; i < n; i++) {
		bool is_right = v->values[places[i] * v->stride + (size_t)dimension] > cut;

		later[0][right] = places[i];
		later[1][right] = keys[i];
		places[left] = places[i];
		keys[left] = keys[i];
		left += !is_right;
		right += is_right;
	}
	memcpy(places + left, later[0], (size_t)right * sizeof(*places));
	memcpy(keys + left, later[1], (size_t)right * sizeof(*keys));
	return left;
}

void
forest_tree_build(const struct forest_view *v, uint64_t stream, uint64_t number)
{
	struct forest_tree *t = v->trees[0];
	uint16_t *places = forest_places(t, v->sample), *keys = forest_keys(t, v->sample);
	struct {
		int begin, mass;
	} waiting[FOREST_SAMPLE_MAX];
	int n_waiting = 1, node = 0;

	waiting[0].begin = 0;
	waiting[0].mass = v->mass;
	while (n_waiting > 0) {
		int begin = waiting[--n_waiting].begin, mass = waiting[n_waiting].mass, dimension, cut, left;

		if (mass == 1)
			continue;
		if (!draw_cut(v, places + begin, mass, random_u64(stream, number, (uint64_t)node), &dimension, &cut)) {
			for (int i = 1; i < mass; i++)
				t->node[node++] = NODE_GROUP;
			continue;
		}
		left = part(v, places + begin, keys + begin, mass, dimension, cut);
		t->node[node++] = (uint32_t)cut | (uint32_t)dimension << 16 | (uint32_t)left << 24;
		waiting[n_waiting].begin = begin + left;
		waiting[n_waiting++].mass = mass - left;
		waiting[n_waiting].begin = begin;
		waiting[n_waiting++].mass = left;
	}
}

bool
forest_tree_sound(const struct forest_tree *t, int sample, int mass, int dimensions, uint32_t places)
{
	const uint16_t *place = forest_places_of(t, sample);
	int waiting[FOREST_SAMPLE_MAX], n_waiting = 1, node = 0;

	for (int i = 0; i < mass; i++)
		if (place[i] >= places)
			return false;
	waiting[0] = mass;
	while (n_waiting > 0) {
		int below = waiting[--n_waiting], left;

		if (below == 1)
			continue;
		if (t->node[node] & NODE_GROUP) {
			for (int i = 1; i < below; i++)
				if (t->node[node++] != NODE_GROUP)
					return false;
			continue;
		}
		left = (int)NODE_LEFT(t->node[node]);
		if (left < 1 || left >= below || (int)NODE_DIMENSION(t->node[node]) >= dimensions)
			return false;
		node++;
		waiting[n_waiting++] = below - left;
		waiting[n_waiting++] = left;
	}
	return true;
}
