/* detector_image.h -- a detector laid flat, as a table for base/image.h, and back. */
#ifndef FOREBAY_DETECT_DETECTOR_IMAGE_H
#define FOREBAY_DETECT_DETECTOR_IMAGE_H

#include "common/base/error.h"
#include "common/base/image.h"
#include "common/detect/detector.h"

struct detector_flat {
	struct detector plain; /* without what it points to */
};

extern const struct image_table detector_image_table; /* struct detector_flat */

/* What is never read again becomes zero, so that equal detectors are equal bytes.  Arrays of the result are D's. */
struct detector_flat detector_lay(const struct detector *d);

/*
 * The same detector again.  -1 on STATE_CORRUPT (numbers that no detector has, whatever it has seen; event times are the
 * caller's to check), NO_MEMORY.
 */
int detector_restore(const struct detector_flat *flat, struct detector *ret, struct err *err);

#endif
