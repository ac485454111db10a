/*
 * forest_math.h -- logarithms and exponentials of the same bits on every machine: the C library's differ between versions and
 * processors in the last place.  Relative errors below 1e-14, which is more than is asked of them here.
 */
#ifndef FOREBAY_DETECT_FOREST_MATH_H
#define FOREBAY_DETECT_FOREST_MATH_H

double forest_ln(double x);   /* x > 0, normal */
double forest_ln1p(double x); /* x > -1 */
double forest_exp(double x);  /* 0 below -700, the same as at 700 above */
double forest_expm1(double x);
double forest_log2(double x); /* x > 0, normal */

#endif
