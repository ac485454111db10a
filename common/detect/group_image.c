/* group_image.c -- members in the order of the structure; its parts check themselves. */
#include "common/detect/group_image.h"

#include <math.h>
#include <stdlib.h>

#include "common/detect/detector_image.h"
#include "common/detect/group_parts.h"

static const struct image_member group_members[] = {
	IMAGE_NESTED(struct group_flat, forest, forest_image_table),
	IMAGE_NESTED(struct group_flat, tails, tails_image_table),
	IMAGE_NESTED(struct group_flat, episode, episode_image_table),
	IMAGE_FIELD(struct group_flat, mean, IMAGE_F64),
	IMAGE_FIELD(struct group_flat, distance, IMAGE_F64),
	IMAGE_FIELD(struct group_flat, rows, IMAGE_U32),
};
const struct image_table group_image_table = IMAGE_TABLE(struct group_flat, group_members);

/* What is behind the forest. */
static const struct image_member rest_members[] = {
	IMAGE_NESTED(struct group_flat, tails, tails_image_table),
	IMAGE_NESTED(struct group_flat, episode, episode_image_table),
	IMAGE_FIELD(struct group_flat, mean, IMAGE_F64),
	IMAGE_FIELD(struct group_flat, distance, IMAGE_F64),
	IMAGE_FIELD(struct group_flat, rows, IMAGE_U32),
};
static const struct image_table rest_table = IMAGE_TABLE(struct group_flat, rest_members);

int
group_lay(const struct group *g, struct group_flat *ret, struct err *err)
{
	*ret = (struct group_flat){
		.tails = g->tails, .episode = g->episode, .mean = g->mean, .distance = g->distance, .rows = g->rows
	};
	return forest_lay(g->forest, &ret->forest, err);
}

void
group_flat_clear(struct group_flat *flat)
{
	forest_flat_clear(&flat->forest);
}

size_t
group_image_bytes(const struct group *g)
{
	static const struct group_flat flat;

	return forest_image_bytes(g->forest) + image_table_bytes(&rest_table, &flat);
}

int
group_restore(const struct group_flat *flat, struct group **ret, struct err *err)
{
	CLEANUP(group_free) struct group *g = NULL;

	if (tails_check(&flat->tails, err) < 0 || episode_check(&flat->episode, err) < 0)
		return err_wrap(err, "group");
	if (!isfinite(flat->mean) || !isfinite(flat->distance) || flat->distance < 0)
		return err_set(err, REASON_STATE_CORRUPT, "group: mean %g, distance %g", flat->mean, flat->distance);
	g = calloc(1, sizeof(*g));
	if (!g)
		return err_set(err, REASON_NO_MEMORY, "group");
	if (forest_restore(&flat->forest, &g->forest, err) < 0)
		return err_wrap(err, "group");
	g->tails = flat->tails;
	g->episode = flat->episode;
	g->mean = flat->mean;
	g->distance = flat->distance;
	g->rows = flat->rows;
	*ret = TAKE(g);
	return 0;
}
