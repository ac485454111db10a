/*
 * pvalue.c -- the distribution function that a row of quantiles stands for.
 *
 * Between Q_i and Q_i+1 the level is linear in the value.  Above the highest quantile Q_k the tail is exponential,
 *	P(X > x) = (1 - a_k) exp(-(x - Q_k) / b),	b = (Q_k - Q_j) / ln((1 - a_j) / (1 - a_k)),
 * the scale b being what the tail shows between level a_j, the nearest with at least twice the chance beyond it, and a_k;
 * below the lowest quantile the same, mirrored.  It is not much less than a normal law would have whose median lies as far away:
 * quantiles of few numbers often end close together, and what they have not seen is not impossible for that.
 */
#include "common/detect/pvalue.h"

#include <math.h>

/* Chance beyond the end of the row that FROM begins, going inwards by STEP: the tail's level and its scale. */
struct tail {
	double chance; /* beyond the outermost quantile */
	double scale;
};

/* b of a normal law between its quantiles at .9 and .95 by that between .5 and .95: .524 / .714; .70 at .975, .80 at .9. */
#define NORMAL_TAIL 0.7

static struct tail
tail_of(const float *levels, const float *values, size_t n, int upper, double scale_least)
{
	size_t outer = upper ? n - 1 : 0;
	double chance = upper ? 1 - (double)levels[outer] : (double)levels[outer];
	double reach = fabs((double)values[outer] - pvalue_quantile(levels, values, n, 0.5));
	struct tail t = { chance,
			  chance < 0.5 ? fmax(scale_least, NORMAL_TAIL * reach / log(0.5 / chance)) : scale_least };

	for (size_t i = 1; i < n; i++) {
		size_t at = upper ? n - 1 - i : i;
		double beyond = upper ? 1 - (double)levels[at] : (double)levels[at];

		if (beyond >= 2 * chance || i == n - 1) {
			double b = fabs((double)values[outer] - (double)values[at]) / log(beyond / chance);

			t.scale = fmax(t.scale, b);
			break;
		}
	}
	return t;
}

/* U = P(X <= value) and its complement, each without cancellation. */
static void
both_sides(const float *levels, const float *values, size_t n, double scale_least, double value, double *below,
	   double *above)
{
	double low, high;
	size_t i = 0;

	if (value < (double)values[0]) {
		struct tail t = tail_of(levels, values, n, 0, scale_least);

		*below = t.chance * exp((value - (double)values[0]) / t.scale);
		*above = 1 - *below;
		return;
	}
	if (value > (double)values[n - 1]) {
		struct tail t = tail_of(levels, values, n, 1, scale_least);

		*above = t.chance * exp(((double)values[n - 1] - value) / t.scale);
		*below = 1 - *above;
		return;
	}
	/* low and high: the levels just below and just above the value; apart from each other where quantiles coincide. */
	while (i < n && (double)values[i] < value)
		i++;
	low = high = (double)levels[i];
	if ((double)values[i] > value) {
		double share = (value - (double)values[i - 1]) / ((double)values[i] - (double)values[i - 1]);

		low = high = (double)levels[i - 1] + share * ((double)levels[i] - (double)levels[i - 1]);
	} else {
		while (i + 1 < n && (double)values[i + 1] <= value)
			i++;
		high = (double)levels[i];
	}
	*below = low > 0.5 ? low : high < 0.5 ? high : 0.5;
	*above = 1 - *below;
}

double
pvalue_below(const float *levels, const float *values, size_t n, double scale_least, double value)
{
	double below, above;

	both_sides(levels, values, n, scale_least, value, &below, &above);
	return below;
}

double
pvalue_two_sided(const float *levels, const float *values, size_t n, double scale_least, double value)
{
	double below, above, p;

	both_sides(levels, values, n, scale_least, value, &below, &above);
	p = 2 * (below < above ? below : above);
	return p > 1 ? 1 : p > 1e-300 ? p : 1e-300;
}

double
pvalue_quantile(const float *levels, const float *values, size_t n, double level)
{
	size_t i = 0;
	double share;

	while (i < n && (double)levels[i] < level)
		i++;
	if (i == 0 || i == n)
		return (double)values[i == 0 ? 0 : n - 1];
	share = (level - (double)levels[i - 1]) / ((double)levels[i] - (double)levels[i - 1]);
	return (double)values[i - 1] + share * ((double)values[i] - (double)values[i - 1]);
}
