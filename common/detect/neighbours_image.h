/* neighbours_image.h -- a bank of shapes laid flat, as a table for base/image.h, and back. */
#ifndef FOREBAY_DETECT_NEIGHBOURS_IMAGE_H
#define FOREBAY_DETECT_NEIGHBOURS_IMAGE_H

#include "common/base/error.h"
#include "common/base/image.h"
#include "common/detect/neighbours.h"

struct neighbours_flat {
	int32_t length, stride, bank, nearest;
	uint64_t seed, key, learnt, points;
	double distance, sum;
	uint32_t values;
	double *ring;
	size_t n_ring;
	int16_t *shapes; /* of the rows that are filled */
	size_t n_shapes;
};

extern const struct image_table neighbours_image_table; /* struct neighbours_flat */

/* Arrays of the result are N's. */
struct neighbours_flat neighbours_lay(const struct neighbours *n);

/* Bytes of its image.  In constant time. */
size_t neighbours_image_bytes(const struct neighbours *n);

/* The same again.  -1 on STATE_CORRUPT (none is ever so), NO_MEMORY. */
int neighbours_restore(const struct neighbours_flat *flat, struct neighbours **ret, struct err *err);

#endif
