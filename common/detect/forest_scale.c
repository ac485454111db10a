/* forest_scale.c -- see forest_scale.h. */
#include "common/detect/forest_scale.h"

#include <math.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/detect/forest_points.h"
#include "common/detect/forest_tree.h"

#define EARLY_RATIO 1.5
#define LATE_RATIO 4
#define COLLAPSED 4                  /* steps */
#define BUILDING (UINT64_C(1) << 63) /* tells the random numbers of a building from those of points */

/* Centre and scale of column I in the recent rows; how many values of it there are. */
static size_t
measure_recent(const struct forest *f, int i, double *centre, double *scale)
{
	double x[FOREST_START];
	size_t known = 0;

	for (size_t k = 0; k < FOREST_START; k++) {
		double value = f->recent[k * (size_t)f->rule.columns + (size_t)i];

		if (isfinite(value))
			x[known++] = value;
	}
	if (known > 0)
		forest_column_measure(x, known, centre, scale);
	return known;
}

void
forest_scale_start(struct forest *f)
{
	for (int i = 0; i < f->rule.columns; i++) {
		struct forest_column *c = &f->column[i];

		*c = (struct forest_column){ .centre = NAN, .last = NAN };
		if (measure_recent(f, i, &c->centre, &c->scale) < FOREST_START / 2)
			c->centre = NAN;
	}
}

/* Has column I met enough values to be measured, though it had too few at the start? */
static bool
begins(const struct forest *f, int i)
{
	return isnan(f->column[i].centre) && f->column[i].met >= FOREST_START;
}

bool
forest_scale_due(const struct forest *f)
{
	uint64_t sample = (uint64_t)f->rule.sample;

	for (int i = 0; i < f->rule.columns; i++)
		if (begins(f, i))
			return true;
	return f->points == sample / 4 || f->points == sample || (f->points > 0 && f->points % (4 * sample) == 0);
}

#define DIGIT 256

/* By one digit of theirs, from BIT on; those of the same digit stay in their order. */
static void
sort_by_digit(const int16_t *from, size_t n, int bit, int16_t *to)
{
	uint16_t at[DIGIT] = { 0 }, sum = 0;

	for (size_t i = 0; i < n; i++)
		at[from[i] >> bit & (DIGIT - 1)]++;
	for (int k = 0; k < DIGIT; k++) {
		uint16_t count = at[k];

		at[k] = sum;
		sum = (uint16_t)(sum + count);
	}
	for (size_t i = 0; i < n; i++)
		to[at[from[i] >> bit & (DIGIT - 1)]++] = from[i];
}

/* Values of the grid, at most FOREST_SAMPLE_MAX, in ascending order. */
static void
sort_values(int16_t *values, size_t n)
{
	int16_t half[FOREST_SAMPLE_MAX];

	sort_by_digit(values, n, 0, half);
	sort_by_digit(half, n, 8, values);
}

/* Centre and scale of column I in the newest rows of the first tree's points. */
static void
measure_points(const struct forest *f, int i, double *centre, double *scale)
{
	const uint16_t *places = forest_places_of(f->tree[0], f->rule.sample);
	size_t newest = (size_t)(f->dimensions - f->rule.columns + i), n = (size_t)f->mass;
	const struct forest_column *c = &f->column[i];
	int16_t values[FOREST_SAMPLE_MAX] = { 0 };
	double x[FOREST_SAMPLE_MAX], near, fine;

	for (size_t k = 0; k < n; k++)
		values[k] = f->store->values[places[k] * forest_stride(f) + newest];
	sort_values(values, n);
	for (size_t k = 0; k < n; k++)
		x[k] = forest_column_decode(c, values[k]);
	forest_column_measure(x, n, centre, scale);
	if (values[n - 1 - n / 4] - values[n / 4] > COLLAPSED || measure_recent(f, i, &near, &fine) == 0)
		return;
	if (fine > 0 && fine * (GRID_UNIT / COLLAPSED) < c->scale) {
		*centre = near;
		*scale = fine;
	}
}

/* Which columns are far off?  Their new centres and scales. */
static bool
measure(const struct forest *f, struct forest_column *columns, bool *changed)
{
	double ratio = f->points <= (uint64_t)f->rule.sample ? EARLY_RATIO : LATE_RATIO;
	bool any = false;

	for (int i = 0; i < f->rule.columns; i++) {
		double centre, scale;

		columns[i] = f->column[i];
		if (begins(f, i)) {
			changed[i] = measure_recent(f, i, &centre, &scale) > 0;
		} else {
			measure_points(f, i, &centre, &scale);
			changed[i] =
			    !isnan(f->column[i].centre) && forest_column_far(&f->column[i], centre, scale, ratio);
		}
		if (changed[i]) {
			columns[i].centre = centre;
			columns[i].scale = scale;
			any = true;
		}
	}
	return any;
}

/* One of the values of column I in the recent rows, by chance; there is one. */
static double
draw(const struct forest *f, int i, uint64_t number)
{
	uint64_t at = random_u64(forest_stream(f, f->rule.trees), f->points, number);
	double value;

	do
		value = f->recent[at++ % FOREST_START * (size_t)f->rule.columns + (size_t)i];
	while (!isfinite(value));
	return value;
}

static void
convert(const struct forest *f, const struct forest_column *columns, const bool *changed, int16_t *values, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		size_t i = k % (size_t)f->rule.columns;

		if (changed[i])
			values[k] = forest_column_encode(
			    &columns[i], isnan(f->column[i].centre) ? draw(f, (int)i, k)
								    : forest_column_decode(&f->column[i], values[k]));
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
