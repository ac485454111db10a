/*
 * excesses.c -- the profile likelihood of S. Grimshaw, Technometrics 35 (1993).
 *
 * With x = gamma/sigma the best gamma for a given x is mean ln(1 + x y): so the likelihood is searched along x alone, on a grid.
 *
 * Ours: gamma is kept >= 0, as an endpoint would make the next larger score impossible, and drawn to a small value by a normal
 * prior; then it is raised by what its uncertainty is worth, for a p-value is a statement about the next score, and the mean
 * of tails over what gamma and sigma may be is heavier than the tail of their best guess.
 *
 * Logarithms are what this costs.  So the likelihood is estimated first, with rough ones for the whole grid at once, and computed
 * only where that may be the highest: the answer is the same, to the last bit.
 */
#include "common/detect/excesses.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define ENOUGH 8.0 /* excesses; of fewer the shape is not asked */
#define GAMMA_USUAL 0.02
#define GAMMA_PRIOR 16.0 /* 1/(2 sd^2) of gamma */
#define PRIOR_WEIGHT 2.0 /* excesses that the prior scale is worth */
#define UNCERTAIN 0.3    /* divided by the number of excesses: what gamma is raised by */
#define GRID 21
#define ROUGH_GRID 24   /* the same and a few more: whole vectors */
#define ROUGH_LOG 6e-7F /* what a rough logarithm may be wrong by, and more */
#define ROUGH_SUM 5e-5F /* the same of a sum of them, relative */

/* Of x, in units of 1/scale. */
#define OCTAVE(from) (from), (from)*1.4142135623730951
static const double grid[ROUGH_GRID] = {
	OCTAVE(0x1p-6), OCTAVE(0x1p-5), OCTAVE(0x1p-4), OCTAVE(0x1p-3), OCTAVE(0x1p-2), OCTAVE(0x1p-1),
	OCTAVE(0x1p0),  OCTAVE(0x1p1),  OCTAVE(0x1p2),  OCTAVE(0x1p3),  OCTAVE(0x1p4),  OCTAVE(0x1p5),
};

static double
penalty(double gamma)
{
	return GAMMA_PRIOR * (gamma - GAMMA_USUAL) * (gamma - GAMMA_USUAL);
}

/* Penalised log likelihood of the excesses, best gamma for gamma/sigma = X > 0. */
static double
likelihood(const struct excesses *e, double x, struct pareto *best)
{
	double sum = 0;

	for (unsigned i = 0; i < e->groups; i++)
		sum += e->weight[i] * log(1 + x * e->y[i]);
	best->gamma = sum / e->n;
	best->sigma = best->gamma / x;
	return -e->n * (log(best->sigma) + best->gamma + 1) - penalty(best->gamma);
}

/* ln z of a normal Z > 0, within 1e-7 and a rounding: with z = 2^e m, m about 1 and t = (m - 1)/(m + 1), 2 artanh t. */
static float
rough_log(float z)
{
	const int32_t half_root = 0x3f3504f3; /* the bits of sqrt(1/2) */
	int32_t bits, exponent;
	float m, t, tt;

	memcpy(&bits, &z, sizeof(bits));
	exponent = (bits - half_root) >> (FLT_MANT_DIG - 1);
	bits -= exponent * (1 << (FLT_MANT_DIG - 1));
	memcpy(&m, &bits, sizeof(m));
	t = (m - 1) / (m + 1);
	tt = t * t;
	return (float)exponent * 0.693147181F + 2 * t * (1 + tt * (1.0F / 3 + tt * (1.0F / 5 + tt * (1.0F / 7))));
}

/* Bounds of the likelihood all along the grid. */
struct rough {
	float least[ROUGH_GRID], most[ROUGH_GRID];
};

static void
estimate(const struct excesses *e, const double x[ROUGH_GRID], struct rough *r)
{
	float at[ROUGH_GRID], sum[ROUGH_GRID] = { 0 }, n = (float)e->n;

	for (int i = 0; i < ROUGH_GRID; i++)
		at[i] = (float)x[i];
	for (unsigned k = 0; k < e->groups; k++) {
		float y = (float)e->y[k], weight = (float)e->weight[k];

		for (int i = 0; i < ROUGH_GRID; i++)
			sum[i] += weight * rough_log(1 + at[i] * y);
	}
	for (int i = 0; i < ROUGH_GRID; i++) {
		float gamma = sum[i] / n, away = gamma - (float)GAMMA_USUAL;
		float found = -n * (rough_log(gamma / at[i]) + gamma + 1) - (float)GAMMA_PRIOR * away * away;
		float wrong = ROUGH_SUM + ROUGH_LOG / gamma; /* gamma, relative; infinite where it is 0 */
		float error = wrong * (n * (1 + gamma) + 2 * (float)GAMMA_PRIOR * (gamma + 1) * gamma);

		r->least[i] = found - error;
		r->most[i] = found + error;
	}
}

/* The best one of the grid, or EXPONENTIAL, whose likelihood is BEST, if none is better. */
static struct pareto
search(const struct excesses *e, double scale, struct pareto exponential, double best)
{
	double x[ROUGH_GRID], bar = best;
	struct pareto found = exponential;
	struct rough rough;

	for (int i = 0; i < ROUGH_GRID; i++)
		x[i] = grid[i] / scale;
	estimate(e, x, &rough);
	for (int i = 0; i < GRID; i++)
		bar = fmax(bar, (double)rough.least[i]);
	for (int i = 0; i < GRID; i++) {
		struct pareto here;
		double l;

		if ((double)rough.most[i] < bar)
			continue;
		l = likelihood(e, x[i], &here);
		if (l > best) {
			best = l;
			found = here;
		}
	}
	return found;
}

struct pareto
excesses_fit(const struct excesses *e, double prior, bool exponential)
{
	double scale = (e->n * e->mean + PRIOR_WEIGHT * prior) / (e->n + PRIOR_WEIGHT);
	struct pareto best = { .gamma = 0, .sigma = scale };

	if (exponential)
		return best;
	if (e->n >= ENOUGH)
		best = search(e, scale, best, -e->n * (log(scale) + e->mean / scale) - penalty(0));
	best.gamma += UNCERTAIN / (e->n + PRIOR_WEIGHT);
	return best;
}
