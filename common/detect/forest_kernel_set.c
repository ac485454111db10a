/*
 * forest_kernel_set.c -- the kernels, once for each set of instructions: compiled several times with FOREST_SET=portable,
 * avx2, avx512 and the compiler's flags for it.  Everything here is static and inline: nothing with instructions that a
 * processor may lack can be taken for another set's by the linker.
 */
#include "common/base/random.h"
#include "common/detect/forest_kernel.h"
#include "common/detect/forest_math.h"
#include "common/detect/forest_sets.h"
#include "common/detect/forest_vec.h"

#include "common/detect/forest_descend.h"

/* Of a tree, or the sum of some. */
struct forest_result {
	double score, displacement;
};

INLINE float
greater(float a, float b)
{
	return a > b ? a : b;
}

INLINE uint64_t
mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

#define GAMMA UINT64_C(0x9e3779b97f4a7c15)

/* The part of random_u64(STREAM, NUMBER, ...) that its counter does not touch. */
INLINE uint64_t
draw_key(uint64_t stream, uint64_t number)
{
	return mix((mix(stream + GAMMA) ^ mix(number + 2 * GAMMA)) + GAMMA);
}

/* 0 .. N - 1, N < 2^23, by 41 bits of random_u64(STREAM, NUMBER, DEPTH + 2). */
INLINE int
draw_below(uint64_t key, int depth, int n)
{
	return (int)((mix(key + GAMMA * ((uint64_t)depth + 3)) >> 23) * (uint64_t)n >> 41);
}

#define LANES 8
#define BLOCKS 1
#include "common/detect/forest_climb.h"

#if defined(__AVX2__)
#define LANES 16
#define BLOCKS 1
#else
#define LANES 8
#define BLOCKS 2
#endif
#include "common/detect/forest_climb.h"

#if defined(__AVX512BW__)
#define LANES 32
#define BLOCKS 1
#elif defined(__AVX2__)
#define LANES 16
#define BLOCKS 2
#else
#define LANES 8
#define BLOCKS 4
#endif
#include "common/detect/forest_climb.h"

#if defined(__AVX512BW__)
#define LANES 32
#define BLOCKS 8
#elif defined(__AVX2__)
#define LANES 16
#define BLOCKS 16
#else
#define LANES 8
#define BLOCKS 32
#endif
#include "common/detect/forest_climb.h"

#if defined(__AVX512BW__)
#define BY_SIZE(v, what, ...)                              \
	((v)->dimensions <= 8    ? what##8_1(__VA_ARGS__)  \
	 : (v)->dimensions <= 16 ? what##16_1(__VA_ARGS__) \
	 : (v)->dimensions <= 32 ? what##32_1(__VA_ARGS__) \
				 : what##32_8(__VA_ARGS__))
#elif defined(__AVX2__)
#define BY_SIZE(v, what, ...)                              \
	((v)->dimensions <= 8    ? what##8_1(__VA_ARGS__)  \
	 : (v)->dimensions <= 16 ? what##16_1(__VA_ARGS__) \
	 : (v)->dimensions <= 32 ? what##16_2(__VA_ARGS__) \
				 : what##16_16(__VA_ARGS__))
#else
#define BY_SIZE(v, what, ...)                             \
	((v)->dimensions <= 8    ? what##8_1(__VA_ARGS__) \
	 : (v)->dimensions <= 16 ? what##8_2(__VA_ARGS__) \
	 : (v)->dimensions <= 32 ? what##8_4(__VA_ARGS__) \
				 : what##8_32(__VA_ARGS__))
#endif

static void
look(const struct forest_view *v, double *score, double *displacement)
{
	struct forest_result sum = BY_SIZE(v, look, v);

	*score = sum.score;
	*displacement = sum.displacement;
}

static void
share(const struct forest_view *v, double *high, double *low)
{
	BY_SIZE(v, share, v, high, low);
}

static void
place(const struct forest_view *v, const uint64_t *streams, uint64_t number, struct forest_place *places)
{
	BY_SIZE(v, place, v, streams, number, places);
}

static int
greatest(const uint16_t *keys, int n, uint16_t base)
{
	const uint16_t sign = 0x8000;
	int16_t most = INT16_MIN;
	uint16_t key;
	int at = 0;

	for (int i = 0; i < n; i++) {
		int16_t rank = (int16_t)(uint16_t)((keys[i] - base) ^ sign);

		most = rank > most ? rank : most;
	}
	key = (uint16_t)(((uint16_t)most ^ sign) + base);
	while (at + 8 <= n && all_zero8(load8((const int16_t *)keys + at) == (int16_t)key))
		at += 8;
	while (keys[at] != key)
		at++;
	return at;
}

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

const struct forest_kernel JOIN(forest_set_, FOREST_SET) = {
	.name = TEXT(FOREST_SET),
	.look = look,
	.share = share,
	.place = place,
	.greatest = greatest,
};
