/* forest.c -- what a forest promises to those who use it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/detect/forest_image.h"
#include "common/detect/forest_kernel.h"

#include "tests/unit/base/scarce.h"

DEFINE_CLEANUP(struct forest, forest_free)

static struct forest *
forest_of(int trees, int sample, int columns, int shingle)
{
	struct forest_rule rule = { .trees = trees,
				    .sample = sample,
				    .columns = columns,
				    .shingle = shingle,
				    .decay = 0.1 / sample,
				    .seed = 11 };
	struct forest *f = NULL;
	struct err err = ERR_INIT;

	if (forest_new(&rule, 5, &f, &err) < 0)
		fail_msg("%s", err.text);
	return f;
}

static void
add(struct forest *f, const double *row)
{
	struct err err = ERR_INIT;

	if (forest_add(f, row, &err) < 0)
		fail_msg("%s", err.text);
}

/* Seasons of other lengths, noise, other units; deterministic. */
static void
row_at(int i, int columns, double *row)
{
	for (int k = 0; k < columns; k++)
		row[k] = (k + 1) * (100 + sin(i * 6.283185307179586 / (50 + 30 * k)) +
				    0.3 * random_normal(8, (uint64_t)k, (uint64_t)i));
}

static void
learn(struct forest *f, int from, int to)
{
	double row[FOREST_COLUMNS_MAX];

	for (int i = from; i < to; i++) {
		row_at(i, forest_rule(f)->columns, row);
		add(f, row);
	}
}

static struct buffer
image_of(const struct forest *f)
{
	struct image_type type = { .name = "forest", .version = 1, .table = &forest_image_table };
	struct buffer image = { 0 };
	struct forest_flat flat;
	struct err err = ERR_INIT;

	assert_int_equal(forest_lay(f, &flat, &err), 0);
	assert_int_equal(image_write(&type, &flat, &image), 0);
	forest_flat_clear(&flat);
	assert_int_equal(image.len, forest_image_bytes(f) + 24);
	return image;
}

static struct forest *
forest_from(const struct buffer *image)
{
	struct image_type type = { .name = "forest", .version = 1, .table = &forest_image_table };
	struct forest_flat flat;
	struct forest *f = NULL;
	struct err err = ERR_INIT;

	if (image_read(&type, buffer_span(image), &flat, &err) < 0 || forest_restore(&flat, &f, &err) < 0)
		fail_msg("%s", err.text);
	image_clear(&type, &flat);
	return f;
}

static void
assert_same_look(const struct forest *a, const struct forest *b, const double *row)
{
	struct forest_share of_a[FOREST_COLUMNS_MAX], of_b[FOREST_COLUMNS_MAX];
	struct forest_look x = forest_look(a, row, of_a), y = forest_look(b, row, of_b);

	assert_int_equal(x.ready, y.ready);
	assert_memory_equal(&x.score, &y.score, sizeof(x.score));
	assert_memory_equal(&x.displacement, &y.displacement, sizeof(x.displacement));
	assert_memory_equal(of_a, of_b, (size_t)forest_rule(a)->columns * sizeof(of_a[0]));
}

static void
assert_same_image(const struct forest *a, const struct forest *b)
{
	CLEANUP(buffer_clear) struct buffer x = image_of(a), y = image_of(b);

	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.ptr, y.ptr, x.len);
}

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

static void
images_go_on(void **state)
{
	static const int shapes[][2] = { { 1, 8 }, { 4, 1 }, { 2, 3 } };

	for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
		CLEANUP(forest_free) struct forest *f = forest_of(12, 48, shapes[s][0], shapes[s][1]);
		CLEANUP(forest_free) struct forest *g = forest_of(12, 48, shapes[s][0], shapes[s][1]);
		double row[4];

		for (int i = 0; i < 1200; i++) {
			CLEANUP(buffer_clear) struct buffer image = { 0 };

			if (i < 60 || i % 50 == 0) {
				image = image_of(g);
				forest_free(g);
				g = forest_from(&image);
				assert_same_image(f, g);
			}
			row_at(i, shapes[s][0], row);
			row[0] = i % 29 == 28 ? (double)NAN : row[0] * (i > 700 ? 30 : 1);
			assert_same_look(f, g, row);
			add(f, row);
			add(g, row);
		}
		assert_same_image(f, g);
	}
}

/* Whatever stands in an image: refused, or a forest that can be used. */
static void
damaged_images(void **state)
{
	CLEANUP(forest_free) struct forest *f = forest_of(3, 16, 2, 2);
	struct image_type type = { .name = "forest", .version = 1, .table = &forest_image_table };
	int refused = 0;

	for (int turn = 0; turn < 4000; turn++) {
		CLEANUP(buffer_clear) struct buffer image = { 0 };
		struct forest_flat flat;
		struct forest *g = NULL;
		struct err err = ERR_INIT;
		uint32_t crc;
		size_t at;

		if (turn % 100 == 0)
			learn(f, turn / 10, turn / 10 + 10);
		image = image_of(f);
		at = 20 + random_u64(1, 2, (uint64_t)turn) % (image.len - 24);
		if (turn % 2) /* the head, where the lengths are */
			at = 20 + random_u64(1, 3, (uint64_t)turn) % 100;
		image.ptr[at] = (char)(image.ptr[at] ^ (char)(1 << turn % 8));
		crc = image_crc32c((struct span){ image.ptr, image.len - 4 });
		memcpy(image.ptr + image.len - 4, &crc, 4);
		if (image_read(&type, buffer_span(&image), &flat, &err) < 0)
			continue;
		if (forest_restore(&flat, &g, &err) < 0) {
			assert_int_equal(err.reason, REASON_STATE_CORRUPT);
			refused++;
		} else {
			double row[FOREST_COLUMNS_MAX] = { 1, 2 }, none[FOREST_COLUMNS_MAX], filled[FOREST_COLUMNS_MAX];

			for (int k = 0; k < FOREST_COLUMNS_MAX; k++)
				none[k] = NAN;
			forest_look(g, row, NULL);
			forest_impute(g, none, filled);
			for (int i = 0; i < 40; i++)
				learn(g, i, i + 1);
			forest_free(g);
		}
		image_clear(&type, &flat);
	}
	assert_true(refused > 1000);
}

/* Nothing is learnt by halves: after memory has run out somewhere, the same row again, and all is as if nothing had been. */
static void
memory_runs_out(void **state)
{
	CLEANUP(forest_free) struct forest *calm = forest_of(5, 24, 2, 3);
	CLEANUP(forest_free) struct forest *f = forest_of(5, 24, 2, 3);
	int failures = 0;

	for (int i = 0; i < 1500; i++) {
		struct forest *copy = NULL;
		struct err err = ERR_INIT;
		double row[2];

		row_at(i, 2, row);
		row[0] *= i > 500 ? 40 : 1; /* so that scales change, too */
		for (int k = 0;; k++) {
			int done;

			scarce_left = k;
			done = forest_copy(f, &copy, &err) == 0 && forest_add(copy, row, &err) == 0;
			scarce_left = -1;
			if (done)
				break;
			assert_int_equal(err.reason, REASON_NO_MEMORY);
			if (copy)
				assert_same_image(copy, calm);
			forest_free(TAKE(copy));
			err_clear(&err);
			failures++;
		}
		forest_free(f);
		f = copy;
		add(calm, row);
	}
	assert_same_image(calm, f);
	assert_true(failures > 2000);
	scarce_left = 0;
	{
		struct forest_flat flat;
		struct err err = ERR_INIT;
		struct forest *none = NULL;

		assert_int_equal(forest_lay(f, &flat, &err), -1);
		scarce_left = 0;
		assert_int_equal(forest_new(forest_rule(f), 1, &none, &err), -1);
		scarce_left = -1;
	}
}

/* Anything may come; scores stay in their range, and the forest finds its way back. */
static void
bad_rows(void **state)
{
	static const double odd[] = { NAN,     INFINITY, -INFINITY, DBL_MAX, -DBL_MAX, 1e300, 5e-324, 0, -0.0,
				      DBL_MIN, 1e30,     -1e200,    1e-300,  3,        3,     3,      3 };
	static const struct {
		const char *name;
		int every; /* how often an odd value comes; 1: always */
	} rows[] = { { "all odd", 1 }, { "now and then", 13 } };

	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		CLEANUP(forest_free) struct forest *f = forest_of(20, 64, 3, 2);
		double row[3], filled[3];

		for (int i = 0; i < 6000; i++) {
			struct forest_look look;

			row_at(i, 3, row);
			for (int k = 0; k < 3; k++)
				if (i < 1500 && (i + k) % rows[r].every == 0)
					row[k] = odd[random_u64(1, (uint64_t)k, (uint64_t)i) % ARRAY_LEN(odd)];
			look = forest_look(f, row, NULL);
			assert_true(look.score >= 0 && look.score <= 6.1 && isfinite(look.displacement));
			forest_impute(f, row, filled);
			for (int k = 0; k < 3; k++)
				assert_true(isfinite(filled[k]));
			add(f, row);
		}
		row_at(6000, 3, row);
		assert_true(forest_look(f, row, NULL).score < 1.6);
		row[1] += 60;
		assert_true(forest_look(f, row, NULL).score > 2);
	}
}

/* A column that never changes is no trouble, and its first change is seen. */
static void
constant_columns(void **state)
{
	CLEANUP(forest_free) struct forest *f = forest_of(30, 64, 2, 1);
	CLEANUP(forest_free) struct forest *flat = forest_of(30, 64, 1, 4);
	struct forest_share shares[2];
	double row[2], same = 7;

	for (int i = 0; i < 600; i++) {
		row_at(i, 1, row);
		row[1] = 21.5;
		add(f, row);
		add(flat, &same);
	}
	assert_true(forest_look(f, row, NULL).score < 1.2);
	row[1] = 21.6;
	assert_true(forest_look(f, row, shares).score > 2);
	assert_true(shares[1].high > 4 * (shares[0].high + shares[0].low + shares[1].low));
	assert_true(forest_look(flat, &same, NULL).score < 1);
	same = 8;
	assert_true(forest_look(flat, &same, NULL).score > 5.5);
}

/* Rows whose column is missing, for long; its values come from the others, and when it is back nothing is strange. */
static void
missing_columns(void **state)
{
	CLEANUP(forest_free) struct forest *f = forest_of(30, 64, 2, 1);
	CLEANUP(forest_free) struct forest *g = forest_of(30, 64, 2, 1);
	double row[2], late = 0;

	for (int i = 0; i < 2000; i++) {
		row_at(i, 2, row);
		if (i > 500 && i < 1500)
			row[1] = NAN;
		add(f, row);
		row_at(i, 2, row);
		if (i < 300) /* not there at first */
			row[0] = NAN;
		if (i >= 1500)
			late += forest_look(g, row, NULL).score / 500;
		add(g, row);
	}
	row_at(2000, 2, row);
	assert_true(forest_look(f, row, NULL).score < 1.5);
	assert_true(late < 1.1);
	row[0] = row[1] = NAN;
	add(f, row); /* nothing to learn, and the window goes on */
	assert_true(f->points == 2000 && f->rows == 2001);
}

/* Metres become millimetres, or kilometres: strange at first, then the new normal with a new scale, in a bounded time. */
static void
units_change(void **state)
{
	static const double times[] = { 1e3, 1e-3, 1e9, 1e-9, -1 };

	for (size_t t = 0; t < ARRAY_LEN(times); t++) {
		CLEANUP(forest_free) struct forest *f = forest_of(30, 64, 2, 1);
		struct forest_look look;
		double row[2], usual = 0;

		learn(f, 0, 1000);
		for (int i = 1000; i < 8000; i++) {
			row_at(i, 2, row);
			row[0] *= times[t];
			look = forest_look(f, row, NULL);
			if (i < 1003)
				assert_true(look.score > 2);
			if (i >= 7000)
				usual += look.score / 1000;
			add(f, row);
		}
		assert_true(usual < 1.1);
		assert_true(f->column[0].scale > 0.2 * fabs(times[t]) && f->column[0].scale < 4 * fabs(times[t]));
		row[0] += 12 * times[t]; /* far in the new unit */
		assert_true(forest_look(f, row, NULL).score > 2);
	}
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
		cmocka_unit_test(images_go_on),
		cmocka_unit_test(damaged_images),
		cmocka_unit_test(memory_runs_out),
		cmocka_unit_test(bad_rows),
		cmocka_unit_test(constant_columns),
		cmocka_unit_test(missing_columns),
		cmocka_unit_test(units_change),
		cmocka_unit_test(bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
