/* neighbours_parts.h -- the inside of a bank of shapes, for neighbours*.c alone. */
#ifndef FOREBAY_DETECT_NEIGHBOURS_PARTS_H
#define FOREBAY_DETECT_NEIGHBOURS_PARTS_H

#include "common/base/cleanup.h"
#include "common/detect/neighbours.h"

/* A shape's length is at most this, and its square with what rounding may add; so 4 squares fit into 32 bits. */
#define SHAPE_ONE 16384.0
#define SHAPE_SQUARE_MAX ((INT32_C(1) << 28) + (INT32_C(1) << 22))

/* Shapes and their squares, in one allocation. */
struct bank {
	int owners;
	size_t n; /* rows filled */
	int32_t *squares;
	int16_t *shapes; /* rows of rule.length */
};

struct neighbours {
	struct neighbours_rule rule;
	uint64_t key;
	uint64_t learnt; /* windows that ever entered the bank: the counter of random numbers */
	struct bank *bank;
	double distance; /* the last one told */
	double sum;      /* of the values of the point to come */
	uint32_t values; /* ... so many */
	uint64_t points; /* ever */
	double ring[];   /* the last points, two windows of them; point i is at i % (2 * length) */
};

static inline size_t
neighbours_bytes(const struct neighbours_rule *r)
{
	return sizeof(struct neighbours) + 2 * (size_t)r->length * sizeof(double);
}

/*
 * Squares of the distances of SHAPE, LENGTH numbers whose squares make SQUARE, to the NEAREST rows of the bank, ascending;
 * INT32_MAX: it has not so many.
 */
void bank_nearest(const struct bank *b, int length, const int16_t *shape, int32_t square, int nearest, int32_t *least);

DEFINE_CLEANUP(struct neighbours, neighbours_free)

#endif
