/* detector_deep_image.h -- the detector's deep members laid flat, for detector_image.c alone. */
#ifndef FOREBAY_DETECT_DETECTOR_DEEP_IMAGE_H
#define FOREBAY_DETECT_DETECTOR_DEEP_IMAGE_H

#include "common/detect/detector_image.h"
#include "common/detect/forest_image.h"
#include "common/detect/neighbours_image.h"

struct deep_flat {
	struct tails tails[DETECTOR_DEEP_MEMBERS];
	struct forest_flat *forest;         /* NULL: none */
	struct neighbours_flat *neighbours; /* likewise */
};

extern const struct image_table deep_image_table; /* struct deep_flat */

/* -1 on NO_MEMORY. */
int deep_lay(const struct detector_deep *deep, struct deep_flat **ret, struct err *err);
void deep_flat_free(struct deep_flat *flat); /* NULL is fine */

/* Bytes that follow the byte which says that there is one. */
size_t deep_image_bytes(const struct detector_deep *deep);

/* -1 on STATE_CORRUPT, NO_MEMORY. */
int deep_restore(const struct deep_flat *flat, struct detector_deep **ret, struct err *err);

#endif
