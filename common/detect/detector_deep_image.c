/* detector_deep_image.c -- two optional members, and what their scores usually are. */
#include "common/detect/detector_deep_image.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/detect/detector_deep.h"

static const struct image_member deep_members[] = {
	IMAGE_NESTED_ARRAY(struct deep_flat, tails, tails_image_table),
	IMAGE_NESTED_OPTIONAL(struct deep_flat, forest, forest_image_table),
	IMAGE_NESTED_OPTIONAL(struct deep_flat, neighbours, neighbours_image_table),
};
const struct image_table deep_image_table = IMAGE_TABLE(struct deep_flat, deep_members);

DEFINE_CLEANUP(struct deep_flat, deep_flat_free)
DEFINE_CLEANUP(struct detector_deep, deep_free)

int
deep_lay(const struct detector_deep *deep, struct deep_flat **ret, struct err *err)
{
	CLEANUP(deep_flat_free) struct deep_flat *flat = calloc(1, sizeof(*flat));

	if (!flat)
		return err_set(err, REASON_NO_MEMORY, "detector");
	memcpy(flat->tails, deep->tails, sizeof(flat->tails));
	if (deep->forest) {
		CLEANUP(heap_free) struct forest_flat *forest = malloc(sizeof(*forest));

		if (!forest)
			return err_set(err, REASON_NO_MEMORY, "detector");
		if (forest_lay(deep->forest, forest, err) < 0)
			return -1;
		flat->forest = TAKE(forest);
	}
	if (deep->neighbours) {
		flat->neighbours = malloc(sizeof(*flat->neighbours));
		if (!flat->neighbours)
			return err_set(err, REASON_NO_MEMORY, "detector");
		*flat->neighbours = neighbours_lay(deep->neighbours);
	}
	*ret = TAKE(flat);
	return 0;
}

void
deep_flat_free(struct deep_flat *flat)
{
	if (!flat)
		return;
	if (flat->forest)
		forest_flat_clear(flat->forest);
	free(flat->forest);
	free(flat->neighbours);
	free(flat);
}

size_t
deep_image_bytes(const struct detector_deep *deep)
{
	static const struct deep_flat without;

	return image_table_bytes(&deep_image_table, &without) + (deep->forest ? forest_image_bytes(deep->forest) : 0) +
	       (deep->neighbours ? neighbours_image_bytes(deep->neighbours) : 0);
}

int
deep_restore(const struct deep_flat *flat, struct detector_deep **ret, struct err *err)
{
	CLEANUP(deep_free) struct detector_deep *deep = calloc(1, sizeof(*deep));

	if (!deep)
		return err_set(err, REASON_NO_MEMORY, "detector");
	for (int i = 0; i < DETECTOR_DEEP_MEMBERS; i++)
		if (tails_check(&flat->tails[i], err) < 0)
			return -1;
	memcpy(deep->tails, flat->tails, sizeof(deep->tails));
	if (flat->forest && forest_restore(flat->forest, &deep->forest, err) < 0)
		return -1;
	if (flat->neighbours && neighbours_restore(flat->neighbours, &deep->neighbours, err) < 0)
		return -1;
	*ret = TAKE(deep);
	return 0;
}
