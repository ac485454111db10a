/* forest_kernel.c -- which kernels can this processor run?  Best first. */
#include "common/detect/forest_kernel.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/detect/forest_sets.h"

#if defined(__x86_64__)
static bool
has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}

static bool
has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}
#endif

static bool
has_all(void)
{
	return true;
}

static const struct {
	const struct forest_kernel *kernel;
	bool (*runs)(void);
} sets[] = {
#if defined(__x86_64__)
	{ &forest_set_avx512, has_avx512 },
	{ &forest_set_avx2, has_avx2 },
#endif
	{ &forest_set_portable, has_all },
};

const struct forest_kernel *
forest_kernel_find(const char *name)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
#endif
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		if ((!name || strcmp(name, sets[i].kernel->name) == 0) && sets[i].runs())
			return sets[i].kernel;
	return NULL;
}
