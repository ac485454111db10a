/* ridge.c -- the regression on series that were made by one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "common/forecast/ridge.h"

#define N 600
#define assert_near(got, wanted, within) assert_true(fabs((got) - (wanted)) <= (within))

static bool known[N];

static void
make(double a, double b, double level, double *y)
{
	for (uint64_t t = 0; t < N; t++) {
		known[t] = true;
		y[t] = t < 2 ? level : level + a * (y[t - 1] - level) + b * (y[t - 2] - level) + random_normal(3, 1, t);
	}
}

static void
chooses_lags(void **state)
{
	static const int32_t lags[] = { 1, 2, 23, 24, 25, 168 };
	struct ridge r;

	assert_true(ridge_choose(&r, lags, 6, 24, 24, 100));
	assert_int_equal(r.n_lags, 4); /* not the base, not 168 */
	assert_int_equal(r.lags[2], 23);
	assert_int_equal(r.lags[3], 25);
	assert_true(ridge_choose(&r, NULL, 0, 1, 5, 100));
	assert_int_equal(r.n_lags, 4); /* 2..5 */
	assert_int_equal(r.lags[0], 2);
	assert_false(ridge_choose(&r, lags, 6, 24, 24, 24));
	assert_false(ridge_choose(&r, NULL, 0, 1, 1, 100));
}

/* y = 3 + 1.2 (y1 - 3) - .5 (y2 - 3) + noise; with base 1 the weight of lag 2 is that of the difference y2 - y1. */
static void
finds_the_weights(void **state)
{
	static const int32_t lags[] = { 1, 2, 9 };
	struct ridge_sums sums = { 0 };
	struct ridge r;
	double y[N];

	make(1.2, -.5, 0, y);
	assert_true(ridge_choose(&r, lags, 3, 9, 9, 100));
	ridge_add(&r, &sums, y, known, 9, N);
	assert_true(ridge_solve(&r, &sums));
	assert_int_equal(sums.rows, N - 9);
	assert_near(r.weights[0], 1.2, .1);
	assert_near(r.weights[1], -.5, .1);
	assert_near(ridge_next(&r, y, N), 1.2 * y[N - 1] - .5 * y[N - 2], .3);
}

/* Two variables and a hand's breadth of rows: ordinary least squares, as the smallest penalty is next to none. */
static void
solves_exactly(void **state)
{
	static const int32_t lags[] = { 1, 2, 3 };
	struct ridge_sums sums = { 0 };
	struct ridge r;
	double y[N];

	for (size_t t = 0; t < N; t++)
		y[t] = t < 3 ? (double)t : .5 * y[t - 1] - .7 * y[t - 2] + 1.2 * y[t - 3];
	assert_true(ridge_choose(&r, lags, 3, 3, 3, 100));
	ridge_add(&r, &sums, y, known, 3, 60);
	assert_true(ridge_solve(&r, &sums));
	assert_near(r.weights[0], .5, .02);
	assert_near(r.weights[1], -.7, .02);
	assert_near(r.constant, 0, .05);
}

/* The level of a series changes nothing but the level of what is expected. */
static void
does_not_know_levels(void **state)
{
	static const int32_t lags[] = { 1, 2, 3, 5, 7 };
	double next[2], y[N];

	for (size_t i = 0; i < 2; i++) {
		struct ridge_sums sums = { 0 };
		struct ridge r;

		make(.8, .1, i ? 1000 : 0, y);
		assert_true(ridge_choose(&r, lags, 5, 1, 7, 100));
		ridge_add(&r, &sums, y, known, 7, N);
		assert_true(ridge_solve(&r, &sums));
		next[i] = ridge_next(&r, y, N);
	}
	assert_near(next[1] - next[0], 1000, 1e-6);
}

/* Lags that say nothing of the target get nothing: what is expected is the base. */
static void
holds_back(void **state)
{
	static const int32_t lags[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
	struct ridge_sums sums = { 0 };
	struct ridge r;
	double y[N];

	make(1, 0, 0, y); /* a random walk: its last value is all there is to know */
	assert_true(ridge_choose(&r, lags, 10, 1, 10, 100));
	ridge_add(&r, &sums, y, known, 10, 60);
	assert_true(ridge_solve(&r, &sums));
	for (size_t i = 0; i < r.n_lags; i++)
		assert_true(fabs(r.weights[i]) < .15);
}

static void
leaves_out_what_is_missing(void **state)
{
	static const int32_t lags[] = { 1, 2 };
	struct ridge_sums sums = { 0 };
	struct ridge r;
	double y[N];

	make(.5, 0, 0, y);
	for (size_t t = 100; t < 150; t++)
		known[t] = false;
	assert_true(ridge_choose(&r, lags, 2, 1, 2, 100));
	ridge_add(&r, &sums, y, known, 2, 200);
	assert_int_equal(sums.rows, 148);
}

static void
refuses(void **state)
{
	static const int32_t lags[] = { 1, 2, 3, 4 };
	struct ridge_sums sums = { 0 };
	struct ridge r;
	double y[N];

	make(.5, 0, 0, y);
	assert_true(ridge_choose(&r, lags, 4, 1, 4, 100));
	ridge_add(&r, &sums, y, known, 4, 10);
	assert_false(ridge_solve(&r, &sums)); /* six rows */
	for (size_t t = 0; t < N; t++)
		y[t] = 7;
	memset(&sums, 0, sizeof(sums));
	ridge_add(&r, &sums, y, known, 4, 100);
	assert_false(ridge_solve(&r, &sums)); /* nothing moves */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses_lags),   cmocka_unit_test(finds_the_weights),
		cmocka_unit_test(solves_exactly), cmocka_unit_test(does_not_know_levels),
		cmocka_unit_test(holds_back),     cmocka_unit_test(leaves_out_what_is_missing),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
