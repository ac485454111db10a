/* spread.c -- what is believed of few misses. */
#include "common/forecast/spread.h"

#include <math.h>

#include "common/forecast/special.h"

#define ONE_DEVIATION .8413 /* level of a normal distribution's */
#define WIDER_MOST 10.0
#define SECOND_TERM (1.5 / 96)

double
sorted_quantile(const double *sorted, size_t n, double level)
{
	double at = level * (double)(n - 1);
	size_t i = (size_t)at;
	double part = at - (double)i;

	return i + 1 >= n ? sorted[n - 1] : sorted[i] * (1 - part) + sorted[i + 1] * part;
}

/* 1 where the whole middle may be chance.  DEVIATION and WALK in multiples of the middle, so that nothing over- or underflows. */
static double
chance_of(double deviation, double walk, double cycles)
{
	return fmin((deviation * deviation + fmin(1 / cycles, walk * walk)) / cycles, 1);
}

/* Make up for OFF, what of the middle is not believed. */
static void
widen(struct spread *s, double deviation, double off)
{
	double stretched = deviation / off;

	s->wider = hypot(1, off / deviation);
	if (s->wider <= WIDER_MOST)
		return;
	s->wider = WIDER_MOST;
	s->rest = fabs(off) * sqrt(fmax(0, 1 - stretched * stretched * (WIDER_MOST * WIDER_MOST - 1)));
}

struct spread
spread_of(const double *sorted, size_t n, double cycles, double walk)
{
	struct spread s = { sorted, n, cycles, sorted_quantile(sorted, n, .5), 0, 1, 0 };
	double deviation =
	    (sorted_quantile(sorted, n, ONE_DEVIATION) - sorted_quantile(sorted, n, 1 - ONE_DEVIATION)) / 2;

	if (s.middle == 0)
		return s;
	s.centre = s.middle * (1 - chance_of(deviation / s.middle, walk / s.middle, cycles));
	if (s.centre != s.middle)
		widen(&s, deviation, s.middle - s.centre);
	return s;
}

double
spread_quantile(const struct spread *s, double level)
{
	double z = special_normal_quantile(level), square = z * z;
	double t = 1 + ((5 * square + 16) * square + 3) * SECOND_TERM / (s->cycles * s->cycles);
	double beside = (sorted_quantile(s->sorted, s->n, level) - s->middle) * s->wider;

	return s->centre + (beside + z * s->rest) * t;
}
