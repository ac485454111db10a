/*
 * forest_column.h -- a column's values as whole numbers of a grid: cuts are drawn in proportion to ranges, so columns must be
 * of one size.
 *
 * y = (x - centre) / scale up to COLUMN_LINEAR scales; farther out y = LINEAR * (2 - LINEAR / |(x - centre) / scale|), which
 * goes on where the line ends and never passes 2 * LINEAR: a value of any size has its place, and a burst does not make the
 * rest invisible.
 *
 * A column whose values have all been the same has no scale yet: it is 0, and that value is its centre.  The first other value
 * defines the scale: it stands COLUMN_LINEAR scales away.
 *
 * A column that begins later than the others has no centre before some of its values are there to measure: until then all of them
 * are its middle, and it has no say.
 */
#ifndef FOREBAY_DETECT_FOREST_COLUMN_H
#define FOREBAY_DETECT_FOREST_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRID_HALF 16384
#define GRID_UNIT 512 /* steps to a scale */
#define GRID_MAX 32767
#define COLUMN_LINEAR 16.0

struct forest_column {
	double centre, scale; /* scale 0: none yet.  NaN as centre: too few values yet */
	double last;          /* the last value known; NaN: none yet */
	uint32_t met;         /* values, while it has no centre */
};

/* X finite. */
int16_t forest_column_encode(const struct forest_column *c, double x);
double forest_column_decode(const struct forest_column *c, int16_t value);

/* Before a value is learnt: a column that has a centre, but no scale, gets one. */
void forest_column_meet(struct forest_column *c, double x);

/*
 * Centre and scale (median, interquartile range as a deviation) of N values, sorted in place; N > 0.  Where the middle half is
 * one value, the mean deviation; where all are, 0.
 */
void forest_column_measure(double *x, size_t n, double *centre, double *scale);

/* Is A so far from B, in centre or scale, that the column should be measured anew?  BY: ratio of scales. */
bool forest_column_far(const struct forest_column *c, double centre, double scale, double by);

#endif
