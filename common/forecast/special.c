/*
 * special.c -- digamma: psi(x) = psi(x + 1) - 1/x until x is large enough for the asymptotic series, whose coefficients are
 * B(2k) / 2k with Bernoulli's numbers (NIST Digital Library of Mathematical Functions, 5.5.2 and 5.11.2).  At x >= 10 the first
 * term left out is below 1e-15.
 */
#include "common/forecast/special.h"

#include <math.h>
#include <stddef.h>

double
special_sigmoid(double x)
{
	double e = exp(-fabs(x));

	return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

double
special_softplus(double x)
{
	return fmax(x, 0) + log1p(exp(-fabs(x)));
}

double
special_lgamma(double x)
{
	int sign;

	return lgamma_r(x, &sign);
}

double
special_digamma(double x)
{
	static const double terms[] = {
		1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12
	};
	double sum = 0, power = 1, tail = 0;

	for (; x < 10; x++)
		sum -= 1 / x;
	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		power /= x * x;
		tail += terms[i] * power;
	}
	return sum + log(x) - 0.5 / x - tail;
}

/* M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions", 1964, 26.2.23. */
double
special_normal_quantile(double level)
{
	double t = sqrt(-2 * log(fmin(level, 1 - level)));
	double z = t - ((.010328 * t + .802853) * t + 2.515517) / (((.001308 * t + .189269) * t + 1.432788) * t + 1);

	return level < .5 ? -z : z;
}
