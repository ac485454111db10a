/*
 * forest_kernel.h -- what is done for every tree and costs the time: descending to a point's leaf and climbing until a box
 * contains the point.  One source, built for AVX-512, AVX2, and whatever the target has by default; the best one that the
 * processor can do is chosen at run time.  Boxes are whole numbers and the rest is done one number at a time in one order: all
 * sets give the same bits.
 */
#ifndef FOREBAY_DETECT_FOREST_KERNEL_H
#define FOREBAY_DETECT_FOREST_KERNEL_H

#include "common/detect/forest_parts.h"

struct forest_view {
	struct forest_tree *const *trees;
	int n_trees, sample, mass; /* mass: points in each tree, > 0 */
	const int16_t *values;     /* of the store */
	size_t stride;             /* from one place to the next */
	int columns, dimensions;
	const int16_t *point; /* 0 in FOREST_PADDING numbers behind the dimensions */
};

/* Where a point goes: into a subtree, recognised by its first place and its mass, beside everything that is there. */
struct forest_place {
	int begin, mass;
	bool equal; /* to all that is there: one more of the group */
	bool right;
	int dimension, cut;
};

struct forest_kernel {
	const char *name; /* "avx512", "avx2", "portable" */

	/* Sums over the trees of expected inverse depths, and of displacements. */
	void (*look)(const struct forest_view *v, double *score, double *displacement);

	/* Added to HIGH and LOW, an element a column: the parts of the sum of expected inverse depths. */
	void (*share)(const struct forest_view *v, double *high, double *low);

	/* Which of N > 0 keys is the greatest, counted from BASE on their circle?  Of equal ones the first. */
	int (*greatest)(const uint16_t *keys, int n, uint16_t base);

	/* Where the point goes in each of V's trees, tree T's by random numbers of (STREAMS[T], NUMBER, depth + 2). */
	void (*place)(const struct forest_view *v, const uint64_t *streams, uint64_t number,
		      struct forest_place *places);
};

/* All of F's trees, which there are, and POINT. */
struct forest_view forest_sight(const struct forest *f, const int16_t *point);

/* NAME NULL: the best of this processor.  NULL: not known, or this processor cannot do it. */
const struct forest_kernel *forest_kernel_find(const char *name);

#endif
