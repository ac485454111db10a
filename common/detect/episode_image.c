/* episode_image.c -- tables and checks of what every alert machine has: its calibration and its state. */
#include <math.h>

#include "common/detect/detector_image.h"

static const struct image_member tails_members[] = {
	IMAGE_FIELD(struct tails, seen, IMAGE_U32),        IMAGE_FIELD(struct tails, total, IMAGE_U32),
	IMAGE_FIELD(struct tails, gamma, IMAGE_F32),       IMAGE_FIELD(struct tails, sigma, IMAGE_F32),
	IMAGE_FIELD(struct tails, cap, IMAGE_F32),         IMAGE_FIELD(struct tails, left_out, IMAGE_U16),
	IMAGE_FIELD(struct tails, left_out_run, IMAGE_U8), IMAGE_FIELD(struct tails, threshold, IMAGE_U8),
	IMAGE_ARRAY_OF(struct tails, bucket, IMAGE_U16),
};
const struct image_table tails_image_table = IMAGE_TABLE(struct tails, tails_members);

static const struct image_member episode_members[] = {
	IMAGE_FIELD(struct episode, starts_us, IMAGE_I64),   IMAGE_FIELD(struct episode, flap_us, IMAGE_I64),
	IMAGE_FIELD(struct episode, smallest_p, IMAGE_F64),  IMAGE_FIELD(struct episode, state, IMAGE_F32),
	IMAGE_FIELD(struct episode, spike, IMAGE_F32),       IMAGE_FIELD(struct episode, peak, IMAGE_F32),
	IMAGE_FIELD(struct episode, pending, IMAGE_U32),     IMAGE_FIELD(struct episode, firing, IMAGE_U32),
	IMAGE_FIELD(struct episode, spike_left, IMAGE_I32),  IMAGE_FIELD(struct episode, quiet_left, IMAGE_I32),
	IMAGE_FIELD(struct episode, troubled, IMAGE_I32),    IMAGE_FIELD(struct episode, opened, IMAGE_F32),
	IMAGE_FIELD(struct episode, fdr.surplus, IMAGE_F32), IMAGE_FIELD(struct episode, fdr.tests, IMAGE_U32),
	IMAGE_FIELD(struct episode, calm, IMAGE_I16),        IMAGE_FIELD(struct episode, status, IMAGE_U8),
};
const struct image_table episode_image_table = IMAGE_TABLE(struct episode, episode_members);

int
tails_check(const struct tails *t, struct err *err)
{
	uint32_t total = 0;

	if (!isfinite(t->gamma) || !isfinite(t->sigma) || !isfinite(t->cap) || t->gamma < 0 || t->sigma < 0)
		return err_set(err, REASON_STATE_CORRUPT, "tails: shape %g, scale %g, cap %g", (double)t->gamma,
			       (double)t->sigma, (double)t->cap);
	if (t->seen > 0 && !(t->sigma > 0))
		return err_set(err, REASON_STATE_CORRUPT, "tails: no scale after %u scores", t->seen);
	if (t->threshold >= TAILS_BUCKETS)
		return err_set(err, REASON_STATE_CORRUPT, "tails: threshold %d", t->threshold);
	for (int i = 0; i < TAILS_BUCKETS; i++)
		total += t->bucket[i];
	if (t->total != total || total >= TAILS_TOTAL_MAX)
		return err_set(err, REASON_STATE_CORRUPT, "tails: total %u, the buckets make %u (less than %u)",
			       t->total, total, TAILS_TOTAL_MAX);
	return 0;
}

int
episode_check(const struct episode *e, struct err *err)
{
	if (e->status > EPISODE_FIRING)
		return err_set(err, REASON_STATE_CORRUPT, "episode: status %d", e->status);
	if (e->spike_left < 0 || e->quiet_left < 0 || e->calm < 0 || e->troubled < 0)
		return err_set(err, REASON_STATE_CORRUPT, "episode: spike_left %d, quiet_left %d, calm %d, troubled %d",
			       e->spike_left, e->quiet_left, e->calm, e->troubled);
	if (!(e->smallest_p >= 0 && e->smallest_p <= 1) || !isfinite(e->state) || !isfinite(e->spike) ||
	    !isfinite(e->peak) || !(e->opened >= 0) || isinf(e->opened) || !(e->fdr.surplus >= 0) ||
	    isinf(e->fdr.surplus))
		return err_set(err, REASON_STATE_CORRUPT, "episode: smallest_p %g, or a number that is not finite",
			       e->smallest_p);
	return 0;
}
