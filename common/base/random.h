/*
 * random.h -- counter-based randomness: a number is a function of (seed, stream, counter) and of nothing else, so that
 * a re-fold draws the same numbers.  SplitMix64 finaliser (S. Vigna, public domain reference) over a mixed key.  Not for
 * cryptography.
 */
#ifndef FOREBAY_BASE_RANDOM_H
#define FOREBAY_BASE_RANDOM_H

#include <stdint.h>

#include "common/base/span.h"

uint64_t random_u64(uint64_t seed, uint64_t stream, uint64_t counter);
double random_uniform(uint64_t seed, uint64_t stream, uint64_t counter); /* in (0, 1) */
double random_normal(uint64_t seed, uint64_t stream, uint64_t counter);  /* mean 0, deviation 1 (Box-Muller) */

/* FNV-1a of 64 bits with a final mix: for stream numbers from device ids, and for hash tables. */
uint64_t random_hash(struct span bytes);

/*
 * A derived name: 32 lower-case hex digits and a NUL, from two independent 64-bit hashes over the N spans and their
 * lengths.  Chance collisions need about 2^64 names; an adversary can make one.
 */
#define RANDOM_NAME_BYTES 33
void random_name(const struct span *parts, size_t n, char text[RANDOM_NAME_BYTES]);

#endif
