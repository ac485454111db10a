/* Noise, the draws made of it and their order: counters, formulas, moments, correlations. */
#include "tests/unit/forecast/kernel_sets.h"

static void
noise_is_that_of_random(void **state)
{
	uint64_t key[32], path[32];
	float u[32], v[32];

	for (size_t s = 0; s < SETS; s++) {
		const struct kernel *k = kernel_find(names[s]);

		if (!k)
			continue;
		for (size_t i = 0; i < 32; i++) {
			path[i] = i * 77;
			key[i] = kernel_noise_key(i % 3, i % 5);
		}
		k->noise(32, key, path, u, v);
		for (size_t i = 0; i < 32; i++) {
			uint64_t z = random_u64(i % 3, i % 5, path[i]);

			assert_true(u[i] == (float)(z >> 33) * 0x1p-31f + 0x1p-32f && u[i] > 0 && u[i] <= 1);
			assert_true(v[i] == (float)(int32_t)(z & UINT32_MAX) * 0x1p-32f);
		}
	}
}

/* U and V of N paths of one step. */
static void
draw_noise(const struct kernel *k, uint64_t seed, uint64_t step, size_t n, float *u, float *v)
{
	CLEANUP(heap_free) uint64_t *key = malloc(n * sizeof(*key));
	CLEANUP(heap_free) uint64_t *path = malloc(n * sizeof(*path));

	assert_true(key && path);
	for (size_t i = 0; i < n; i++) {
		key[i] = kernel_noise_key(seed, step);
		path[i] = i;
	}
	k->noise(n, key, path, u, v);
}

static void
transforms_are_those_of_the_formulas(void **state)
{
	static const float degrees[] = { 2, 2.5f, 4, 30, 1e3f, 1e6f };
	enum { N = 1024 };
	float u[N], v[N], nu[N], mu[N], sigma[N], x[N], y[N];

	for (size_t s = 0; s < SETS; s++) {
		const struct kernel *k = kernel_find(names[s]);

		if (!k)
			continue;
		draw_noise(k, 1, 2, N, u, v);
		u[0] = 0x1p-32f;
		u[1] = 1;
		v[0] = v[1] = 0;
		for (size_t d = 0; d < ARRAY_LEN(degrees); d++) {
			for (size_t i = 0; i < N; i++) {
				nu[i] = degrees[d];
				mu[i] = 0.25f;
				sigma[i] = 0.5f;
			}
			k->student_t(N, nu, mu, sigma, u, v, x);
			k->normal(N, mu, sigma, u, v, y);
			for (size_t i = 0; i < N; i++) {
				double df = (double)degrees[d], turn = cos(2 * M_PI * (double)v[i]);
				double t = sqrt(df * expm1(-2 / df * log((double)u[i]))) * turn;
				double z = sqrt(-2 * log((double)u[i])) * turn;

				assert_near((double)x[i], 0.25 + 0.5 * t, 2e-6 * (1 + fabs(t)));
				assert_near((double)y[i], 0.25 + 0.5 * z, 2e-6 * (1 + fabs(z)));
			}
		}
	}
}

static int
ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* Quantiles and moments of a million draws; standard errors are about a fifth of the tolerances. */
static void
draws_have_their_distribution(void **state)
{
	static const struct {
		double level, normal, student; /* 5 degrees of freedom */
	} quantiles[] = { { 0.01, -2.326348, -3.364930 },
			  { 0.25, -0.674490, -0.726687 },
			  { 0.5, 0, 0 },
			  { 0.95, 1.644854, 2.015048 },
			  { 0.99, 2.326348, 3.364930 } };
	enum { N = 1 << 20 };
	CLEANUP(heap_free)
	float *u = numbers(N, 0), *v = numbers(N, 0), *nu = numbers(N, 0), *zero = numbers(N, 0), *one = numbers(N, 0),
	      *x = numbers(N, 0), *y = numbers(N, 0);
	const struct kernel *k = kernel_find(NULL);
	double mean = 0, square = 0, fourth = 0;

	for (size_t i = 0; i < N; i++) {
		nu[i] = 5;
		zero[i] = 0;
		one[i] = 1;
	}
	draw_noise(k, 11, 3, N, u, v);
	k->normal(N, zero, one, u, v, x);
	k->student_t(N, nu, zero, one, u, v, y);
	for (size_t i = 0; i < N; i++) {
		double z = (double)x[i];

		mean += z / N;
		square += z * z / N;
		fourth += z * z * z * z / N;
	}
	assert_near(mean, 0, 0.005);
	assert_near(square, 1, 0.007);
	assert_near(fourth, 3, 0.05);
	qsort(x, N, sizeof(*x), ascending);
	qsort(y, N, sizeof(*y), ascending);
	for (size_t i = 0; i < ARRAY_LEN(quantiles); i++) {
		size_t at = (size_t)(quantiles[i].level * N);

		assert_near((double)x[at], quantiles[i].normal, 0.02);
		assert_near((double)y[at], quantiles[i].student, 0.05);
	}
}

static double
correlation(size_t n, const float *x, const float *y)
{
	double xy = 0, xx = 0, yy = 0, mx = 0, my = 0;

	for (size_t i = 0; i < n; i++) {
		mx += (double)x[i] / (double)n;
		my += (double)y[i] / (double)n;
	}
	for (size_t i = 0; i < n; i++) {
		xy += ((double)x[i] - mx) * ((double)y[i] - my);
		xx += ((double)x[i] - mx) * ((double)x[i] - mx);
		yy += ((double)y[i] - my) * ((double)y[i] - my);
	}
	return xy / sqrt(xx * yy);
}

/* Neighbouring paths, steps and seeds, U against V: five standard errors. */
static void
noise_is_not_correlated(void **state)
{
	enum { N = 1 << 16 };
	CLEANUP(heap_free)
	float *u = numbers(N + 16, 0), *v = numbers(N + 16, 0), *u2 = numbers(N + 16, 0), *v2 = numbers(N + 16, 0);
	const struct kernel *k = kernel_find(NULL);

	for (uint64_t seed = 0; seed < 4; seed++) {
		draw_noise(k, seed, 0, N + 16, u, v);
		assert_near(correlation(N, u, v), 0, 5.0 / 256);
		for (size_t lag = 1; lag < 16; lag++) {
			assert_near(correlation(N, u, u + lag), 0, 5.0 / 256);
			assert_near(correlation(N, v, v + lag), 0, 5.0 / 256);
		}
		draw_noise(k, seed, 1, N, u2, v2);
		assert_near(correlation(N, u, u2), 0, 5.0 / 256);
		assert_near(correlation(N, v, v2), 0, 5.0 / 256);
		draw_noise(k, seed + 1, 0, N, u2, v2);
		assert_near(correlation(N, u, u2), 0, 5.0 / 256);
		assert_near(correlation(N, v, v2), 0, 5.0 / 256);
	}
}

/* Any number of rows, equal ones and infinities among them. */
static void
columns_are_sorted(void **state)
{
	enum { MOST = 300, WIDE = KERNEL_COLUMNS };
	CLEANUP(heap_free) float *x = numbers(MOST * WIDE, 0), *column = numbers(MOST * WIDE, 0);

	for (size_t s = 0; s < SETS; s++)
		for (size_t n = 1; n <= MOST && kernel_find(names[s]); n += n < 70 ? 1 : 29) {
			for (size_t i = 0; i < n * WIDE; i++) {
				x[i] = (float)(random_u64(n, s, i) % (1 + n / 2)) - 5;
				x[i] = random_u64(n, s + 9, i) % 10 ? x[i] : INFINITY;
				column[i % WIDE * n + i / WIDE] = x[i];
			}
			kernel_find(names[s])->sort(n, x);
			for (size_t j = 0; j < WIDE; j++) {
				qsort(column + j * n, n, sizeof(*column), ascending);
				for (size_t i = 0; i < n; i++)
					assert_true(x[i * WIDE + j] == column[j * n + i]);
			}
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(noise_is_that_of_random),
		cmocka_unit_test(transforms_are_those_of_the_formulas),
		cmocka_unit_test(draws_have_their_distribution),
		cmocka_unit_test(noise_is_not_correlated),
		cmocka_unit_test(columns_are_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
