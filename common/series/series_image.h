/* series_image.h -- what is remembered of a series, as tables for base/image.h. */
#ifndef FOREBAY_SERIES_SERIES_IMAGE_H
#define FOREBAY_SERIES_SERIES_IMAGE_H

#include "common/base/image.h"

extern const struct image_table outlier_image_table; /* struct outlier */
extern const struct image_table step_image_table;    /* struct step */
extern const struct image_table window_image_table;  /* struct window: values and flags are lists */

#endif
