/* forest_image.c -- members in the order of the structure; checks of what indices and divisions rest on. */
#include "common/detect/forest_image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/detect/forest_points.h"
#include "common/detect/forest_tree.h"

static const struct image_member column_members[] = {
	IMAGE_FIELD(struct forest_column, centre, IMAGE_F64),
	IMAGE_FIELD(struct forest_column, scale, IMAGE_F64),
	IMAGE_FIELD(struct forest_column, last, IMAGE_F64),
	IMAGE_FIELD(struct forest_column, met, IMAGE_U32),
};
static const struct image_table column_table = IMAGE_TABLE(struct forest_column, column_members);

static const struct image_member forest_members[] = {
	IMAGE_FIELD(struct forest_flat, key, IMAGE_U64),
	IMAGE_FIELD(struct forest_flat, seed, IMAGE_U64),
	IMAGE_FIELD(struct forest_flat, decay, IMAGE_F64),
	IMAGE_FIELD(struct forest_flat, trees, IMAGE_U32),
	IMAGE_FIELD(struct forest_flat, sample, IMAGE_U32),
	IMAGE_FIELD(struct forest_flat, columns, IMAGE_U32),
	IMAGE_FIELD(struct forest_flat, shingle, IMAGE_U32),
	IMAGE_FIELD(struct forest_flat, rows, IMAGE_U64),
	IMAGE_FIELD(struct forest_flat, points, IMAGE_U64),
	IMAGE_FIELD(struct forest_flat, mass, IMAGE_U32),
	IMAGE_FIELD(struct forest_flat, used, IMAGE_U32),
	IMAGE_FIELD(struct forest_flat, room, IMAGE_U32),
	IMAGE_FIELD(struct forest_flat, unit, IMAGE_U32),
	IMAGE_FIELD(struct forest_flat, fresh, IMAGE_U32),
	IMAGE_FIELD(struct forest_flat, window_rows, IMAGE_U32),
	IMAGE_LIST_OF(struct forest_flat, recent, n_recent, IMAGE_F64),
	IMAGE_NESTED_LIST(struct forest_flat, column, n_columns, column_table),
	IMAGE_LIST_OF(struct forest_flat, window, n_window, IMAGE_I16),
	IMAGE_LIST_OF(struct forest_flat, values, n_values, IMAGE_I16),
	IMAGE_LIST_OF(struct forest_flat, next, n_next, IMAGE_U64),
	IMAGE_LIST_OF(struct forest_flat, nodes, n_nodes, IMAGE_U32),
	IMAGE_LIST_OF(struct forest_flat, places, n_places, IMAGE_U16),
	IMAGE_LIST_OF(struct forest_flat, keys, n_places, IMAGE_U16),
};
const struct image_table forest_image_table = IMAGE_TABLE(struct forest_flat, forest_members);

/* ---- laid flat ---- */

static size_t
recent_rows(uint64_t rows)
{
	return rows < FOREST_START ? (size_t)rows : FOREST_START;
}

static struct forest_flat
flat_of(const struct forest *f)
{
	bool begun = f->store != NULL;
	size_t trees = (size_t)f->rule.trees, mass = (size_t)f->mass, columns = (size_t)f->rule.columns;

	return (struct forest_flat){
		.key = f->key,
		.seed = f->rule.seed,
		.decay = f->rule.decay,
		.trees = (uint32_t)f->rule.trees,
		.sample = (uint32_t)f->rule.sample,
		.columns = (uint32_t)f->rule.columns,
		.shingle = (uint32_t)f->rule.shingle,
		.rows = f->rows,
		.points = f->points,
		.mass = (uint32_t)f->mass,
		.used = f->used,
		.room = f->room,
		.unit = f->unit,
		.fresh = f->fresh,
		.window_rows = f->window_rows,
		.recent = f->rows > 0 ? f->recent : NULL,
		.n_recent = recent_rows(f->rows) * columns,
		.column = (struct forest_column *)f->column,
		.n_columns = begun ? columns : 0,
		.window = (int16_t *)f->window,
		.n_window = begun ? (size_t)f->dimensions : 0,
		.values = begun ? f->store->values : NULL,
		.n_values = f->used * columns,
		.next = begun ? f->next : NULL,
		.n_next = begun ? trees : 0,
		.n_nodes = mass > 0 ? trees * (mass - 1) : 0,
		.n_places = trees * mass,
	};
}

int
forest_lay(const struct forest *f, struct forest_flat *ret, struct err *err)
{
	struct forest_flat flat = flat_of(f);
	size_t mass = (size_t)f->mass, nodes = mass > 0 ? mass - 1 : 0;

	if (mass > 0) {
		flat.nodes = malloc(flat.n_nodes * sizeof(*flat.nodes) + 2 * flat.n_places * sizeof(*flat.places));
		if (!flat.nodes)
			return err_set(err, REASON_NO_MEMORY, "forest of %d trees, laid flat", f->rule.trees);
		flat.places = (uint16_t *)(flat.nodes + flat.n_nodes);
		flat.keys = flat.places + flat.n_places;
	}
	for (size_t t = 0; mass > 0 && t < flat.trees; t++) {
		struct forest_tree *tree = f->tree[t];

		memcpy(flat.nodes + t * nodes, tree->node, nodes * sizeof(*flat.nodes));
		memcpy(flat.places + t * mass, forest_places(tree, f->rule.sample), mass * sizeof(*flat.places));
		memcpy(flat.keys + t * mass, forest_keys(tree, f->rule.sample), mass * sizeof(*flat.keys));
	}
	*ret = flat;
	return 0;
}

void
forest_flat_clear(struct forest_flat *flat)
{
	free(flat->nodes);
	*flat = (struct forest_flat){ 0 };
}

size_t
forest_image_bytes(const struct forest *f)
{
	struct forest_flat flat = flat_of(f);
	const size_t lists = 8 * sizeof(uint32_t), numbers = 5 * sizeof(uint64_t) + 10 * sizeof(uint32_t);

	return lists + numbers + flat.n_recent * sizeof(double) +
	       flat.n_columns * (3 * sizeof(double) + sizeof(uint32_t)) +
	       (flat.n_window + flat.n_values) * sizeof(int16_t) + flat.n_next * sizeof(uint64_t) +
	       flat.n_nodes * sizeof(uint32_t) + 2 * flat.n_places * sizeof(uint16_t);
}

/* ---- and back ---- */

static int
corrupt(struct err *err, const char *what)
{
	return err_set(err, REASON_STATE_CORRUPT, "forest: %s", what);
}

static int
check_rule(const struct forest_flat *flat, struct forest_rule *rule, struct err *err)
{
	struct err why = ERR_INIT;

	*rule = (struct forest_rule){ .trees = flat->trees <= FOREST_TREES_MAX ? (int)flat->trees : 0,
				      .sample = flat->sample <= FOREST_SAMPLE_MAX ? (int)flat->sample : 0,
				      .columns = flat->columns <= FOREST_COLUMNS_MAX ? (int)flat->columns : 0,
				      .shingle = flat->shingle <= FOREST_SHINGLE_MAX ? (int)flat->shingle : 0,
				      .decay = flat->decay,
				      .seed = flat->seed };
	return forest_rule_check(rule, &why) < 0 ? corrupt(err, why.text) : 0;
}

static int
check_start(const struct forest_flat *flat, struct err *err)
{
	if (flat->rows >= FOREST_START)
		return corrupt(err, "no trees, though it has seen enough rows");
	if (flat->n_columns || flat->n_window || flat->n_values || flat->n_next || flat->n_nodes || flat->n_places ||
	    flat->points || flat->mass || flat->used || flat->unit != 1 || flat->fresh > flat->shingle ||
	    flat->window_rows)
		return corrupt(err, "trees or points before its first rows are complete");
	return 0;
}

static int
check_lengths(const struct forest_flat *flat, struct err *err)
{
	size_t dimensions = (size_t)flat->columns * flat->shingle, places = (size_t)flat->trees * flat->mass;

	if (flat->rows < FOREST_START || flat->n_columns != flat->columns || flat->n_window != dimensions ||
	    flat->n_values != (size_t)flat->used * flat->columns || flat->n_next != flat->trees ||
	    flat->mass > flat->sample || flat->n_places != places ||
	    flat->n_nodes != (flat->mass > 0 ? places - flat->trees : 0))
		return corrupt(err, "lists that are not as long as it says");
	if ((flat->unit != 1 && flat->unit != flat->shingle) || flat->room > UINT32_C(65536) * flat->unit ||
	    flat->used > flat->room || flat->used % flat->unit || (flat->mass > 0 && flat->used < flat->shingle) ||
	    flat->fresh > flat->shingle || flat->window_rows > flat->shingle ||
	    (flat->mass > 0 && flat->window_rows < flat->shingle))
		return corrupt(err, "a store or a window of an impossible size");
	/* Every point before the sample was full was taken. */
	if (flat->points < flat->mass || (flat->mass < flat->sample && flat->points != flat->mass))
		return corrupt(err, "samples that do not go with the number of points");
	return 0;
}

static int
check_numbers(const struct forest_flat *flat, struct err *err)
{
	for (size_t i = 0; i < flat->n_columns; i++) {
		const struct forest_column *c = &flat->column[i];

		if (isinf(c->centre) || isinf(c->last) || !isfinite(c->scale) || c->scale < 0)
			return corrupt(err, "a column's scale");
	}
	for (size_t i = 0; i < flat->n_window; i++)
		if (flat->window[i] < 0)
			return corrupt(err, "a value off the grid");
	for (size_t i = 0; i < flat->n_values; i++)
		if (flat->values[i] < 0)
			return corrupt(err, "a value off the grid");
	for (size_t t = 0; t < flat->n_next; t++)
		if (flat->mass == flat->sample && flat->next[t] < flat->points)
			return corrupt(err, "a tree that waits for a point of the past");
	return 0;
}

static int
restore_trees(struct forest *f, const struct forest_flat *flat, struct err *err)
{
	size_t mass = flat->mass, nodes = mass > 0 ? mass - 1 : 0;
	uint32_t places = mass > 0 ? (flat->used - flat->shingle) / flat->unit + 1 : 0;

	for (size_t t = 0; t < flat->trees; t++) {
		struct forest_tree *tree = f->tree[t] = forest_tree_new(f->rule.sample);

		if (!tree)
			return err_set(err, REASON_NO_MEMORY, "forest of %d trees", f->rule.trees);
		if (mass == 0)
			continue;
		memcpy(tree->node, flat->nodes + t * nodes, nodes * sizeof(*flat->nodes));
		memcpy(forest_places(tree, f->rule.sample), flat->places + t * mass, mass * sizeof(*flat->places));
		memcpy(forest_keys(tree, f->rule.sample), flat->keys + t * mass, mass * sizeof(*flat->keys));
		if (!forest_tree_sound(tree, f->rule.sample, f->mass, f->dimensions, places))
			return corrupt(err, "a tree whose nodes or places do not make one");
	}
	return 0;
}

static int
restore_points(struct forest *f, const struct forest_flat *flat, struct err *err)
{
	f->store = forest_store_new(f->room, f->rule.columns);
	if (!f->store)
		return err_set(err, REASON_NO_MEMORY, "forest of %d trees", f->rule.trees);
	f->store->used = f->used;
	if (flat->n_values)
		memcpy(f->store->values, flat->values, flat->n_values * sizeof(*flat->values));
	memcpy(f->window, flat->window, flat->n_window * sizeof(*flat->window));
	memcpy(f->column, flat->column, flat->n_columns * sizeof(*flat->column));
	memcpy(f->next, flat->next, flat->n_next * sizeof(*flat->next));
	return restore_trees(f, flat, err);
}

DEFINE_CLEANUP(struct forest, forest_free)

int
forest_restore(const struct forest_flat *flat, struct forest **ret, struct err *err)
{
	CLEANUP(forest_free) struct forest *f = NULL;
	struct forest_rule rule;
	bool begun = flat->n_columns > 0;

	if (check_rule(flat, &rule, err) < 0)
		return -1;
	if (flat->n_recent != recent_rows(flat->rows) * flat->columns)
		return corrupt(err, "recent rows that are not as many as it says");
	if (begun ? check_lengths(flat, err) < 0 || check_numbers(flat, err) < 0 : check_start(flat, err) < 0)
		return -1;
	f = forest_alloc(&rule, flat->key);
	if (!f)
		return err_set(err, REASON_NO_MEMORY, "forest of %d trees", rule.trees);
	f->rows = flat->rows;
	f->points = flat->points;
	f->mass = (int)flat->mass;
	f->used = flat->used;
	f->room = flat->room;
	f->unit = flat->unit;
	f->fresh = flat->fresh;
	f->window_rows = flat->window_rows;
	if (flat->n_recent)
		memcpy(f->recent, flat->recent, flat->n_recent * sizeof(*flat->recent));
	if (begun && restore_points(f, flat, err) < 0)
		return -1;
	*ret = TAKE(f);
	return 0;
}
