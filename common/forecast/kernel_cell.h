/*
 * kernel_cell.h -- part of kernel_set.c: the LSTM.  lstm_cell() is the plain cell, as training wants it.  lstm_step() is the one
 * of forecasts: columns are paths or series, a unit's four gates are summed side by side in registers.  They become c and h
 * while the next unit is summed: a cell is a long chain of operations that leaves most of the processor idle, so it is cut in
 * pieces and these stand between pieces of the sums, which do not wait for them.
 */
#ifndef FOREBAY_FORECAST_KERNEL_CELL_H
#define FOREBAY_FORECAST_KERNEL_CELL_H

#include "common/forecast/kernel.h"
#include "common/forecast/kernel_gate.h"
#include "common/forecast/kernel_vec.h"

#if defined(__AVX512F__)
#define STEP_VECS 5 /* of four gates each: 20 of 32 registers */
#elif defined(__AVX2__)
#define STEP_VECS 3 /* 12 of 16, and one for each number that they share */
#else
#define STEP_VECS 2 /* a product needs a register of its own here */
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

static void
lstm_column(size_t hidden, const float *z, float *c, float *h)
{
	for (size_t u = 0; u < hidden; u += VEC) {
		vec cell = gates_cell(vec_load(z + u), vec_load(z + hidden + u), vec_load(z + 2 * hidden + u),
				      vec_load(c + u));

		vec_store(c + u, cell);
		vec_store(h + u, gates_out(vec_load(z + 3 * hidden + u), cell));
	}
}

/* acc[gate][v] += w[k][gate] * x[k][v], k ascending. */
INLINE void
step_sum(vec acc[4][STEP_VECS], size_t n, const float *w, const float *x, size_t ld, const size_t vecs)
{
	_Pragma("GCC unroll 4") for (size_t k = 0; k < n; k++, w += 4, x += ld)
	{
		vec row[STEP_VECS];

		UNROLL for (size_t v = 0; v < vecs; v++) row[v] = vec_load(x + v * VEC);
		UNROLL for (size_t g = 0; g < 4; g++)
		{
			vec gate = vec_all(w[g]);

			UNROLL for (size_t v = 0; v < vecs; v++) acc[g][v] = vec_fma(gate, row[v], acc[g][v]);
		}
	}
}

/* Some vectors of one unit: their gates, summed, and where c and h are. */
struct step_unit {
	_Alignas(64) float z[STEP_VECS][4][VEC];
	float *c, *h;
};

/* Piece PIECE of VECS + 1: the c of one vector, the h of the one before. */
INLINE void
step_piece(struct step_unit *unit, const size_t piece, const size_t vecs)
{
	size_t now = piece * VEC, before = now - VEC;

	if (piece < vecs)
		vec_store(unit->c + now, gates_cell(vec_load(unit->z[piece][0]), vec_load(unit->z[piece][1]),
						    vec_load(unit->z[piece][2]), vec_load(unit->c + now)));
	if (piece > 0)
		vec_store(unit->h + before, gates_out(vec_load(unit->z[piece - 1][3]), vec_load(unit->c + before)));
}

/* Which columns of a tile, that begins at AT, are before the split: all bits, and of the others none. */
INLINE void
step_split(const struct kernel_step *s, size_t at, int32_t first[STEP_VECS][VEC])
{
	for (size_t v = 0; v < STEP_VECS; v++)
		for (size_t j = 0; j < VEC; j++)
			first[v][j] = at + v * VEC + j < s->split ? -1 : 0;
}

INLINE void
step_base(const struct kernel_step *s, size_t u, size_t at, int32_t first[STEP_VECS][VEC], vec acc[4][STEP_VECS],
	  const size_t vecs)
{
	UNROLL for (size_t g = 0; g < 4; g++)
	{
		size_t place = g * s->base_gate + u * s->base_unit;
		ivec a, b, mask;

		if (s->base_columns) {
			UNROLL for (size_t v = 0; v < vecs; v++) acc[g][v] =
			    vec_load(s->base[0] + place + at + v * VEC);
			continue;
		}
		a = (ivec)vec_all(s->base[0][place]);
		b = (ivec)vec_all(s->base[1][place]);
		UNROLL for (size_t v = 0; v < vecs; v++)
		{
			memcpy(&mask, first[v], sizeof(mask));
			acc[g][v] = (vec)((mask & a) | (~mask & b));
		}
	}
}

INLINE void
step_tile(const struct kernel_step *s, size_t at, const size_t vecs)
{
	_Alignas(64) int32_t first[STEP_VECS][VEC];
	struct step_unit unit = { .c = s->c + at, .h = s->h + at };

	step_split(s, at, first);
	for (size_t u = 0; u < s->hidden; u++) {
		const float *w = s->w + u * s->w_unit, *x = s->x + at;
		vec acc[4][STEP_VECS];

		step_base(s, u, at, first, acc, vecs);
		UNROLL for (size_t piece = 0, done = 0, end; piece <= vecs; piece++, done = end)
		{
			end = s->rows * (piece + 1) / (vecs + 1);
			if (u > 0)
				step_piece(&unit, piece, vecs);
			step_sum(acc, end - done, w + done * 4, x + done * s->ld, s->ld, vecs);
		}
		UNROLL for (size_t v = 0; v < vecs; v++) UNROLL for (size_t g = 0; g < 4; g++)
		    vec_store(unit.z[v][g], acc[g][v]);
		unit.c = s->c + u * s->ld + at;
		unit.h = s->h + u * s->ld + at;
	}
	for (size_t piece = 0; piece <= vecs; piece++)
		step_piece(&unit, piece, vecs);
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
#if STEP_VECS > 2
		case 3: step_tile(s, at, 3); break;
#endif
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
