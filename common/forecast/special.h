/* special.h -- functions of one number that the C library lacks, or that keep state there.  Thread-safe, no errno. */
#ifndef FOREBAY_FORECAST_SPECIAL_H
#define FOREBAY_FORECAST_SPECIAL_H

double special_sigmoid(double x);
double special_softplus(double x); /* ln(1 + exp(x)) */

/* ln Gamma(x) and its derivative, x > 0. */
double special_lgamma(double x);
double special_digamma(double x);

/* The normal distribution's quantile of LEVEL inside (0, 1), within 0.00045: for widths, not for draws. */
double special_normal_quantile(double level);

#endif
