/* detector_image.c -- members in the order of their structures; checks of what indices and divisions rest on. */
#include "common/detect/detector_image.h"

#include <math.h>

#include "common/base/cleanup.h"

static const struct image_member scalar_members[] = {
	IMAGE_FIELD(struct scalar, last_us, IMAGE_I64),       IMAGE_FIELD(struct scalar, origin, IMAGE_F64),
	IMAGE_ARRAY_OF(struct scalar, ring, IMAGE_F64),       IMAGE_FIELD(struct scalar, count, IMAGE_U32),
	IMAGE_FIELD(struct scalar, run, IMAGE_U32),           IMAGE_FIELD(struct scalar, longest, IMAGE_U32),
	IMAGE_FIELD(struct scalar, slow, IMAGE_F32),          IMAGE_FIELD(struct scalar, fast, IMAGE_F32),
	IMAGE_FIELD(struct scalar, variance, IMAGE_F32),      IMAGE_FIELD(struct scalar, slot_variance, IMAGE_F32),
	IMAGE_FIELD(struct scalar, fast_variance, IMAGE_F32), IMAGE_FIELD(struct scalar, step_variance, IMAGE_F32),
	IMAGE_FIELD(struct scalar, energy, IMAGE_F32),        IMAGE_FIELD(struct scalar, repeats, IMAGE_F32),
	IMAGE_ARRAY_OF(struct scalar, slot, IMAGE_F32),       IMAGE_ARRAY_OF(struct scalar, slot_count, IMAGE_U8),
};
static const struct image_table scalar_table = IMAGE_TABLE(struct scalar, scalar_members);

static const struct image_member tails_members[] = {
	IMAGE_FIELD(struct tails, seen, IMAGE_U32),      IMAGE_FIELD(struct tails, total, IMAGE_U32),
	IMAGE_FIELD(struct tails, threshold, IMAGE_F32), IMAGE_FIELD(struct tails, gamma, IMAGE_F32),
	IMAGE_FIELD(struct tails, sigma, IMAGE_F32),     IMAGE_FIELD(struct tails, left_out, IMAGE_U16),
	IMAGE_FIELD(struct tails, n_excesses, IMAGE_U8), IMAGE_FIELD(struct tails, next, IMAGE_U8),
	IMAGE_ARRAY_OF(struct tails, bucket, IMAGE_U16), IMAGE_ARRAY_OF(struct tails, excess, IMAGE_F32),
};
static const struct image_table tails_table = IMAGE_TABLE(struct tails, tails_members);

static const struct image_member episode_members[] = {
	IMAGE_FIELD(struct episode, starts_us, IMAGE_I64),  IMAGE_FIELD(struct episode, smallest_p, IMAGE_F64),
	IMAGE_FIELD(struct episode, state, IMAGE_F32),      IMAGE_FIELD(struct episode, spike, IMAGE_F32),
	IMAGE_FIELD(struct episode, peak, IMAGE_F32),       IMAGE_FIELD(struct episode, pending, IMAGE_U32),
	IMAGE_FIELD(struct episode, firing, IMAGE_U32),     IMAGE_FIELD(struct episode, spike_left, IMAGE_I32),
	IMAGE_FIELD(struct episode, quiet_left, IMAGE_I32), IMAGE_FIELD(struct episode, calm, IMAGE_I16),
	IMAGE_FIELD(struct episode, status, IMAGE_U8),
};
static const struct image_table episode_table = IMAGE_TABLE(struct episode, episode_members);

static const struct image_member detector_members[] = {
	IMAGE_NESTED(struct detector_flat, plain.scalar, scalar_table),
	IMAGE_NESTED_ARRAY(struct detector_flat, plain.tails, tails_table),
	IMAGE_NESTED(struct detector_flat, plain.episode, episode_table),
	IMAGE_FIELD(struct detector_flat, plain.held, IMAGE_U16),
};
const struct image_table detector_image_table = IMAGE_TABLE(struct detector_flat, detector_members);

struct detector_flat
detector_lay(const struct detector *d)
{
	struct detector_flat flat = { .plain = *d };

	for (int i = 0; i < DETECTOR_TAILS; i++)
		for (int at = d->tails[i].n_excesses; at < TAILS_EXCESSES; at++)
			flat.plain.tails[i].excess[at] = 0;
	return flat;
}

static bool
all_finite(const float *x, size_t n)
{
	while (n > 0 && isfinite(x[n - 1]))
		n--;
	return n == 0;
}

static int
check_scalar(const struct scalar *s, struct err *err)
{
	const float levels[] = { s->slow,          s->fast,          s->variance, s->slot_variance,
				 s->fast_variance, s->step_variance, s->energy,   s->repeats };
	bool sound =
	    isfinite(s->origin) && all_finite(levels, ARRAY_LEN(levels)) && all_finite(s->slot, SCALAR_SLOTS_MAX);

	for (int i = 0; i < SCALAR_START; i++)
		sound = sound && isfinite(s->ring[i]);
	return sound ? 0 : err_set(err, REASON_STATE_CORRUPT, "scalar: a number that is not finite");
}

static int
check_tails(const struct tails *t, struct err *err)
{
	uint32_t total = 0;

	if (!(t->threshold >= 0) || !all_finite((float[]){ t->threshold, t->gamma, t->sigma }, 3) ||
	    !all_finite(t->excess, TAILS_EXCESSES))
		return err_set(err, REASON_STATE_CORRUPT, "tails: threshold %g, or a number that is not finite",
			       (double)t->threshold);
	/* Until the ring of excesses is full, the next one comes behind the last. */
	if (t->n_excesses > TAILS_EXCESSES || t->next >= TAILS_EXCESSES ||
	    (t->n_excesses < TAILS_EXCESSES && t->next != t->n_excesses))
		return err_set(err, REASON_STATE_CORRUPT, "tails: %d excesses, the next at %d", t->n_excesses, t->next);
	for (int i = 0; i < TAILS_BUCKETS; i++)
		total += t->bucket[i];
	if (t->total != total)
		return err_set(err, REASON_STATE_CORRUPT, "tails: total %u, the buckets make %u", t->total, total);
	return 0;
}

static int
check_episode(const struct episode *e, struct err *err)
{
	if (e->status > EPISODE_FIRING)
		return err_set(err, REASON_STATE_CORRUPT, "episode: status %d", e->status);
	if (e->spike_left < 0 || e->quiet_left < 0 || e->calm < 0)
		return err_set(err, REASON_STATE_CORRUPT, "episode: spike_left %d, quiet_left %d, calm %d",
			       e->spike_left, e->quiet_left, e->calm);
	if (!(e->smallest_p >= 0 && e->smallest_p <= 1) || !all_finite((float[]){ e->state, e->spike, e->peak }, 3))
		return err_set(err, REASON_STATE_CORRUPT, "episode: smallest_p %g, or a number that is not finite",
			       e->smallest_p);
	return 0;
}

int
detector_restore(const struct detector_flat *flat, struct detector *ret, struct err *err)
{
	const struct detector *d = &flat->plain;

	if (check_scalar(&d->scalar, err) < 0)
		return -1;
	for (int i = 0; i < DETECTOR_TAILS; i++)
		if (check_tails(&d->tails[i], err) < 0)
			return -1;
	if (check_episode(&d->episode, err) < 0)
		return -1;
	*ret = *d;
	return 0;
}
