/*
 * profile.c -- classical decomposition: trend by a centred moving average of one cycle, index of a phase the mean of what is
 * left there, normalised.  A product where the values are positive, else a sum.
 *
 * Evident is a season whose autocorrelation passes the 90 % test of the M4 competition's theta benchmark (S. Makridakis et al.,
 * "The M4 Competition", 2020).  Ours: it is tested without the trend, or random walks would pass; and what is tested is the sum over
 * pairs a cycle apart brought to as many terms as the variance has, or the clearest season would not be one before its fifth cycle.
 *
 * The longer season adds to an index of the short one its own difference, times signal / (signal + noise / k): k cycles, noise
 * the variance across cycles at a phase, signal the variance of the differences beyond what that noise makes of them.
 */
#include "common/forecast/profile.h"

#include <math.h>
#include <string.h>

#define PRODUCT_MIN .1 /* smallest index that may be divided by */
#define LONG_MIN .1    /* a difference shrunk to less than that is left out */

struct rest {
	double value[PAST_MAX]; /* without trend; from..to hold */
	size_t from, to;
};

static void
without_trend(const double *y, size_t n, size_t m, bool product, struct rest *r)
{
	size_t half = m / 2;
	double sum = 0;

	r->from = half;
	r->to = n - half;
	for (size_t t = 0; t < 2 * half + 1; t++)
		sum += y[t];
	for (size_t t = half; t + half < n; t++) {
		double ends = (y[t - half] + y[t + half]) / 2;
		double trend = m % 2 ? sum / (double)m : (sum - ends) / (double)m;

		r->value[t] = product ? y[t] / trend : y[t] - trend;
		if (t + half + 1 < n)
			sum += y[t + half + 1] - y[t - half];
	}
}

static bool
evident(const struct rest *r, size_t m, double centre)
{
	double zero = 0, sum = 0, last = 0;

	for (size_t t = r->from; t < r->to; t++)
		zero += (r->value[t] - centre) * (r->value[t] - centre);
	if (!(zero > 0))
		return false;
	for (size_t lag = 1; lag <= m; lag++) {
		double c = 0;

		for (size_t t = r->from + lag; t < r->to; t++)
			c += (r->value[t] - centre) * (r->value[t - lag] - centre);
		last = c / zero;
		if (lag < m)
			sum += last * last;
	}
	last *= (double)(r->to - r->from) / (double)(r->to - r->from - m);
	return last > 1.645 * sqrt((1 + 2 * sum) / (double)(r->to - r->from));
}

/* Means of R by phase of M steps, normalised to CENTRE; the variance of one value around its phase's mean. */
static double
means(const struct rest *r, size_t m, double centre, double *index)
{
	double within = 0, all = 0, freedom = (double)(r->to - r->from) - (double)m;

	for (size_t i = 0; i < m; i++) {
		double sum = 0, n = 0;

		for (size_t t = r->from + (i + m - r->from % m) % m; t < r->to; t += m) {
			sum += r->value[t];
			n++;
		}
		index[i] = sum / n;
		all += index[i] / (double)m;
	}
	for (size_t t = r->from; t < r->to; t++)
		within += (r->value[t] - index[t % m]) * (r->value[t] - index[t % m]);
	for (size_t i = 0; i < m; i++)
		index[i] = centre > 0 ? index[i] / all : index[i] - all;
	return freedom > 0 ? within / freedom : 0;
}

/* Put the season of LONG_LENGTH into *F, which holds a shorter one. */
static void
lengthen(const double *y, size_t n, size_t length, struct profile *f, struct rest *r)
{
	double differences[PAST_MAX], signal = 0, noise, shrink;
	bool product = f->kind == PROFILE_PRODUCT;
	size_t cycles;

	without_trend(y, n, length, product, r);
	noise = means(r, length, product ? 1 : 0, differences);
	cycles = (r->to - r->from) / length;
	for (size_t i = 0; i < length; i++) {
		differences[i] -= f->index[i % f->length];
		signal += differences[i] * differences[i] / (double)(length - f->length);
	}
	noise /= (double)cycles;
	shrink = signal > noise ? 1 - noise / signal : 0;
	if (shrink < LONG_MIN)
		return;
	for (size_t i = length; i-- > 0;)
		f->index[i] = f->index[i % f->length] + shrink * differences[i];
	f->length = length;
}

static bool
fit(const double *y, size_t n, size_t m, bool product, struct profile *f, struct rest *r)
{
	without_trend(y, n, m, product, r);
	if (!evident(r, m, product ? 1 : 0))
		return false;
	means(r, m, product ? 1 : 0, f->index);
	f->kind = product ? PROFILE_PRODUCT : PROFILE_SUM;
	f->length = m;
	for (size_t i = 0; product && i < m; i++)
		if (!(f->index[i] > PRODUCT_MIN))
			return fit(y, n, m, false, f, r);
	return true;
}

void
profile_fit(const struct past *p, size_t n, size_t long_season, struct profile *ret)
{
	struct profile longer;
	struct rest rest;
	bool product = true;

	ret->kind = PROFILE_NONE;
	ret->length = 1;
	ret->index[0] = 0;
	for (size_t t = 0; t < n; t++)
		product = product && p->y[t] > 0;
	if (p->season == 1 || p->season * PAST_CYCLES_MIN > n || !fit(p->y, n, p->season, product, ret, &rest))
		return;
	if (long_season <= p->season || long_season % p->season || long_season * PAST_CYCLES_MIN > n)
		return;
	longer = *ret;
	lengthen(p->y, n, long_season, &longer, &rest);
	for (size_t i = 0; i < longer.length; i++)
		if (longer.kind == PROFILE_PRODUCT && !(longer.index[i] > PRODUCT_MIN))
			return;
	*ret = longer;
}

double
profile_remove(const struct profile *f, size_t t, double value)
{
	if (f->kind == PROFILE_PRODUCT)
		return value / f->index[t % f->length];
	return value - f->index[t % f->length];
}

double
profile_restore(const struct profile *f, size_t t, double value)
{
	if (f->kind == PROFILE_PRODUCT)
		return value * f->index[t % f->length];
	return value + f->index[t % f->length];
}
