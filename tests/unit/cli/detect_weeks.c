/* Forecasts from a column's own weeks: when they speak, what they say, and what they do not learn. */
#include "cli/detect_weeks.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/random.h"

#define HOUR_US (60 * 60 * US_PER_SECOND)
#define MONDAY_US (INT64_C(1767571200) * US_PER_SECOND) /* 2026-01-05 */

enum { DAY = 24, WEEK = 7 * DAY };

struct column {
	struct weeks *weeks;
	int64_t at_us;
	struct weeks_view view; /* of the newest value */
	bool foreseen;
};

static double
noise(int64_t hour)
{
	return random_normal(1, 2, (uint64_t)hour);
}

/* Busy by day, but for Saturday and Sunday. */
static double
office(int64_t hour)
{
	bool busy = hour % WEEK < 5 * DAY && hour % DAY >= 8 && hour % DAY < 18;

	return (busy ? 100 : 10) + noise(hour);
}

static double
wave(int64_t hour)
{
	return 100 + 30 * sin((double)(hour % DAY) / DAY * 2 * M_PI) + noise(hour);
}

static void
add_at(struct column *c, int64_t event_us, double value)
{
	struct err err = ERR_INIT;

	if (!c->weeks)
		assert_int_equal(weeks_new(7, &c->weeks, &err), 0);
	assert_int_equal(weeks_turn(c->weeks, event_us, &err), 0);
	c->foreseen = weeks_look(c->weeks, event_us, value, 0, &c->view);
	weeks_add(c->weeks, value);
}

static void
add(struct column *c, int64_t hour, double value)
{
	add_at(c, MONDAY_US + hour * HOUR_US, value);
}

static void
weeks_that_repeat_are_forecast(void **state)
{
	struct column c = { 0 };
	int64_t spoke = 0, ordinary = 0;

	(void)state;
	for (int64_t hour = 0; hour < 8 * WEEK; hour++) {
		add(&c, hour, office(hour));
		assert_true(!c.foreseen || hour >= 2 * WEEK);
		spoke += c.foreseen && hour >= 4 * WEEK;
		ordinary +=
		    c.foreseen && hour >= 4 * WEEK && c.view.p > 0.01 && fabs(c.view.expected - office(hour)) < 10;
	}
	assert_int_equal(spoke, 4 * WEEK);
	assert_true(ordinary > spoke * 95 / 100);
	/* What is usual at noon on a Sunday is not on a Monday. */
	add(&c, 8 * WEEK + 12, 10);
	assert_true(c.foreseen && c.view.p < 1e-4 && c.view.lower > 80 && c.view.upper < 120);
	weeks_free(c.weeks);
}

static void
days_that_repeat_are_left_to_others(void **state)
{
	struct column c = { 0 };

	(void)state;
	for (int64_t hour = 0; hour < 8 * WEEK; hour++) {
		add(&c, hour, wave(hour));
		assert_false(c.foreseen);
	}
	weeks_free(c.weeks);
}

static void
a_holiday_is_no_example(void **state)
{
	struct column c = { 0 };

	(void)state;
	for (int64_t hour = 0; hour < 7 * WEEK; hour++) {
		bool holiday = hour / DAY == 6 * 7 - 5; /* a Wednesday */

		add(&c, hour, holiday ? 10 + noise(hour) : office(hour));
		if (holiday && hour % DAY == 12)
			assert_true(c.foreseen && c.view.p < 1e-3);
		if (hour == 6 * WEEK + 2 * DAY + 12) /* a week later */
			assert_true(c.foreseen && c.view.lower > 80 && c.view.p > 0.01);
	}
	weeks_free(c.weeks);
}

static void
what_lasts_is_learnt(void **state)
{
	struct column c = { 0 };

	(void)state;
	for (int64_t hour = 0; hour < 14 * WEEK; hour++)
		add(&c, hour, office(hour) + (hour < 6 * WEEK ? 0 : 300));
	assert_true(c.foreseen && c.view.p > 0.01 && c.view.expected > 290);
	weeks_free(c.weeks);
}

static void
quarters_of_an_hour_are_gathered(void **state)
{
	struct column c = { 0 };
	int64_t minutes = 0;

	(void)state;
	for (; minutes < 5 * WEEK * 60 + 12 * 60; minutes += 5)
		add_at(&c, MONDAY_US + minutes * 60 * US_PER_SECOND, office(minutes / 60));
	assert_true(c.foreseen && c.view.p > 0.01);
	add_at(&c, MONDAY_US + minutes * 60 * US_PER_SECOND, 10);
	assert_true(c.foreseen && c.view.p < 1e-3);
	weeks_free(c.weeks);
}

static void
a_value_a_day_will_do(void **state)
{
	struct column c = { 0 };

	(void)state;
	for (int64_t day = 0; day < 70; day++)
		add(&c, day * DAY, (day % 7 < 5 ? 100 : 10) + noise(day));
	assert_true(c.foreseen && c.view.p > 0.01);
	add(&c, 70 * DAY, 10); /* a Monday */
	assert_true(c.foreseen && c.view.p < 1e-2 && c.view.expected > 80);
	weeks_free(c.weeks);
}

static void
silence_begins_anew(void **state)
{
	struct column c = { 0 };

	(void)state;
	for (int64_t hour = 0; hour < 5 * WEEK; hour++)
		add(&c, hour, office(hour));
	assert_true(c.foreseen);
	for (int64_t hour = 50 * WEEK; hour < 52 * WEEK; hour++) {
		add(&c, hour, office(hour));
		assert_false(c.foreseen);
	}
	weeks_free(c.weeks);
}

static void
values_two_days_apart_and_before_1970(void **state)
{
	struct column sparse = { 0 }, old = { 0 };

	(void)state;
	for (int64_t i = 0; i < 400; i++) {
		add(&sparse, i * 2 * DAY, office(i));
		assert_false(sparse.foreseen);
	}
	for (int64_t hour = 0; hour < 5 * WEEK; hour++)
		add_at(&old, (hour - 4 * WEEK) * HOUR_US, office(hour));
	assert_true(old.foreseen && old.view.p > 0.001);
	weeks_free(sparse.weeks);
	weeks_free(old.weeks);
}

static void
the_same_values_say_the_same(void **state)
{
	struct column a = { 0 }, b = { 0 };

	(void)state;
	for (int64_t hour = 0; hour < 5 * WEEK; hour++) {
		add(&a, hour, office(hour));
		add(&b, hour, office(hour));
		assert_int_equal(a.foreseen, b.foreseen);
		assert_true(!a.foreseen || a.view.p == b.view.p);
	}
	weeks_free(a.weeks);
	weeks_free(b.weeks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weeks_that_repeat_are_forecast),
		cmocka_unit_test(days_that_repeat_are_left_to_others),
		cmocka_unit_test(a_holiday_is_no_example),
		cmocka_unit_test(what_lasts_is_learnt),
		cmocka_unit_test(quarters_of_an_hour_are_gathered),
		cmocka_unit_test(a_value_a_day_will_do),
		cmocka_unit_test(silence_begins_anew),
		cmocka_unit_test(values_two_days_apart_and_before_1970),
		cmocka_unit_test(the_same_values_say_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
