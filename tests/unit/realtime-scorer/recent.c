/* recent.c -- the near past against a plain count of all values, stored and read back at any point; forecasts made of it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/forecast/panel.h"
#include "workers/realtime-scorer/ondemand.h"

#define SECOND INT64_C(1000000)
#define STEPS 48

static const struct recent_rule rule = { 10 * SECOND, STEPS };

static void
add(struct recent *r, const struct recent_rule *by, double value, int64_t event_us)
{
	struct err err = ERR_INIT;

	assert_int_equal(recent_reserve(r, by, event_us, &err), 0);
	recent_add(r, by, value, event_us);
}

static double
value_at(int64_t second)
{
	return 1e9 + (double)(second % 60) + random_normal(1, 0, (uint64_t)second);
}

/* Seconds without a value, single ones and holes of several steps. */
static bool
is_there(int64_t second)
{
	return random_uniform(2, 0, (uint64_t)second) < 0.7 && second / 35 % 9 != 4;
}

/* The mean of the values between FROM and TO seconds, NaN without any. */
static double
mean_of(int64_t from, int64_t to)
{
	double sum = 0;
	int n = 0;

	for (int64_t s = from; s < to; s++)
		if (s >= 0 && is_there(s)) {
			sum += value_at(s);
			n++;
		}
	return n ? sum / n : NAN;
}

static void
reread(struct recent *r)
{
	struct recent_flat flat = recent_lay(r);
	struct recent read = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(recent_restore(&flat, &read, &err), 0);
	recent_clear(r);
	*r = read;
}

static void
holds_means(void **state)
{
	struct recent r = { 0 }, copy = { 0 };
	double values[STEPS];

	for (int64_t s = 0; s < 2000; s++) {
		size_t n = recent_history(&r, &rule, s * SECOND, values);

		assert_true(n <= STEPS);
		for (size_t i = 0; i < n; i++) {
			int64_t from = (s / 10 - (int64_t)(n - i)) * 10;
			double mean = mean_of(from, from + 10);

			assert_true(isnan(mean) ? isnan(values[i]) : fabs(values[i] - mean) < 1e-4);
		}
		if (s > 600 && is_there(s))
			assert_int_equal(n, STEPS);
		if (s % 7 == 0)
			recent_copy(&copy, &r);
		if (is_there(s))
			add(&r, &rule, value_at(s), s * SECOND);
		if (s % 7 == 0)
			recent_clear(&copy);
		if (s % 111 == 0)
			reread(&r);
	}
	recent_clear(&r);
}

/* The copy stays as it was, whatever becomes of the original. */
static void
copies_are_apart(void **state)
{
	struct recent r = { 0 }, copy = { 0 };
	double before[STEPS], after[STEPS];
	size_t n;

	for (int64_t s = 0; s < 300; s++)
		add(&r, &rule, value_at(s), s * SECOND);
	recent_copy(&copy, &r);
	n = recent_history(&copy, &rule, 300 * SECOND, before);
	for (int64_t s = 300; s < 900; s++)
		add(&r, &rule, value_at(s), s * SECOND);
	assert_int_equal(recent_history(&copy, &rule, 300 * SECOND, after), n);
	assert_memory_equal(before, after, n * sizeof(before[0]));
	recent_clear(&r);
	assert_int_equal(recent_history(&copy, &rule, 300 * SECOND, after), n);
	assert_memory_equal(before, after, n * sizeof(before[0]));
	recent_clear(&copy);
}

static void
forgets(void **state)
{
	static const struct recent_rule other = { 20 * SECOND, STEPS }, off = { 10 * SECOND, 0 },
					shorter = { 10 * SECOND, 5 };
	struct recent r = { 0 };
	const struct recent zero = { 0 };
	double values[STEPS];

	for (int64_t s = -500; s < 300; s++)
		add(&r, &rule, value_at(s + 1000), s * SECOND);
	assert_int_equal(recent_history(&r, &rule, 300 * SECOND, values), STEPS);
	assert_int_equal(recent_history(&r, &shorter, 300 * SECOND, values), 5);
	add(&r, &shorter, 1, 300 * SECOND);
	assert_int_equal(recent_lay(&r).n_means, 5);
	add(&r, &shorter, 1, 200 * SECOND); /* the clock was set back */
	assert_int_equal(recent_history(&r, &shorter, 300 * SECOND, values), 0);
	assert_int_equal(recent_history(&r, &shorter, 220 * SECOND, values), 2);
	assert_true(values[0] == 1 && isnan(values[1]));
	add(&r, &shorter, 2, 100000 * SECOND); /* a hole larger than all */
	assert_int_equal(recent_lay(&r).n_means, 0);
	add(&r, &shorter, 2, 100010 * SECOND);
	add(&r, &other, 3, 100020 * SECOND);
	assert_int_equal(recent_history(&r, &other, 100040 * SECOND, values), 1);
	assert_true(values[0] == 3);
	add(&r, &off, 3, 100040 * SECOND);
	assert_memory_equal(&r, &zero, sizeof(r));
}

static void
refuses_lies(void **state)
{
	static float means[] = { 1, 2, 3 }, endless[] = { 1, INFINITY };
	const struct recent_flat good = {
		.step_us = 5, .step = 7, .mean = 1, .count = 1, .means = means, .n_means = 3
	};
	struct recent_flat bad[8];
	struct recent r = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(recent_restore(&good, &r, &err), 0);
	recent_clear(&r);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		bad[i] = good;
	bad[0].step_us = -1;
	bad[1].step_us = 0;
	bad[2].mean = NAN;
	bad[3].base = INFINITY;
	bad[4].count = 0;
	bad[5].step = INT64_MAX;
	bad[6].step = INT64_MIN;
	bad[7].means = endless;
	bad[7].n_means = 2;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(recent_restore(&bad[i], &r, &err), -1);
		assert_int_equal(err.reason, REASON_STATE_CORRUPT);
		assert_null(r.means);
	}
}

/* A day of hours: the season is found, and what is forecast is where the values will be. */
static void
makes_a_forecast(void **state)
{
	static const struct ondemand_rule day = { .recent = { 3600 * SECOND, 96 },
						  .horizon = 3,
						  .members = 1U << PANEL_SEASON | 1U << PANEL_LAST };
	struct ondemand *o = NULL;
	struct recent r = { 0 };
	struct err err = ERR_INIT;
	int covered = 0, looks = 0;

	assert_int_equal(ondemand_new(&day, &o, &err), 0);
	for (int64_t hour = 0; hour < 300; hour++) {
		double value = 20 + 8 * sin((double)(hour % 24) * 0.2618) + random_normal(4, 0, (uint64_t)hour);
		struct held *h = NULL, *again = NULL;
		const struct ondemand_request request = { &r, SPAN("key"), hour * 3600 * SECOND + 5, NULL };
		struct outlook look;
		bool used = true;

		assert_int_equal(ondemand_make(o, &request, &h, &used, &err), 0);
		assert_false(used);
		assert_true((h != NULL) == (hour >= ONDEMAND_KNOWN_MIN));
		if (h) {
			assert_true(held_marked(h) && held_origin(h) == hour * 3600 * SECOND &&
				    held_end(h) == (hour + 3) * 3600 * SECOND);
			assert_true(held_look(h, hour * 3600 * SECOND + 5, value, 0, &look));
			reread(&r);
			assert_int_equal(ondemand_make(o, &request, &again, &used, &err), 0);
			assert_memory_equal(held_lay(h).rows, held_lay(again).rows,
					    held_lay(h).n_numbers * sizeof(float));
			if (hour >= 100) {
				looks++;
				covered += value >= look.lower && value <= look.upper;
			}
		}
		held_release(h);
		held_release(again);
		add(&r, &day.recent, value, hour * 3600 * SECOND);
	}
	assert_true(covered > looks * 7 / 10 && covered < looks);
	recent_clear(&r);
	ondemand_free(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_means),  cmocka_unit_test(copies_are_apart), cmocka_unit_test(forgets),
		cmocka_unit_test(refuses_lies), cmocka_unit_test(makes_a_forecast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
