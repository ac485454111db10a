/* shortcuts.c -- what spares work gives the same bits as the plain way, which is written here once more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/detect/detector_image.h"
#include "common/detect/excesses.h"
#include "common/detect/neighbours_parts.h"
#include "common/detect/tails.h"

/* All of the grid, each with exact logarithms. */
static struct pareto
plain_fit(const struct excesses *e, double prior)
{
	double scale = (e->n * e->mean + 2 * prior) / (e->n + 2);
	double most = -e->n * (log(scale) + e->mean / scale) - 16.0 * 0.02 * 0.02;
	struct pareto best = { 0, scale };

	for (int i = -12; i <= 8 && e->n >= 8; i++) {
		double x = exp2(i / 2.0) / scale, sum = 0, gamma, sigma, found;

		for (unsigned k = 0; k < e->groups; k++)
			sum += e->weight[k] * log(1 + x * e->y[k]);
		gamma = sum / e->n;
		sigma = gamma / x;
		found = -e->n * (log(sigma) + gamma + 1) - 16.0 * (gamma - 0.02) * (gamma - 0.02);
		if (found > most) {
			most = found;
			best = (struct pareto){ gamma, sigma };
		}
	}
	best.gamma += 0.3 / (e->n + 2);
	return best;
}

/* Up to EXCESSES_MAX groups in the distances that buckets have, of a law between exponential and far heavier. */
static struct excesses
some_excesses(uint64_t i)
{
	double from = exp2(12 * random_uniform(1, 1, i) - 4), heavy = 2 * random_uniform(1, 2, i);
	double many = exp2(14 * random_uniform(1, 3, i) - 2);
	struct excesses e = { 0 };

	for (unsigned k = 0; k < EXCESSES_MAX; k++) {
		double y = from * (exp2((k + 0.5) / 8) - 1);
		double chance = pow(1 + heavy * y / from, -1 / heavy) * (0.5 + random_uniform(i, 4, k));
		double weight = floor(4 * many * chance) / 4;

		if (weight <= 0)
			continue;
		e.y[e.groups] = y;
		e.weight[e.groups++] = weight;
		e.n += weight;
		e.mean += weight * y;
	}
	e.mean = e.n > 0 ? e.mean / e.n : 0;
	return e;
}

static void
rough_logarithms_miss_no_best(void **state)
{
	int shaped = 0;

	for (uint64_t i = 0; i < 4000; i++) {
		struct excesses e = some_excesses(i);
		double prior = 0.1 + 10 * random_uniform(2, 1, i);
		struct pareto want = plain_fit(&e, prior), got = excesses_fit(&e, prior, false);

		assert_true(got.gamma == want.gamma && got.sigma == want.sigma);
		assert_true(excesses_fit(&e, prior, true).gamma == 0);
		shaped += got.gamma > 0.5;
	}
	print_message("%d of 4000 with heavy tails\n", shaped);
	assert_true(shaped > 500 && shaped < 3500);
}

/* Buckets as full as they may be: the share above each. */
static void
sixteen_bits_hold_all(void **state)
{
	for (unsigned at = 0; at < TAILS_BUCKETS; at++) {
		struct tails t = { .seen = 1000000, .sigma = 1, .threshold = TAILS_BUCKETS - 1 };

		t.bucket[at] = 63000;
		t.bucket[TAILS_BUCKETS - 1] = (uint16_t)(t.bucket[TAILS_BUCKETS - 1] + 900);
		t.total = 63900;
		for (double raw = 0.01; raw < 200; raw *= 1.07) {
			unsigned b = (unsigned)(8 * log2(1 + 4 * raw)); /* about */
			double p = tails_p(&t, raw);

			if (b + 2 < at)
				assert_true(p == 63904.0 / 63904);
			else if (b > at + 2 && b + 2 < TAILS_BUCKETS)
				assert_true(p == 904.0 / 63904);
		}
	}
}

static void
fuller_ones_are_refused(void **state)
{
	struct tails t = { .seen = 100, .sigma = 1, .bucket = { 63000, 999 }, .total = 63999 };
	struct err err = ERR_INIT;

	assert_int_equal(tails_check(&t, &err), 0);
	t.total += t.bucket[2] = 1;
	assert_int_equal(tails_check(&t, &err), -1);
	assert_int_equal(err.reason, REASON_STATE_CORRUPT);
}

static int
ascending(const void *a, const void *b)
{
	return (*(const int32_t *)a > *(const int32_t *)b) - (*(const int32_t *)a < *(const int32_t *)b);
}

#define ROWS 41

static void
four_rows_are_like_one(void **state)
{
	int16_t shapes[ROWS * NEIGHBOURS_LENGTH_MAX], shape[NEIGHBOURS_LENGTH_MAX];
	int32_t squares[ROWS], square = 0, all[ROWS], least[NEIGHBOURS_NEAREST_MAX];
	struct bank b = { .owners = 1, .squares = squares, .shapes = shapes };

	for (int length = NEIGHBOURS_LENGTH_MIN; length <= NEIGHBOURS_LENGTH_MAX; length += 8) {
		double most = 16384 / sqrt(length);

		square = 0;
		for (int i = 0; i < length; i++) {
			shape[i] = (int16_t)(most * (2 * random_uniform(3, 1, (uint64_t)i) - 1));
			square += shape[i] * shape[i];
		}
		for (b.n = 0; b.n < ROWS; b.n++) {
			int16_t *row = shapes + b.n * (size_t)length;
			int32_t away = 0;

			squares[b.n] = 0;
			for (int i = 0; i < length; i++) {
				row[i] = (int16_t)(most * (2 * random_uniform(4, b.n, (uint64_t)i) - 1));
				squares[b.n] += row[i] * row[i];
				away += (row[i] - shape[i]) * (row[i] - shape[i]);
			}
			all[b.n] = away;
			qsort(all, b.n + 1, sizeof(*all), ascending);
			b.n++;
			for (int nearest = 1; nearest <= NEIGHBOURS_NEAREST_MAX; nearest++) {
				bank_nearest(&b, length, shape, square, nearest, least);
				for (int k = 0; k < nearest; k++)
					assert_int_equal(least[k], k < (int)b.n ? all[k] : INT32_MAX);
			}
			b.n--;
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rough_logarithms_miss_no_best),
		cmocka_unit_test(sixteen_bits_hold_all),
		cmocka_unit_test(fuller_ones_are_refused),
		cmocka_unit_test(four_rows_are_like_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
