/*
 * forest_reference.h -- a Random Cut Tree written plainly, for tests: nodes on the heap with pointers to each other, boxes of
 * doubles at every node, everything recomputed from its definition.  Slow, and the same trees as common/detect when it is given
 * the same random numbers.
 */
#ifndef FOREBAY_TESTS_FOREST_REFERENCE_H
#define FOREBAY_TESTS_FOREST_REFERENCE_H

#include <stdint.h>

#define REFERENCE_DIMENSIONS 16

struct reference_node {
	struct reference_node *left, *right; /* NULL: a leaf */
	int dimension;
	double cut; /* left where the value is not greater */
	double lo[REFERENCE_DIMENSIONS], hi[REFERENCE_DIMENSIONS];
	int mass; /* of a leaf: as many equal points */
};

struct reference {
	struct reference_node *root; /* NULL: no points */
	int dimensions;
};

/* Top-down; the numbers of (STREAM, NUMBER, depth + 2) decide. */
void reference_insert(struct reference *r, const double *point, uint64_t stream, uint64_t number);
void reference_remove(struct reference *r, const double *point); /* it is there */

/* All anew from N points, by random cuts of their boxes. */
void reference_build(struct reference *r, double (*points)[REFERENCE_DIMENSIONS], int n, uint64_t stream);
void reference_free(struct reference *r);

/* The expected inverse depth of POINT, and its expected displacement. */
double reference_score(const struct reference *r, const double *point);
double reference_displacement(const struct reference *r, const double *point);

#endif
