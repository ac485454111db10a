/* columns.h -- a table for people: columns as wide as what stands in them. */
#ifndef FOREBAY_CLI_COLUMNS_H
#define FOREBAY_CLI_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buffer.h"

struct column {
	const char *title;
	bool right; /* numbers stand at the right */
};

/*
 * Append the titles and N_ROWS rows of N_COLUMNS CELLS each, in UTF-8, a line each.  A cell that is NULL is printed as "-"; a
 * column of which all cells are NULL is left out.  -1 when the buffer may not grow.
 */
int columns_print(const struct column *columns, size_t n_columns, const char *const *cells, size_t n_rows,
		  struct buffer *out);

#endif
