/* pvalue.h -- how unusual a value is under forecast quantiles. */
#ifndef FOREBAY_DETECT_PVALUE_H
#define FOREBAY_DETECT_PVALUE_H

#include <stddef.h>

/*
 * P(X <= value) under the N quantiles VALUES (not descending) at LEVELS (ascending, in (0, 1)): linear between neighbours,
 * exponential tails outside, not much thinner than a normal law's.  SCALE_LEAST (> 0) is the smallest scale a tail may have, in the
 * value's unit: the deviation below which nothing is worth a word, where the quantiles coincide.  Where a value lies on several equal
 * quantiles, the level nearest to one half.  N >= 1; with a single level the tails have SCALE_LEAST.
 */
double pvalue_below(const float *levels, const float *values, size_t n, double scale_least, double value);

/* Two-sided: 2 min(u, 1 - u), in (0, 1].  Computed without loss far out, where u itself would round to 0 or 1. */
double pvalue_two_sided(const float *levels, const float *values, size_t n, double scale_least, double value);

/* The value at LEVEL, linear between neighbours, the outermost quantile beyond them. */
double pvalue_quantile(const float *levels, const float *values, size_t n, double level);

#endif
