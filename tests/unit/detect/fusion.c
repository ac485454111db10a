/* fusion.c -- the combination against its plain formula (a script's), at its ends, and as a test of dependent p-values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/detect/fusion.h"

static const struct row {
	double p[3];
	size_t n;
	double fused;
} rows[] = {
	{ { 0.3 }, 1, 0.3 },
	{ { 0.01, 0.5 }, 2, 0.019980299664053736 },
	{ { 0.01, 0.01 }, 2, 0.01 },
	{ { 1e-3, 0.2, 0.9 }, 3, 0.003016040264934794 },
	{ { 1e-6, 0.5 }, 2, 2.000000000002e-06 },
	{ { 1e-6, 1e-6 }, 2, 1e-6 },
	{ { 1e-20, 0.5 }, 2, 2e-20 },
	{ { 1e-20, 1e-20, 1e-20 }, 3, 1e-20 },
	{ { 1e-300, 1e-300, 1e-300 }, 3, 1e-300 },
	{ { NAN, 0.02, NAN }, 3, 0.02 },
	{ { NAN, 1, NAN }, 3, 1 },
	{ { 1, 1, 1 }, 3, 1 },
	{ { NAN, NAN, NAN }, 3, 1 },
	{ { 0.01, NAN, 0.01 }, 3, 0.01 },
};

static void
combines(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		double fused = fusion_cauchy(rows[i].p, rows[i].n);

		print_message("%zu: %.12g\n", i, fused);
		assert_true(fabs(fused - rows[i].fused) <= 1e-6 * rows[i].fused);
	}
	assert_true(fusion_cauchy(NULL, 0) == 1);
}

/* One calm member does not silence a loud one. */
static void
hears_one_voice(void **state)
{
	for (double p = 1e-4; p > 1e-280; p /= 10) {
		double fused = fusion_cauchy((double[]){ p, 1 }, 2);

		assert_true(fused > p && fused < 2.01 * p);
	}
}

/* Two normal scores that hang together: the fused p is as rare as it says, whatever the correlation. */
static void
holds_under_dependence(void **state)
{
	static const double correlations[] = { 0, 0.5, 0.9, 1, -0.5 };
	enum { DRAWS = 200000 };

	for (size_t k = 0; k < ARRAY_LEN(correlations); k++) {
		double r = correlations[k];
		int hundredth = 0, thousandth = 0;

		for (uint64_t i = 0; i < DRAWS; i++) {
			double a = random_normal(1, k, i), b = r * a + sqrt(1 - r * r) * random_normal(2, k, i);
			double fused = fusion_cauchy((double[]){ erfc(fabs(a) / sqrt(2)), erfc(fabs(b) / sqrt(2)) }, 2);

			hundredth += fused < 0.01;
			thousandth += fused < 0.001;
		}
		print_message("correlation %4.1f: %d and %d of %d\n", r, hundredth, thousandth, DRAWS);
		assert_true(hundredth < 1.15 * 0.01 * DRAWS && hundredth > 0.6 * 0.01 * DRAWS);
		assert_true(thousandth < 1.25 * 0.001 * DRAWS && thousandth > 0.6 * 0.001 * DRAWS);
	}
}

static void
sums(void **state)
{
	assert_true(fabs(fusion_sum((double[]){ 0.1, NAN, 0.01 }, 3) - 3 * log(10)) < 1e-12);
	assert_true(fusion_sum((double[]){ 1, 1 }, 2) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(combines),
		cmocka_unit_test(hears_one_voice),
		cmocka_unit_test(holds_under_dependence),
		cmocka_unit_test(sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
