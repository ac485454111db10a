/* forest_image.h -- a forest laid flat, as a table for base/image.h, and back. */
#ifndef FOREBAY_DETECT_FOREST_IMAGE_H
#define FOREBAY_DETECT_FOREST_IMAGE_H

#include "common/base/error.h"
#include "common/base/image.h"
#include "common/detect/forest.h"
#include "common/detect/forest_column.h"

struct forest_flat {
	uint64_t key, seed;
	double decay;
	uint32_t trees, sample, columns, shingle;
	uint64_t rows, points;
	uint32_t mass, used, room, unit, fresh, window_rows;
	double *recent; /* the last rows as they came */
	size_t n_recent;
	struct forest_column *column;
	size_t n_columns;
	int16_t *window;
	size_t n_window;

	/* Once there are enough rows to begin.  Trees one after the other: nodes, places, keys of each. */
	int16_t *values;
	size_t n_values;
	uint64_t *next;
	size_t n_next;
	uint32_t *nodes;
	size_t n_nodes;
	uint16_t *places, *keys;
	size_t n_places; /* of both */
};

extern const struct image_table forest_image_table; /* struct forest_flat */

/*
 * Arrays of the result are F's, but those of the trees, which forest_flat_clear() frees.  -1 on NO_MEMORY; there is nothing to
 * clear then.
 */
int forest_lay(const struct forest *f, struct forest_flat *ret, struct err *err);
void forest_flat_clear(struct forest_flat *flat); /* of forest_lay() alone; what image_read() made is image_clear()'s */

/* The same forest again, to the bit of all that it will say.  -1 on STATE_CORRUPT (not a forest), NO_MEMORY. */
int forest_restore(const struct forest_flat *flat, struct forest **ret, struct err *err);

#endif
