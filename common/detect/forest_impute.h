/* forest_impute.h -- what a point's missing values would be: of the points that a tree holds, those that it takes for near. */
#ifndef FOREBAY_DETECT_FOREST_IMPUTE_H
#define FOREBAY_DETECT_FOREST_IMPUTE_H

#include "common/detect/forest_parts.h"

/*
 * POINT's newest row without the MISSING columns.  In each tree, descend by the cuts that are known and both ways at the others;
 * of the leaves reached the nearest one counts (sum of differences in what is known; of equal ones the youngest).  FILLED
 * gets the medians over the trees, of the missing columns only.  The forest has points.
 */
void forest_fill(const struct forest *f, const int16_t *point, const bool *missing, double *filled);

/* While the first rows are collected: FILLED's missing ones become the last values known. */
void forest_start_last(const struct forest *f, const bool *missing, double *filled);

#endif
