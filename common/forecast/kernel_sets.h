/* kernel_sets.h -- the sets that kernel.c chooses from. */
#ifndef FOREBAY_FORECAST_KERNEL_SETS_H
#define FOREBAY_FORECAST_KERNEL_SETS_H

#include "common/forecast/kernel.h"

extern const struct kernel kernel_set_portable;
#if defined(__x86_64__)
extern const struct kernel kernel_set_avx2, kernel_set_avx512;
#endif

#endif
