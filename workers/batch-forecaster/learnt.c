/* learnt.c -- one allocation, its numbers in the order in which they are stored. */
#include "workers/batch-forecaster/learnt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct learnt {
	size_t owners;
	struct learnt_size size;
	uint32_t seen[ENSEMBLE_BUCKETS_MAX];
	float numbers[];
};

static size_t
numbers_of(struct learnt_size s)
{
	return (size_t)s.buckets * s.levels * (2 * (size_t)s.members + 1);
}

static struct learnt *
learnt_alloc(struct learnt_size size)
{
	struct learnt *l = malloc(sizeof(*l) + numbers_of(size) * sizeof(l->numbers[0]));

	if (l)
		*l = (struct learnt){ .owners = 1, .size = size };
	return l;
}

int
learnt_pack(struct learnt_size size, const struct panelist *p, struct learnt **ret, struct err *err)
{
	struct learnt *l = learnt_alloc(size);
	size_t at = 0, row = size.members * sizeof(float);

	if (!l)
		return err_set(err, REASON_NO_MEMORY, "weights of a series");
	for (size_t b = 0; b < size.buckets; b++)
		for (size_t k = 0; k < size.levels; k++, at += size.members)
			memcpy(l->numbers + at, p->ensemble.regret[b][k], row);
	for (size_t b = 0; b < size.buckets; b++)
		for (size_t k = 0; k < size.levels; k++, at += size.members)
			memcpy(l->numbers + at, p->ensemble.variance[b][k], row);
	for (size_t b = 0; b < size.buckets; b++, at += size.levels)
		memcpy(l->numbers + at, p->calibration.shift[b], size.levels * sizeof(float));
	memcpy(l->seen, p->ensemble.seen, size.buckets * sizeof(l->seen[0]));
	*ret = l;
	return 0;
}

void
learnt_unpack(const struct learnt *l, struct learnt_size size, struct panelist *p)
{
	size_t at = 0, row = size.members * sizeof(float);

	memset(p, 0, sizeof(*p));
	if (!l || l->size.buckets != size.buckets || l->size.levels != size.levels || l->size.members != size.members)
		return;
	for (size_t b = 0; b < size.buckets; b++)
		for (size_t k = 0; k < size.levels; k++, at += size.members)
			memcpy(p->ensemble.regret[b][k], l->numbers + at, row);
	for (size_t b = 0; b < size.buckets; b++)
		for (size_t k = 0; k < size.levels; k++, at += size.members)
			memcpy(p->ensemble.variance[b][k], l->numbers + at, row);
	for (size_t b = 0; b < size.buckets; b++, at += size.levels)
		memcpy(p->calibration.shift[b], l->numbers + at, size.levels * sizeof(float));
	memcpy(p->ensemble.seen, l->seen, size.buckets * sizeof(l->seen[0]));
}

int
learnt_without_shifts(const struct learnt *l, struct learnt **ret, struct err *err)
{
	struct panelist p;

	*ret = NULL;
	if (!l)
		return 0;
	learnt_unpack(l, l->size, &p);
	p.calibration = (struct calibration){ 0 };
	return learnt_pack(l->size, &p, ret, err);
}

struct learnt *
learnt_share(struct learnt *l)
{
	if (l)
		l->owners++;
	return l;
}

void
learnt_release(struct learnt *l)
{
	if (l && --l->owners == 0)
		free(l);
}

struct learnt_flat
learnt_lay(struct learnt *l)
{
	return (struct learnt_flat){ l->size, l->numbers, l->seen, numbers_of(l->size), l->size.buckets };
}

static bool
flat_sound(const struct learnt_flat *f)
{
	const struct learnt_size *s = &f->size;

	if (!s->buckets || s->buckets > ENSEMBLE_BUCKETS_MAX || !s->levels || s->levels > ENSEMBLE_LEVELS_MAX ||
	    !s->members || s->members > ENSEMBLE_MEMBERS_MAX || f->n_seen != s->buckets ||
	    f->n_numbers != numbers_of(*s))
		return false;
	for (size_t i = 0; i < f->n_numbers; i++)
		if (!isfinite(f->numbers[i]))
			return false;
	return true;
}

int
learnt_restore(const struct learnt_flat *f, struct learnt **ret, struct err *err)
{
	struct learnt *l;

	if (!flat_sound(f))
		return err_set(err, REASON_STATE_CORRUPT, "weights: %zu numbers of %u buckets, %u levels, %u members",
			       f->n_numbers, f->size.buckets, f->size.levels, f->size.members);
	l = learnt_alloc(f->size);
	if (!l)
		return err_set(err, REASON_NO_MEMORY, "weights of a series");
	memcpy(l->numbers, f->numbers, f->n_numbers * sizeof(l->numbers[0]));
	memcpy(l->seen, f->seen, f->n_seen * sizeof(l->seen[0]));
	*ret = l;
	return 0;
}
