/*
 * kernel_draw.h -- part of kernel_set.c: from counters to draws, and these in order.  The mix is that of common/base/random.h.
 *
 * Student t without rejection: R. Bailey, "Polar generation of random variates with the t-distribution", Math. Comp. 62, 1994:
 * T = sqrt(nu (U^(-2/nu) - 1)) cos(2 pi V).  U is at least 2^-32, so that T is finite for every nu > 0.5.  Normal: G. Box and
 * M. Muller, "A note on the generation of random normal deviates", Ann. Math. Stat. 29, 1958.
 */
#ifndef FOREBAY_FORECAST_KERNEL_DRAW_H
#define FOREBAY_FORECAST_KERNEL_DRAW_H

#include "common/forecast/kernel_vec.h"

#define GAMMA UINT64_C(0x9e3779b97f4a7c15)

static void
softplus(size_t n, float *x)
{
	for (size_t i = 0; i < n; i += VEC)
		vec_store(x + i, vec_softplus(vec_load(x + i)));
}

static void
noise(size_t n, const uint64_t *key, const uint64_t *path, float *u, float *v)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t z = key[i] + GAMMA * (path[i] + 1);

		z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
		z ^= z >> 31;
		u[i] = (float)(int32_t)(z >> 33) * 0x1p-31f + 0x1p-32f;
		v[i] = (float)(int32_t)(uint32_t)z * 0x1p-32f;
	}
}

static void
student_t(size_t n, const float *nu, const float *mu, const float *sigma, const float *u, const float *v, float *x)
{
	for (size_t i = 0; i < n; i += VEC) {
		vec df = vec_load(nu + i), a = vec_log(vec_load(u + i)) * -2 / df;
		vec t = vec_sqrt(df * vec_expm1(a)) * vec_cos_turn(vec_load(v + i));

		vec_store(x + i, vec_fma(vec_load(sigma + i), t, vec_load(mu + i)));
	}
}

static void
normal(size_t n, const float *mu, const float *sigma, const float *u, const float *v, float *x)
{
	for (size_t i = 0; i < n; i += VEC) {
		vec r = vec_sqrt(vec_max(vec_all(0), vec_log(vec_load(u + i)) * -2));

		vec_store(x + i, vec_fma(vec_load(sigma + i), r * vec_cos_turn(vec_load(v + i)), vec_load(mu + i)));
	}
}

INLINE void
exchange(float *a, float *b)
{
	for (size_t j = 0; j < KERNEL_COLUMNS; j += VEC) {
		vec x = vec_load(a + j), y = vec_load(b + j);

		vec_store(a + j, vec_min(x, y));
		vec_store(b + j, vec_max(x, y));
	}
}

/*
 * A network compares the same places whatever the numbers are, so that columns go side by side.  K. Batcher's, for any N, as in
 * D. Knuth, "The Art of Computer Programming", vol. 3, 5.2.2, algorithm M: P is the distance between those that are merged.
 */
static void
sort(size_t n, float *x)
{
	size_t half = 1;

	while (half * 2 < n)
		half *= 2;
	for (size_t p = half; p > 0 && n > 1; p /= 2)
		for (size_t q = half, r = 0, d = p;; d = q - p, q /= 2, r = p) {
			for (size_t i = 0; i + d < n; i++)
				if ((i & p) == r)
					exchange(x + i * KERNEL_COLUMNS, x + (i + d) * KERNEL_COLUMNS);
			if (q == p)
				break;
		}
}

#endif
