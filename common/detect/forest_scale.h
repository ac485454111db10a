/*
 * forest_scale.h -- the scales of a forest's columns: first taken from its first rows, later from the points that it holds.
 *
 * Rule: before a quarter of `sample` points have been learnt, then `sample`, and then every 4 * sample, the newest rows of the
 * first tree's points are measured.  If the scale of a column is then more than RATIO times off (1.5 the first two times, 4
 * later), or its centre 4 RATIO of its scales away, the column gets the new centre and scale, all its values in the store
 * become what they are on the new grid, and the trees are built anew from the points that they hold.
 *
 * A column that begins late is measured once as many of its values as there are first rows have been met, by those of them that are
 * among the last rows; the points held, which know nothing of it, get values drawn from these.  Else its arrival would look strange.
 *
 * A scale that has become far too large leaves nothing to measure: the values fall together on the grid.  Where the middle
 * half of a column's values lie within COLLAPSED steps, the last rows, which are kept as they came, are asked.
 */
#ifndef FOREBAY_DETECT_FOREST_SCALE_H
#define FOREBAY_DETECT_FOREST_SCALE_H

#include "common/detect/forest_parts.h"

/* Of the columns that have most of their values in the first rows, which are there. */
void forest_scale_start(struct forest *f);

/* Does the rule say something before the next point? */
bool forest_scale_due(const struct forest *f);

/* -1: no memory, and nothing has changed. */
int forest_rescale(struct forest *f);

#endif
