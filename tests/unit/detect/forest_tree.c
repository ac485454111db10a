/* forest_tree.c -- trees, one at a time: against the plain reference, and against the law of random cuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/detect/forest_math.h"
#include "common/detect/forest_tree.h"
#include "tests/unit/detect/forest_reference.h"

#define SAMPLE 64
#define POINTS 2000

static const char *const sets[] = { "portable", "avx2", "avx512" };

/* Points that a tree may hold, and the tree. */
struct bed {
	struct forest_tree *tree;
	struct forest_view view;
	int16_t values[POINTS * REFERENCE_DIMENSIONS + FOREST_PADDING];
	int16_t point[FOREST_DIMENSIONS_MAX + FOREST_PADDING];
	const struct forest_kernel *kernel;
};

/* Whole numbers below SPREAD << the dimension, so that dimensions are of different weight; small ones fall together. */
static struct bed *
bed_new(int dimensions, int spread, uint64_t seed)
{
	struct bed *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->tree = forest_tree_new(SAMPLE);
	b->kernel = forest_kernel_find(NULL);
	for (int i = 0; i < POINTS * dimensions; i++)
		b->values[i] = (int16_t)(random_u64(seed, 1, (uint64_t)i) % (uint64_t)(spread << i % dimensions % 4));
	b->view = (struct forest_view){ .trees = &b->tree,
					.n_trees = 1,
					.sample = SAMPLE,
					.values = b->values,
					.stride = (size_t)dimensions,
					.columns = dimensions,
					.dimensions = dimensions,
					.point = b->point };
	return b;
}

static void
bed_free(struct bed *b)
{
	forest_tree_release(b->tree);
	free(b);
}

static void
aim(struct bed *b, int at)
{
	memcpy(b->point, b->values + at * b->view.dimensions, (size_t)b->view.dimensions * sizeof(int16_t));
}

static void
plant(struct bed *b, int at, uint64_t stream, uint64_t number)
{
	struct forest_place place = { 0 };

	aim(b, at);
	if (b->view.mass > 0)
		b->kernel->place(&b->view, &stream, number, &place);
	forest_tree_insert(b->tree, SAMPLE, b->view.mass++, &place, (uint16_t)at, (uint16_t)at);
}

/* Keys are the points' numbers, so that a place that has lost its key is found out. */
static int
uproot(struct bed *b, int slot)
{
	int at = forest_places(b->tree, SAMPLE)[slot];

	assert_int_equal(forest_keys(b->tree, SAMPLE)[slot], at);
	forest_tree_remove(b->tree, SAMPLE, b->view.mass--, slot);
	return at;
}

static void
doubles(const struct bed *b, int at, double *point)
{
	for (int i = 0; i < b->view.dimensions; i++)
		point[i] = b->values[at * b->view.dimensions + i];
}

/* The same cuts, the same masses; the first node and place behind the subtree. */
static void
assert_same_tree(const struct bed *b, const struct reference_node *r, int *node, int *place)
{
	uint32_t found;

	if (!r->left) {
		for (int i = 1; i < r->mass; i++)
			assert_int_equal(b->tree->node[(*node)++], NODE_GROUP);
		for (int i = 0; i < r->mass; i++, (*place)++)
			for (int k = 0; k < b->view.dimensions; k++)
				assert_true(
				    b->values[forest_places(b->tree, SAMPLE)[*place] * b->view.dimensions + k] ==
				    (int)r->lo[k]);
		return;
	}
	found = b->tree->node[(*node)++];
	assert_int_equal(NODE_DIMENSION(found), r->dimension);
	assert_int_equal(NODE_CUT(found), (int)r->cut);
	assert_int_equal(NODE_LEFT(found), r->left->mass);
	assert_same_tree(b, r->left, node, place);
	assert_same_tree(b, r->right, node, place);
}

static void
assert_near(double a, double b, double by)
{
	if (!(fabs(a - b) <= by * (1 + fabs(b))))
		fail_msg("%.17g is not %.17g", a, b);
}

/* Looks from all sets, at a point that is there and at one that is not. */
static void
assert_same_looks(struct bed *b, const struct reference *r, int at)
{
	double point[REFERENCE_DIMENSIONS], score, displacement, parts;

	aim(b, at);
	doubles(b, at, point);
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		const struct forest_kernel *kernel = forest_kernel_find(sets[i]);
		double high[REFERENCE_DIMENSIONS] = { 0 }, low[REFERENCE_DIMENSIONS] = { 0 };

		if (!kernel)
			continue;
		kernel->look(&b->view, &score, &displacement);
		assert_near(score, reference_score(r, point), 1e-12);
		assert_near(displacement, reference_displacement(r, point), 1e-6); /* floats */
		kernel->share(&b->view, high, low);
		parts = 0;
		for (int k = 0; k < b->view.dimensions; k++) {
			assert_true(high[k] >= 0 && low[k] >= 0);
			parts += high[k] + low[k];
		}
		assert_near(parts, score, 1e-12);
	}
}

/* Points come and go; with the same random numbers the trees are the same all the time. */
static void
grows_like_the_reference(void **state)
{
	static const struct {
		int dimensions, spread;
	} rows[] = { { 1, 20 }, { 1, 4000 }, { 2, 3 }, { 3, 50 }, { 8, 2 }, { 8, 900 }, { 9, 100 }, { 16, 2000 } };

	for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
		struct bed *b = bed_new(rows[row].dimensions, rows[row].spread, row);
		struct reference r = { .dimensions = rows[row].dimensions };
		double point[REFERENCE_DIMENSIONS];

		for (int i = 0; i < POINTS - 1; i++) {
			int node = 0, place = 0;

			if (b->view.mass == SAMPLE || (b->view.mass > 1 && random_u64(3, row, (uint64_t)i) % 3 == 0)) {
				int slot = (int)(random_u64(4, row, (uint64_t)i) % (uint64_t)b->view.mass);

				doubles(b, uproot(b, slot), point);
				reference_remove(&r, point);
			}
			plant(b, i, row + 77, (uint64_t)i);
			doubles(b, i, point);
			reference_insert(&r, point, row + 77, (uint64_t)i);
			assert_same_tree(b, r.root, &node, &place);
			assert_int_equal(place, b->view.mass);
			assert_true(forest_tree_sound(b->tree, SAMPLE, b->view.mass, b->view.dimensions, POINTS));
			if (i % 10 == 0) {
				assert_same_looks(b, &r, i);
				assert_same_looks(b, &r, i + 1);
			}
		}
		reference_free(&r);
		bed_free(b);
	}
}

/* What was put in and taken out again has left nothing. */
static void
deletion_undoes_insertion(void **state)
{
	struct bed *b = bed_new(4, 30, 9);
	uint32_t before[SAMPLE];

	for (int i = 0; i < 40; i++)
		plant(b, i, 5, (uint64_t)i);
	for (int i = 40; i < 600; i++) {
		int slot = 0;

		memcpy(before, b->tree->node, sizeof(before));
		plant(b, i, 5, (uint64_t)i);
		while (forest_places(b->tree, SAMPLE)[slot] != i)
			slot++;
		uproot(b, slot);
		assert_memory_equal(b->tree->node, before, (size_t)(b->view.mass - 1) * sizeof(before[0]));
	}
	bed_free(b);
}

enum law { GROWN, THINNED, BUILT };

#define LAW_POINTS 24
#define LAW_TREES 6000
#define LAW_CELLS 16

/* A tree of the first points of B: grown by them alone; with others that have gone again; built at once. */
static void
make_tree(struct bed *b, enum law law, uint64_t stream)
{
	b->view.mass = 0;
	if (law == THINNED)
		for (int i = 0; i < LAW_POINTS; i++)
			plant(b, 100 + i, stream, 100 + (uint64_t)i);
	for (int i = 0; i < LAW_POINTS; i++) {
		plant(b, i, stream, (uint64_t)i);
		if (law == THINNED) {
			int slot = 0;

			while (forest_places(b->tree, SAMPLE)[slot] != 100 + i)
				slot++;
			uproot(b, slot);
		}
	}
	if (law == BUILT)
		forest_tree_build(&b->view, stream, 7);
}

/* The first cut falls anywhere in the box with the same chance, however the tree has come about. */
static void
first_cuts_follow_the_ranges(void **state)
{
	struct bed *b = bed_new(3, 1000, 21);
	int lo[3] = { GRID_MAX, GRID_MAX, GRID_MAX }, hi[3] = { 0 }, range = 0;

	for (int i = 0; i < LAW_POINTS; i++)
		for (int k = 0; k < 3; k++) {
			int x = b->values[i * 3 + k];

			lo[k] = x < lo[k] ? x : lo[k];
			hi[k] = x > hi[k] ? x : hi[k];
		}
	for (int k = 0; k < 3; k++)
		range += hi[k] - lo[k];
	for (enum law law = GROWN; law <= BUILT; law++) {
		double cells[LAW_CELLS] = { 0 }, chi2 = 0;

		for (int t = 0; t < LAW_TREES; t++) {
			int at, k;

			make_tree(b, law, (uint64_t)t * 3 + law);
			at = NODE_CUT(b->tree->node[0]);
			at -= lo[NODE_DIMENSION(b->tree->node[0])];
			for (k = 0; k < (int)NODE_DIMENSION(b->tree->node[0]); k++)
				at += hi[k] - lo[k];
			cells[at * LAW_CELLS / range]++;
		}
		for (int c = 0; c < LAW_CELLS; c++) {
			int first = (c * range + LAW_CELLS - 1) / LAW_CELLS,
			    next = ((c + 1) * range + LAW_CELLS - 1) / LAW_CELLS;
			double expected = (double)LAW_TREES * (next - first) / range;

			chi2 += (cells[c] - expected) * (cells[c] - expected) / expected;
		}
		if (!(chi2 < 37.7)) /* 15 degrees of freedom, one in a thousand */
			fail_msg("law %d: chi2 %g", law, chi2);
	}
	bed_free(b);
}

/* Means of scores over many trees, against the reference built from the same points. */
static void
mean_scores_follow_the_reference(void **state)
{
	struct bed *b = bed_new(3, 1000, 22);

	for (enum law law = GROWN; law <= BUILT; law++) {
		double sum = 0, square = 0, sigma, score, displacement, point[REFERENCE_DIMENSIONS];

		doubles(b, 50, point);
		for (int t = 0; t < LAW_TREES; t++) {
			double points[LAW_POINTS][REFERENCE_DIMENSIONS];
			struct reference r = { .dimensions = 3 };

			for (int i = 0; i < LAW_POINTS; i++)
				doubles(b, i, points[i]);
			reference_build(&r, points, LAW_POINTS, (uint64_t)t + 100000);
			make_tree(b, law, (uint64_t)t * 3 + law);
			aim(b, 50);
			b->kernel->look(&b->view, &score, &displacement);
			score -= reference_score(&r, point);
			sum += score;
			square += score * score;
			reference_free(&r);
		}
		sigma = sqrt(square / LAW_TREES / LAW_TREES);
		if (!(fabs(sum / LAW_TREES) < 4 * sigma))
			fail_msg("law %d: mean scores differ by %g, one deviation is %g", law, sum / LAW_TREES, sigma);
	}
	bed_free(b);
}

static void
sound_trees_only(void **state)
{
	struct bed *b = bed_new(2, 500, 30);
	uint32_t node;

	for (int i = 0; i < 30; i++)
		plant(b, i, 1, (uint64_t)i);
	assert_true(forest_tree_sound(b->tree, SAMPLE, 30, 2, 30));
	assert_false(forest_tree_sound(b->tree, SAMPLE, 30, 2, 29));
	for (int i = 0; i < 29; i++) {
		node = b->tree->node[i];
		b->tree->node[i] = (node & 0xffffff) | UINT32_C(30) << 24;
		assert_false(forest_tree_sound(b->tree, SAMPLE, 30, 2, 30));
		b->tree->node[i] = node & 0xffffff;
		assert_false(forest_tree_sound(b->tree, SAMPLE, 30, 2, 30));
		b->tree->node[i] = node | 2 << 16;
		assert_false(forest_tree_sound(b->tree, SAMPLE, 30, 2, 30));
		b->tree->node[i] = node;
	}
	bed_free(b);
}

/* The C library's, to a few units of the last place. */
static void
mathematics(void **state)
{
	for (int i = 1; i < 4000; i++) {
		double u = random_uniform(1, 2, (uint64_t)i), x = exp((u - 0.5) * 200);

		assert_true(fabs(forest_ln(x) - log(x)) <= 1e-14 * (1 + fabs(log(x))));
		assert_true(fabs(forest_log2(x) - log2(x)) <= 1e-14 * (1 + fabs(log2(x))));
		assert_true(fabs(forest_ln1p(x) - log1p(x)) <= 1e-14 * (log1p(x)));
		assert_true(fabs(forest_ln1p(-u) - log1p(-u)) <= 1e-14 * -log1p(-u));
		x = (u - 0.5) * 60;
		assert_true(fabs(forest_exp(x) / exp(x) - 1) < 1e-14);
		assert_true(fabs(forest_expm1(x) / expm1(x) - 1) < 1e-14);
		x = (u - 0.5) * 1e-6;
		assert_true(fabs(forest_expm1(x) / expm1(x) - 1) < 1e-14);
		assert_true(fabs(forest_ln1p(x) / log1p(x) - 1) < 1e-14);
	}
	assert_true(forest_exp(-800) == 0 && forest_exp(800) == forest_exp(700) && forest_exp(0) == 1);
	for (int i = 0; i < 8; i++)
		assert_true(fabs(forest_log2(1 << i) - i) < 1e-15);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_like_the_reference),
		cmocka_unit_test(deletion_undoes_insertion),
		cmocka_unit_test(first_cuts_follow_the_ranges),
		cmocka_unit_test(mean_scores_follow_the_reference),
		cmocka_unit_test(sound_trees_only),
		cmocka_unit_test(mathematics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
