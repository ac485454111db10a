/* random.c -- see random.h. */
#include "common/base/random.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

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

/* Eight bytes at a time through the counter-based generator, the length last: "ab", "c" differs from "a", "bc". */
static uint64_t
absorb(uint64_t h, struct span bytes)
{
	uint64_t at = 0;

	for (size_t i = 0; i < bytes.len; i += sizeof(uint64_t)) {
		size_t n = bytes.len - i < sizeof(uint64_t) ? bytes.len - i : sizeof(uint64_t);
		uint64_t word = 0;

		for (size_t k = 0; k < n; k++)
			word |= (uint64_t)(unsigned char)bytes.ptr[i + k] << (8 * k);
		h = random_u64(h, word, at++);
	}
	return random_u64(h, bytes.len, at);
}

void
random_name(const struct span *parts, size_t n, char text[RANDOM_NAME_BYTES])
{
	uint64_t high = 1, low = 2;

	for (size_t i = 0; i < n; i++) {
		high = absorb(high, parts[i]);
		low = absorb(low, parts[i]);
	}
	snprintf(text, RANDOM_NAME_BYTES, "%016" PRIx64 "%016" PRIx64, high, low);
}
