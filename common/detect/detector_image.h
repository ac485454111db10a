/* detector_image.h -- a detector laid flat, as a table for base/image.h, and back. */
#ifndef FOREBAY_DETECT_DETECTOR_IMAGE_H
#define FOREBAY_DETECT_DETECTOR_IMAGE_H

#include "common/base/error.h"
#include "common/base/image.h"
#include "common/detect/detector.h"

struct deep_flat;

struct detector_flat {
	struct detector plain;  /* without what it points to */
	struct deep_flat *deep; /* NULL: none */
};

extern const struct image_table detector_image_table; /* struct detector_flat */

/*
 * What is never read again becomes zero, so that equal detectors are equal bytes.  Arrays of the result are D's, but those that
 * detector_flat_clear() frees.  -1 on NO_MEMORY; there is nothing to clear then.
 */
int detector_lay(const struct detector *d, struct detector_flat *ret, struct err *err);
void detector_flat_clear(
    struct detector_flat *flat); /* of detector_lay() alone; what image_read() made is image_clear()'s */

/* Bytes of its image beyond those of a detector_flat that is zeros.  In constant time. */
size_t detector_image_more(const struct detector *d);

/*
 * The same detector again.  -1 on STATE_CORRUPT (numbers that no detector has, whatever it has seen; event times are the
 * caller's to check), NO_MEMORY.
 */
int detector_restore(const struct detector_flat *flat, struct detector *ret, struct err *err);

/* Parts that others have, too.  Checks: -1 on STATE_CORRUPT. */
extern const struct image_table tails_image_table, episode_image_table;
int tails_check(const struct tails *t, struct err *err);
int episode_check(const struct episode *e, struct err *err);

#endif
