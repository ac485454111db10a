/*
 * forest_tree.h -- one tree: its nodes and places (forest_parts.h), owned by as many forests as share it.
 *
 * What changes a tree wants one that nobody shares.  MASS is how many points it has before the change.
 */
#ifndef FOREBAY_DETECT_FOREST_TREE_H
#define FOREBAY_DETECT_FOREST_TREE_H

#include "common/detect/forest_kernel.h"

struct forest_tree *forest_tree_new(int sample); /* without points; NULL: no memory */
struct forest_tree *forest_tree_clone(const struct forest_tree *t, int sample);
void forest_tree_release(struct forest_tree *t); /* one owner less; NULL is fine */

/* MASS > 0: where the point goes, as a kernel's place() says; MASS 0: anywhere. */
void forest_tree_insert(struct forest_tree *t, int sample, int mass, const struct forest_place *place, uint16_t at,
			uint16_t key);

/* The point of place SLOT goes, and with it the cut that parted it from its sibling. */
void forest_tree_remove(struct forest_tree *t, int sample, int mass, int slot);

/*
 * All nodes anew, by random cuts of the boxes of V's first tree's places, which change their order; numbers of (STREAM, NUMBER,
 * place in the order of nodes).
 */
void forest_tree_build(const struct forest_view *v, uint64_t stream, uint64_t number);

/* Is it a tree: do all subtrees have points, are cuts between GRID's ends, dimensions below DIMENSIONS, places below PLACES? */
bool forest_tree_sound(const struct forest_tree *t, int sample, int mass, int dimensions, uint32_t places);

#endif
