/*
 * adwin.c -- ADWIN2: A. Bifet and R. Gavalda, "Learning from time-changing data with adaptive windowing", SDM 2007.
 *
 * The window is kept as an exponential histogram: row r has at most five buckets of 2^r values, each a sum and a sum of squared
 * deviations; a sixth bucket merges the two oldest of its row into one of the next.  Every `clock` values each border between
 * buckets is a place where the window might be cut; where the means of both sides differ by more than chance allows
 *	eps = sqrt(2 / m * var * d) + 2 / (3 m) * d,	1 / m = 1 / (n0 - least + 1) + 1 / (n1 - least + 1),	d = ln(2 ln(n) / delta)
 * the oldest bucket goes, and so on until no border says so.  Deviations are added as sets are joined (Chan, Golub and LeVeque).
 *
 * Ours: every border is looked at (river leaves out one in each row), and the window past an alarm stays what was not cut off.
 */
#include "common/forecast/drift.h"

#include <math.h>
#include <string.h>

#define VALUE_MAX 1e120 /* beyond, squares leave the range of numbers, and no border would ever be found again */

/* A set of values. */
struct part {
	double n, sum, spread;
};

static double
between(const struct part *a, const struct part *b)
{
	double d = a->sum / a->n - b->sum / b->n;

	return a->n * b->n / (a->n + b->n) * d * d;
}

static struct part
joined(const struct part *a, const struct part *b)
{
	if (a->n == 0 || b->n == 0)
		return a->n > 0 ? *a : *b;
	return (struct part){ a->n + b->n, a->sum + b->sum, a->spread + b->spread + between(a, b) };
}

/* Bucket I of ROW, 0 the oldest. */
static struct part
bucket(const struct adwin *a, uint32_t row, uint32_t i)
{
	return (struct part){ ldexp(1, (int)row), a->total[row][i], a->variance[row][i] };
}

static void
append(struct adwin *a, uint32_t row, const struct part *p)
{
	uint32_t i = a->buckets[row]++;

	a->total[row][i] = p->sum;
	a->variance[row][i] = p->spread;
	if (row >= a->rows)
		a->rows = row + 1;
}

/* Take the N oldest buckets out of ROW. */
static void
shift(struct adwin *a, uint32_t row, uint32_t n)
{
	uint32_t left = a->buckets[row] - n;

	memmove(a->total[row], a->total[row] + n, left * sizeof(double));
	memmove(a->variance[row], a->variance[row] + n, left * sizeof(double));
	a->buckets[row] = (uint8_t)left;
}

static void
drop_oldest(struct adwin *a)
{
	uint32_t row = a->rows - 1;
	struct part old = bucket(a, row, 0), rest;

	shift(a, row, 1);
	a->width -= (uint64_t)1 << row;
	a->sum -= old.sum;
	rest = (struct part){ (double)a->width, a->sum, 0 };
	a->spread = a->width ? fmax(0, a->spread - old.spread - between(&old, &rest)) : 0;
	while (a->rows && !a->buckets[a->rows - 1])
		a->rows--;
}

static void
insert(struct adwin *a, double value)
{
	struct part all = { (double)a->width, a->sum, a->spread }, one = { 1, value, 0 };

	all = joined(&all, &one);
	a->width++;
	a->sum = all.sum;
	a->spread = all.spread;
	append(a, 0, &one);
	for (uint32_t row = 0; a->buckets[row] > ADWIN_BUCKETS; row++) {
		struct part older = bucket(a, row, 0), newer = bucket(a, row, 1), both = joined(&older, &newer);

		if (row + 1 == ADWIN_ROWS) { /* full: forget */
			drop_oldest(a);
			break;
		}
		shift(a, row, 2);
		append(a, row + 1, &both);
	}
}

static bool
differ(const struct adwin *a, const struct adwin_rule *rule, double n0, double u0)
{
	double n = (double)a->width, n1 = n - n0, least = (double)rule->window;
	double d, m, eps;

	if (n0 < least || n1 < least)
		return false;
	d = log(2 * log(n) / rule->delta);
	m = 1 / (n0 - least + 1) + 1 / (n1 - least + 1);
	eps = sqrt(2 * m * (a->spread / n) * d) + 2.0 / 3.0 * d * m;
	return fabs(u0 / n0 - (a->sum - u0) / n1) > eps;
}

/* Is there a border with different means on its sides? */
static bool
cut_found(const struct adwin *a, const struct adwin_rule *rule)
{
	double n0 = 0, u0 = 0;

	for (uint32_t row = a->rows; row-- > 0;)
		for (uint32_t i = 0; i < a->buckets[row]; i++) {
			struct part p = bucket(a, row, i);

			n0 += p.n;
			u0 += p.sum;
			if (differ(a, rule, n0, u0))
				return true;
		}
	return false;
}

bool
adwin_add(struct adwin *a, const struct adwin_rule *rule, double value)
{
	bool alarm = false;

	if (!(fabs(value) <= VALUE_MAX))
		return false;
	insert(a, value);
	if (++a->ticks % rule->clock || a->width <= rule->grace)
		return false;
	while (a->rows && cut_found(a, rule)) {
		drop_oldest(a);
		alarm = true;
	}
	return alarm;
}

double
adwin_mean(const struct adwin *a)
{
	return a->width ? a->sum / (double)a->width : 0;
}
