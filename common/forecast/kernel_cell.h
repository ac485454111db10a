/*
 * kernel_cell.h -- part of kernel_set.c: the LSTM.  lstm_cell() is the plain cell, as training wants it.  lstm_step() is the one
 * of decoding: columns are paths, a unit's four gates are summed side by side in registers and become c and h at once.
 */
#ifndef FOREBAY_FORECAST_KERNEL_CELL_H
#define FOREBAY_FORECAST_KERNEL_CELL_H

#include "common/forecast/kernel.h"
#include "common/forecast/kernel_vec.h"

#if defined(__AVX512F__)
#define STEP_VECS 5 /* of four gates each: 20 of 32 registers */
#else
#define STEP_VECS 3
#endif

static void
apply_sigmoid(size_t n, float *x)
{
	size_t i = 0;

	for (; i + VEC <= n; i += VEC)
		vec_store(x + i, vec_sigmoid(vec_load(x + i)));
	if (i < n) {
		vec v = vec_all(0);

		memcpy(&v, x + i, (n - i) * sizeof(*x));
		v = vec_sigmoid(v);
		memcpy(x + i, &v, (n - i) * sizeof(*x));
	}
}

static void
apply_tanh(size_t n, float *x)
{
	size_t i = 0;

	for (; i + VEC <= n; i += VEC)
		vec_store(x + i, vec_tanh(vec_load(x + i)));
	if (i < n) {
		vec v = vec_all(0);

		memcpy(&v, x + i, (n - i) * sizeof(*x));
		v = vec_tanh(v);
		memcpy(x + i, &v, (n - i) * sizeof(*x));
	}
}

static void
lstm_cell(size_t hidden, size_t columns, size_t ld, float *z, float *c, float *h, float *t)
{
	size_t gate = hidden * ld;

	for (size_t u = 0; u < hidden; u++) {
		for (size_t j = u * ld; j < u * ld + columns; j += VEC) {
			vec in = vec_sigmoid(vec_load(z + j)), forget = vec_sigmoid(vec_load(z + j + gate)),
			    fresh = vec_tanh(vec_load(z + j + 2 * gate)), out = vec_sigmoid(vec_load(z + j + 3 * gate)),
			    cell = vec_fma(forget, vec_load(c + j), in * fresh), squashed = vec_tanh(cell);

			vec_store(z + j, in);
			vec_store(z + j + gate, forget);
			vec_store(z + j + 2 * gate, fresh);
			vec_store(z + j + 3 * gate, out);
			vec_store(c + j, cell);
			vec_store(h + j, out * squashed);
			if (t)
				vec_store(t + j, squashed);
		}
	}
}

/*
 * With tanh(x) = N/D a sigmoid is (D + N)/2D of half its argument: c and h cost one division each instead of five in all.  IN,
 * FORGET and OUT are halved already.
 */
INLINE vec
cell_update(vec in, vec forget, vec fresh, vec out, float *c)
{
	vec in_n, in_d, forget_n, forget_d, fresh_n, fresh_d, out_n, out_d, cell, n, d, both;

	vec_tanh_quick(in, &in_n, &in_d);
	vec_tanh_quick(forget, &forget_n, &forget_d);
	vec_tanh_quick(fresh, &fresh_n, &fresh_d);
	vec_tanh_quick(out, &out_n, &out_d);
	both = in_d * fresh_d;
	n = vec_fma((forget_d + forget_n) * vec_load(c), both, (in_d + in_n) * (fresh_n * forget_d));
	cell = n / (both * (forget_d + forget_d));
	vec_store(c, cell);
	vec_tanh_quick(cell, &n, &d);
	return ((out_d + out_n) * n) / ((out_d + out_d) * d);
}

static void
lstm_column(size_t hidden, const float *z, float *c, float *h)
{
	for (size_t u = 0; u < hidden; u += VEC)
		vec_store(h + u, cell_update(vec_load(z + u), vec_load(z + hidden + u), vec_load(z + 2 * hidden + u),
					     vec_load(z + 3 * hidden + u), c + u));
}

/* acc[gate][v] += w[k][gate] * x[k][v], k ascending. */
INLINE void
step_sum(vec acc[4][STEP_VECS], size_t n, const float *w, const float *x, size_t ld, const size_t vecs)
{
	for (size_t k = 0; k < n; k++, w += 4, x += ld) {
		vec row[STEP_VECS];

		UNROLL for (size_t v = 0; v < vecs; v++) row[v] = vec_load(x + v * VEC);
		UNROLL for (size_t g = 0; g < 4; g++)
		{
			vec gate = vec_all(w[g]);

			UNROLL for (size_t v = 0; v < vecs; v++) acc[g][v] = vec_fma(gate, row[v], acc[g][v]);
		}
	}
}

INLINE void
step_tile(const struct kernel_step *s, size_t at, const size_t vecs)
{
	for (size_t u = 0; u < s->hidden; u++) {
		const float *base = s->base + u * s->base_unit + (s->base_columns ? at : 0);
		float *c = s->c + u * s->ld + at, *h = s->h + u * s->ld + at;
		vec acc[4][STEP_VECS];

		UNROLL for (size_t g = 0; g < 4; g++) UNROLL for (size_t v = 0; v < vecs; v++) acc[g][v] =
		    s->base_columns ? vec_load(base + g * s->base_gate + v * VEC) : vec_all(base[g * s->base_gate]);
		step_sum(acc, s->rows, s->w + u * s->w_unit, s->x + at, s->ld, vecs);
		UNROLL for (size_t v = 0; v < vecs; v++)
		    vec_store(h + v * VEC, cell_update(acc[0][v], acc[1][v], acc[2][v], acc[3][v], c + v * VEC));
	}
}

static void
lstm_step(const struct kernel_step *s)
{
	size_t left = s->columns / VEC, tiles = (left + STEP_VECS - 1) / STEP_VECS, at = 0;

	for (size_t vecs; left > 0; left -= vecs, at += vecs * VEC, tiles--) {
		vecs = (left + tiles - 1) / tiles;
		switch (vecs) {
		case 1: step_tile(s, at, 1); break;
		case 2: step_tile(s, at, 2); break;
		case 3: step_tile(s, at, 3); break;
#if STEP_VECS > 3
		case 4: step_tile(s, at, 4); break;
		case 5: step_tile(s, at, 5); break;
#endif
		}
	}
}

/* Every run is written to the end of the row, and overwritten by the next one from where that begins. */
static void
spread(size_t rows, size_t columns, size_t ld, size_t runs, const float *const *from, const size_t *start, float *to)
{
	for (size_t r = 0; r < rows; r++, to += ld)
		for (size_t s = 0; s < runs; s++) {
			vec x = vec_all(from[s][r]);

			for (size_t j = start[s]; j < columns; j += VEC)
				vec_store(to + j, x);
		}
}

#endif
