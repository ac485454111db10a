/*
 * mass.c -- candidates in one pass, counted in another: J. Misra and D. Gries, "Finding repeated elements", Science of Computer
 * Programming 2(2), 1982.  Of MASS_MAX counters one at least is left for each value that has more than 1 / (MASS_MAX + 1) of all.
 *
 * A mass has a fifth of the history; its neighbours need be none: between 0 and the smallest shower there is as little as between 0
 * and 1.  A fifth, as rarer values of a grid are better left to those who know how wide a forecast is: a row of a dozen counts that is
 * moved to whole ones covers more than it says, and wins next to nothing.
 *
 * A floor and a ceiling are masses of both halves of the history: counts that climb rest at their latest height, too, and go on.
 */
#include "common/forecast/mass.h"

#include <math.h>

#define SHARE (1.0 / MASS_MAX)
#define LEAST 8 /* times at least, four of them early and four late where it is to be a floor */

struct candidate {
	double value;
	size_t votes;
};

static bool
same(double a, double b)
{
	return a <= b && a >= b;
}

/* One more VALUE: for the counter it has, for a free one, or against all. */
static void
vote(struct candidate *c, double value)
{
	size_t free = MASS_MAX;

	for (size_t i = 0; i < MASS_MAX; i++) {
		if (c[i].votes && same(c[i].value, value)) {
			c[i].votes++;
			return;
		}
		free = c[i].votes ? free : i;
	}
	if (free < MASS_MAX) {
		c[free] = (struct candidate){ value, 1 };
		return;
	}
	for (size_t i = 0; i < MASS_MAX; i++)
		c[i].votes--;
}

static bool
weighs(size_t count, size_t known, size_t least)
{
	return count >= least && (double)count >= SHARE * (double)known;
}

/* VALUE and what is beside it in the history; false: it is no mass. */
static bool
measure(const double *history, size_t n, double value, struct mass_point *ret)
{
	size_t known[2] = { 0 }, count[2] = { 0 };
	bool stays;

	*ret = (struct mass_point){ .at = value + 0.0, .below = -INFINITY, .above = INFINITY }; /* no -0 */
	for (size_t t = 0; t < n; t++) {
		double y = history[t];
		bool late = t >= n / 2;

		if (!isfinite(y))
			continue;
		known[late]++;
		count[late] += same(y, value);
		if (y < value)
			ret->below = fmax(ret->below, y);
		if (y > value)
			ret->above = fmin(ret->above, y);
	}
	stays = weighs(count[0], known[0], LEAST / 2) && weighs(count[1], known[1], LEAST / 2);
	ret->is_floor = stays && isinf(ret->below);
	ret->is_ceiling = stays && isinf(ret->above);
	return weighs(count[0] + count[1], known[0] + known[1], LEAST) &&
	       (isfinite(ret->below) || isfinite(ret->above));
}

void
mass_find(const double *history, size_t n, struct mass *ret)
{
	struct candidate candidates[MASS_MAX] = { 0 };

	ret->n = 0;
	for (size_t t = 0; t < n; t++)
		if (isfinite(history[t]))
			vote(candidates, history[t]);
	for (size_t i = 0; i < MASS_MAX; i++) {
		struct mass_point point;
		size_t at = ret->n;

		if (!candidates[i].votes || !measure(history, n, candidates[i].value, &point))
			continue;
		for (; at && ret->points[at - 1].at > point.at; at--)
			ret->points[at] = ret->points[at - 1];
		ret->points[at] = point;
		ret->n++;
	}
}

double
mass_nearest(const struct mass *m, double quantile)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct mass_point *p = &m->points[i];

		if ((p->is_floor && quantile < p->at) || (p->is_ceiling && quantile > p->at))
			return p->at;
		if (quantile < p->at && quantile > p->below && isfinite(p->below))
			return p->at - quantile <= quantile - p->below ? p->at : p->below;
		if (quantile > p->at && quantile < p->above && isfinite(p->above))
			return quantile - p->at <= p->above - quantile ? p->at : p->above;
	}
	return quantile;
}
