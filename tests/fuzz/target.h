/* target.h -- what every fuzz target has: libFuzzer's two entries, and a way to say that something is wrong. */
#ifndef FOREBAY_TESTS_FUZZ_TARGET_H
#define FOREBAY_TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn static inline void
target_broken(const char *why)
{
	fprintf(stderr, "broken: %s\n", why);
	abort();
}

#endif
