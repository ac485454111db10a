/*
 * forest_parts.h -- the inside of a forest, for its sources and their tests.
 *
 * Values.  A column's value x becomes a whole number of the grid: (x - centre) / scale, drawn in far out (forest_column.h), in
 * steps of 1 / GRID_UNIT about GRID_HALF.  Points, cuts and boxes are such numbers, so that whatever is decided about them is
 * decided in whole numbers: the same on every machine, in any width of vector.  A cut c sends p left where p <= c; a box
 * from lo to hi has hi - lo places for one, and a random cut is one of the places, all alike.
 *
 * A tree of n points is n - 1 nodes and n places.  Nodes lie in preorder, places in the order of the leaves, so a subtree of m
 * points is m - 1 neighbouring nodes and m neighbouring places: its left child is the next node; its right one comes as many
 * nodes later as there are points on the left.  That count is all that a node need know of the shape of its tree.  Equal
 * points are a group: its nodes are all NODE_GROUP.
 *
 *	node	bits 0..14 cut, 15 group, 16..23 dimension, 24..31 points on the left
 *	place	where in the store the point is, and the key that its sample keeps it by
 *
 * Boxes are not kept: what needs one climbs from a leaf, and its box grows by the points of the places that come in.  It stops
 * at the first box that the point lies in, which for usual points is far below the root.
 */
#ifndef FOREBAY_DETECT_FOREST_PARTS_H
#define FOREBAY_DETECT_FOREST_PARTS_H

#include "common/detect/forest.h"
#include "common/detect/forest_column.h"

#define FOREST_START 16 /* rows from which the scales are first taken; and as many are kept as they came */

#define NODE_GROUP UINT32_C(0x8000)
#define NODE_CUT(node) ((int)((node)&0x7fff))
#define NODE_DIMENSION(node) ((node) >> 16 & 0xff)
#define NODE_LEFT(node) ((node) >> 24)

struct forest_tree {
	int32_t owners;
	uint32_t node[]; /* sample - 1, then sample places, then sample keys */
};

/*
 * Rows of the grid, one after the other: points lie at multiples of a unit, and those that share rows may share them here too.
 * Appended to only: owners that know of `used` rows or fewer are not disturbed.
 */
struct forest_store {
	int32_t owners;
	uint32_t used, rows; /* rows: that there is room for */
	int16_t values[];    /* and FOREST_PADDING more, for loads of whole vectors */
};
#define FOREST_PADDING 32

struct forest_kernel;

struct forest {
	struct forest_rule rule;
	uint64_t key;
	const struct forest_kernel *kernel;
	int dimensions;

	uint64_t rows;   /* learnt */
	uint64_t points; /* offered to the samples */
	int mass;        /* points in each tree */

	struct forest_store *store; /* and the trees: NULL until there are FOREST_START rows */
	uint32_t used, room;        /* rows of the store; room: it is tidied when they would be more */
	uint32_t unit;              /* rows: 1, or rule.shingle when places would else not fit 16 bits */
	uint32_t fresh;             /* rows since the last stored point, at most rule.shingle */
	uint32_t window_rows;       /* how many of the window are there, at most rule.shingle */
	int16_t window[FOREST_DIMENSIONS_MAX + FOREST_PADDING]; /* the last rows, oldest first */
	struct forest_column column[FOREST_COLUMNS_MAX];

	double *recent; /* [FOREST_START][columns]: the last rows as they came, row n at n % FOREST_START */
	uint64_t *next; /* [trees]: the number of the next point that the tree takes, once its sample is full */
	struct forest_tree *tree[]; /* [trees], then what `next` and `recent` point to */
};

static inline uint16_t *
forest_places(struct forest_tree *t, int sample)
{
	return (uint16_t *)(t->node + sample - 1);
}

static inline uint16_t *
forest_keys(struct forest_tree *t, int sample)
{
	return forest_places(t, sample) + sample;
}

static inline const uint16_t *
forest_places_of(const struct forest_tree *t, int sample)
{
	return (const uint16_t *)(t->node + sample - 1);
}

static inline size_t
forest_tree_bytes(int sample)
{
	return sizeof(struct forest_tree) + ((size_t)sample - 1) * sizeof(uint32_t) +
	       2 * (size_t)sample * sizeof(uint16_t);
}

/* int16_t from one place to the next. */
static inline size_t
forest_stride(const struct forest *f)
{
	return (size_t)f->unit * (size_t)f->rule.columns;
}

/* Of one tree's random numbers, which are then told apart by the point's number and what they are for. */
uint64_t forest_stream(const struct forest *f, int tree);

/* -1 on OPTION_INVALID. */
int forest_rule_check(const struct forest_rule *rule, struct err *err);

/* Without store and trees; NULL: no memory. */
struct forest *forest_alloc(const struct forest_rule *rule, uint64_t key);

bool forest_ready(const struct forest *f);

#endif
