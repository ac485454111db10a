/* spread.c -- what is believed of few misses. */
#include "common/forecast/spread.h"

#include <math.h>

#include "common/forecast/special.h"

#define ONE_DEVIATION .8413 /* level of a normal distribution's */
#define WIDER_MOST \
	10.0 /* by what the middle may be; misses that are all alike say little of how far they may lie apart */
#define SECOND_TERM (1.5 / 96)

double
sorted_quantile(const double *sorted, size_t n, double level)
{
	double at = level * (double)(n - 1);
	size_t i = (size_t)at;
	double part = at - (double)i;

	return i + 1 >= n ? sorted[n - 1] : sorted[i] * (1 - part) + sorted[i + 1] * part;
}

struct spread
spread_of(const double *sorted, size_t n, double cycles)
{
	struct spread s = { sorted, n, cycles, sorted_quantile(sorted, n, .5), 0, 1 };
	double deviation =
	    (sorted_quantile(sorted, n, ONE_DEVIATION) - sorted_quantile(sorted, n, 1 - ONE_DEVIATION)) / 2;
	double square = s.middle * s.middle, chance = (deviation * deviation + square / cycles) / cycles, off;

	if (square > chance)
		s.centre = s.middle * (1 - chance / square);
	off = s.middle - s.centre;
	if (deviation > 0)
		s.wider = fmin(hypot(1, off / deviation), WIDER_MOST);
	return s;
}

double
spread_quantile(const struct spread *s, double level)
{
	double z = special_normal_quantile(level), square = z * z;
	double t = 1 + ((5 * square + 16) * square + 3) * SECOND_TERM / (s->cycles * s->cycles);

	return s->centre + (sorted_quantile(s->sorted, s->n, level) - s->middle) * s->wider * t;
}
