/*
 * ridge.h -- a linear regression of the next value on earlier ones, held back towards the season before.
 * Private to common/forecast.
 */
#ifndef FOREBAY_FORECAST_RIDGE_H
#define FOREBAY_FORECAST_RIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RIDGE_LAGS_MAX 32

struct ridge {
	size_t base; /* the lag that all others are taken as differences from */
	size_t lags[RIDGE_LAGS_MAX], n_lags;
	double weights[RIDGE_LAGS_MAX], constant;
};

/*
 * Sums over the rows of a regression; rows can be added and the sums be solved again.  Zeroed: none.
 */
struct ridge_sums {
	double products[RIDGE_LAGS_MAX + 1]
		       [RIDGE_LAGS_MAX + 1]; /* upper half; the last row and column are the target's */
	double sums[RIDGE_LAGS_MAX + 1];
	size_t rows;
};

/* Choose the lags below REACH; LAGS ascend (NULL: 1..season).  False: there are none. */
bool ridge_choose(struct ridge *r, const int32_t *lags, size_t n_lags, size_t base, size_t season, size_t reach);

/* Add the rows whose targets are Y[from..to), FROM being at least the longest lag; a row with KNOWN[target] false is left out. */
void ridge_add(const struct ridge *r, struct ridge_sums *sums, const double *y, const bool *known, size_t from,
	       size_t to);

/* Weights by the penalty of least generalised cross-validation.  False: too few rows, or they do not move. */
bool ridge_solve(struct ridge *r, const struct ridge_sums *sums);

/* The value expected after Y[0..n). */
double ridge_next(const struct ridge *r, const double *y, size_t n);

#endif
