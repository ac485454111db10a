/* forest_sets.h -- the sets that forest_kernel.c chooses from. */
#ifndef FOREBAY_DETECT_FOREST_SETS_H
#define FOREBAY_DETECT_FOREST_SETS_H

#include "common/detect/forest_kernel.h"

extern const struct forest_kernel forest_set_portable;
#if defined(__x86_64__)
extern const struct forest_kernel forest_set_avx2, forest_set_avx512;
#endif

#endif
