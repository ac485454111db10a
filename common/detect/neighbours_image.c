/* neighbours_image.c -- the squares of shapes are not stored: they are sums of what is. */
#include "common/detect/neighbours_image.h"

#include <math.h>
#include <string.h>

#include "common/detect/neighbours_parts.h"

static const struct image_member members[] = {
	IMAGE_FIELD(struct neighbours_flat, length, IMAGE_I32),
	IMAGE_FIELD(struct neighbours_flat, stride, IMAGE_I32),
	IMAGE_FIELD(struct neighbours_flat, bank, IMAGE_I32),
	IMAGE_FIELD(struct neighbours_flat, nearest, IMAGE_I32),
	IMAGE_FIELD(struct neighbours_flat, seed, IMAGE_U64),
	IMAGE_FIELD(struct neighbours_flat, key, IMAGE_U64),
	IMAGE_FIELD(struct neighbours_flat, learnt, IMAGE_U64),
	IMAGE_FIELD(struct neighbours_flat, points, IMAGE_U64),
	IMAGE_FIELD(struct neighbours_flat, distance, IMAGE_F64),
	IMAGE_FIELD(struct neighbours_flat, sum, IMAGE_F64),
	IMAGE_FIELD(struct neighbours_flat, values, IMAGE_U32),
	IMAGE_LIST_OF(struct neighbours_flat, ring, n_ring, IMAGE_F64),
	IMAGE_LIST_OF(struct neighbours_flat, shapes, n_shapes, IMAGE_I16),
};
const struct image_table neighbours_image_table = IMAGE_TABLE(struct neighbours_flat, members);

struct neighbours_flat
neighbours_lay(const struct neighbours *n)
{
	return (struct neighbours_flat){ .length = n->rule.length,
					 .stride = n->rule.stride,
					 .bank = n->rule.bank,
					 .nearest = n->rule.nearest,
					 .seed = n->rule.seed,
					 .key = n->key,
					 .learnt = n->learnt,
					 .points = n->points,
					 .distance = n->distance,
					 .sum = n->sum,
					 .values = n->values,
					 .ring = (double *)(uintptr_t)n->ring,
					 .n_ring = 2 * (size_t)n->rule.length,
					 .shapes = n->bank->shapes,
					 .n_shapes = n->bank->n * (size_t)n->rule.length };
}

size_t
neighbours_image_bytes(const struct neighbours *n)
{
	struct neighbours_flat flat = neighbours_lay(n);
	const size_t lists = 2 * sizeof(uint32_t), numbers = 5 * sizeof(uint32_t) + 6 * sizeof(uint64_t);

	return lists + numbers + flat.n_ring * sizeof(double) + flat.n_shapes * sizeof(int16_t);
}

static int32_t
square_of(const int16_t *shape, int length)
{
	int64_t sum = 0;

	for (int i = 0; i < length; i++)
		sum += shape[i] * shape[i];
	return sum <= SHAPE_SQUARE_MAX ? (int32_t)sum : -1;
}

static int
fill(struct neighbours *n, const struct neighbours_flat *flat, struct err *err)
{
	for (size_t i = 0; i < flat->n_ring; i++)
		if (!isfinite(flat->ring[i]))
			return err_set(err, REASON_STATE_CORRUPT, "neighbours: a value that is not finite");
	memcpy(n->ring, flat->ring, flat->n_ring * sizeof(n->ring[0]));
	n->bank->n = flat->n_shapes / (size_t)flat->length;
	for (size_t i = 0; i < n->bank->n; i++) {
		const int16_t *shape = flat->shapes + i * (size_t)flat->length;

		if ((n->bank->squares[i] = square_of(shape, flat->length)) < 0)
			return err_set(err, REASON_STATE_CORRUPT, "neighbours: shape %zu is too large", i);
		memcpy(n->bank->shapes + i * (size_t)flat->length, shape, (size_t)flat->length * sizeof(shape[0]));
	}
	return 0;
}

int
neighbours_restore(const struct neighbours_flat *flat, struct neighbours **ret, struct err *err)
{
	const struct neighbours_rule rule = { .length = flat->length,
					      .stride = flat->stride,
					      .bank = flat->bank,
					      .nearest = flat->nearest,
					      .seed = flat->seed };
	CLEANUP(neighbours_free) struct neighbours *n = NULL;
	struct err why = ERR_INIT;

	if (neighbours_new(&rule, flat->key, &n, &why) < 0) {
		if (why.reason == REASON_NO_MEMORY)
			return err_set(err, REASON_NO_MEMORY, "%s", why.text);
		return err_set(err, REASON_STATE_CORRUPT, "%s", why.text);
	}
	if (flat->n_ring != 2 * (size_t)flat->length || flat->n_shapes % (size_t)flat->length != 0 ||
	    flat->n_shapes / (size_t)flat->length > (size_t)flat->bank || flat->values >= (uint32_t)flat->stride ||
	    !isfinite(flat->sum) ||
	    !(isnan(flat->distance) || (flat->distance >= 0 && flat->distance <= NEIGHBOURS_FAR + 1)))
		return err_set(err, REASON_STATE_CORRUPT, "neighbours: %zu points and %zu numbers in windows of %d",
			       flat->n_ring, flat->n_shapes, flat->length);
	n->learnt = flat->learnt;
	n->points = flat->points;
	n->distance = flat->distance;
	n->sum = flat->sum;
	n->values = flat->values;
	if (fill(n, flat, err) < 0)
		return -1;
	*ret = TAKE(n);
	return 0;
}
