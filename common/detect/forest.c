/*
 * forest.c -- rows become points, points go into the trees that take them, and a look asks all of them.
 *
 * What can fail comes first and changes nothing that can be told from outside: shared trees are copied, room is made.  The
 * rest cannot fail.
 */
#include "common/detect/forest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/detect/forest_impute.h"
#include "common/detect/forest_kernel.h"
#include "common/detect/forest_math.h"
#include "common/detect/forest_points.h"
#include "common/detect/forest_sample.h"
#include "common/detect/forest_scale.h"
#include "common/detect/forest_tree.h"

#define START_ROOM (2 * FOREST_START * FOREST_SHINGLE_MAX) /* rows of the first store */

/* ---- making and sharing ---- */

static size_t
own_bytes(const struct forest_rule *rule)
{
	return sizeof(struct forest) + (size_t)rule->trees * (sizeof(struct forest_tree *) + sizeof(uint64_t)) +
	       (size_t)FOREST_START * (size_t)rule->columns * sizeof(double);
}

/* Where what lies behind the trees is. */
static void
set_own(struct forest *f)
{
	f->next = (uint64_t *)(f->tree + f->rule.trees);
	f->recent = (double *)(void *)(f->next + f->rule.trees);
}

int
forest_rule_check(const struct forest_rule *r, struct err *err)
{
	if (r->trees < 1 || r->trees > FOREST_TREES_MAX || r->sample < FOREST_SAMPLE_MIN ||
	    r->sample > FOREST_SAMPLE_MAX || r->trees * r->sample > FOREST_POINTS_MAX)
		return err_set(err, REASON_OPTION_INVALID,
			       "forest: %d trees of %d points; 1 to %d of %d to %d, and %d points in all, are possible",
			       r->trees, r->sample, FOREST_TREES_MAX, FOREST_SAMPLE_MIN, FOREST_SAMPLE_MAX,
			       FOREST_POINTS_MAX);
	if (r->columns < 1 || r->columns > FOREST_COLUMNS_MAX || r->shingle < 1 || r->shingle > FOREST_SHINGLE_MAX)
		return err_set(err, REASON_OPTION_INVALID,
			       "forest: %d columns, %d rows to a point; at most %d and %d, at least 1, are possible",
			       r->columns, r->shingle, FOREST_COLUMNS_MAX, FOREST_SHINGLE_MAX);
	if (!(r->decay >= 0 && r->decay <= FOREST_DECAY_MAX))
		return err_set(err, REASON_OPTION_INVALID, "forest: decay %g; 0 to %d is possible", r->decay,
			       FOREST_DECAY_MAX);
	return 0;
}

struct forest *
forest_alloc(const struct forest_rule *rule, uint64_t key)
{
	struct forest *f = calloc(1, own_bytes(rule));

	if (!f)
		return NULL;
	f->rule = *rule;
	f->key = key;
	f->kernel = forest_kernel_find(NULL);
	f->dimensions = rule->columns * rule->shingle;
	f->unit = 1;
	f->fresh = (uint32_t)rule->shingle;
	set_own(f);
	return f;
}

int
forest_new(const struct forest_rule *rule, uint64_t key, struct forest **ret, struct err *err)
{
	struct forest *f;

	if (forest_rule_check(rule, err) < 0)
		return -1;
	f = forest_alloc(rule, key);
	if (!f)
		return err_set(err, REASON_NO_MEMORY, "forest of %d trees", rule->trees);
	*ret = f;
	return 0;
}

int
forest_copy(const struct forest *f, struct forest **ret, struct err *err)
{
	struct forest *copy = malloc(own_bytes(&f->rule));

	if (!copy)
		return err_set(err, REASON_NO_MEMORY, "copy of a forest of %d trees", f->rule.trees);
	memcpy(copy, f, own_bytes(&f->rule));
	set_own(copy);
	if (f->store) {
		f->store->owners++;
		for (int t = 0; t < f->rule.trees; t++)
			f->tree[t]->owners++;
	}
	*ret = copy;
	return 0;
}

void
forest_free(struct forest *f)
{
	if (!f)
		return;
	for (int t = 0; t < f->rule.trees; t++)
		forest_tree_release(f->tree[t]);
	forest_store_release(f->store);
	free(f);
}

const struct forest_rule *
forest_rule(const struct forest *f)
{
	return &f->rule;
}

size_t
forest_memory(const struct forest *f)
{
	size_t bytes = own_bytes(&f->rule);

	if (f->store)
		bytes += forest_store_bytes(f->store->rows, f->rule.columns) +
			 (size_t)f->rule.trees * forest_tree_bytes(f->rule.sample);
	return bytes;
}

uint64_t
forest_stream(const struct forest *f, int tree)
{
	return random_u64(f->rule.seed, f->key, (uint64_t)tree);
}

static void
sweep(const void *from, size_t bytes)
{
	const volatile char *p = from;
	const size_t line = 64;

	/* Loads rather than hints, which get lost when there are many. */
	for (size_t at = 0; at < bytes; at += line)
		(void)p[at];
}

void
forest_fetch(const struct forest *f)
{
	if (!f->store)
		return;
	sweep(f->store->values, (size_t)f->used * (size_t)f->rule.columns * sizeof(int16_t));
	for (int t = 0; t < f->rule.trees; t++)
		sweep(f->tree[t], forest_tree_bytes(f->rule.sample));
}

/* ---- looking ---- */

bool
forest_ready(const struct forest *f)
{
	int wanted = f->rule.sample / 4;

	return f->mass >= (wanted > FOREST_START ? wanted : FOREST_START);
}

struct forest_view
forest_sight(const struct forest *f, const int16_t *point)
{
	return (struct forest_view){ .trees = f->tree,
				     .n_trees = f->rule.trees,
				     .sample = f->rule.sample,
				     .mass = f->mass,
				     .values = f->store->values,
				     .stride = forest_stride(f),
				     .columns = f->rule.columns,
				     .dimensions = f->dimensions,
				     .point = point };
}

/* The point that ROW, all of it known, would end. */
static void
point_of(const struct forest *f, const double *row, int16_t *point)
{
	size_t older = (size_t)(f->dimensions - f->rule.columns);

	memcpy(point, f->window + f->rule.columns, older * sizeof(*point));
	for (int i = 0; i < f->rule.columns; i++)
		point[older + (size_t)i] = forest_column_encode(&f->column[i], row[i]);
	memset(point + f->dimensions, 0, FOREST_PADDING * sizeof(*point));
}

/* ROW, or FILLED with its imputation.  *KNOWN: how many values it has. */
static const double *
whole_row(const struct forest *f, const double *row, double *filled, int *known)
{
	*known = 0;
	for (int i = 0; i < f->rule.columns; i++)
		*known += isfinite(row[i]) != 0;
	if (*known == f->rule.columns)
		return row;
	forest_impute(f, row, filled);
	return filled;
}

struct forest_look
forest_look(const struct forest *f, const double *row, struct forest_share *shares)
{
	int16_t point[FOREST_DIMENSIONS_MAX + FOREST_PADDING];
	double filled[FOREST_COLUMNS_MAX], high[FOREST_COLUMNS_MAX] = { 0 }, low[FOREST_COLUMNS_MAX] = { 0 };
	struct forest_look look = { 0 };
	struct forest_view v;
	double unit;
	int known;

	if (!forest_ready(f)) {
		if (shares)
			memset(shares, 0, (size_t)f->rule.columns * sizeof(*shares));
		return look;
	}
	point_of(f, whole_row(f, row, filled, &known), point);
	v = forest_sight(f, point);
	unit = forest_log2(f->mass + 1) / f->rule.trees;
	f->kernel->look(&v, &look.score, &look.displacement);
	look.score *= unit;
	look.displacement /= f->rule.trees;
	look.ready = true;
	if (!shares)
		return look;
	f->kernel->share(&v, high, low);
	for (int i = 0; i < f->rule.columns; i++)
		shares[i] = (struct forest_share){ .high = high[i] * unit, .low = low[i] * unit };
	return look;
}

void
forest_impute(const struct forest *f, const double *row, double *filled)
{
	int16_t point[FOREST_DIMENSIONS_MAX + FOREST_PADDING];
	bool missing[FOREST_COLUMNS_MAX];
	double known[FOREST_COLUMNS_MAX] = { 0 };
	int n_missing = 0;

	for (int i = 0; i < f->rule.columns; i++) {
		const struct forest_column *c = &f->column[i];

		missing[i] = !isfinite(row[i]);
		n_missing += missing[i];
		known[i] = !missing[i] ? row[i] : !f->store || isnan(c->last) ? 0 : c->last;
	}
	memcpy(filled, known, (size_t)f->rule.columns * sizeof(*filled));
	if (!f->store)
		forest_start_last(f, missing, filled);
	if (!forest_ready(f) || n_missing == 0)
		return;
	point_of(f, known, point);
	forest_fill(f, point, missing, filled);
}

/* ---- learning ---- */

/* The window's newest row becomes ROW. */
static void
push_row(struct forest *f, const double *row, const double *given)
{
	size_t columns = (size_t)f->rule.columns, older = (size_t)f->dimensions - columns;
	uint32_t shingle = (uint32_t)f->rule.shingle;

	memmove(f->window, f->window + columns, older * sizeof(f->window[0]));
	for (size_t i = 0; i < columns; i++) {
		if (isfinite(given[i]))
			forest_column_meet(&f->column[i], given[i]);
		f->window[older + i] = forest_column_encode(&f->column[i], row[i]);
	}
	memmove(f->recent + f->rows % FOREST_START * columns, given, columns * sizeof(*given));
	f->rows++;
	f->window_rows += f->window_rows < shingle;
	f->fresh += f->fresh < shingle;
}

/* Will tree T take the next point that is offered? */
static bool
takes(const struct forest *f, int t)
{
	return f->mass < f->rule.sample || f->next[t] == f->points;
}

/* Trees that take the next point: how many, and which. */
static int
takers(const struct forest *f, uint8_t *which)
{
	int n = 0;

	for (int t = 0; t < f->rule.trees; t++) {
		which[n] = (uint8_t)t;
		n += takes(f, t);
	}
	return n;
}

/* Room for the next point in tree T, which is full: the point of the greatest level goes.  That level. */
static double
make_room(struct forest *f, const struct forest_sampler *s, int t)
{
	uint16_t *keys = forest_keys(f->tree[t], f->rule.sample);
	int last = f->kernel->greatest(keys, f->mass, forest_sample_base(s, f->points));
	double level = forest_sample_level(s, keys[last], f->points);

	forest_tree_remove(f->tree[t], f->rule.sample, f->mass, last);
	return level;
}

/* The greatest level in tree T. */
static double
greatest_level(const struct forest *f, const struct forest_sampler *s, int t)
{
	const uint16_t *keys = forest_keys(f->tree[t], f->rule.sample);
	int last = f->kernel->greatest(keys, f->rule.sample, forest_sample_base(s, f->points));

	return forest_sample_level(s, keys[last], f->points);
}

/*
 * The window is a point: into the N > 0 trees that take it.  There is room, and they are not shared.  One thing at a time for
 * all of them, so that what is slow in one overlaps with another.
 */
static void
plant_point(struct forest *f, const uint8_t *which, int n)
{
	struct forest_sampler sampler = forest_sampler(f->rule.decay, f->rule.sample);
	struct forest_view v = forest_sight(f, f->window);
	struct forest_place places[FOREST_TREES_MAX];
	struct forest_tree *trees[FOREST_TREES_MAX];
	uint64_t streams[FOREST_TREES_MAX], number = f->points;
	uint16_t keys[FOREST_TREES_MAX], at = forest_points_append(f);
	double levels[FOREST_TREES_MAX];
	bool full = f->mass == f->rule.sample;

	for (int i = 0; i < n; i++) {
		trees[i] = f->tree[which[i]];
		streams[i] = forest_stream(f, which[i]);
	}
	for (int i = 0; full && i < n; i++)
		levels[i] = make_room(f, &sampler, which[i]);
	for (int i = 0; i < n; i++) {
		double u = random_uniform(streams[i], number, 0);

		keys[i] = full ? forest_sample_key_below(&sampler, number, levels[i], u)
			       : forest_sample_key(&sampler, number, u);
	}
	v.trees = trees;
	v.n_trees = n;
	v.mass -= full;
	if (v.mass > 0)
		f->kernel->place(&v, streams, number, places);
	for (int i = 0; i < n; i++)
		forest_tree_insert(trees[i], f->rule.sample, v.mass, &places[i], at, keys[i]);
	full = v.mass + 1 == f->rule.sample;
	for (int i = 0; full && i < n; i++)
		levels[i] = greatest_level(f, &sampler, which[i]);
	for (int i = 0; full && i < n; i++)
		f->next[which[i]] =
		    forest_sample_next(&sampler, levels[i], number, random_uniform(streams[i], number, 1));
}

static void
take_point(struct forest *f, const uint8_t *which, int n)
{
	if (n > 0)
		plant_point(f, which, n);
	f->mass += f->mass < f->rule.sample;
	f->points++;
}

/* Does the next row, of which KNOWN values are given, end a point that is offered? */
static bool
ends_point(const struct forest *f, int known)
{
	return 2 * known >= f->rule.columns && f->window_rows + 1 >= (uint32_t)f->rule.shingle;
}

/* Everything that the next point needs.  -1: no memory, and nothing has changed. */
static int
prepare_point(struct forest *f, const uint8_t *which, int n)
{
	if (n > 0 && (forest_points_reserve(f) < 0 || forest_own_trees(f, which, n) < 0))
		return -1;
	return forest_scale_due(f) ? forest_rescale(f) : 0;
}

/* The rows of the start are there: trees, scales, and the points that they make. */
static int
begin(struct forest *f)
{
	size_t columns = (size_t)f->rule.columns;
	double filled[FOREST_COLUMNS_MAX];
	int known;

	f->store = forest_store_new(START_ROOM, f->rule.columns);
	for (int t = 0; f->store && t < f->rule.trees; t++)
		if (!(f->tree[t] = forest_tree_new(f->rule.sample)))
			break;
	if (!f->store || !f->tree[f->rule.trees - 1]) {
		for (int t = 0; t < f->rule.trees; t++)
			forest_tree_release(TAKE(f->tree[t]));
		forest_store_release(TAKE(f->store));
		return -1;
	}
	f->rows = 0;
	f->room = START_ROOM;
	forest_scale_start(f);
	for (size_t k = 0; k < FOREST_START; k++) {
		const double *given = f->recent + k * columns, *row = whole_row(f, given, filled, &known);
		bool ends = ends_point(f, known);
		uint8_t which[FOREST_TREES_MAX];

		push_row(f, row, given);
		if (ends)
			take_point(f, which, takers(f, which));
	}
	return 0;
}

int
forest_add(struct forest *f, const double *row, struct err *err)
{
	double filled[FOREST_COLUMNS_MAX];
	uint8_t which[FOREST_TREES_MAX];
	const double *whole;
	int known, n;
	bool ends;

	if (!f->store) {
		memcpy(f->recent + f->rows * (uint64_t)f->rule.columns, row, (size_t)f->rule.columns * sizeof(*row));
		if (f->rows + 1 == FOREST_START)
			return begin(f) < 0 ? err_set(err, REASON_NO_MEMORY, "forest of %d trees", f->rule.trees) : 0;
		f->rows++;
		return 0;
	}
	whole = whole_row(f, row, filled, &known);
	ends = ends_point(f, known);
	n = ends ? takers(f, which) : 0;
	if (ends && prepare_point(f, which, n) < 0)
		return err_set(err, REASON_NO_MEMORY, "a point of a forest of %d trees", f->rule.trees);
	push_row(f, whole, row);
	if (ends)
		take_point(f, which, n);
	return 0;
}
