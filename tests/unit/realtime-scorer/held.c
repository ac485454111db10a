/* held.c -- which step of a forecast speaks for a time, what it says, and who owns it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "workers/realtime-scorer/held.h"

#define MINUTE_US INT64_C(60000000)
#define ORIGIN_US (INT64_C(1700000000) * 1000000)

static double levels[] = { 0.05, 0.5, 0.95 };

/* Three steps of a minute: medians 10, 20, 30 above BASE, from 1 below to 2 above. */
static struct held *
held_of(double base, size_t max_steps)
{
	double values[] = { base + 9,  base + 10, base + 12, base + 19, base + 20,
			    base + 22, base + 29, base + 30, base + 32 };
	const struct forecast f = { .origin_us = ORIGIN_US,
				    .step_us = MINUTE_US,
				    .levels = levels,
				    .n_levels = 3,
				    .values = values,
				    .n_steps = 3 };
	struct err err = ERR_INIT;
	struct held *h = NULL;

	assert_int_equal(held_new(&f, max_steps, 99, &h, &err), 0);
	return h;
}

static const struct row {
	const char *name;
	int64_t after_us; /* the origin */
	bool covered;
	double expected;
} rows[] = {
	{ "before the origin", -1, false, 0 },
	{ "the origin is in the first step", 0, true, 10 },
	{ "the last instant of it", MINUTE_US - 1, true, 10 },
	{ "the second begins", MINUTE_US, true, 20 },
	{ "the end of the last", 3 * MINUTE_US - 1, true, 30 },
	{ "beyond", 3 * MINUTE_US, false, 0 },
	{ "far beyond", INT64_C(253402300799999999) - ORIGIN_US, false, 0 },
};

static void
covers_its_steps(void **state)
{
	struct held *h = held_of(0, 100);
	struct outlook o;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(held_look(h, ORIGIN_US + rows[i].after_us, 20, 0, &o), rows[i].covered);
		if (!rows[i].covered)
			continue;
		assert_true(fabs(o.expected - rows[i].expected) < 1e-5);
		assert_true(fabs(o.lower - rows[i].expected + 1) < 1e-5);
		assert_true(fabs(o.upper - rows[i].expected - 2) < 1e-5);
		assert_true(rows[i].expected == 20 ? o.p == 1 : o.p < 0.01);
	}
	assert_false(held_look(NULL, ORIGIN_US, 20, 0, &o));
	held_release(h);
}

/* Large levels keep their small differences: a counter near a billion. */
static void
keeps_precision(void **state)
{
	struct held *h = held_of(1e9, 100);
	struct outlook o;

	assert_true(held_look(h, ORIGIN_US, 1e9 + 10, 0, &o));
	assert_true(fabs(o.expected - 1e9 - 10) < 1e-4 && fabs(o.p - 1) < 1e-3);
	held_release(h);
}

static void
is_bounded(void **state)
{
	double many[200], values[200];
	struct forecast f = { .step_us = 1, .levels = many, .n_levels = 100, .values = values, .n_steps = 2 };
	struct held *h = held_of(0, 2), *none = NULL;
	struct err err = ERR_INIT;
	struct outlook o;

	assert_true(held_look(h, ORIGIN_US + MINUTE_US, 20, 0, &o));
	assert_false(held_look(h, ORIGIN_US + 2 * MINUTE_US, 20, 0, &o));
	held_release(h);
	assert_int_equal(held_new(&f, 10, 99, &none, &err), -1);
	assert_int_equal(err.reason, REASON_RECORD_INVALID);
	assert_null(none);
}

/* Quantiles that coincide (a constant series): the grain says what is worth a word. */
static void
minds_the_grain(void **state)
{
	double values[] = { 5, 5, 5 };
	const struct forecast f = { .step_us = 1, .levels = levels, .n_levels = 3, .values = values, .n_steps = 1 };
	struct err err = ERR_INIT;
	struct held *h = NULL;
	struct outlook o;

	assert_int_equal(held_new(&f, 10, 99, &h, &err), 0);
	assert_true(held_look(h, 0, 5, 1, &o) && o.p == 1);
	assert_true(held_look(h, 0, 5.5, 1, &o) && fabs(o.p - 0.1 * exp(-0.5)) < 1e-6);
	assert_true(held_look(h, 0, 5.5, 0, &o) && o.p < 1e-100);
	held_release(h);
}

static void
takes_any_numbers(void **state)
{
	double values[] = { -DBL_MAX, 0, DBL_MAX, DBL_MAX, DBL_MAX, DBL_MAX, -DBL_MAX, -DBL_MAX, -DBL_MAX };
	const struct forecast f = { .step_us = 1, .levels = levels, .n_levels = 3, .values = values, .n_steps = 3 };
	static const double asked[] = { 0, DBL_MAX, -DBL_MAX, 1e300, -1, 5e-324 };
	struct err err = ERR_INIT;
	struct held *h = NULL;
	struct outlook o;

	assert_int_equal(held_new(&f, 10, 99, &h, &err), 0);
	for (int64_t step = 0; step < 3; step++) {
		for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
			assert_true(held_look(h, step, asked[i], 0, &o));
			assert_true(o.p > 0 && o.p <= 1);
			assert_true(isfinite(o.expected) && isfinite(o.lower) && isfinite(o.upper));
		}
	}
	held_release(h);
}

/* Under AddressSanitizer: the last owner frees it, not the first. */
static void
is_shared(void **state)
{
	struct held *h = held_of(0, 3), *also = held_share(h);
	struct outlook o;

	held_release(h);
	assert_true(held_look(also, ORIGIN_US, 1, 0, &o));
	assert_true(held_origin(also) == ORIGIN_US);
	held_release(also);
	held_release(NULL);
	assert_null(held_share(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(covers_its_steps), cmocka_unit_test(keeps_precision),   cmocka_unit_test(is_bounded),
		cmocka_unit_test(minds_the_grain),  cmocka_unit_test(takes_any_numbers), cmocka_unit_test(is_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
