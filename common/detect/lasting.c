/*
 * lasting.c -- the mean forgets exponentially, and so do its own mean and variance: above these its law is taken for the gamma law of the
 * two, which is exact nowhere and near enough where WIDER makes up for values that hang together.  The cube root of a gamma variable is
 * nearly normal (E. Wilson, M. Hilferty, "The Distribution of Chi-Square", PNAS 17, 1931).
 *
 * Means that overlap are no independent witnesses: after n values there have been n / MEMORY of them, and no p-value is below that to the
 * power of -LEAST.  What one value adds is cut: that it is very strange is said by its own p-value.
 */
#include "common/detect/lasting.h"

#include <math.h>

#define MEMORY 24.0 /* values */
#define CEILING 4.6 /* -ln p of one value: 0.01 */
#define UNUSUAL 0.1 /* p-value of a value that may speak for those before it */
#define LOOKS 2     /* a value is asked by itself, and together with others */
#define WIDER 1.65
#define LEAST 2.5
#define USUAL 1.0     /* mean of -ln p, and the variance of means of so many, before any is known ... */
#define VARIANCE 0.06 /* ... 1 / (2 MEMORY - 1) were they independent */
#define PRIOR 120     /* means that these two count for */
#define LONG_MEMORY 4000.0
#define CLIP 4.0 /* deviations: what is beyond teaches no more */

/* Chance of a gamma variable of this mean and variance to be above X. */
static double
chance_above(double x, double mean, double variance)
{
	double ninth = variance / (9 * mean * mean); /* 1 / (9 k) of shape k */
	double z = (cbrt(x / mean) - (1 - ninth)) / sqrt(ninth);

	return erfc(z * 0.70710678118654752) / 2;
}

double
lasting_add(struct lasting *l, double p)
{
	double independent, chance;

	l->mean += (float)((fmin(-log(p), CEILING) - (double)l->mean) / MEMORY);
	if (p > UNUSUAL || l->mean <= l->usual || l->seen == 0)
		return p;
	independent = 1 + l->seen / MEMORY;
	chance = chance_above((double)l->mean, (double)l->usual, WIDER * (double)l->variance);
	return fmin(p, LOOKS * fmax(chance, pow(independent, -LEAST)));
}

void
lasting_learn(struct lasting *l, bool suspicious)
{
	double away, square, most;

	if (l->seen == 0) {
		l->usual = (float)USUAL;
		l->variance = (float)VARIANCE;
	}
	if (suspicious)
		return;
	away = (double)l->mean - (double)l->usual;
	square = away * away;
	most = CLIP * CLIP * (double)l->variance;
	if (square > most) {
		square = most;
		away = copysign(sqrt(most), away);
	}
	l->usual += (float)(away / (PRIOR + fmin(l->seen, LONG_MEMORY)));
	l->variance += (float)((square - (double)l->variance) / (PRIOR + fmin(l->seen, LONG_MEMORY)));
	l->seen += l->seen < UINT32_MAX;
}

void
lasting_end(struct lasting *l)
{
	l->mean = l->usual;
}
