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
#include <stdint.h>

#define KERNEL_COLUMNS 16

/*
 * Gates come in units of their exponents: i, f and o times -log2(e), and g, whose tanh has the square of exp, times twice that.
 * Who packs weights and biases multiplies them.
 */
#define KERNEL_GATE (-1.44269504f)

/*
 * One layer of an LSTM, one step on, many columns: z = base + w x, where x is the inputs' rows and, right behind them, those of
 * the layer's own h; then c and h of the next step.  Gates in units of KERNEL_GATE.
 */
struct kernel_step {
	size_t hidden, columns, ld; /* ld: stride of x, c, h, and of base where it has columns */

	/*
	 * Of gate g and unit u: base[][g * base_gate + u * base_unit], one number for the columns before SPLIT and one for the
	 * others; or, with base_columns, base[0] has a row of them.
	 */
	const float *base[2];
	size_t base_gate, base_unit, split;
	bool base_columns;

	size_t rows;    /* of x */
	const float *w; /* unit u: w[u * w_unit], 4 numbers (i, f, g, o) for each row */
	size_t w_unit;
	const float *x;
	float *c, *h; /* h is not in x */
};

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

	/*
	 * The same for one column that lies along memory: Z holds 4 gates of HIDDEN numbers in units of KERNEL_GATE, and is not
	 * changed; Z, C and H may be read and written up to KERNEL_COLUMNS numbers too far.
	 */
	void (*lstm_column)(size_t hidden, const float *z, float *c, float *h);

	/* ---- decoding; N and columns are multiples of KERNEL_COLUMNS ---- */

	size_t block; /* columns that are best carried through all layers at once */
	void (*lstm_step)(const struct kernel_step *s);

	/*
	 * TO[r][j] = FROM[s][r] for the columns j of run s: from START[s] to START[s + 1], the last one to COLUMNS.  Up to
	 * KERNEL_COLUMNS numbers behind TO's last row are overwritten; LD is at least COLUMNS.
	 */
	void (*spread)(size_t rows, size_t columns, size_t ld, size_t runs, const float *const *from,
		       const size_t *start, float *to);

	/* In place: ln(1 + exp(x)). */
	void (*softplus)(size_t n, float *x);

	/*
	 * Uniform numbers U in (0, 1] and V in [-0.5, 0.5): the upper 31 and the lower 32 bits of random_u64(seed, stream,
	 * PATH[i]), given KEY[i] = kernel_noise_key(seed, stream).
	 */
	void (*noise)(size_t n, const uint64_t *key, const uint64_t *path, float *u, float *v);

	/* X = MU + SIGMA * T, T of Student's t with NU degrees of freedom, or a normal number. */
	void (*student_t)(size_t n, const float *nu, const float *mu, const float *sigma, const float *u,
			  const float *v, float *x);
	void (*normal)(size_t n, const float *mu, const float *sigma, const float *u, const float *v, float *x);

	/* In place: each of the KERNEL_COLUMNS columns of X, N rows, in ascending order.  No column may have a NaN. */
	void (*sort)(size_t n, float *x);
};

uint64_t kernel_noise_key(uint64_t seed, uint64_t stream);

/* NAME NULL: the best of this processor.  NULL: not known, or this processor cannot do it. */
const struct kernel *kernel_find(const char *name);

#endif
