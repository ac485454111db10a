/*
 * head.c -- likelihoods against their own derivatives, sums and draws: a density integrates to one, its slope is the gradient,
 * its mean is the mean, and what is drawn is distributed by it.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/forecast/head.h"
#include "common/forecast/special.h"

#define DRAWS 20000

static const struct row {
	enum deepar_head head;
	double params[3], scale;
} rows[] = {
	{ HEAD_STUDENT_T, { 2.2, 0.3, 0.5 }, 10 }, { HEAD_STUDENT_T, { 5, -1, 2 }, 0.01 },
	{ HEAD_STUDENT_T, { 400, 1, 0.1 }, 1 },    { HEAD_NORMAL, { 0.5, 0.2 }, 1 },
	{ HEAD_NORMAL, { -3, 1.5 }, 1000 },        { HEAD_NEGATIVE_BINOMIAL, { 0.3, 0.5 }, 3 },
	{ HEAD_NEGATIVE_BINOMIAL, { 4, -1 }, 2 },  { HEAD_NEGATIVE_BINOMIAL, { 30, 2 }, 1 },
	{ HEAD_NEGATIVE_BINOMIAL, { 8, 0 }, 0.2 }, { HEAD_BETA, { 2, 3 }, 1 },
	{ HEAD_BETA, { 0.8, 1.2 }, 0.5 },          { HEAD_BETA, { 40, 9 }, 1 },
};

/* Where cell I of N between the ends of what ROW can be begins, as a value; heavy tails by a stretched grid. */
static double
edge(const struct row *row, size_t i, size_t n)
{
	double x = 2 * (double)i / (double)n - 1;

	switch (row->head) {
	case HEAD_STUDENT_T: return row->scale * (row->params[1] + row->params[2] * sinh(14 * x));
	case HEAD_NORMAL: return row->scale * (row->params[0] + row->params[1] * 9 * x);
	case HEAD_BETA: return 0.5 * (1 + sin(1.5707963267948966 * x));
	default: return (double)i - 0.5;
	}
}

/* CDF at the upper edge of each of N cells, *MEAN from the same cells. */
static void
integrate(const struct row *row, size_t n, double *cdf, double *mean)
{
	double sum = 0, first = 0;

	for (size_t i = 0; i < n; i++) {
		double low = edge(row, i, n), high = edge(row, i + 1, n), middle = (low + high) / 2;
		double p = exp(-head_nll(row->head, row->params, row->scale, middle)) * (high - low);

		sum += p;
		first += p * middle;
		cdf[i] = sum;
	}
	*mean = first;
}

static void
densities(void **state)
{
	const size_t n = 40000;
	CLEANUP(heap_free) double *cdf = calloc(n, sizeof(double));

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		double wanted = head_mean(rows[i].head, rows[i].params, rows[i].scale), mean;

		integrate(&rows[i], n, cdf, &mean);
		if (fabs(cdf[n - 1] - 1) > 2e-4 || fabs(mean - wanted) > 1e-3 * fmax(rows[i].scale, fabs(wanted)))
			fail_msg("row %zu: integral %.9g, mean %.9g, must be %.9g", i, cdf[n - 1], mean, wanted);
	}
}

struct stream {
	uint64_t seed, counter;
};

static double
next(void *stream)
{
	struct stream *s = stream;

	return random_uniform(s->seed, 1, s->counter++);
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Greatest distance between the shares below the edges of N cells, drawn and computed (Kolmogorov and Smirnov). */
static double
distance(const struct row *row, const double *draws, const double *cdf, size_t n)
{
	double worst = 0;
	size_t below = 0;

	for (size_t i = 0; i < n; i++) {
		while (below < DRAWS && draws[below] <= edge(row, i + 1, n))
			below++;
		worst = fmax(worst, fabs((double)below / DRAWS - cdf[i]));
	}
	return worst;
}

static void
draws(void **state)
{
	const size_t n = 40000;
	CLEANUP(heap_free) double *cdf = calloc(n, sizeof(double));
	CLEANUP(heap_free) double *drawn = calloc(DRAWS, sizeof(double));

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct stream s = { .seed = 7 + i };
		double mean, worst;

		for (size_t k = 0; k < DRAWS; k++) {
			drawn[k] = head_draw(rows[i].head, rows[i].params, rows[i].scale, next, &s);
			assert_true(head_supports(rows[i].head, drawn[k]));
		}
		qsort(drawn, DRAWS, sizeof(double), by_value);
		integrate(&rows[i], n, cdf, &mean);
		worst = distance(&rows[i], drawn, cdf, n);
		/* Passed by a right one with probability 0.999, and these are the same numbers each time. */
		if (worst > 1.95 / sqrt(DRAWS))
			fail_msg("row %zu: distance %.4f", i, worst);
	}
}

/* What cannot be drawn from is not drawn from, and no loop waits for it. */
static void
draws_nothing(void **state)
{
	struct stream s = { .seed = 1 };
	double many = 1e300;

	for (int head = 0; head < HEAD_COUNT; head++)
		for (size_t i = 0; i < head_params((enum deepar_head)head); i++) {
			double params[3] = { 3, 3, 3 };

			params[i] = i ? NAN : INFINITY;
			assert_true(isnan(head_draw((enum deepar_head)head, params, 1, next, &s)));
		}
	assert_true(isnan(head_draw(HEAD_NEGATIVE_BINOMIAL, (double[]){ 3, 800 }, 1, next, &s)));
	assert_true(head_draw(HEAD_NEGATIVE_BINOMIAL, (double[]){ 1e6, 0 }, many, next, &s) > many);
	assert_true(head_draw(HEAD_NEGATIVE_BINOMIAL, (double[]){ 1.2e-7, 0 }, 1, next, &s) == 0);
	for (int i = 0; i < 1000; i++) {
		double x = head_draw(HEAD_BETA, (double[]){ 1.2e-7, 1.2e-7 }, 1, next, &s);

		assert_true(x >= 0 && x <= 1);
	}
}

static double
nll_of_raw(enum deepar_head head, const double *raw, double scale, double value)
{
	double params[3];

	head_map(head, raw, params);
	return head_nll(head, params, scale, value);
}

/* d nll / d raw[i] from four points around, exact up to polynomials of the fourth degree. */
static double
slope_of(enum deepar_head head, const double *raw, size_t i, double step, double scale, double value)
{
	static const double weights[] = { 1, -8, 8, -1 }, at[] = { -2, -1, 1, 2 };
	double sum = 0;

	for (size_t k = 0; k < 4; k++) {
		double moved[3] = { raw[0], raw[1], raw[2] };

		moved[i] += at[k] * step;
		sum += weights[k] * nll_of_raw(head, moved, scale, value);
	}
	return sum / (12 * step);
}

static void
check_slope(enum deepar_head head, const double *raw, double scale, double value)
{
	double gradient[3], nll = head_nll_gradient(head, raw, scale, value, gradient);

	assert_true(nll == nll_of_raw(head, raw, scale, value));
	for (size_t i = 0; i < head_params(head); i++) {
		double step = 1e-5, slope = slope_of(head, raw, i, step, scale, value);

		if (fabs(slope - gradient[i]) > 1e-6 * (1 + fabs(slope)) + 1e-14 * fabs(nll) / step)
			fail_msg("%s: d nll / d %s is %.9g, the slope %.9g (raw %g %g %g, scale %g, value %g)",
				 deepar_head_name(head), head_param_name(head, i), gradient[i], slope, raw[0], raw[1],
				 raw[2], scale, value);
	}
}

static void
gradients(void **state)
{
	static const double raw[] = { -6, -1, 0, 0.7, 4 }, scales[] = { 0.05, 1, 300 };
	static const double values[HEAD_COUNT][5] = {
		[HEAD_STUDENT_T] = { -40, -0.3, 0, 1.2, 900 },
		[HEAD_NORMAL] = { -40, -0.3, 0, 1.2, 90 },
		[HEAD_NEGATIVE_BINOMIAL] = { 0, 1, 7, 300, 2.5 },
		[HEAD_BETA] = { 0.001, 0.2, 0.5, 0.9, 0.9999 },
	};

	for (int head = 0; head < HEAD_COUNT; head++)
		for (size_t i = 0; i < 125; i++)
			for (size_t k = 0; k < 15; k++)
				check_slope((enum deepar_head)head,
					    (double[]){ raw[i / 25], raw[i / 5 % 5], raw[i % 5] }, scales[k % 3],
					    values[head][k / 3]);
}

static void
extremes(void **state)
{
	static const double values[] = { -1e30, -1, 0, 0.5, 1, 1e30 }, raw[] = { -1e3, -30, 0, 30, 1e3 };

	for (int head = 0; head < HEAD_COUNT; head++)
		for (size_t v = 0; v < ARRAY_LEN(values); v++)
			for (size_t r = 0; r < ARRAY_LEN(raw); r++) {
				double all[3] = { raw[r], raw[r], raw[r] }, gradient[3] = { 0 };

				assert_true(
				    isfinite(head_nll_gradient((enum deepar_head)head, all, 1, values[v], gradient)));
				for (size_t i = 0; i < 3; i++)
					assert_true(isfinite(gradient[i]));
			}
}

/* Outside of what a head can have, the nearest it can. */
static void
supports(void **state)
{
	const double p[2] = { 2, 3 };

	assert_true(head_supports(HEAD_NORMAL, -1e300) && !head_supports(HEAD_NORMAL, INFINITY));
	assert_true(head_supports(HEAD_STUDENT_T, 0.5) && !head_supports(HEAD_STUDENT_T, NAN));
	assert_true(head_supports(HEAD_NEGATIVE_BINOMIAL, 0) && head_supports(HEAD_NEGATIVE_BINOMIAL, 1e15));
	assert_false(head_supports(HEAD_NEGATIVE_BINOMIAL, -1) || head_supports(HEAD_NEGATIVE_BINOMIAL, 0.5) ||
		     head_supports(HEAD_NEGATIVE_BINOMIAL, NAN) || head_supports(HEAD_NEGATIVE_BINOMIAL, INFINITY));
	assert_true(head_supports(HEAD_BETA, 0.5));
	assert_false(head_supports(HEAD_BETA, 0) || head_supports(HEAD_BETA, 1) || head_supports(HEAD_BETA, NAN));
	assert_true(head_nll(HEAD_NEGATIVE_BINOMIAL, p, 1, -4) == head_nll(HEAD_NEGATIVE_BINOMIAL, p, 1, 0));
	assert_true(head_nll(HEAD_BETA, p, 1, 4) == head_nll(HEAD_BETA, p, 1, 1));
	assert_true(head_nll(HEAD_BETA, p, 5, 0.4) == head_nll(HEAD_BETA, p, 1, 0.4));
}

/* psi(1), psi(1/2), psi(1/4) in closed form; psi(x + 1) = psi(x) + 1/x; lgamma's slope. */
static void
digamma(void **state)
{
	const double euler = 0.57721566490153286, pi = 3.14159265358979324;

	assert_true(fabs(special_digamma(1) + euler) < 1e-15);
	assert_true(fabs(special_digamma(0.5) + euler + 2 * log(2)) < 1e-14);
	assert_true(fabs(special_digamma(0.25) + euler + pi / 2 + 3 * log(2)) < 1e-14);
	for (double x = 0.01; x < 1e6; x *= 1.7) {
		double slope = (special_lgamma(x * 1.0001) - special_lgamma(x * 0.9999)) / (x * 0.0002);

		assert_true(fabs(special_digamma(x + 1) - special_digamma(x) - 1 / x) <= 1e-14 * (20 + 1 / x));
		assert_true(fabs(special_digamma(x) - slope) <= 1e-7 * (1 + fabs(slope)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(densities), cmocka_unit_test(draws),    cmocka_unit_test(draws_nothing),
		cmocka_unit_test(gradients), cmocka_unit_test(extremes), cmocka_unit_test(supports),
		cmocka_unit_test(digamma),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
