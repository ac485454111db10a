/* collective_image.h -- a collective laid flat, as a table for base/image.h, and back. */
#ifndef FOREBAY_SCORER_COLLECTIVE_IMAGE_H
#define FOREBAY_SCORER_COLLECTIVE_IMAGE_H

#include "common/detect/group_image.h"
#include "workers/realtime-scorer/collective.h"

struct column_flat {
	char *name;
	size_t name_len;
};

struct collective_flat {
	struct order order;
	uint32_t learning, odd;
	struct column_flat *columns;
	size_t n_columns;
	struct group_flat *group;
};

extern const struct image_table order_image_table;      /* struct order */
extern const struct image_table collective_image_table; /* struct collective_flat */

/* Room for what a flat collective points to. */
struct collective_parts {
	struct column_flat columns[FOREST_COLUMNS_MAX];
	struct group_flat group;
};

/* Names stay C's; collective_parts_clear() when done.  -1 on NO_MEMORY; there is nothing to clear then. */
int collective_lay(const struct collective *c, struct collective_parts *parts, struct collective_flat *ret,
		   struct err *err);
void collective_parts_clear(struct collective_parts *parts);

/* Bytes that collective_image_table makes of C, without laying it flat. */
size_t collective_image_bytes(const struct collective *c);

/* Could it be one, as far as its times go?  -1 on STATE_CORRUPT. */
int order_check(const struct order *o, struct err *err);

/* The same collective again; *RET is zeroed before, and after a failure.  -1 on STATE_CORRUPT, NO_MEMORY. */
int collective_restore(const struct collective_flat *flat, struct collective *ret, struct err *err);

#endif
