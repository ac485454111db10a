/* series_image.c -- members in the order of their structures. */
#include "common/series/series_image.h"

#include "common/series/outlier.h"
#include "common/series/window.h"

static const struct image_member moments_members[] = {
	IMAGE_FIELD(struct moments, count, IMAGE_I64),   IMAGE_FIELD(struct moments, mean, IMAGE_F64),
	IMAGE_FIELD(struct moments, squares, IMAGE_F64), IMAGE_FIELD(struct moments, minimum, IMAGE_F64),
	IMAGE_FIELD(struct moments, maximum, IMAGE_F64), IMAGE_FIELD(struct moments, first, IMAGE_F64),
	IMAGE_FIELD(struct moments, last, IMAGE_F64),
};
static const struct image_table moments_table = IMAGE_TABLE(struct moments, moments_members);

static const struct image_member tally_members[] = {
	IMAGE_FIELD(struct tally, imputed, IMAGE_I64),  IMAGE_FIELD(struct tally, outliers, IMAGE_I64),
	IMAGE_FIELD(struct tally, dropped, IMAGE_I64),  IMAGE_FIELD(struct tally, late, IMAGE_I64),
	IMAGE_FIELD(struct tally, repeated, IMAGE_I64), IMAGE_FIELD(struct tally, ingest_us, IMAGE_I64),
};
static const struct image_table tally_table = IMAGE_TABLE(struct tally, tally_members);

static const struct image_member outlier_members[] = {
	IMAGE_NESTED(struct outlier, normal, moments_table),
	IMAGE_FIELD(struct outlier, row, IMAGE_I64),
};
const struct image_table outlier_image_table = IMAGE_TABLE(struct outlier, outlier_members);

static const struct image_member step_members[] = {
	IMAGE_FIELD(struct step, number, IMAGE_I64),
	IMAGE_FIELD(struct step, flags, IMAGE_U8),
	IMAGE_NESTED(struct step, readings, moments_table),
	IMAGE_NESTED(struct step, tally, tally_table),
};
const struct image_table step_image_table = IMAGE_TABLE(struct step, step_members);

static const struct image_member window_members[] = {
	IMAGE_FIELD(struct window, first, IMAGE_I64),
	IMAGE_FIELD(struct window, sequence, IMAGE_I64),
	IMAGE_LIST_CAP_OF(struct window, values, n, cap, IMAGE_F64),
	IMAGE_LIST_CAP_OF(struct window, flags, n, cap, IMAGE_U8),
	IMAGE_NESTED(struct window, readings, moments_table),
	IMAGE_NESTED(struct window, tally, tally_table),
};
const struct image_table window_image_table = IMAGE_TABLE(struct window, window_members);
