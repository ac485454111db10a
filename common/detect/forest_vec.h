/*
 * forest_vec.h -- part of forest_kernel_set.c: vectors of 16-bit numbers, 0..GRID_MAX, of each width that the set has.
 *
 * vec8, vec16, vec32 by how many numbers they hold: load, min, max, mask (numbers before N alone), and sums: two sums of
 * numbers at a time; or what part of both the first one is.
 */
#ifndef FOREBAY_DETECT_FOREST_VEC_H
#define FOREBAY_DETECT_FOREST_VEC_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 32")

struct forest_sums {
	int extension, range;
};

static const int16_t ones_and_zeros[64] = { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
					    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 };

#define DEFINE_VEC(n)                                                   \
	typedef int16_t vec##n __attribute__((vector_size(2 * (n))));   \
	typedef int32_t half##n __attribute__((vector_size(2 * (n))));  \
	INLINE vec##n load##n(const int16_t *p)                         \
	{                                                               \
		vec##n v;                                               \
                                                                        \
		memcpy(&v, p, sizeof(v));                               \
		return v;                                               \
	}                                                               \
	INLINE vec##n mask##n(int count)                                \
	{                                                               \
		int within = count < 0 ? 0 : count > (n) ? (n) : count; \
                                                                        \
		return load##n(ones_and_zeros + 32 - within);           \
	}

DEFINE_VEC(8)

#if defined(__x86_64__)
INLINE vec8
min8(vec8 a, vec8 b)
{
	return (vec8)_mm_min_epi16((__m128i)a, (__m128i)b);
}

INLINE vec8
max8(vec8 a, vec8 b)
{
	return (vec8)_mm_max_epi16((__m128i)a, (__m128i)b);
}

INLINE bool
all_zero8(vec8 a)
{
	return _mm_movemask_epi8(_mm_cmpeq_epi16((__m128i)a, _mm_setzero_si128())) == 0xffff;
}

/* Neighbours added: half as many sums, of 32 bits. */
INLINE half8
pairs8(vec8 a)
{
	return (half8)_mm_madd_epi16((__m128i)a, _mm_set1_epi16(1));
}

INLINE struct forest_sums
total8(half8 a, half8 b)
{
	__m128i s =
	    _mm_add_epi32(_mm_unpacklo_epi32((__m128i)a, (__m128i)b), _mm_unpackhi_epi32((__m128i)a, (__m128i)b));
	uint64_t both;

	s = _mm_add_epi32(s, _mm_unpackhi_epi64(s, s));
	both = (uint64_t)_mm_cvtsi128_si64(s);
	return (struct forest_sums){ .extension = (int)(uint32_t)both, .range = (int)(both >> 32) };
}

/* A / (A + B) of the sums, which are not both 0: the same bits as by whole numbers, which doubles hold exactly. */
INLINE double
fraction8(half8 a, half8 b)
{
	__m128i s =
	    _mm_add_epi32(_mm_unpacklo_epi32((__m128i)a, (__m128i)b), _mm_unpackhi_epi32((__m128i)a, (__m128i)b));
	__m128d both = _mm_cvtepi32_pd(_mm_add_epi32(s, _mm_unpackhi_epi64(s, s)));

	return _mm_cvtsd_f64(_mm_div_sd(both, _mm_add_sd(both, _mm_unpackhi_pd(both, both))));
}
#else
INLINE bool
all_zero8(vec8 a)
{
	return (a[0] | a[1] | a[2] | a[3] | a[4] | a[5] | a[6] | a[7]) == 0;
}

INLINE vec8
min8(vec8 a, vec8 b)
{
	vec8 less = a < b;

	return (a & less) | (b & ~less);
}

INLINE vec8
max8(vec8 a, vec8 b)
{
	vec8 less = a < b;

	return (b & less) | (a & ~less);
}

INLINE half8
pairs8(vec8 a)
{
	return (half8){ a[0] + a[1], a[2] + a[3], a[4] + a[5], a[6] + a[7] };
}

INLINE struct forest_sums
total8(half8 a, half8 b)
{
	return (struct forest_sums){ .extension = a[0] + a[1] + a[2] + a[3], .range = b[0] + b[1] + b[2] + b[3] };
}

/* A / (A + B) of the sums, which are not both 0. */
INLINE double
fraction8(half8 a, half8 b)
{
	struct forest_sums s = total8(a, b);

	return (double)s.extension / (s.extension + s.range);
}
#endif

#if defined(__AVX2__)
DEFINE_VEC(16)

INLINE vec16
min16(vec16 a, vec16 b)
{
	return (vec16)_mm256_min_epi16((__m256i)a, (__m256i)b);
}

INLINE vec16
max16(vec16 a, vec16 b)
{
	return (vec16)_mm256_max_epi16((__m256i)a, (__m256i)b);
}

INLINE bool
all_zero16(vec16 a)
{
	return _mm256_testz_si256((__m256i)a, (__m256i)a);
}

INLINE half16
pairs16(vec16 a)
{
	return (half16)_mm256_madd_epi16((__m256i)a, _mm256_set1_epi16(1));
}

INLINE half8
fold16(half16 a)
{
	return (half8)_mm_add_epi32(_mm256_castsi256_si128((__m256i)a), _mm256_extracti128_si256((__m256i)a, 1));
}

INLINE struct forest_sums
total16(half16 a, half16 b)
{
	return total8(fold16(a), fold16(b));
}

INLINE double
fraction16(half16 a, half16 b)
{
	return fraction8(fold16(a), fold16(b));
}
#endif

#if defined(__AVX512BW__)
DEFINE_VEC(32)

INLINE vec32
min32(vec32 a, vec32 b)
{
	return (vec32)_mm512_min_epi16((__m512i)a, (__m512i)b);
}

INLINE vec32
max32(vec32 a, vec32 b)
{
	return (vec32)_mm512_max_epi16((__m512i)a, (__m512i)b);
}

INLINE bool
all_zero32(vec32 a)
{
	return _mm512_test_epi32_mask((__m512i)a, (__m512i)a) == 0;
}

INLINE half32
pairs32(vec32 a)
{
	return (half32)_mm512_madd_epi16((__m512i)a, _mm512_set1_epi16(1));
}

INLINE half16
fold32(half32 a)
{
	return (half16)_mm256_add_epi32(_mm512_castsi512_si256((__m512i)a), _mm512_extracti64x4_epi64((__m512i)a, 1));
}

INLINE struct forest_sums
total32(half32 a, half32 b)
{
	return total16(fold32(a), fold32(b));
}

INLINE double
fraction32(half32 a, half32 b)
{
	return fraction16(fold32(a), fold32(b));
}
#endif

#endif
