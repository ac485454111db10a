/*
 * moments.c -- B. P. Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products", Technometrics 4
 * (3), 1962; merging after T. Chan, G. Golub and R. LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing
 * Sample Variances", 1979.
 *
 * Ours: a step of the mean is taken as x/n - mean/n, not (x - mean)/n, which overflows for values near both ends of a
 * double; equal values leave the mean exactly where it is in both forms.
 */
#include "common/series/moments.h"

#include <math.h>

void
moments_add(struct moments *m, double value)
{
	double n = (double)++m->count, before = m->mean;

	if (m->count == 1) {
		m->mean = m->minimum = m->maximum = m->first = value;
	} else {
		m->mean += value / n - before / n;
		m->squares += (value - before) * (value - m->mean);
		m->minimum = fmin(m->minimum, value);
		m->maximum = fmax(m->maximum, value);
	}
	m->last = value;
}

void
moments_merge(struct moments *m, const struct moments *later)
{
	double na = (double)m->count, nb = (double)later->count, n = na + nb, apart;

	if (!later->count)
		return;
	if (!m->count) {
		*m = *later;
		return;
	}
	apart = later->mean - m->mean;
	m->squares += later->squares + apart * apart * (na / n) * nb;
	m->mean += nb * (later->mean / n - m->mean / n);
	m->count += later->count;
	m->minimum = fmin(m->minimum, later->minimum);
	m->maximum = fmax(m->maximum, later->maximum);
	m->last = later->last;
}

double
moments_deviation(const struct moments *m)
{
	double variance = m->count > 1 ? m->squares / (double)(m->count - 1) : NAN;

	return isfinite(variance) ? sqrt(fmax(variance, 0)) : NAN;
}
