/* fusion.h -- one p-value out of several that are not independent. */
#ifndef FOREBAY_DETECT_FUSION_H
#define FOREBAY_DETECT_FUSION_H

#include <stddef.h>

/*
 * The Cauchy combination of N p-values in (0, 1]; NaN means "no opinion" and is left out, none left gives 1, as do ones alone.
 *
 * Why this one: it holds whatever the dependence, in the tail, where alerts are decided.  So does N times the smallest
 * (Bonferroni), but that charges for members that agree: two equal p-values of 1e-6 stay 1e-6 here and become 2e-6 there,
 * while a single small one costs the factor N in both.
 */
double fusion_cauchy(const double *p, size_t n);

/* Sum of -ln p over N p-values, NaN left out: Fisher's statistic.  A p-value only after calibration (tails.h). */
double fusion_sum(const double *p, size_t n);

#endif
