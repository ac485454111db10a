/*
 * neighbours_nearest.c -- the rows of a bank that are nearest to a shape.
 *
 * |a - b|^2 = |a|^2 + |b|^2 - 2 a.b, of which the last alone is work.  Four rows go side by side, and so do their sorted lists of
 * what was nearest: no branch depends on what is found.  The four lists become one at the end.  All numbers are integers that
 * fit into 32 bits (neighbours_parts.h): any order of adding is the same.
 */
#include <string.h>

#include "common/detect/neighbours_parts.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))
#define SIDE 4 /* rows side by side */

typedef int32_t four __attribute__((vector_size(16)));

INLINE four
load4(const int32_t *p)
{
	four v;

	memcpy(&v, p, sizeof(v));
	return v;
}

INLINE four
min4(four a, four b)
{
	four less = a < b;

	return (a & less) | (b & ~less);
}

INLINE four
max4(four a, four b)
{
	four less = a < b;

	return (b & less) | (a & ~less);
}

INLINE int32_t
dot(const int16_t *a, const int16_t *b, int length)
{
	int32_t sum = 0;

	for (int i = 0; i < length; i++)
		sum += a[i] * b[i];
	return sum;
}

/* Products of SHAPE with four rows. */
#if defined(__x86_64__)
INLINE four
dots(const int16_t *shape, const int16_t *rows, int length)
{
	__m128i sum[SIDE], low, high;

	for (int k = 0; k < SIDE; k++)
		sum[k] = _mm_setzero_si128();
	for (int i = 0; i < length; i += 8) {
		__m128i s = _mm_loadu_si128((const __m128i *)(const void *)(shape + i));

		for (int k = 0; k < SIDE; k++) {
			const void *row = rows + k * length + i;

			sum[k] = _mm_add_epi32(sum[k], _mm_madd_epi16(s, _mm_loadu_si128(row)));
		}
	}
	/* Each has four parts of one row's sum; turned round and added, one has the four sums. */
	low = _mm_add_epi32(_mm_unpacklo_epi32(sum[0], sum[1]), _mm_unpackhi_epi32(sum[0], sum[1]));
	high = _mm_add_epi32(_mm_unpacklo_epi32(sum[2], sum[3]), _mm_unpackhi_epi32(sum[2], sum[3]));
	return (four)_mm_add_epi32(_mm_unpacklo_epi64(low, high), _mm_unpackhi_epi64(low, high));
}
#else
INLINE four
dots(const int16_t *shape, const int16_t *rows, int length)
{
	return (four){ dot(shape, rows, length), dot(shape, rows + length, length),
		       dot(shape, rows + 2 * length, length), dot(shape, rows + 3 * length, length) };
}
#endif

static void
insert(int32_t *least, int nearest, int32_t distance)
{
	for (int k = 0; k < nearest; k++) {
		int32_t here = least[k];

		least[k] = distance < here ? distance : here;
		distance = distance < here ? here : distance;
	}
}

/* With LENGTH and NEAREST known to the compiler all of it is in registers. */
INLINE void
search(const struct bank *b, int length, const int16_t *shape, int32_t square, int nearest, int32_t *least)
{
	four best[NEIGHBOURS_NEAREST_MAX];
	size_t at = 0;

	for (int k = 0; k < NEIGHBOURS_NEAREST_MAX; k++)
		best[k] = (four){ INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX };
	for (; at + SIDE <= b->n; at += SIDE) {
		four d = square + load4(b->squares + at) - 2 * dots(shape, b->shapes + at * (size_t)length, length);

		for (int k = 0; k < nearest; k++) {
			four here = best[k];

			best[k] = min4(d, here);
			d = max4(d, here);
		}
	}
	for (int k = 0; k < nearest; k++)
		least[k] = INT32_MAX;
	for (int k = 0; k < nearest; k++) {
		for (int i = 0; i < SIDE; i++)
			insert(least, nearest, best[k][i]);
	}
	for (; at < b->n; at++)
		insert(least, nearest,
		       square + b->squares[at] - 2 * dot(shape, b->shapes + at * (size_t)length, length));
}

void
bank_nearest(const struct bank *b, int length, const int16_t *shape, int32_t square, int nearest, int32_t *least)
{
	if (length == 16 && nearest == 1)
		search(b, 16, shape, square, 1, least);
	else if (nearest == 1)
		search(b, length, shape, square, 1, least);
	else
		search(b, length, shape, square, nearest, least);
}
