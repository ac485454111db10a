/*
 * columns.h -- the names of a group's columns, in their order: never changed once made, shared by the copies of a state.  Counted
 * without atomics: one thread.
 */
#ifndef FOREBAY_SCORER_COLUMNS_H
#define FOREBAY_SCORER_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/error.h"
#include "common/base/span.h"
#include "common/detect/forest.h"

struct columns;

/* NAMES are copied; N up to FOREST_COLUMNS_MAX.  -1 on NO_MEMORY. */
int columns_new(const struct span *names, size_t n, struct columns **ret, struct err *err);
struct columns *columns_share(struct columns *c); /* one more owner; NULL is fine */
void columns_release(struct columns *c);          /* one owner less; NULL is fine */

size_t columns_count(const struct columns *c); /* NULL: 0 */
struct span columns_name(const struct columns *c, size_t i);

/* Place of NAME; -1: it is none of them. */
int columns_find(const struct columns *c, struct span name);

bool columns_equal(const struct columns *a, const struct columns *b);

/* C with NAME, which is none of them, where it belongs by its bytes.  C stays.  -1 on NO_MEMORY. */
int columns_with(const struct columns *c, struct span name, struct columns **ret, struct err *err);

#endif
