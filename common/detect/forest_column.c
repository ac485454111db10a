/* forest_column.c -- see forest_column.h.  Additions, products and quotients alone: the same bits everywhere. */
#include "common/detect/forest_column.h"

#include <math.h>
#include <stdlib.h>

#define SAME 1e-9 /* of a value: what rounding does to it */
#define LARGEST 1e300
#define NORMAL_QUARTILES 0.7413   /* deviation of a normal number / its interquartile range */
#define NORMAL_MEAN_AWAY 1.253314 /* deviation / mean absolute deviation */

static double
tame(double x)
{
	return x > LARGEST ? LARGEST : x < -LARGEST ? -LARGEST : x;
}

int16_t
forest_column_encode(const struct forest_column *c, double x)
{
	double away = tame(x) - c->centre, y;
	int value;

	if (isnan(c->centre) || fabs(away) <= SAME * fabs(c->centre))
		return GRID_HALF;
	y = c->scale > 0 ? away / c->scale : away < 0 ? -COLUMN_LINEAR : COLUMN_LINEAR;
	if (y > COLUMN_LINEAR)
		y = COLUMN_LINEAR * (2 - COLUMN_LINEAR / y);
	else if (y < -COLUMN_LINEAR)
		y = -COLUMN_LINEAR * (2 + COLUMN_LINEAR / y);
	value = (int)(y * GRID_UNIT + (GRID_HALF + 0.5));
	return (int16_t)(value < 0 ? 0 : value > GRID_MAX ? GRID_MAX : value);
}

double
forest_column_decode(const struct forest_column *c, int16_t value)
{
	double y = (double)(value - GRID_HALF) / GRID_UNIT;

	if (isnan(c->centre))
		return 0;
	if (value == 0) /* -2 LINEAR stands for all that is beyond */
		y += 0.5 / GRID_UNIT;
	if (y > COLUMN_LINEAR)
		y = COLUMN_LINEAR / (2 - y / COLUMN_LINEAR);
	else if (y < -COLUMN_LINEAR)
		y = -COLUMN_LINEAR / (2 + y / COLUMN_LINEAR);
	return tame(c->centre + y * c->scale);
}

void
forest_column_meet(struct forest_column *c, double x)
{
	double away = fabs(tame(x) - c->centre);

	if (isnan(c->centre))
		c->met++;
	else if (c->scale <= 0 && away > SAME * fabs(c->centre))
		c->scale = away / COLUMN_LINEAR;
	c->last = tame(x);
}

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static bool
is_sorted(const double *x, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (x[i] < x[i - 1])
			return false;
	return true;
}

void
forest_column_measure(double *x, size_t n, double *centre, double *scale)
{
	double away = 0;

	if (!is_sorted(x, n))
		qsort(x, n, sizeof(*x), ascending);
	*centre = x[n / 2];
	/* Halves, for the difference of two values may be larger than a double. */
	*scale = (x[n - 1 - n / 4] / 2 - x[n / 4] / 2) * 2 * NORMAL_QUARTILES;
	if (*scale > SAME * fabs(*centre) && *scale > 0)
		return;
	for (size_t i = 0; i < n; i++)
		away += fabs(x[i] / (double)n - *centre / (double)n);
	away *= NORMAL_MEAN_AWAY;
	*scale = away > SAME * fabs(*centre) ? away : 0;
}

bool
forest_column_far(const struct forest_column *c, double centre, double scale, double by)
{
	if (scale <= 0)
		return false;
	if (!(c->scale > 0) || scale > c->scale * by || scale * by < c->scale)
		return true;
	return fabs(centre / 2 - c->centre / 2) * 2 > c->scale * (COLUMN_LINEAR / 4) * by;
}
