/*
 * moments.h -- count, mean, deviation, extremes, first and last of values that come one by one, in constant memory.
 * A zeroed structure is empty.  Values must be finite; all are in the values' own unit.
 */
#ifndef FOREBAY_SERIES_MOMENTS_H
#define FOREBAY_SERIES_MOMENTS_H

#include <stdint.h>

struct moments {
	int64_t count;
	double mean;
	double squares; /* sum of squared distances from the mean */
	double minimum, maximum, first, last;
};

void moments_add(struct moments *m, double value);

/* As if what LATER has seen had been added to M, behind what M has seen. */
void moments_merge(struct moments *m, const struct moments *later);

/* Standard deviation of the sample (divisor count - 1).  NaN for fewer than two values, or beyond a double's range. */
double moments_deviation(const struct moments *m);

#endif
