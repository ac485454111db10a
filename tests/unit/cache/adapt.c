/* adapt.c -- the deciding parts: a ratio over a sliding window, what follows from it, what is remembered. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "common/cache/adapt.h"
#include "common/cache/ratio.h"
#include "common/cache/shelf.h"

#define STEP 100
#define WINDOW (RATIO_BUCKETS * STEP)

static const struct adapt_rule rule = { 0.94, 1000, 10000 };

static void
ratio_is_that_of_the_window(void **state)
{
	struct ratio r = { .step_us = STEP };

	assert_true(isnan(ratio_value(&r)));
	ratio_add(&r, 1000000, 3, 1);
	assert_true(ratio_value(&r) == 0.75);
	ratio_add(&r, 1000000 + WINDOW / 2, 0, 4);
	assert_true(ratio_value(&r) == 0.375);
	ratio_add(&r, 1000000 + WINDOW / 3, 4, 0); /* earlier: counts as the latest */
	assert_true(ratio_value(&r) == 7.0 / 12);
	ratio_add(&r, 1000000 + WINDOW, 0, 0); /* the first is out */
	assert_true(ratio_value(&r) == 0.5);
	ratio_add(&r, 1000000 + 9 * WINDOW, 0, 0);
	assert_true(isnan(ratio_value(&r)));
	ratio_add(&r, INT64_MAX / 2, 1, 0);
	assert_true(ratio_value(&r) == 1);
}

/* Every step of a long walk, against the sum of what lies in the window. */
static void
ratio_slides(void **state)
{
	struct ratio r = { .step_us = STEP };

	for (int64_t t = 0; t < 1000; t++) {
		uint64_t hits = 0, misses = 0;

		ratio_add(&r, t * STEP + STEP / 2, (uint64_t)(t % 7), (uint64_t)(t % 3));
		for (int64_t u = t - RATIO_BUCKETS + 1; u <= t; u++) {
			hits += u < 0 ? 0 : (uint64_t)(u % 7);
			misses += u < 0 ? 0 : (uint64_t)(u % 3);
		}
		assert_true(hits + misses ? ratio_value(&r) == (double)hits / (double)(hits + misses)
					  : isnan(ratio_value(&r)));
	}
}

static const struct row {
	const char *name;
	uint64_t hits, misses;
	int64_t before, after;
	bool warm;
} rows[] = {
	{ "nobody asked", 0, 0, 1000, 1000, false },
	{ "too few to say", 0, ADAPT_LOOKUPS_MIN - 1, 5000, 5000, false },
	{ "below", 0, ADAPT_LOOKUPS_MIN, 1000, 1251, true },
	{ "just below", 939, 61, 1000, 1251, true },
	{ "on target", 940, 60, 1000, 1000, false },
	{ "below, near the end", 0, 100, 9000, 10000, true },
	{ "below, at the end", 0, 100, 10000, 10000, true },
	{ "above, far up", 1000, 0, 6000, 5900, false },
	{ "above, nearly down", 1000, 0, 1001, 1000, false },
	{ "many", UINT64_MAX / 2, 0, 1000, 1000, false },
};

static void
decides(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct adapt a = { .ttl_ms = rows[i].before, .warm = !rows[i].warm };

		print_message("%s\n", rows[i].name);
		adapt_step(&rule, &a, rows[i].hits, rows[i].misses);
		assert_int_equal(a.ttl_ms, rows[i].after);
		assert_int_equal(a.warm, rows[i].warm);
		assert_int_equal(adapt_ttl(&a, 20000), 20000);
		assert_int_equal(adapt_ttl(&a, 1), a.ttl_ms);
	}
}

/* Up to the end within a window and a bit, back in a hundred times as many steps, never outside. */
static void
rises_fast_and_falls_slowly(void **state)
{
	struct adapt a;
	int up = 0, down = 0;

	adapt_start(&rule, &a);
	assert_true(a.ttl_ms == 1000 && !a.warm);
	for (; a.ttl_ms < rule.ttl_max_ms; up++)
		adapt_step(&rule, &a, 50, 50);
	for (; a.ttl_ms > rule.ttl_ms; down++) {
		int64_t before = a.ttl_ms;

		adapt_step(&rule, &a, 99, 1);
		assert_true(a.ttl_ms < before && a.ttl_ms >= rule.ttl_ms);
	}
	assert_true(up >= 8 && up <= 12);
	assert_true(down > 100 && down < 1000);
}

static void
put(struct shelf *s, int n, size_t bytes)
{
	static char value[5000];
	char key[24];

	snprintf(key, sizeof(key), "key %d", n);
	shelf_put(s, &(struct shelf_item){ .key = span_of(key), .value = { value, bytes }, .put_us = n });
}

static void
assert_order(struct shelf *s, const int64_t *put, size_t n)
{
	struct shelf_item *item;
	size_t seen = 0;

	shelf_walk(s);
	while ((item = shelf_step(s))) {
		assert_true(seen < n && item->put_us == put[seen]);
		seen++;
	}
	assert_true(seen == n && shelf_count(s) == n);
}

static void
remembers_the_newest(void **state)
{
	struct shelf *s = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(shelf_new(10000, &s, &err), 0);
	for (int i = 0; i < 1000; i++) {
		put(s, i, 1000);
		assert_true(shelf_bytes(s) <= 10000);
	}
	assert_true(shelf_count(s) >= 7);
	put(s, 998, 10); /* again: the newest, once */
	shelf_walk(s);
	assert_int_equal(shelf_step(s)->put_us, 998);
	assert_int_equal(shelf_step(s)->put_us, 999);
	assert_int_equal(shelf_step(s)->put_us, 997);
	put(s, 7, 5000);
	put(s, 8, 4500); /* only these two have room */
	assert_order(s, (int64_t[]){ 8, 7 }, 2);
	shelf_clear(s);
	assert_true(shelf_bytes(s) == 0 && shelf_count(s) == 0);
	put(s, 1, 10);
	shelf_free(s);
	assert_int_equal(shelf_new(0, &s, &err), 0);
	put(s, 1, 1);
	assert_order(s, NULL, 0);
	shelf_free(s);
}

static void
walks_while_it_changes(void **state)
{
	struct shelf *s = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(shelf_new(100000, &s, &err), 0);
	for (int i = 0; i < 6; i++)
		put(s, i, 10);
	shelf_walk(s);
	assert_int_equal(shelf_step(s)->put_us, 5);
	put(s, 4, 20);  /* it was next: is the newest now, and not met */
	put(s, 10, 20); /* nor is this one */
	assert_int_equal(shelf_step(s)->put_us, 3);
	shelf_drop(s, shelf_step(s));
	assert_int_equal(shelf_step(s)->put_us, 1);
	shelf_drop(s, shelf_step(s));
	assert_null(shelf_step(s));
	assert_order(s, (int64_t[]){ 10, 4, 5, 3, 1 }, 5);
	shelf_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ratio_is_that_of_the_window),
		cmocka_unit_test(ratio_slides),
		cmocka_unit_test(decides),
		cmocka_unit_test(rises_fast_and_falls_slowly),
		cmocka_unit_test(remembers_the_newest),
		cmocka_unit_test(walks_while_it_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
