/* forest_rows.c -- whatever rows come: absurd ones, constant or missing columns, other units. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <string.h>

#include "common/base/random.h"
#include "common/detect/forest_parts.h"

#include "tests/unit/detect/forest_made.h"

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

#define LATE 500

/* A row of two columns, the second missing before FROM and but for every so many rows. */
static void
two_columns(int i, int from, int every, double row[2])
{
	row[0] = random_normal(1, 0, (uint64_t)i);
	row[1] = i >= from && i % every == 0 ? 1000 + random_normal(1, 1, (uint64_t)i) : NAN;
}

/*
 * A column that begins after the others: its first values are hardly stranger than where it was always there, whether they come with
 * each row or with every third; and a while later it is judged likewise.
 */
static void
late_columns(void **state)
{
	(void)state;
	for (int every = 1; every <= 3; every += 2) {
		CLEANUP(forest_free) struct forest *late = forest_of(50, 256, 2, 1);
		CLEANUP(forest_free) struct forest *always = forest_of(50, 256, 2, 1);
		double row[2], greatest[2] = { 0 };

		for (int i = 0; i < 3 * LATE; i++) {
			two_columns(i, LATE, every, row);
			if (i >= LATE && i < 2 * LATE)
				greatest[0] = fmax(greatest[0], forest_look(late, row, NULL).score);
			add(late, row);
			two_columns(i, 0, every, row);
			if (i >= LATE && i < 2 * LATE)
				greatest[1] = fmax(greatest[1], forest_look(always, row, NULL).score);
			add(always, row);
		}
		print_message("greatest %.2f, else %.2f\n", greatest[0], greatest[1]);
		assert_true(greatest[0] < 1.25 * greatest[1]);
		row[0] = 0;
		row[1] = 1008;
		assert_true(forest_look(late, row, NULL).score > 3);
		row[1] = 1000;
		assert_true(forest_look(late, row, NULL).score < 1.5);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_rows),     cmocka_unit_test(constant_columns), cmocka_unit_test(missing_columns),
		cmocka_unit_test(units_change), cmocka_unit_test(late_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
