/* kernel.c -- which kernels can this processor run?  Best first. */
#include "common/forecast/kernel.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/forecast/kernel_sets.h"

#if defined(__x86_64__)
static bool
has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("fma");
}

static bool
has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

static bool
has_all(void)
{
	return true;
}

static const struct {
	const struct kernel *kernel;
	bool (*runs)(void);
} sets[] = {
#if defined(__x86_64__)
	{ &kernel_set_avx512, has_avx512 },
	{ &kernel_set_avx2, has_avx2 },
#endif
	{ &kernel_set_portable, has_all },
};

const struct kernel *
kernel_find(const char *name)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
#endif
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		if ((!name || strcmp(name, sets[i].kernel->name) == 0) && sets[i].runs())
			return sets[i].kernel;
	return NULL;
}

static uint64_t
mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* The part of random_u64() that its counter does not touch. */
uint64_t
kernel_noise_key(uint64_t seed, uint64_t stream)
{
	const uint64_t gamma = UINT64_C(0x9e3779b97f4a7c15);

	return mix((mix(seed + gamma) ^ mix(stream + 2 * gamma)) + gamma);
}
