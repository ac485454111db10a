/*
 * neighbours.h -- is the shape of the last values like any that this stream has shown before?  The distance of the newest
 * window to its nearest neighbours in a bank of earlier ones: a left discord (E. Keogh, J. Lin, A. Fu, "HOT SAX", ICDM 2005;
 * streaming: S. Lu et al., "Matrix Profile XXIV: DAMP", KDD 2022), against a sample instead of all the past.
 *
 * A window is `length` points, a point the mean of `stride` values.  Its shape is what is left without mean and size; one
 * whose deviation is below the caller's grain is mostly noise, and its shape counts for less the smaller it is.
 *
 * The same values give the same bits on every machine: distances are sums of integers.
 */
#ifndef FOREBAY_DETECT_NEIGHBOURS_H
#define FOREBAY_DETECT_NEIGHBOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define NEIGHBOURS_LENGTH_MIN 8
#define NEIGHBOURS_LENGTH_MAX 64
#define NEIGHBOURS_BANK_MAX 4096
#define NEIGHBOURS_STRIDE_MAX 1000
#define NEIGHBOURS_NEAREST_MAX 3

struct neighbours_rule {
	int length;    /* points, NEIGHBOURS_LENGTH_MIN..NEIGHBOURS_LENGTH_MAX, a multiple of 8 */
	int stride;    /* values to a point, 1..NEIGHBOURS_STRIDE_MAX */
	int bank;      /* windows, 8..NEIGHBOURS_BANK_MAX */
	int nearest;   /* the distance is the mean to so many, 1..NEIGHBOURS_NEAREST_MAX */
	uint64_t seed; /* of which window gives way to a new one, together with the stream's key */
};

struct neighbours;

/* -1 on OPTION_INVALID, NO_MEMORY. */
int neighbours_new(const struct neighbours_rule *rule, uint64_t key, struct neighbours **ret, struct err *err);

/* The bank is shared by copies and copied when one of them learns; counted without atomics: one thread.  -1 on NO_MEMORY. */
int neighbours_copy(const struct neighbours *n, struct neighbours **ret, struct err *err);
void neighbours_free(struct neighbours *n); /* NULL is fine */

const struct neighbours_rule *neighbours_rule(const struct neighbours *n);

/* Bytes of memory that it keeps, a shared bank counted in full.  In constant time. */
size_t neighbours_memory(const struct neighbours *n);

/*
 * Add VALUE (finite).  *DISTANCE: of the newest window to its nearest neighbours, in [0, NEIGHBOURS_FAR]; as before while a
 * point is incomplete; NaN until there are enough windows.  GRAIN >= 0: a deviation that is nothing to this stream.  With
 * LEARN an older window, which has no value in common with the newest, may enter the bank.  -1 on NO_MEMORY, and then nothing
 * has changed.
 */
#define NEIGHBOURS_FAR 16.0
int neighbours_add(struct neighbours *n, double value, double grain, bool learn, double *distance, struct err *err);

#endif
