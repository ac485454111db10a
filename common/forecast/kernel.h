/*
 * kernel.h -- the arithmetic that costs the time: products of small matrices and the LSTM's cell, written once with vectors of
 * the compiler and built for AVX-512, AVX2 with FMA, and whatever the target has by default.  The best one that the processor
 * can do is chosen at run time.
 *
 * Columns are independent of each other and are summed in one order, so that a number does not depend on what stands beside
 * it; AVX2 and AVX-512 give the same bits.  All is float, row-major; strides (ld...) are in floats.  No alignment is required
 * of matrices; `lstm_*` want columns in multiples of KERNEL_COLUMNS and 64-byte aligned rows.
 */
#ifndef FOREBAY_FORECAST_KERNEL_H
#define FOREBAY_FORECAST_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#define KERNEL_COLUMNS 16

struct kernel {
	const char *name; /* "avx512", "avx2", "portable" */

	/* C[m][n] = A[m][k] * B[k][n], added to C with ADD. */
	void (*gemm_nn)(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c,
			size_t ldc, bool add);
	/* C[m][n] = A'[m][k] * B[k][n], where A is stored as [k][m]. */
	void (*gemm_tn)(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c,
			size_t ldc, bool add);
	/* C[m][n] = A[m][k] * B'[k][n], where B is stored as [n][k]. */
	void (*gemm_nt)(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c,
			size_t ldc, bool add);

	/* In place over N numbers. */
	void (*sigmoid)(size_t n, float *x);
	void (*tanh)(size_t n, float *x);

	/*
	 * One LSTM cell over COLUMNS columns: Z holds 4 * HIDDEN rows (i, f, g, o before their activations) and gets the
	 * activated gates; C and H hold HIDDEN rows; T (may be NULL) gets tanh of the new C, for going back.  Stride LD.
	 */
	void (*lstm_cell)(size_t hidden, size_t columns, size_t ld, float *z, float *c, float *h, float *t);
};

/* NAME NULL: the best of this processor.  NULL: not known, or this processor cannot do it. */
const struct kernel *kernel_find(const char *name);

#endif
