/* collect.c -- windows into series: holes, overlaps, other steps; which ones stay when there are too many; the hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "common/base/clock.h"
#include "workers/model-trainer/collect.h"

#define STEP (60 * US_PER_SECOND)
#define LONG 200 /* numbers that windows are cut from: value i is i */

static double numbers[LONG];

/* A window of N steps from step START on. */
static struct series
window(const char *device, int64_t start, size_t n, int64_t step_us)
{
	return (struct series){ .device = span_of(device),
				.metric = SPAN("pressure"),
				.start_us = start * step_us,
				.step_us = step_us,
				.target = numbers + start,
				.n_target = n };
}

static void
add(struct collector *c, const char *device, int64_t start, size_t n, int64_t step_us)
{
	const struct series s = window(device, start, n, step_us);
	struct err err = ERR_INIT;

	assert_int_equal(collector_add(c, &s, &err), 0);
}

static struct collector *
collector(size_t steps, int64_t gap, size_t series)
{
	const struct past_rule rule = { steps, gap };
	struct collector *c;
	struct err err = ERR_INIT;

	assert_int_equal(collector_new(&rule, series, &c, &err), 0);
	return c;
}

static const struct group *
finish(struct collector *c, size_t *n)
{
	const struct group *g;
	struct err err = ERR_INIT;

	assert_int_equal(collector_finish(c, &g, n, &err), 0);
	return g;
}

static const struct row {
	const char *name;
	struct {
		int64_t start;
		size_t n;
	} windows[4];
	size_t steps, n; /* kept at most; that come out */
	int64_t first, age;
	size_t holes; /* unknown ones */
} rows[] = {
	{ "one", { { 0, 10 } }, 100, 10, 0, 0, 0 },
	{ "side by side", { { 0, 10 }, { 10, 10 }, { 20, 5 } }, 100, 25, 0, 0, 0 },
	{ "a hole", { { 0, 10 }, { 13, 10 } }, 100, 23, 0, 0, 3 },
	{ "the widest hole", { { 0, 10 }, { 15, 5 } }, 100, 20, 0, 0, 5 },
	{ "too wide a hole", { { 0, 10 }, { 16, 5 } }, 100, 5, 16, 0, 0 },
	{ "once more", { { 0, 10 }, { 0, 10 }, { 5, 5 } }, 100, 10, 0, 0, 0 },
	{ "overlapping", { { 0, 10 }, { 5, 10 } }, 100, 15, 0, 0, 0 },
	{ "a late one", { { 10, 10 }, { 0, 10 } }, 100, 10, 10, 0, 0 },
	{ "forgotten", { { 0, 30 }, { 30, 30 } }, 40, 40, 20, 20, 0 },
	{ "a window longer than what is kept", { { 0, 90 } }, 40, 40, 50, 50, 0 },
	{ "forgotten twice", { { 0, 50 }, { 50, 50 }, { 100, 50 } }, 40, 40, 110, 110, 0 },
};

static void
appends(void **state)
{
	const struct row *row = *state;
	struct collector *c = collector(row->steps, 5, 10);
	size_t n, holes = 0;
	const struct group *g;

	for (size_t i = 0; i < ARRAY_LEN(row->windows) && row->windows[i].n; i++)
		add(c, "pump", row->windows[i].start, row->windows[i].n, STEP);
	g = finish(c, &n);
	assert_int_equal(n, 1);
	assert_int_equal(g->n, 1);
	assert_int_equal(g->targets->n, row->n);
	assert_int_equal(g->targets->start_us, row->first * STEP);
	assert_int_equal(g->targets->age, row->age);
	for (size_t i = 0; i < row->n; i++) {
		holes += isnan(g->targets->values[i]);
		assert_true(isnan(g->targets->values[i]) || g->targets->values[i] == (double)(row->first + (int64_t)i));
	}
	assert_int_equal(holes, row->holes);
	assert_int_equal(g->points, row->n - holes);
	assert_int_equal(g->from_us, row->first * STEP);
	assert_int_equal(g->to_us, (row->first + (int64_t)row->n) * STEP);
	collector_free(c);
}

static void
by_step(void **state)
{
	struct collector *c = collector(100, 5, 10);
	const struct group *g;
	size_t n;

	(void)state;
	add(c, "b", 0, 10, STEP);
	add(c, "a", 0, 10, STEP);
	add(c, "c", 0, 10, 60 * STEP);
	add(c, "d", 0, 10, STEP);
	add(c, "d", 10, 10, 5 * STEP); /* another step: begins anew */
	g = finish(c, &n);
	assert_int_equal(n, 3);
	assert_true(g[0].step_us == STEP && g[0].n == 2 && g[1].step_us == 5 * STEP && g[2].step_us == 60 * STEP);
	assert_string_equal(g[0].pasts[0]->device, "a");
	assert_string_equal(g[0].pasts[1]->device, "b");
	assert_string_equal(g[1].pasts[0]->device, "d");
	assert_int_equal(g[1].targets[0].n, 10);
	assert_ptr_equal(group_find(g, n, 60 * STEP), &g[2]);
	assert_null(group_find(g, n, 7));
	collector_free(c);
}

static void
units_begin_anew(void **state)
{
	struct collector *c = collector(100, 5, 10);
	struct series s = window("a", 0, 10, STEP);
	struct err err = ERR_INIT;
	const struct group *g;
	size_t n;

	(void)state;
	s.unit = SPAN("bar");
	assert_int_equal(collector_add(c, &s, &err), 0);
	add(c, "a", 10, 10, STEP); /* not named: goes on */
	s = window("a", 20, 10, STEP);
	s.unit = SPAN("kPa");
	assert_int_equal(collector_add(c, &s, &err), 0);
	g = finish(c, &n);
	assert_true(g->targets->n == 10 && g->targets->values[0] == 20);
	collector_free(c);
}

/* The hash of COUNT series of at most MAX, told in an order of WAY; and who stayed. */
static uint64_t
sample(size_t count, size_t max, int way, char *stayed)
{
	struct collector *c = collector(100, 5, max);
	const struct group *g;
	uint64_t hash;
	size_t n;

	for (size_t round = 0; round < 2; round++)
		for (size_t i = 0; i < count; i++) {
			char name[20];

			snprintf(name, sizeof(name), "pump-%03zu", way ? count - 1 - i : i);
			add(c, name, (int64_t)round * 10, 10, STEP);
		}
	g = finish(c, &n);
	assert_int_equal(g->n, count < max ? count : max);
	*stayed = '\0';
	for (size_t i = 0; i < g->n; i++) {
		assert_int_equal(g->targets[i].n, 20);
		stayed = stpcpy(stayed, g->pasts[i]->device + 5);
	}
	hash = g->hash;
	collector_free(c);
	return hash;
}

static void
samples(void **state)
{
	char one[1000], other[1000], more[1000];

	(void)state;
	assert_true(sample(100, 10, 0, one) == sample(100, 10, 1, other));
	assert_string_equal(one, other);
	sample(100, 30, 0, more);
	for (size_t i = 0; i < 30; i += 3) { /* a greater sample holds the smaller one */
		char name[4] = { one[i], one[i + 1], one[i + 2], '\0' };
		bool there = false;

		for (size_t k = 0; k < 90; k += 3)
			there |= strncmp(more + k, name, 3) == 0;
		assert_true(there);
	}
	assert_true(sample(100, 1000, 0, one) != sample(99, 1000, 0, other));
}

static uint64_t
hash_of(const char *device, double fifth)
{
	struct collector *c = collector(100, 5, 10);
	uint64_t hash;
	size_t n;

	numbers[5] = fifth;
	add(c, device, 0, 10, STEP);
	numbers[5] = 5;
	hash = finish(c, &n)->hash;
	collector_free(c);
	return hash;
}

static void
hashes(void **state)
{
	(void)state;
	assert_true(hash_of("a", 5) == hash_of("a", 5));
	assert_true(hash_of("a", 5) != hash_of("b", 5));
	assert_true(hash_of("a", 5) != hash_of("a", 5 + 1e-9));
	assert_true(hash_of("a", NAN) == hash_of("a", -NAN));
}

static void
nothing(void **state)
{
	struct collector *c = collector(100, 5, 10);
	size_t n = 7;

	(void)state;
	finish(c, &n);
	assert_int_equal(n, 0);
	collector_free(c);
}

int
main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(by_step), cmocka_unit_test(units_begin_anew), cmocka_unit_test(samples),
		cmocka_unit_test(hashes),  cmocka_unit_test(nothing),
	};
	struct CMUnitTest tests[ARRAY_LEN(rows) + ARRAY_LEN(others)];

	for (size_t i = 0; i < LONG; i++)
		numbers[i] = (double)i;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, appends, NULL, NULL, (void *)&rows[i] };
	memcpy(tests + ARRAY_LEN(rows), others, sizeof(others));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
