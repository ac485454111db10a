/* forest_scale.c -- see forest_scale.h. */
#include "common/detect/forest_scale.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/detect/forest_points.h"
#include "common/detect/forest_tree.h"

#define EARLY_RATIO 1.5
#define LATE_RATIO 4
#define BUILDING (UINT64_C(1) << 63) /* tells the random numbers of a building from those of points */

void
forest_scale_start(struct forest *f, const double *rows, size_t n)
{
	for (int i = 0; i < f->rule.columns; i++) {
		struct forest_column *c = &f->column[i];
		double x[FOREST_START];
		size_t known = 0;

		*c = (struct forest_column){ .centre = NAN, .last = NAN };
		for (size_t k = 0; k < n; k++)
			if (isfinite(rows[k * (size_t)f->rule.columns + (size_t)i]))
				x[known++] = rows[k * (size_t)f->rule.columns + (size_t)i];
		if (known > 0)
			forest_column_measure(x, known, &c->centre, &c->scale);
	}
}

bool
forest_scale_due(const struct forest *f)
{
	uint64_t sample = (uint64_t)f->rule.sample;

	return f->points == sample / 4 || f->points == sample || (f->points > 0 && f->points % (4 * sample) == 0);
}

/* Which columns are far off?  Their new centres and scales. */
static bool
measure(const struct forest *f, struct forest_column *columns, bool *changed)
{
	const uint16_t *places = forest_places_of(f->tree[0], f->rule.sample);
	double ratio = f->points <= (uint64_t)f->rule.sample ? EARLY_RATIO : LATE_RATIO;
	bool any = false;

	for (int i = 0; i < f->rule.columns; i++) {
		size_t newest = (size_t)(f->dimensions - f->rule.columns + i);
		double x[FOREST_SAMPLE_MAX], centre, scale;

		columns[i] = f->column[i];
		for (int k = 0; k < f->mass; k++)
			x[k] = forest_column_decode(&f->column[i],
						    f->store->values[places[k] * forest_stride(f) + newest]);
		forest_column_measure(x, (size_t)f->mass, &centre, &scale);
		changed[i] = !isnan(f->column[i].centre) && forest_column_far(&f->column[i], centre, scale, ratio);
		if (changed[i]) {
			columns[i].centre = centre;
			columns[i].scale = scale;
			any = true;
		}
	}
	return any;
}

static void
convert(const struct forest *f, const struct forest_column *columns, const bool *changed, int16_t *values, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		size_t i = k % (size_t)f->rule.columns;

		if (changed[i])
			values[k] = forest_column_encode(&columns[i], forest_column_decode(&f->column[i], values[k]));
	}
}

/* Trees of their own for the places that F's have; -1: no memory. */
static int
plant(const struct forest *f, const struct forest_store *store, struct forest_tree **trees)
{
	struct forest_view v = { .n_trees = 1,
				 .sample = f->rule.sample,
				 .mass = f->mass,
				 .values = store->values,
				 .stride = forest_stride(f),
				 .columns = f->rule.columns,
				 .dimensions = f->dimensions };

	for (int t = 0; t < f->rule.trees; t++) {
		trees[t] = forest_tree_clone(f->tree[t], f->rule.sample);
		if (!trees[t])
			return -1;
		v.trees = &trees[t];
		forest_tree_build(&v, forest_stream(f, t), f->points | BUILDING);
	}
	return 0;
}

int
forest_rescale(struct forest *f)
{
	struct forest_tree *trees[FOREST_TREES_MAX] = { NULL };
	struct forest_column columns[FOREST_COLUMNS_MAX];
	bool changed[FOREST_COLUMNS_MAX];
	size_t values = (size_t)f->used * (size_t)f->rule.columns;
	struct forest_store *store;

	if (!measure(f, columns, changed))
		return 0;
	store = forest_store_new(f->room, f->rule.columns);
	if (!store)
		return -1;
	memcpy(store->values, f->store->values, values * sizeof(int16_t));
	store->used = f->used;
	convert(f, columns, changed, store->values, values);
	if (plant(f, store, trees) < 0) {
		for (int t = 0; t < f->rule.trees; t++)
			forest_tree_release(trees[t]);
		forest_store_release(store);
		return -1;
	}
	convert(f, columns, changed, f->window, (size_t)f->dimensions);
	for (int t = 0; t < f->rule.trees; t++) {
		forest_tree_release(f->tree[t]);
		f->tree[t] = trees[t];
	}
	forest_store_release(f->store);
	f->store = store;
	memcpy(f->column, columns, (size_t)f->rule.columns * sizeof(columns[0]));
	return 0;
}
