/* Kernels: every set that this processor runs against plain sums in double; AVX2 and AVX-512 bit for bit. */
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

static float *
numbers(size_t n, uint64_t seed)
{
	float *x = aligned_alloc(64, (n * sizeof(*x) + 127) / 64 * 64);

	assert_non_null(x);
	for (size_t i = 0; i < n; i++)
		x[i] = (float)(2 * random_uniform(seed, 0, i) - 1);
	return x;
}

static void
assert_near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("%.9g is not %.9g +- %.1g", got, want, tolerance);
}

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

#define TANH_ERROR 4e-7 /* of sets without fused multiply-add; a quarter less of the others */
#define SIGMOID_ERROR 2e-7

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

/* ---- the cell ---- */

#define HIDDEN 10
#define COLUMNS 96
#define INPUTS 7
#define SIGMOID(x) (1 / (1 + exp(-(x))))

static void
cell_want(const double *z, double c, double *ret_c, double *ret_h)
{
	*ret_c = SIGMOID(z[1]) * c + SIGMOID(z[0]) * tanh(z[2]);
	*ret_h = SIGMOID(z[3]) * tanh(*ret_c);
}

static void
the_cell_is_right(void **state)
{
	CLEANUP(heap_free) float *z = numbers(4 * HIDDEN * COLUMNS, 1), *c = numbers(HIDDEN * COLUMNS, 2);
	float gates[4 * HIDDEN * COLUMNS], cell[HIDDEN * COLUMNS], h[HIDDEN * COLUMNS], t[HIDDEN * COLUMNS];

	for (size_t s = 0; s < SETS; s++) {
		const struct kernel *k = kernel_find(names[s]);

		if (!k)
			continue;
		for (size_t i = 0; i < ARRAY_LEN(gates); i++)
			gates[i] = 6 * z[i];
		memcpy(cell, c, sizeof(cell));
		k->lstm_cell(HIDDEN, COLUMNS, COLUMNS, gates, cell, h, t);
		for (size_t i = 0; i < HIDDEN * COLUMNS; i++) {
			double in[4], new_c, new_h;

			for (size_t g = 0; g < 4; g++)
				in[g] = (double)(6 * z[g * HIDDEN * COLUMNS + i]);
			cell_want(in, (double)c[i], &new_c, &new_h);
			assert_near((double)cell[i], new_c, 5e-7);
			assert_near((double)h[i], new_h, 5e-7);
			assert_near((double)t[i], tanh(new_c), 5e-7);
			assert_near((double)gates[2 * HIDDEN * COLUMNS + i], tanh(in[2]), TANH_ERROR);
			assert_near((double)gates[3 * HIDDEN * COLUMNS + i], SIGMOID(in[3]), SIGMOID_ERROR);
		}
	}
}

struct step_case {
	float *base, *w, *x, *c;
};

#define ROWS (INPUTS + HIDDEN)

static void
step_new(struct step_case *t)
{
	t->base = numbers(4 * HIDDEN * COLUMNS, 1);
	t->w = numbers(HIDDEN * 4 * (ROWS + 2), 2);
	t->x = numbers(ROWS * COLUMNS, 3);
	t->c = numbers(HIDDEN * COLUMNS, 6);
}

static void
step_free(struct step_case *t)
{
	free(t->base);
	free(t->w);
	free(t->x);
	free(t->c);
}

static void
step_run(const struct kernel *k, const struct step_case *t, bool base_columns, size_t at, size_t columns, float *c,
	 float *h)
{
	const struct kernel_step step = {
		.hidden = HIDDEN,
		.columns = columns,
		.ld = COLUMNS,
		.base = t->base + (base_columns ? at : 0),
		.base_gate = base_columns ? HIDDEN * COLUMNS : HIDDEN,
		.base_unit = base_columns ? COLUMNS : 1,
		.base_columns = base_columns,
		.rows = ROWS,
		.w = t->w,
		.w_unit = 4 * (ROWS + 2),
		.x = t->x + at,
		.c = c + at,
		.h = h + at,
	};

	memcpy(c, t->c, HIDDEN * COLUMNS * sizeof(*c));
	k->lstm_step(&step);
}

static void
check_step(const struct step_case *t, bool base_columns, const float *c, const float *h)
{
	for (size_t u = 0; u < HIDDEN; u++)
		for (size_t j = 0; j < COLUMNS; j++) {
			double z[4], new_c, new_h;

			for (size_t g = 0; g < 4; g++) {
				size_t row = g * HIDDEN + u;

				z[g] = (double)(base_columns ? t->base[row * COLUMNS + j] : t->base[row]);
				for (size_t i = 0; i < ROWS; i++)
					z[g] +=
					    (double)t->w[(u * (ROWS + 2) + i) * 4 + g] * (double)t->x[i * COLUMNS + j];
				z[g] *= g == 2 ? 1 : 2;
			}
			cell_want(z, (double)t->c[u * COLUMNS + j], &new_c, &new_h);
			assert_near((double)c[u * COLUMNS + j], new_c, 1e-6);
			assert_near((double)h[u * COLUMNS + j], new_h, 1e-6);
		}
}

static void
a_column_along_memory_is_right(void **state)
{
	enum { ROUNDED = (HIDDEN + KERNEL_COLUMNS - 1) / KERNEL_COLUMNS * KERNEL_COLUMNS };
	CLEANUP(heap_free) float *z = numbers(4 * HIDDEN + KERNEL_COLUMNS, 1), *before = numbers(ROUNDED, 2);
	float c[ROUNDED], h[ROUNDED], last_c[ROUNDED] = { 0 };

	for (size_t s = 0; s < SETS; s++) {
		const struct kernel *k = kernel_find(names[s]);

		if (!k)
			continue;
		memcpy(c, before, sizeof(c));
		k->lstm_column(HIDDEN, z, c, h);
		for (size_t u = 0; u < HIDDEN; u++) {
			double in[4], new_c, new_h;

			for (size_t g = 0; g < 4; g++)
				in[g] = (double)z[g * HIDDEN + u] * (g == 2 ? 1 : 2);
			cell_want(in, (double)before[u], &new_c, &new_h);
			assert_near((double)c[u], new_c, 1e-6);
			assert_near((double)h[u], new_h, 1e-6);
		}
		if (strcmp(names[s], "avx512") == 0)
			assert_memory_equal(c, last_c, HIDDEN * sizeof(*c));
		memcpy(last_c, c, sizeof(c));
	}
}

static void
a_step_is_right(void **state)
{
	enum { SIZE = HIDDEN * COLUMNS };
	float c[SIZE], h[SIZE], other_c[SIZE], other_h[SIZE];
	struct step_case t;

	step_new(&t);
	for (size_t s = 0; s < SETS; s++)
		for (int columns = 0; columns < 2; columns++) {
			const struct kernel *k = kernel_find(names[s]);

			if (!k)
				continue;
			step_run(k, &t, columns, 0, COLUMNS, c, h);
			check_step(&t, columns, c, h);
			/* a column among fewer, elsewhere in a tile */
			memcpy(other_h, h, sizeof(h));
			step_run(k, &t, columns, 48, 16, other_c, other_h);
			for (size_t u = 0; u < HIDDEN; u++)
				assert_memory_equal(other_c + u * COLUMNS + 48, c + u * COLUMNS + 48, 16 * sizeof(*c));
			assert_memory_equal(other_h, h, sizeof(h));
			if (strcmp(names[s], "avx512") == 0 && kernel_find("avx2")) {
				step_run(kernel_find("avx2"), &t, columns, 0, COLUMNS, other_c, other_h);
				assert_memory_equal(other_c, c, sizeof(c));
				assert_memory_equal(other_h, h, sizeof(h));
			}
		}
	step_free(&t);
}

static void
runs_are_spread(void **state)
{
	static const float a[] = { 1, 2, 3 }, b[] = { 4, 5, 6 }, d[] = { 7, 8, 9 };
	static const float *const from[] = { a, b, d };
	static const size_t start[] = { 0, 13, 14 };

	for (size_t s = 0; s < SETS; s++) {
		const struct kernel *k = kernel_find(names[s]);
		float to[3 * 40 + KERNEL_COLUMNS] = { 0 };

		if (!k)
			continue;
		k->spread(3, 32, 40, 3, from, start, to);
		for (size_t r = 0; r < 3; r++)
			for (size_t j = 0; j < 32; j++)
				assert_true(to[r * 40 + j] == from[j < 13 ? 0 : j < 14 ? 1 : 2][r]);
	}
}

/* ---- draws ---- */

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

static void
ranks_count_what_is_less(void **state)
{
	float x[112];
	int32_t less[112];

	for (size_t s = 0; s < SETS; s++) {
		const struct kernel *k = kernel_find(names[s]);

		if (!k)
			continue;
		for (size_t i = 0; i < 112; i++)
			x[i] = i < 100 ? (float)(random_u64(1, s, i) % 60) : INFINITY;
		k->ranks(112, x, less);
		for (size_t i = 0; i < 112; i++) {
			int32_t want = 0;

			for (size_t j = 0; j < 112; j++)
				want += x[j] < x[i];
			assert_int_equal(less[i], want);
		}
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
		cmocka_unit_test(the_cell_is_right),
		cmocka_unit_test(a_column_along_memory_is_right),
		cmocka_unit_test(a_step_is_right),
		cmocka_unit_test(runs_are_spread),
		cmocka_unit_test(noise_is_that_of_random),
		cmocka_unit_test(transforms_are_those_of_the_formulas),
		cmocka_unit_test(draws_have_their_distribution),
		cmocka_unit_test(noise_is_not_correlated),
		cmocka_unit_test(ranks_count_what_is_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
