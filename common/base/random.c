/* random.c -- see random.h. */
#include "common/base/random.h"

#include <math.h>

static uint64_t
mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t
random_u64(uint64_t seed, uint64_t stream, uint64_t counter)
{
	const uint64_t gamma = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t key = mix(seed + gamma) ^ mix(stream + 2 * gamma);

	return mix(mix(key + gamma) + gamma * (counter + 1));
}

double
random_uniform(uint64_t seed, uint64_t stream, uint64_t counter)
{
	return ((double)(random_u64(seed, stream, counter) >> 11) + 0.5) * 0x1p-53;
}

double
random_normal(uint64_t seed, uint64_t stream, uint64_t counter)
{
	double u = random_uniform(seed, stream, counter), v = random_uniform(~seed, stream, counter);

	return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

uint64_t
random_hash(struct span bytes)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < bytes.len; i++)
		h = (h ^ (unsigned char)bytes.ptr[i]) * UINT64_C(0x100000001b3);
	return mix(h);
}
