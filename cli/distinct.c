/* distinct.c -- see distinct.h.  Open addressing, at most half full; 0 is an empty place. */
#include "cli/distinct.h"

#include <stdlib.h>

#define FIRST_PLACES 4096

struct distinct {
	uint64_t *places;
	size_t n_places; /* a power of two */
	int64_t count;
};

struct distinct *
distinct_new(void)
{
	struct distinct *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->n_places = FIRST_PLACES;
	d->places = calloc(d->n_places, sizeof(*d->places));
	if (!d->places) {
		free(d);
		return NULL;
	}
	return d;
}

void
distinct_free(struct distinct *d)
{
	if (!d)
		return;
	free(d->places);
	free(d);
}

int64_t
distinct_count(const struct distinct *d)
{
	return d->count;
}

/* Bijective; every bit of X moves every bit of the result (the finalizer of MurmurHash3, A. Appleby). */
static uint64_t
mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

/* Its length first, so that "a" + "bc" is not "ab" + "c". */
static uint64_t
mix_text(uint64_t h, struct span text)
{
	h = mix(h ^ text.len);
	for (size_t i = 0; i < text.len; i += 8) {
		uint64_t word = 0;

		memcpy(&word, text.ptr + i, text.len - i < 8 ? text.len - i : 8);
		h = mix(h ^ word) + UINT64_C(0x9e3779b97f4a7c15);
	}
	return h;
}

/* 1: it is new there. */
static int
place(uint64_t *places, size_t n_places, uint64_t print)
{
	size_t at = print & (n_places - 1);

	while (places[at] && places[at] != print)
		at = (at + 1) & (n_places - 1);
	if (places[at])
		return 0;
	places[at] = print;
	return 1;
}

static int
grow(struct distinct *d, struct err *err)
{
	size_t n = d->n_places * 2;
	uint64_t *places = d->count < DISTINCT_MOST ? calloc(n, sizeof(*places)) : NULL;

	if (!places)
		return err_set(err, REASON_NO_MEMORY, "more than %lld different readings", (long long)d->count);
	for (size_t i = 0; i < d->n_places; i++)
		if (d->places[i])
			place(places, n, d->places[i]);
	free(d->places);
	d->places = places;
	d->n_places = n;
	return 0;
}

int
distinct_add(struct distinct *d, struct span device, struct span metric, int64_t event_us, struct err *err)
{
	uint64_t print = mix(mix_text(mix_text(mix((uint64_t)event_us), device), metric));

	if ((size_t)d->count * 2 >= d->n_places && grow(d, err) < 0)
		return -1;
	d->count += place(d->places, d->n_places, print ? print : 1);
	return 0;
}
