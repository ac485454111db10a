/* history.c -- windows become a history; copies of it stay what they were. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "workers/batch-forecaster/history.h"

#define STEP 10
#define MAX_STEPS 100

static int
append(const struct history_rule *rule, struct history *h, int64_t start, size_t n, double first, int64_t step_us,
       const char *unit)
{
	double target[2 * MAX_STEPS];
	struct series s = { .device = SPAN("d"),
			    .metric = SPAN("m"),
			    .unit = span_of(unit),
			    .start_us = start,
			    .step_us = step_us,
			    .target = target,
			    .n_target = n,
			    .ingest_us = start + 5 };
	enum history_verdict verdict;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < n; i++)
		target[i] = first + (double)i;
	assert_int_equal(history_append(rule, h, &s, &verdict, &err), 0);
	return (int)verdict;
}

/* A history of 0 1 2 3 (four steps from 0) meets one more window.  NAN in `values` is a hole. */
static const struct row {
	const char *name;
	int64_t start;
	size_t n;
	int64_t step_us;
	const char *unit;
	enum history_verdict verdict;
	double values[8];
	size_t n_values;
	int64_t end_us;
} rows[] = {
	{ "next", 40, 2, STEP, "C", HISTORY_GROWN, { 0, 1, 2, 3, 50, 51 }, 6, 60 },
	{ "next, unit not named", 40, 1, STEP, NULL, HISTORY_GROWN, { 0, 1, 2, 3, 50 }, 5, 50 },
	{ "behind a hole", 60, 1, STEP, "C", HISTORY_GROWN, { 0, 1, 2, 3, NAN, NAN, 50 }, 7, 70 },
	{ "behind a hole too long", 70, 2, STEP, "C", HISTORY_RESTARTED, { 50, 51 }, 2, 90 },
	{ "the same again", 0, 4, STEP, "C", HISTORY_OLD, { 0, 1, 2, 3 }, 4, 40 },
	{ "older", -50, 2, STEP, "C", HISTORY_OLD, { 0, 1, 2, 3 }, 4, 40 },
	{ "inside", 10, 2, STEP, "C", HISTORY_OLD, { 0, 1, 2, 3 }, 4, 40 },
	{ "partly new", 20, 4, STEP, "C", HISTORY_GROWN, { 0, 1, 2, 3, 52, 53 }, 6, 60 },
	{ "older and newer", -10, 6, STEP, "C", HISTORY_GROWN, { 0, 1, 2, 3, 55 }, 5, 50 },
	{ "another step", 40, 2, STEP + 1, "C", HISTORY_RESTARTED, { 50, 51 }, 2, 62 },
	{ "between the steps", 45, 2, STEP, "C", HISTORY_RESTARTED, { 50, 51 }, 2, 65 },
	{ "another unit", 40, 2, STEP, "F", HISTORY_RESTARTED, { 50, 51 }, 2, 60 },
};

static void
meets(void **state)
{
	static const struct history_rule rule = { MAX_STEPS, 2 };
	const struct row *row = *state;
	struct history h = { 0 };

	assert_int_equal(append(&rule, &h, 0, 4, 0, STEP, "C"), HISTORY_RESTARTED);
	assert_int_equal(append(&rule, &h, row->start, row->n, 50, row->step_us, row->unit), row->verdict);
	assert_int_equal(h.n, row->n_values);
	assert_int_equal(h.end_us, row->end_us);
	assert_int_equal(h.ingest_us, row->verdict == HISTORY_OLD ? 5 : row->start > 0 ? row->start + 5 : 5);
	for (size_t i = 0; i < h.n; i++)
		assert_true(isnan(row->values[i]) ? isnan(history_values(&h)[i])
						  : history_values(&h)[i] == row->values[i]);
	history_clear(&h);
}

static void
forgets(void **state)
{
	static const struct history_rule rule = { 5, 10 };
	struct history h = { 0 };

	append(&rule, &h, 0, 12, 0, STEP, NULL);
	assert_int_equal(h.n, 5);
	assert_true(history_values(&h)[0] == 7 && history_values(&h)[4] == 11);
	assert_int_equal(h.forgotten, 7);
	assert_true(history_at(&h, 70) == 7 && history_at(&h, 110) == 11);
	assert_true(isnan(history_at(&h, 60)) && isnan(history_at(&h, 120)));
	append(&rule, &h, 120, 2, 100, STEP, NULL);
	assert_int_equal(h.n, 5);
	assert_true(history_values(&h)[0] == 9 && history_values(&h)[4] == 101);
	append(&rule, &h, 230, 1, 200, STEP, NULL); /* nine holes do not fit: four do */
	assert_int_equal(h.n, 5);
	assert_true(isnan(history_values(&h)[0]) && history_values(&h)[4] == 200);
	assert_int_equal(h.forgotten, 24 - 5); /* holes count */
	append(&rule, &h, 1000, 2, 0, STEP, NULL);
	assert_int_equal(h.forgotten, 0);
	history_clear(&h);
}

/* Random growth, copies, rollbacks to copies and writes to both sides, against plain arrays. */
struct plain {
	double values[MAX_STEPS];
	size_t n;
	int64_t end;
};

static void
plain_append(struct plain *p, size_t n, double first)
{
	for (size_t i = 0; i < n; i++) {
		if (p->n == MAX_STEPS)
			memmove(p->values, p->values + 1, --p->n * sizeof(double));
		p->values[p->n++] = first + (double)i;
	}
	p->end += (int64_t)n * STEP;
}

static void
copies_are_their_own(void **state)
{
	static const struct history_rule rule = { MAX_STEPS, 0 };
	struct history h[3] = { 0 };
	struct plain p[3] = { 0 };

	for (uint64_t turn = 0; turn < 20000; turn++) {
		size_t at = (size_t)(random_uniform(1, 0, turn) * 3), to = (size_t)(random_uniform(2, 0, turn) * 3);
		size_t n = 1 + (size_t)(random_uniform(3, 0, turn) * 9);

		if (random_uniform(4, 0, turn) < 0.3 && at != to) {
			history_clear(&h[to]);
			assert_int_equal(history_copy(&h[to], &h[at]), 0);
			p[to] = p[at];
		} else {
			append(&rule, &h[at], p[at].end, n, (double)turn * 10, STEP, "C");
			plain_append(&p[at], n, (double)turn * 10);
		}
		for (size_t i = 0; i < 3; i++) {
			assert_int_equal(h[i].n, p[i].n);
			if (p[i].n)
				assert_memory_equal(history_values(&h[i]), p[i].values, p[i].n * sizeof(double));
		}
	}
	for (size_t i = 0; i < 3; i++)
		history_clear(&h[i]);
}

int
main(void)
{
	struct CMUnitTest tests[2 + ARRAY_LEN(rows)] = { cmocka_unit_test(forgets),
							 cmocka_unit_test(copies_are_their_own) };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[2 + i] = (struct CMUnitTest){ rows[i].name, meets, NULL, NULL, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
