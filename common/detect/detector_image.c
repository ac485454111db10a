/* detector_image.c -- members in the order of their structures; checks of what indices and divisions rest on. */
#include "common/detect/detector_image.h"

#include <math.h>

#include "common/base/cleanup.h"
#include "common/detect/detector_deep_image.h"

#define BFLOAT16_INFINITY 0x7f80 /* what is positive and finite is less */

static const struct image_member scalar_members[] = {
	IMAGE_FIELD(struct scalar, last_us, IMAGE_I64),       IMAGE_FIELD(struct scalar, origin, IMAGE_F64),
	IMAGE_ARRAY_OF(struct scalar, ring, IMAGE_F64),       IMAGE_FIELD(struct scalar, count, IMAGE_U32),
	IMAGE_FIELD(struct scalar, run, IMAGE_U32),           IMAGE_FIELD(struct scalar, longest, IMAGE_U32),
	IMAGE_FIELD(struct scalar, slow, IMAGE_F32),          IMAGE_FIELD(struct scalar, lean, IMAGE_F32),
	IMAGE_FIELD(struct scalar, least, IMAGE_F32),         IMAGE_FIELD(struct scalar, most, IMAGE_F32),
	IMAGE_FIELD(struct scalar, variance, IMAGE_F32),      IMAGE_FIELD(struct scalar, slot_variance, IMAGE_F32),
	IMAGE_FIELD(struct scalar, step_variance, IMAGE_F32), IMAGE_FIELD(struct scalar, repeats, IMAGE_F32),
	IMAGE_FIELD(struct scalar, interval, IMAGE_F32),      IMAGE_ARRAY_OF(struct scalar, slot, IMAGE_F32),
	IMAGE_ARRAY_OF(struct scalar, slot_count, IMAGE_U8),  IMAGE_FIELD(struct scalar, outside, IMAGE_BOOL),
	IMAGE_ARRAY_OF(struct scalar, slot_wider, IMAGE_U16),
};
static const struct image_table scalar_table = IMAGE_TABLE(struct scalar, scalar_members);

static const struct image_member lasting_members[] = {
	IMAGE_FIELD(struct lasting, mean, IMAGE_F32),
	IMAGE_FIELD(struct lasting, usual, IMAGE_F32),
	IMAGE_FIELD(struct lasting, variance, IMAGE_F32),
	IMAGE_FIELD(struct lasting, seen, IMAGE_U32),
};
static const struct image_table lasting_table = IMAGE_TABLE(struct lasting, lasting_members);

static const struct image_member detector_members[] = {
	IMAGE_NESTED(struct detector_flat, plain.scalar, scalar_table),
	IMAGE_NESTED_ARRAY(struct detector_flat, plain.tails, tails_image_table),
	IMAGE_NESTED(struct detector_flat, plain.lasting, lasting_table),
	IMAGE_NESTED(struct detector_flat, plain.episode, episode_image_table),
	IMAGE_FIELD(struct detector_flat, plain.forecast_excess, IMAGE_F32),
	IMAGE_FIELD(struct detector_flat, plain.troubled, IMAGE_BOOL),
	IMAGE_NESTED_OPTIONAL(struct detector_flat, deep, deep_image_table),
};
const struct image_table detector_image_table = IMAGE_TABLE(struct detector_flat, detector_members);

int
detector_lay(const struct detector *d, struct detector_flat *ret, struct err *err)
{
	*ret = (struct detector_flat){ .plain = *d };
	ret->plain.deep = NULL;
	return d->deep ? deep_lay(d->deep, &ret->deep, err) : 0;
}

void
detector_flat_clear(struct detector_flat *flat)
{
	deep_flat_free(flat->deep);
	*flat = (struct detector_flat){ 0 };
}

size_t
detector_image_more(const struct detector *d)
{
	return d->deep ? deep_image_bytes(d->deep) : 0;
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
	const float levels[] = { s->slow,          s->lean,          s->least,   s->most,    s->variance,
				 s->slot_variance, s->step_variance, s->repeats, s->interval };
	bool sound =
	    isfinite(s->origin) && all_finite(levels, ARRAY_LEN(levels)) && all_finite(s->slot, SCALAR_SLOTS_MAX);

	for (int i = 0; i < SCALAR_START; i++)
		sound = sound && isfinite(s->ring[i]);
	for (int i = 0; i < SCALAR_WIDER; i++)
		sound = sound && s->slot_wider[i] < BFLOAT16_INFINITY;
	return sound ? 0
		     : err_set(err, REASON_STATE_CORRUPT, "scalar: a number that is not finite, or a variance below 0");
}

static int
check_lasting(const struct lasting *l, struct err *err)
{
	const float numbers[] = { l->mean, l->usual, l->variance };
	bool sound = all_finite(numbers, ARRAY_LEN(numbers)) && l->mean >= 0 &&
		     (l->seen == 0 || (l->usual > 0 && l->variance > 0));

	return sound ? 0
		     : err_set(err, REASON_STATE_CORRUPT, "lasting: mean %g, usual %g, variance %g", (double)l->mean,
			       (double)l->usual, (double)l->variance);
}

int
detector_restore(const struct detector_flat *flat, struct detector *ret, struct err *err)
{
	struct detector d = flat->plain;

	if (check_scalar(&d.scalar, err) < 0)
		return -1;
	for (int i = 0; i < DETECTOR_TAILS; i++)
		if (tails_check(&d.tails[i], err) < 0)
			return -1;
	if (episode_check(&d.episode, err) < 0)
		return -1;
	if (check_lasting(&d.lasting, err) < 0)
		return -1;
	if (!isfinite(d.forecast_excess))
		return err_set(err, REASON_STATE_CORRUPT, "forecast: a number that is not finite");
	d.deep = NULL;
	if (flat->deep && deep_restore(flat->deep, &d.deep, err) < 0)
		return -1;
	*ret = d;
	return 0;
}
