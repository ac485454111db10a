/* group_image.h -- a group laid flat, as a table for base/image.h, and back. */
#ifndef FOREBAY_DETECT_GROUP_IMAGE_H
#define FOREBAY_DETECT_GROUP_IMAGE_H

#include "common/base/error.h"
#include "common/base/image.h"
#include "common/detect/forest_image.h"
#include "common/detect/group.h"

struct group_flat {
	struct forest_flat forest;
	struct tails tails;
	struct episode episode;
	double mean, distance;
	uint32_t rows;
};

extern const struct image_table group_image_table; /* struct group_flat */

/* As forest_lay().  -1 on NO_MEMORY; there is nothing to clear then. */
int group_lay(const struct group *g, struct group_flat *ret, struct err *err);
void group_flat_clear(struct group_flat *flat); /* of group_lay() alone */

/* Bytes that group_image_table makes of G, without laying it flat. */
size_t group_image_bytes(const struct group *g);

/* The same group again.  -1 on STATE_CORRUPT (event times are the caller's to check), NO_MEMORY. */
int group_restore(const struct group_flat *flat, struct group **ret, struct err *err);

#endif
