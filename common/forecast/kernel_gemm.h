/*
 * kernel_gemm.h -- part of kernel_set.c: products of matrices.  A tile of C stays in registers while k runs; B comes in panels
 * as wide as a tile, copied (and turned, for B') where it does not lie that way already.  Each number of C is its start value
 * and then one fused multiply-add for each k, ascending, wherever the tiles' borders are.
 */
#ifndef FOREBAY_FORECAST_KERNEL_GEMM_H
#define FOREBAY_FORECAST_KERNEL_GEMM_H

#include <stdbool.h>

#include "common/forecast/kernel_vec.h"

#if defined(__AVX512F__)
#define TILE_ROWS 12 /* of two vectors each: 24 of 32 registers */
#define FLAT_ROWS 4  /* of five or six vectors each, where A has few rows */
#else
#define TILE_ROWS 6
#define FLAT_ROWS 2
#endif
#define TILE_VECS 2
#define FLAT_VECS 6
#define PANEL_DEPTH 256 /* k at a time: a panel of B fits the first cache */

struct tile {
	size_t k;
	const float *a;
	size_t a_row, a_k; /* strides of A */
	const float *b;
	size_t ldb;
	float *c;
	size_t ldc;
	bool add;
};

INLINE void
tile_run(const struct tile *t, const size_t rows, const size_t vecs)
{
	vec acc[TILE_ROWS][FLAT_VECS];

	UNROLL for (size_t r = 0; r < rows; r++) UNROLL for (size_t v = 0; v < vecs; v++) acc[r][v] =
	    t->add ? vec_load(t->c + r * t->ldc + v * VEC) : vec_all(0);
	for (size_t p = 0; p < t->k; p++) {
		const float *a = t->a + p * t->a_k, *b = t->b + p * t->ldb;
		vec row[FLAT_VECS];

		UNROLL for (size_t v = 0; v < vecs; v++) row[v] = vec_load(b + v * VEC);
		UNROLL for (size_t r = 0; r < rows; r++)
		{
			vec x = vec_all(a[r * t->a_row]);

			UNROLL for (size_t v = 0; v < vecs; v++) acc[r][v] = vec_fma(x, row[v], acc[r][v]);
		}
	}
	UNROLL for (size_t r = 0; r < rows; r++) UNROLL for (size_t v = 0; v < vecs; v++)
	    vec_store(t->c + r * t->ldc + v * VEC, acc[r][v]);
}

INLINE size_t
tile_rows(const struct tile *t, size_t rows, const size_t vecs)
{
	if (vecs <= TILE_VECS && rows >= TILE_ROWS) {
		tile_run(t, TILE_ROWS, vecs);
		return TILE_ROWS;
	}
	if (vecs <= TILE_VECS && TILE_ROWS > 8 && rows >= 8) {
		tile_run(t, 8, vecs);
		return 8;
	}
	if ((vecs <= TILE_VECS || FLAT_ROWS >= 4) && rows >= 4) {
		tile_run(t, 4, vecs);
		return 4;
	}
	if (rows == 3 && FLAT_ROWS >= 4) {
		tile_run(t, 3, vecs);
		return 3;
	}
	if (rows >= 2) {
		tile_run(t, 2, vecs);
		return 2;
	}
	tile_run(t, 1, vecs);
	return 1;
}

/* All rows of C under one panel of VECS vectors. */
static void
panel_run(struct tile t, size_t m, size_t vecs)
{
	for (size_t done; m > 0; m -= done) {
		if (vecs == 1)
			done = tile_rows(&t, m, 1);
		else if (vecs == 2)
			done = tile_rows(&t, m, 2);
		else if (vecs == FLAT_VECS - 1)
			done = tile_rows(&t, m, FLAT_VECS - 1);
		else
			done = tile_rows(&t, m, FLAT_VECS);
		t.a += done * t.a_row;
		t.c += done * t.ldc;
	}
}

/* The same where the last vector stands over the edge: through a copy of C. */
static void
panel_edge(struct tile t, size_t m, size_t n)
{
	_Alignas(64) float c[TILE_ROWS * TILE_VECS * VEC] = { 0 };
	size_t vecs = (n + VEC - 1) / VEC;

	for (size_t i = 0; i < m; i += TILE_ROWS) {
		size_t rows = m - i < TILE_ROWS ? m - i : TILE_ROWS;
		struct tile part = t;

		for (size_t r = 0; r < rows && t.add; r++)
			memcpy(c + r * vecs * VEC, t.c + (i + r) * t.ldc, n * sizeof(*c));
		part.a += i * t.a_row;
		part.c = c;
		part.ldc = vecs * VEC;
		panel_run(part, rows, vecs);
		for (size_t r = 0; r < rows; r++)
			memcpy(t.c + (i + r) * t.ldc, c + r * vecs * VEC, n * sizeof(*c));
	}
}

/* 4 x 4 numbers turned over. */
INLINE void
turn4(const float *from, size_t ld, float *to, size_t width)
{
#if defined(__x86_64__)
	__m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + ld), c = _mm_loadu_ps(from + 2 * ld),
	       d = _mm_loadu_ps(from + 3 * ld);

	_MM_TRANSPOSE4_PS(a, b, c, d);
	_mm_storeu_ps(to, a);
	_mm_storeu_ps(to + width, b);
	_mm_storeu_ps(to + 2 * width, c);
	_mm_storeu_ps(to + 3 * width, d);
#else
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 4; j++)
			to[i * width + j] = from[j * ld + i];
#endif
}

/* K rows of N numbers of B' (stored [n][k]), WIDTH apart, the rest 0. */
static void
pack_turned(const float *b, size_t ldb, size_t k, size_t n, size_t width, float *to)
{
	size_t n4 = n / 4 * 4, k4 = k / 4 * 4;

	for (size_t j = 0; j < n4; j += 4) {
		for (size_t p = 0; p < k4; p += 4)
			turn4(b + j * ldb + p, ldb, to + p * width + j, width);
		for (size_t p = k4; p < k; p++)
			for (size_t i = 0; i < 4; i++)
				to[p * width + j + i] = b[(j + i) * ldb + p];
	}
	for (size_t p = 0; p < k; p++)
		for (size_t j = n4; j < width; j++)
			to[p * width + j] = j < n ? b[j * ldb + p] : 0;
}

static void
pack_plain(const float *b, size_t ldb, size_t k, size_t n, size_t width, float *to)
{
	for (size_t p = 0; p < k; p++) {
		memcpy(to + p * width, b + p * ldb, n * sizeof(*to));
		memset(to + p * width + n, 0, (width - n) * sizeof(*to));
	}
}

/* One panel of B, N wide, K deep. */
static void
panel(struct tile t, size_t m, size_t n, bool turned)
{
	_Alignas(64) float copy[PANEL_DEPTH * TILE_VECS * VEC];
	size_t vecs = (n + VEC - 1) / VEC;

	if (turned || n % VEC) {
		(turned ? pack_turned : pack_plain)(t.b, t.ldb, t.k, n, vecs * VEC, copy);
		t.b = copy;
		t.ldb = vecs * VEC;
	}
	if (n % VEC)
		panel_edge(t, m, n);
	else
		panel_run(t, m, vecs);
}

/* How wide the next panel of N columns is. */
static size_t
panel_width(size_t n, bool flat)
{
	size_t vecs = n / VEC;

	if (flat && vecs >= FLAT_VECS - 1)
		return (vecs % FLAT_VECS ? FLAT_VECS - 1 : FLAT_VECS) * VEC;
	if (vecs >= TILE_VECS)
		return TILE_VECS * VEC;
	return n < VEC ? n : VEC;
}

static void
gemm(struct tile all, size_t m, size_t n, bool turned)
{
	size_t b_n = turned ? all.ldb : 1, b_k = turned ? 1 : all.ldb;
	bool flat = m <= FLAT_ROWS && !turned;

	for (size_t p = 0; p == 0 || p < all.k; p += PANEL_DEPTH) {
		for (size_t j = 0, wide; j < n; j += wide) {
			struct tile t = all;

			wide = panel_width(n - j, flat);
			t.k = all.k - p < PANEL_DEPTH ? all.k - p : PANEL_DEPTH;
			t.a += p * all.a_k;
			t.b += j * b_n + p * b_k;
			t.c += j;
			t.add = all.add || p > 0;
			panel(t, m, wide, turned);
		}
	}
}

static void
gemm_nn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c, size_t ldc,
	bool add)
{
	gemm((struct tile){ k, a, lda, 1, b, ldb, c, ldc, add }, m, n, false);
}

static void
gemm_tn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c, size_t ldc,
	bool add)
{
	gemm((struct tile){ k, a, 1, lda, b, ldb, c, ldc, add }, m, n, false);
}

static void
gemm_nt(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c, size_t ldc,
	bool add)
{
	gemm((struct tile){ k, a, lda, 1, b, ldb, c, ldc, add }, m, n, true);
}

#endif
