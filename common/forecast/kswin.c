/*
 * kswin.c -- C. Raab, M. Heusinger and F.-M. Schleif, "Reactive soft prototype computing for concept drift streams",
 * Neurocomputing 416, 2020.
 *
 * Of a sliding window the newest r values are compared with r drawn without replacement from the older ones: the greatest
 * distance D of their distribution functions.  With two samples of r values, k = r * D is a whole number and exactly
 *	P(distance >= D) = 2 * sum over j >= 1 of (-1)^(j - 1) * C(2r, r - jk) / C(2r, r)
 * (B. Gnedenko and V. Korolyuk, 1951); ties make it smaller, so that the test errs to the quiet side.  An alarm also wants D > 0.1
 * and leaves the newest r values.
 */
#include "common/forecast/drift.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"

#define LEAST_DISTANCE 0.1

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* C(2r, r - m) / C(2r, r) */
static double
ratio(uint32_t r, uint32_t m)
{
	double product = 1;

	for (uint32_t i = 1; i <= m; i++)
		product *= (double)(r - m + i) / (double)(r + i);
	return product;
}

static double
chance(uint32_t r, uint32_t k)
{
	double p = 0, sign = 2;

	for (uint32_t m = k; k && m <= r; m += k, sign = -sign)
		p += sign * ratio(r, m);
	return k ? fmin(1, p) : 1;
}

/* r times the greatest distance of the distribution functions of two sorted samples. */
static uint32_t
distance(const double *a, const double *b, uint32_t r)
{
	uint32_t i = 0, j = 0, most = 0;

	while (i < r && j < r) {
		double value = fmin(a[i], b[j]);

		while (i < r && a[i] <= value)
			i++;
		while (j < r && b[j] <= value)
			j++;
		most = i > j + most ? i - j : j > i + most ? j - i : most;
	}
	return most;
}

/* R of the N values at FROM without replacement; what is drawn is a function of seed and place in the stream. */
static void
draw(const struct kswin_rule *rule, uint64_t place, const double *from, uint32_t n, uint32_t r, double *ret)
{
	double pool[KSWIN_WINDOW_MAX];

	memcpy(pool, from, n * sizeof(*pool));
	for (uint32_t i = 0; i < r; i++) {
		uint32_t at = i + (uint32_t)(random_uniform(rule->seed, place, i) * (double)(n - i));

		at = at < n ? at : n - 1;
		ret[i] = pool[at];
		pool[at] = pool[i];
	}
}

bool
kswin_add(struct kswin *k, const struct kswin_rule *rule, double value)
{
	uint32_t window = rule->window < KSWIN_WINDOW_MAX ? rule->window : KSWIN_WINDOW_MAX, r = rule->statistic, d;
	double older[KSWIN_WINDOW_MAX], newest[KSWIN_WINDOW_MAX];

	if (!isfinite(value) || !r || r > window / 2)
		return false;
	k->seen++;
	if (k->n >= window) {
		memmove(k->values, k->values + 1, (window - 1) * sizeof(*k->values));
		k->n = window - 1;
	}
	k->values[k->n++] = value;
	if (k->n < window)
		return false;
	draw(rule, k->seen, k->values, window - r, r, older);
	memcpy(newest, k->values + window - r, r * sizeof(*newest));
	qsort(older, r, sizeof(*older), ascending);
	qsort(newest, r, sizeof(*newest), ascending);
	d = distance(older, newest, r);
	if ((double)d <= LEAST_DISTANCE * (double)r || chance(r, d) > rule->alpha)
		return false;
	memmove(k->values, k->values + window - r, r * sizeof(*k->values));
	k->n = r;
	return true;
}
