/* kernel_sets.h -- for the tests of kernels: the sets, numbers to feed them, and what is near enough. */
#ifndef FOREBAY_TESTS_KERNEL_SETS_H
#define FOREBAY_TESTS_KERNEL_SETS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/forecast/kernel.h"

static const char *const names[] = { "portable", "avx2", "avx512" };
#define SETS ARRAY_LEN(names)

#define TANH_ERROR 4e-7 /* of sets without fused multiply-add; a quarter less of the others */
#define SIGMOID_ERROR 2e-7

static inline float *
numbers(size_t n, uint64_t seed)
{
	float *x = aligned_alloc(64, (n * sizeof(*x) + 127) / 64 * 64);

	assert_non_null(x);
	for (size_t i = 0; i < n; i++)
		x[i] = (float)(2 * random_uniform(seed, 0, i) - 1);
	return x;
}

static inline void
assert_near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("%.9g is not %.9g +- %.1g", got, want, tolerance);
}

#endif
