/*
 * learnt.h -- what a series has taught its ensemble (struct panelist), without the room that it does not use.  Never changed once
 * made, shared by counted reference: one thread.  NULL: nothing.
 */
#ifndef FOREBAY_FORECASTER_LEARNT_H
#define FOREBAY_FORECASTER_LEARNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/forecast/panel.h"

/* How much of a panelist is in use. */
struct learnt_size {
	uint32_t buckets, levels, members;
};

struct learnt;

/* -1 on NO_MEMORY. */
int learnt_pack(struct learnt_size size, const struct panelist *p, struct learnt **ret, struct err *err);
/* L NULL, or of another size than SIZE (other quantiles were asked for then): nothing was learnt. */
void learnt_unpack(const struct learnt *l, struct learnt_size size, struct panelist *p);

/* What L says, but for the shifts, which are nothing.  -1 on NO_MEMORY. */
int learnt_without_shifts(const struct learnt *l, struct learnt **ret, struct err *err);

struct learnt *learnt_share(struct learnt *l); /* one more owner; NULL is fine */
void learnt_release(struct learnt *l);         /* one owner less; NULL is fine */

/* Laid flat, to be stored. */
struct learnt_flat {
	struct learnt_size size;
	float *numbers; /* regrets, variances, [bucket][level][member] each; shifts, [bucket][level] */
	uint32_t *seen; /* for each bucket */
	size_t n_numbers, n_seen;
};

/* Arrays of the result are L's. */
struct learnt_flat learnt_lay(struct learnt *l);
/* -1 on STATE_CORRUPT, NO_MEMORY. */
int learnt_restore(const struct learnt_flat *f, struct learnt **ret, struct err *err);

#endif
