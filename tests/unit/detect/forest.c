/* forest.c -- what a forest promises to those who use it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "common/base/random.h"
#include "common/detect/forest_kernel.h"

#include "tests/unit/detect/forest_made.h"

static void
rules(void **state)
{
	static const struct {
		struct forest_rule rule;
		bool fine;
	} rows[] = {
		{ { 50, 256, 8, 1, 1.0 / 2560, 0 }, true },
		{ { 192, 256, 32, 8, 0, 0 }, true },
		{ { 1, 16, 1, 1, 1, 0 }, true },
		{ { 0, 256, 8, 1, 0, 0 }, false },
		{ { 257, 16, 8, 1, 0, 0 }, false },
		{ { 193, 256, 8, 1, 0, 0 }, false },
		{ { 50, 15, 8, 1, 0, 0 }, false },
		{ { 50, 257, 8, 1, 0, 0 }, false },
		{ { 50, 256, 0, 1, 0, 0 }, false },
		{ { 50, 256, 33, 1, 0, 0 }, false },
		{ { 50, 256, 8, 0, 0, 0 }, false },
		{ { 50, 256, 8, 9, 0, 0 }, false },
		{ { 50, 256, 8, 1, -1e-9, 0 }, false },
		{ { 50, 256, 8, 1, 1.1, 0 }, false },
		{ { 50, 256, 8, 1, (double)NAN, 0 }, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct forest *f = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(forest_new(&rows[i].rule, 1, &f, &err), rows[i].fine ? 0 : -1);
		assert_int_equal(err.reason, rows[i].fine ? REASON_NONE : REASON_OPTION_INVALID);
		forest_free(f);
	}
}

/* A quarter of the sample, and nothing before. */
static void
learns_first(void **state)
{
	CLEANUP(forest_free) struct forest *f = forest_of(20, 256, 2, 4);
	struct forest_share shares[2];
	double row[2] = { 0 };

	for (int i = 0; i < 64 + 3; i++) {
		struct forest_look look = forest_look(f, row, shares);

		assert_true(!look.ready && look.score == 0 && look.displacement == 0 && shares[1].high == 0);
		learn(f, i, i + 1);
	}
	assert_true(forest_look(f, row, NULL).ready);
}

/* About 1 for what is usual, towards log2(sample + 1) for what is absurd; the share says which column, and which way. */
static void
scores_and_shares(void **state)
{
	static const int shapes[][2] = { { 1, 1 }, { 1, 8 }, { 8, 1 }, { 3, 4 }, { 32, 1 } };

	for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
		int columns = shapes[s][0];
		CLEANUP(forest_free) struct forest *f = forest_of(50, 256, columns, shapes[s][1]);
		double usual = 0, row[FOREST_COLUMNS_MAX];
		int first = 0, strange = 0;

		learn(f, 0, 2000);
		for (int i = 2000; i < 2300; i++) {
			struct forest_share shares[FOREST_COLUMNS_MAX];
			struct forest_look look;
			int at = i % columns, most = 0;
			bool high = i % 3 == 0, odd = i % 2;
			double sum = 0;

			row_at(i, columns, row);
			row[at] += odd ? (high ? 12 : -12) * (at + 1) : 0;
			look = forest_look(f, row, shares);
			assert_true(look.ready && look.score > 0 && look.score <= 8.0057 && look.displacement >= 0);
			for (int k = 0; k < columns; k++) {
				assert_true(shares[k].high >= 0 && shares[k].low >= 0);
				sum += shares[k].high + shares[k].low;
				if (shares[k].high + shares[k].low > shares[most].high + shares[most].low)
					most = k;
			}
			assert_true(fabs(sum - look.score) <= 1e-9 * look.score);
			if (!odd) {
				usual += look.score / 150;
				learn(f, i, i + 1);
				continue;
			}
			strange++;
			first +=
			    most == at && (high ? shares[at].high > shares[at].low : shares[at].low > shares[at].high);
		}
		assert_true(usual > 0.4 && usual < 1.1);
		if (first < 0.95 * strange)
			fail_msg("%d columns, %d rows: first in %d of %d", columns, shapes[s][1], first, strange);
		for (int k = 0; k < columns; k++)
			row[k] = 1e9;
		assert_true(forest_look(f, row, NULL).score > (columns == 1 && shapes[s][1] > 1 ? 2.5 : 3.5));
	}
}

/* Every point that a tree holds is a run of `shingle` rows as they came; sharing rows in the store does not mix them up. */
static void
points_are_runs_of_rows(void **state)
{
	static const double decays[] = { 1.0 / 320, 1e-7 };
	static const struct {
		int trees, sample, columns, shingle;
	} rows[] = { { 50, 32, 1, 8 }, { 20, 64, 2, 3 }, { 192, 256, 1, 8 }, { 4, 32, 5, 1 } };

	for (size_t r = 0; r < ARRAY_LEN(rows) * ARRAY_LEN(decays); r++) {
		struct forest_rule rule = { .trees = rows[r / 2].trees,
					    .sample = rows[r / 2].sample,
					    .columns = rows[r / 2].columns,
					    .shingle = rows[r / 2].shingle,
					    .decay = decays[r % 2] };
		CLEANUP(forest_free) struct forest *f = NULL;
		struct err err = ERR_INIT;
		int n = rule.trees == 192 && r % 2 ? 70000 : 6000;
		/* Each value says which row and column it is of: no two alike within reach. */
		double row[5];

		assert_int_equal(forest_new(&rule, 1, &f, &err), 0);
		for (int i = 0; i < n; i++) {
			for (int k = 0; k < rule.columns; k++)
				row[k] = (i * 37 + k * 11) % 10007;
			add(f, row);
		}
		assert_int_equal(f->unit, rule.trees == 192 && r % 2 ? 8 : 1);
		for (int t = 0; t < rule.trees; t++) {
			for (int p = 0; p < f->mass; p++) {
				const int16_t *values =
				    f->store->values + forest_places_of(f->tree[t], rule.sample)[p] * forest_stride(f);

				for (int d = rule.columns; d < f->dimensions; d++) {
					double now = forest_column_decode(&f->column[d % rule.columns], values[d]);
					double past = forest_column_decode(&f->column[d % rule.columns],
									   values[d - rule.columns]);
					double step = now - past < -5 ? now - past + 10007 : now - past;

					if (!(fabs(step - 37) < 40))
						fail_msg("row %zu, tree %d, place %d: %g after %g", r, t, p, now, past);
				}
			}
		}
	}
}

static void
imputes(void **state)
{
	CLEANUP(forest_free) struct forest *f = forest_of(50, 256, 3, 1);
	CLEANUP(forest_free) struct forest *g = forest_of(50, 256, 1, 8);
	double row[3], filled[3], off = 0, late = 0, ahead = 0;

	for (int i = 0; i < 4000; i++) {
		double x = random_normal(1, 1, (uint64_t)i), y = sin(i * 6.283185307179586 / 40);

		row[0] = x;
		row[1] = 1000 + 50 * x + random_normal(1, 2, (uint64_t)i);
		row[2] = random_normal(1, 3, (uint64_t)i);
		if (i >= 3000) {
			double asked[3] = { x, (double)NAN, row[2] };

			forest_impute(f, asked, filled);
			assert_true(filled[0] == x && filled[2] == row[2]);
			off += fabs(filled[1] - row[1]) / 1000;
			asked[0] = (double)NAN;
			forest_impute(g, asked, filled);
			ahead += fabs(filled[0] - y) / 1000;
			late += fabs(sin((i - 1) * 6.283185307179586 / 40) - y) / 1000;
		}
		add(f, row);
		add(g, &y);
	}
	assert_true(off < 20);         /* of a deviation of 50 */
	assert_true(ahead < late / 2); /* a forecast better than the last value */
}

/* Other processors, the same bits. */
static void
sets_agree(void **state)
{
	static const char *const sets[] = { "avx2", "avx512" };
	static const int shapes[][2] = { { 1, 1 },  { 3, 1 }, { 1, 8 },  { 3, 3 },  { 8, 2 },
					 { 17, 1 }, { 8, 4 }, { 11, 3 }, { 32, 8 }, { 31, 8 } };

	for (size_t s = 0; s < ARRAY_LEN(shapes) * ARRAY_LEN(sets); s++) {
		int columns = shapes[s / 2][0], rows = columns * shapes[s / 2][1] > 32 ? 500 : 1500;
		CLEANUP(forest_free) struct forest *a = forest_of(37, 128, columns, shapes[s / 2][1]);
		CLEANUP(forest_free) struct forest *b = forest_of(37, 128, columns, shapes[s / 2][1]);

		a->kernel = forest_kernel_find("portable");
		b->kernel = forest_kernel_find(sets[s % 2]);
		if (!b->kernel)
			continue;
		for (int i = 0; i < rows; i++) {
			double row[FOREST_COLUMNS_MAX];

			row_at(i, columns, row);
			for (int k = 0; k < columns; k++)
				row[k] = i % 5 ? row[k] : round(row[k]); /* equal points, too */
			row[i % columns] += i % 100 == 99 ? 50 : 0;
			if (i % 3 == 0)
				forest_fetch(b); /* changes nothing */
			assert_same_look(a, b, row);
			add(a, row);
			add(b, row);
		}
		assert_same_image(a, b);
	}
}

/* What one of them learns, the other does not; what both learn, both know; no copy can tell that it is one. */
static void
copies_are_apart(void **state)
{
	CLEANUP(forest_free) struct forest *alone = forest_of(30, 64, 2, 3);
	CLEANUP(forest_free) struct forest *shared = forest_of(30, 64, 2, 3);
	struct err err = ERR_INIT;
	double row[2];

	for (int i = 0; i < 3000; i++) {
		struct forest *copy = NULL;
		CLEANUP(buffer_clear) struct buffer before = { 0 };

		assert_int_equal(forest_copy(shared, &copy, &err), 0);
		if (i % 7 == 0)
			before = image_of(shared);
		if (i % 3 == 0) { /* given up: the copy learns other things and is gone */
			learn(copy, i + 5000, i + 5000 + i % 13);
			if (i % 7 == 0) {
				CLEANUP(buffer_clear) struct buffer after = image_of(shared);

				assert_int_equal(before.len, after.len);
				assert_memory_equal(before.ptr, after.ptr, after.len);
			}
			if (i % 2)
				learn(shared, i, i + 1);
			forest_free(copy);
			if (i % 2 == 0)
				learn(shared, i, i + 1);
		} else { /* done: the copy takes its place, before or after the other has gone */
			learn(copy, i, i + 1);
			forest_free(shared);
			shared = copy;
		}
		learn(alone, i, i + 1);
		row_at(i + 1, 2, row);
		assert_same_look(alone, shared, row);
	}
	assert_same_image(alone, shared);
	assert_int_equal(forest_memory(alone), forest_memory(shared));
}

/* 128 KB for 50 trees of 256 points: with a shingle of 8 rows all of it, with 8 columns without its points. */
static void
bytes(void **state)
{
	static const struct {
		int columns, shingle;
		size_t most;
	} rows[] = { { 1, 8, 131072 }, { 1, 1, 131072 }, { 8, 1, 212000 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct forest_rule rule = { 50, 256, rows[i].columns, rows[i].shingle, 1.0 / 2560, 1 };
		CLEANUP(forest_free) struct forest *f = NULL;
		CLEANUP(buffer_clear) struct buffer image = { 0 };
		struct err err = ERR_INIT;

		assert_int_equal(forest_new(&rule, 1, &f, &err), 0);
		learn(f, 0, 25000);
		image = image_of(f);
		if (forest_memory(f) > rows[i].most || image.len > rows[i].most)
			fail_msg("%d x %d: %zu bytes, image %zu", rule.columns, rule.shingle, forest_memory(f),
				 image.len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules),
		cmocka_unit_test(learns_first),
		cmocka_unit_test(scores_and_shares),
		cmocka_unit_test(points_are_runs_of_rows),
		cmocka_unit_test(imputes),
		cmocka_unit_test(sets_agree),
		cmocka_unit_test(copies_are_apart),
		cmocka_unit_test(bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
