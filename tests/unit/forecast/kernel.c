/* Kernels: every set that this processor runs against plain sums in double; AVX2 and AVX-512 bit for bit. */
#include "tests/unit/forecast/kernel_sets.h"

static const struct shape {
	size_t m, n, k;
} shapes[] = {
	{ 160, 32, 48 }, { 160, 88, 150 }, { 1, 192, 40 }, { 3, 80, 40 },   { 7, 5, 3 },
	{ 13, 33, 300 }, { 48, 31, 160 },  { 1, 1, 1 },    { 12, 16, 257 }, { 8, 192, 41 },
	{ 2, 97, 17 },   { 25, 8, 9 },     { 4, 4, 4 },    { 5, 100, 1 },
};

enum product { NN, TN, NT, PRODUCTS };

static void
multiply(const struct kernel *k, enum product p, const struct shape *s, const float *a, const float *b, float *c,
	 bool add)
{
	size_t ldc = s->n + 3;

	switch (p) {
	case NN: k->gemm_nn(s->m, s->n, s->k, a, s->k + 1, b, s->n + 2, c, ldc, add); break;
	case TN: k->gemm_tn(s->m, s->n, s->k, a, s->m + 1, b, s->n + 2, c, ldc, add); break;
	default: k->gemm_nt(s->m, s->n, s->k, a, s->k + 1, b, s->k + 2, c, ldc, add); break;
	}
}

static void
check_product(const struct shape *s, enum product p, const float *a, const float *b, const float *before,
	      const float *c, bool add)
{
	for (size_t i = 0; i < s->m; i++)
		for (size_t j = 0; j < s->n + 3; j++) {
			double sum = add || j >= s->n ? (double)before[i * (s->n + 3) + j] : 0;

			for (size_t q = 0; q < s->k && j < s->n; q++)
				sum += (double)(p == TN ? a[q * (s->m + 1) + i] : a[i * (s->k + 1) + q]) *
				       (double)(p == NT ? b[j * (s->k + 2) + q] : b[q * (s->n + 2) + j]);
			assert_near((double)c[i * (s->n + 3) + j], sum, 2e-6 * (1 + sqrt((double)s->k)));
		}
}

static void
one_product(const struct shape *s, enum product p, bool add)
{
	CLEANUP(heap_free) float *a = numbers((s->m + 1) * (s->k + 1), 1), *b = numbers((s->n + 2) * (s->k + 2), 2);
	size_t size = s->m * (s->n + 3);
	CLEANUP(heap_free) float *before = numbers(size, 3), *c = numbers(size, 4), *avx2 = numbers(size, 5);
	bool have_avx2 = false;

	for (size_t i = 0; i < SETS; i++) {
		const struct kernel *k = kernel_find(names[i]);

		if (!k)
			continue;
		memcpy(c, before, size * sizeof(*c));
		multiply(k, p, s, a, b, c, add);
		check_product(s, p, a, b, before, c, add);
		if (strcmp(names[i], "avx2") == 0) {
			memcpy(avx2, c, size * sizeof(*c));
			have_avx2 = true;
		}
		if (strcmp(names[i], "avx512") == 0 && have_avx2)
			assert_memory_equal(c, avx2, size * sizeof(*c));
	}
}

static void
products_are_right(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
		for (int p = NN; p < PRODUCTS; p++) {
			one_product(&shapes[i], (enum product)p, false);
			one_product(&shapes[i], (enum product)p, true);
		}
}

/* Each row of A and each column of B alone gives the bits it gives among others. */
static void
products_do_not_mind_neighbours(void **state)
{
	enum { M = 29, N = 83, K = 300 };
	CLEANUP(heap_free) float *a = numbers(M * K, 1), *b = numbers(K * N, 2);
	float c[M * N], one;

	for (size_t i = 0; i < SETS; i++) {
		const struct kernel *k = kernel_find(names[i]);

		if (!k)
			continue;
		k->gemm_nn(M, N, K, a, K, b, N, c, N, false);
		for (size_t r = 0; r < M; r += 3)
			for (size_t j = 0; j < N; j += 5) {
				k->gemm_nn(1, 1, K, a + r * K, K, b + j, N, &one, 1, false);
				assert_memory_equal(&one, &c[r * N + j], sizeof(one));
			}
	}
}

/* ---- functions ---- */

static void
activations_are_right(void **state)
{
	enum { N = 4001 };
	float x[N], y[N];

	for (size_t s = 0; s < SETS; s++) {
		const struct kernel *k = kernel_find(names[s]);

		if (!k)
			continue;
		for (size_t round = 0; round < 100; round++) {
			for (size_t i = 0; i < N; i++)
				x[i] = (float)(30 * random_uniform(7, round, i) - 15);
			memcpy(y, x, sizeof(x));
			k->tanh(N, y);
			for (size_t i = 0; i < N; i++)
				assert_near((double)y[i], tanh((double)x[i]), TANH_ERROR);
			for (size_t i = 0; i < N; i++)
				assert_true(fabsf(y[i]) <= 1);
			memcpy(y, x, sizeof(x));
			k->sigmoid(N, y);
			for (size_t i = 0; i < N; i++)
				assert_near((double)y[i], 1 / (1 + exp(-(double)x[i])), SIGMOID_ERROR);
		}
	}
}

static void
activations_at_their_ends(void **state)
{
	static const float ends[] = { 9, 9.1f, 20, 1e30f, INFINITY };

	for (size_t s = 0; s < SETS; s++) {
		const struct kernel *k = kernel_find(names[s]);
		float x[4];

		if (!k)
			continue;
		for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
			x[0] = ends[i];
			x[1] = -ends[i];
			x[2] = NAN;
			x[3] = 0;
			k->tanh(4, x);
			assert_true(x[0] <= 1 && x[0] > 0.9999998f && x[1] == -x[0] && isnan(x[2]) && x[3] == 0);
			x[0] = 2 * ends[i];
			x[1] = -2 * ends[i];
			x[2] = NAN;
			x[3] = 0;
			k->sigmoid(4, x);
			assert_true(x[0] <= 1 && x[0] > 0.9999998f && x[1] >= 0 && x[1] < 2e-7f && isnan(x[2]) &&
				    x[3] == 0.5f);
		}
	}
}

static void
softplus_keeps_its_precision(void **state)
{
	enum { N = 1600 };
	float x[N];

	for (size_t s = 0; s < SETS; s++) {
		const struct kernel *k = kernel_find(names[s]);

		if (!k)
			continue;
		for (size_t i = 0; i < N; i++)
			x[i] = (float)i * 0.1f - 80;
		k->softplus(N, x);
		for (size_t i = 0; i < N; i++) {
			double at = (double)((float)i * 0.1f - 80), want = fmax(at, 0) + log1p(exp(-fabs(at)));

			assert_near((double)x[i], want, 5e-7 * want);
		}
		x[0] = NAN;
		x[1] = INFINITY;
		x[2] = -INFINITY;
		k->softplus(16, x);
		assert_true(isnan(x[0]) && isinf(x[1]) && x[2] >= 0 && x[2] < 1e-37f);
	}
}

static void
kernels_have_names(void **state)
{
	assert_null(kernel_find("abacus"));
	assert_non_null(kernel_find("portable"));
	assert_non_null(kernel_find(NULL));
	for (size_t i = 0; i < SETS; i++)
		if (kernel_find(names[i]))
			assert_string_equal(kernel_find(names[i])->name, names[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernels_have_names),
		cmocka_unit_test(products_are_right),
		cmocka_unit_test(products_do_not_mind_neighbours),
		cmocka_unit_test(activations_are_right),
		cmocka_unit_test(activations_at_their_ends),
		cmocka_unit_test(softplus_keeps_its_precision),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
