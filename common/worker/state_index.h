/* state_index.h -- the entries of a shelf by their keys.  It owns nothing but itself.  Private to the files behind state.h. */
#ifndef FOREBAY_WORKER_STATE_INDEX_H
#define FOREBAY_WORKER_STATE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/span.h"

struct entry;

/* Zeroed is new. */
struct index {
	struct index_slot *slots;
	size_t cap, n; /* slots, a power of two; entries */
};

struct entry *index_get(const struct index *x, struct span key, uint64_t hash); /* NULL: not there */
void index_fetch(const struct index *x, uint64_t hash);                         /* it will be asked for */

/* E, whose key and hash are set and whose key is not there.  -1 when memory is out. */
int index_add(struct index *x, struct entry *e);
void index_remove(struct index *x, const struct entry *e); /* it is there */

/* Walk, in no order: for (size_t at = 0; (e = index_next(x, &at));) -- nothing is added or removed meanwhile. */
struct entry *index_next(const struct index *x, size_t *at);

void index_clear(struct index *x);

#endif
