/* forest_math.c -- power series after a reduction by powers of two: sums, products and quotients of IEEE 754, in one order. */
#include "common/detect/forest_math.h"

#include <stdint.h>
#include <string.h>

#include "common/base/cleanup.h"

#define LN2 0.6931471805599453
#define LN2_HIGH 0.693147180369123816490 /* 32 bits of it: multiples up to 2^20 are exact */
#define LN2_LOW 1.90821492927058770002e-10
#define SQRT2 1.4142135623730951

/* ln((1 + s) / (1 - s)) = 2 (s + s^3/3 + s^5/5 + ...), |s| < 0.172. */
static double
ln_ratio(double s)
{
	static const double series[] = { 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11,
					 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3 };
	double z = s * s, sum = series[0];

	for (size_t i = 1; i < ARRAY_LEN(series); i++)
		sum = sum * z + series[i];
	return 2 * s + 2 * s * z * sum;
}

double
forest_ln(double x)
{
	uint64_t bits;
	int power, beyond;

	memcpy(&bits, &x, sizeof(bits));
	power = (int)(bits >> 52) - 1023;
	bits = (bits & UINT64_C(0xfffffffffffff)) | UINT64_C(0x3ff) << 52;
	memcpy(&x, &bits, sizeof(x));
	/* Not a branch: half of the time it would be foreseen wrongly. */
	beyond = x > SQRT2;
	x *= 1 - 0.5 * beyond;
	power += beyond;
	return power * LN2_HIGH + (power * LN2_LOW + ln_ratio((x - 1) / (x + 1)));
}

double
forest_log2(double x)
{
	return forest_ln(x) / LN2;
}

double
forest_ln1p(double x)
{
	return x > -0.29 && x < 0.41 ? ln_ratio(x / (2 + x)) : forest_ln(1 + x);
}

/* e^x - 1 by its series, |x| < 0.35: one over the factorials. */
static double
expm1_near(double x)
{
	static const double series[] = { 1.0 / 6227020800.0, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800,
					 1.0 / 362880,       1.0 / 40320,     1.0 / 5040,     1.0 / 720,
					 1.0 / 120,          1.0 / 24,        1.0 / 6,        1.0 / 2 };
	double sum = series[0];

	for (size_t i = 1; i < ARRAY_LEN(series); i++)
		sum = sum * x + series[i];
	return x + x * x * sum;
}

double
forest_exp(double x)
{
	double k, scale;
	uint64_t bits;

	if (!(x > -700))
		return 0;
	x = x > 700 ? 700 : x;
	k = (double)(int)(x * (1 / LN2) + (x < 0 ? -0.5 : 0.5));
	bits = (uint64_t)(1023 + (int)k) << 52;
	memcpy(&scale, &bits, sizeof(scale));
	return scale + scale * expm1_near(x - k * LN2_HIGH - k * LN2_LOW);
}

double
forest_expm1(double x)
{
	return x > -0.34 && x < 0.34 ? expm1_near(x) : forest_exp(x) - 1;
}
