/*
 * keyset.h -- a set of keys that remembers 64-bit hashes only: 12 to 23 bytes a key, half as much again while it grows; it
 * never shrinks.  "Yes" is wrong once in about 2^64 / n questions, so its user must be able to live with a wrong yes.  "No" is
 * certain, unless two of its keys have one hash (a chance of n^2 / 2^65) and the other was removed.  One owner.
 */
#ifndef FOREBAY_BASE_KEYSET_H
#define FOREBAY_BASE_KEYSET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/span.h"

struct keyset;

struct keyset *keyset_new(void); /* NULL when memory is out */
void keyset_free(struct keyset *s);
DEFINE_CLEANUP(struct keyset, keyset_free)

int keyset_add(struct keyset *s, struct span key); /* -1 when memory is out */
bool keyset_has(const struct keyset *s, struct span key);
void keyset_remove(struct keyset *s, struct span key);
size_t keyset_count(const struct keyset *s);
size_t keyset_bytes(const struct keyset *s); /* memory held */

#endif
