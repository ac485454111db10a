/* detector_image.h -- a detector as a table for base/image.h, and what has to be looked after on its way there and back. */
#ifndef FOREBAY_DETECT_DETECTOR_IMAGE_H
#define FOREBAY_DETECT_DETECTOR_IMAGE_H

#include "common/base/error.h"
#include "common/base/image.h"
#include "common/detect/detector.h"

extern const struct image_table detector_image_table; /* struct detector */

/* What is never read again becomes zero, so that equal detectors are equal bytes. */
void detector_tidy(struct detector *d);

/* -1 on STATE_CORRUPT: numbers that no detector has, whatever it has seen.  Event times are the caller's to check. */
int detector_check(const struct detector *d, struct err *err);

#endif
