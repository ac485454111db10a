/*
 * ridge.c -- A. E. Hoerl and R. W. Kennard, "Ridge Regression", Technometrics 12(1), 1970; the penalty by G. H. Golub, M. Heath and
 * G. Wahba, "Generalized Cross-Validation as a Method for Choosing a Good Ridge Parameter", Technometrics 21(2), 1979.
 *
 * Target and regressors are differences from the value one base lag ago (a season; one step without one), so that the level
 * does not matter and all weights at nought are the seasonal naive forecast.  Regressors are centred and have variance 1.
 *
 * With C = R'R + lambda I of the correlations R'R, w = C^-1 R'y, the effective parameters are p - lambda trace(C^-1), the rest
 * follows from sums alone: no row is seen twice.
 */
#include "common/forecast/ridge.h"

#include <math.h>
#include <string.h>

#define PENALTIES 6 /* 1e-4, 1e-3, ... of the number of rows */

bool
ridge_choose(struct ridge *r, const int32_t *lags, size_t n_lags, size_t base, size_t season, size_t reach)
{
	size_t count = lags ? n_lags : season < reach ? season : reach;

	r->base = base;
	r->n_lags = 0;
	if (base >= reach)
		return false;
	for (size_t i = 0; i < count && r->n_lags < RIDGE_LAGS_MAX; i++) {
		size_t lag = lags ? (size_t)lags[i] : i + 1;

		if (lag && lag < reach && lag != r->base)
			r->lags[r->n_lags++] = lag;
	}
	return r->n_lags > 0;
}

void
ridge_add(const struct ridge *r, struct ridge_sums *s, const double *y, const bool *known, size_t from, size_t to)
{
	double row[RIDGE_LAGS_MAX + 1];
	size_t p = r->n_lags;

	for (size_t t = from; t < to; t++) {
		double base = y[t - r->base];

		if (!known[t])
			continue;
		for (size_t i = 0; i < p; i++)
			row[i] = y[t - r->lags[i]] - base;
		row[p] = y[t] - base;
		for (size_t i = 0; i <= p; i++) {
			double *products = s->products[i], value = row[i];

			for (size_t j = i; j <= p; j++)
				products[j] += value * row[j];
			s->sums[i] += value;
		}
		s->rows++;
	}
}

/* The regression on regressors of mean 0 and variance 1. */
struct standard {
	size_t n;
	double a[RIDGE_LAGS_MAX][RIDGE_LAGS_MAX]; /* correlations, whole */
	double b[RIDGE_LAGS_MAX], target;         /* covariances with the target; the target's variance */
	double mean[RIDGE_LAGS_MAX + 1], deviation[RIDGE_LAGS_MAX + 1];
};

static bool
standardise(const struct ridge_sums *s, size_t n, struct standard *d)
{
	double rows = (double)s->rows;

	d->n = n;
	for (size_t i = 0; i <= n; i++) {
		d->mean[i] = s->sums[i] / rows;
		d->deviation[i] = sqrt(fmax(s->products[i][i] / rows - d->mean[i] * d->mean[i], 0));
		if (!(d->deviation[i] > 1e-12))
			return false;
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t j = i; j < n; j++)
			d->a[i][j] = d->a[j][i] =
			    (s->products[i][j] / rows - d->mean[i] * d->mean[j]) / (d->deviation[i] * d->deviation[j]);
		d->b[i] = (s->products[i][n] / rows - d->mean[i] * d->mean[n]) / d->deviation[i];
	}
	d->target = d->deviation[n] * d->deviation[n];
	return true;
}

/* Inverse of the lower triangle L with L L' = a + penalty. */
static void
invert(const struct standard *d, double penalty, double inverse[RIDGE_LAGS_MAX][RIDGE_LAGS_MAX])
{
	double l[RIDGE_LAGS_MAX][RIDGE_LAGS_MAX];

	for (size_t i = 0; i < d->n; i++)
		for (size_t j = 0; j <= i; j++) {
			double sum = d->a[i][j] + (i == j ? penalty : 0);

			for (size_t k = 0; k < j; k++)
				sum -= l[i][k] * l[j][k];
			l[i][j] = i == j ? sqrt(fmax(sum, penalty / 2)) : sum / l[j][j];
		}
	for (size_t j = 0; j < d->n; j++)
		for (size_t i = j; i < d->n; i++) {
			double sum = i == j;

			for (size_t k = j; k < i; k++)
				sum -= l[i][k] * inverse[k][j];
			inverse[i][j] = sum / l[i][i];
		}
}

/* Weights W of a penalty; returns its generalised cross-validation. */
static double
solve(const struct standard *d, double rows, double penalty, double *w)
{
	double inverse[RIDGE_LAGS_MAX][RIDGE_LAGS_MAX], half[RIDGE_LAGS_MAX], trace = 0, rest = d->target, left;

	invert(d, penalty, inverse);
	for (size_t i = 0; i < d->n; i++) {
		half[i] = 0;
		for (size_t j = 0; j <= i; j++) {
			half[i] += inverse[i][j] * d->b[j];
			trace += inverse[i][j] * inverse[i][j];
		}
	}
	for (size_t i = 0; i < d->n; i++) {
		w[i] = 0;
		for (size_t k = i; k < d->n; k++)
			w[i] += inverse[k][i] * half[k];
		rest -= w[i] * (d->b[i] + penalty * w[i]); /* y'y - 2 w'b + w'Aw, Aw being b - penalty w */
	}
	left = 1 - ((double)d->n - penalty * trace + 1) / rows;
	return left > 0 ? fmax(rest, 0) / (left * left) : INFINITY;
}

bool
ridge_solve(struct ridge *r, const struct ridge_sums *s)
{
	struct standard d;
	double w[RIDGE_LAGS_MAX], best = INFINITY, penalty = 1e-4;

	if (s->rows < r->n_lags + r->n_lags / 2 + 4 || !standardise(s, r->n_lags, &d))
		return false;
	for (size_t k = 0; k < PENALTIES; k++, penalty *= 10) {
		double score = solve(&d, (double)s->rows, penalty, w);

		if (!(score < best))
			continue;
		best = score;
		r->constant = d.mean[d.n];
		for (size_t i = 0; i < d.n; i++) {
			r->weights[i] = w[i] / d.deviation[i];
			r->constant -= r->weights[i] * d.mean[i];
		}
	}
	return isfinite(best);
}

double
ridge_next(const struct ridge *r, const double *y, size_t n)
{
	double base = y[n - r->base], value = base + r->constant;

	for (size_t i = 0; i < r->n_lags; i++)
		value += r->weights[i] * (y[n - r->lags[i]] - base);
	return value;
}
