/*
 * fusion.c -- Y. Liu and J. Xie, "Cauchy Combination Test", JASA 115 (2020).
 *
 * p = 1/2 - atan(mean tan((1/2 - p_j) pi)) / pi.  For small p the tangent is 1/(pi p), and the way back likewise: so it is
 * written where the library functions would lose all digits.  Ours: p_j above CALM count as CALM, because a single p = 1 is
 * minus infinity and would silence all others.
 */
#include "common/detect/fusion.h"

#include <math.h>

#define CALM 0.95
#define SMALL 1e-8
#define PI 3.14159265358979323846

double
fusion_cauchy(const double *p, size_t n)
{
	double sum = 0, mean, only = 1, least = 1;
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		if (isnan(p[i]))
			continue;
		used++;
		only = p[i];
		least = fmin(least, p[i]);
	}
	if (used <= 1 || least >= 1)
		return only;
	for (size_t i = 0; i < n; i++) {
		if (!isnan(p[i]))
			sum += p[i] < SMALL ? 1 / (PI * p[i]) : tan((0.5 - (p[i] < CALM ? p[i] : CALM)) * PI);
	}
	mean = sum / (double)used;
	return mean > 1 / (PI * SMALL) ? 1 / (PI * mean) : 0.5 - atan(mean) / PI;
}

double
fusion_sum(const double *p, size_t n)
{
	double sum = 0, product = 1;

	for (size_t i = 0; i < n; i++) {
		if (isnan(p[i]))
			continue;
		product *= p[i];
		if (product < SMALL) { /* one logarithm for all, but before the product is too small to be exact */
			sum -= log(product);
			product = 1;
		}
	}
	return sum - log(product);
}
