/* life.c -- what happens to a stream over time, with the default options: its first day, a new level, another unit, flapping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/detect/detector.h"

#define MINUTE_US INT64_C(60000000)
#define STEP_US (5 * MINUTE_US)
#define A_DAY 288 /* values */
#define STREAMS 20

struct stream {
	struct detector detector;
	struct detector_options options;
	uint64_t seed;
	int n;
	/* What it has come to. */
	int alerts, accepted, capped;
	double p; /* the last one */
};

static struct stream
new_stream(uint64_t seed)
{
	struct stream s = { .options = detector_defaults(), .seed = seed };

	s.options.members = 1u << DETECTOR_SCALAR | 1u << DETECTOR_FORECAST;
	return s;
}

static double
noise(const struct stream *s)
{
	return random_normal(s->seed, 1, (uint64_t)s->n);
}

static double
daily(const struct stream *s)
{
	return 10 * sin(s->n * 6.283185307179586 / A_DAY);
}

static void
add(struct stream *s, double value)
{
	struct err err = ERR_INIT;
	struct verdict v;

	if (detector_add(&s->detector, &s->options, s->seed, value, s->n++ * STEP_US, NAN, &v, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(v.p_value > 0 && v.p_value <= 1);
	s->alerts += v.action == EPISODE_OPENED;
	s->capped += v.capped;
	s->p = v.p_value;
	s->accepted += v.shifted;
}

/* Nobody has seen its evening before. */
static void
first_day_is_no_alert(void **state)
{
	int alerts = 0;

	for (uint64_t seed = 1; seed <= STREAMS; seed++) {
		struct stream s = new_stream(seed);

		while (s.n < 4 * A_DAY)
			add(&s, daily(&s) + noise(&s));
		alerts += s.alerts;
	}
	print_message("%d alerts in the first days of %d streams\n", alerts, STREAMS);
	assert_true(alerts <= 1);
}

/* ... but a jump is strange on the first day, too. */
static void
first_day_is_watched(void **state)
{
	for (uint64_t seed = 1; seed <= STREAMS; seed++) {
		struct stream s = new_stream(seed);

		while (s.n < A_DAY * 3 / 4)
			add(&s, daily(&s) + noise(&s));
		add(&s, daily(&s) + 50);
		assert_true(s.p < 1e-3);
	}
}

/* On at 8:25, off at 17:15: the switching makes two hours uncertain, and no other.  On at night is an alert. */
static void
office_hours_are_known(void **state)
{
	enum { DAYS = 14, ON = 101, OFF = 207, NIGHT = 36, HALF_AN_HOUR = 6 };
	int told = 0;

	for (uint64_t seed = 1; seed <= STREAMS; seed++) {
		struct stream s = new_stream(seed);
		int before;

		while (s.n < DAYS * A_DAY + NIGHT)
			add(&s, (s.n % A_DAY >= ON && s.n % A_DAY < OFF ? 20 : 0) + noise(&s));
		before = s.alerts;
		while (s.n < DAYS * A_DAY + NIGHT + HALF_AN_HOUR)
			add(&s, 20 + noise(&s));
		told += s.alerts > before;
	}
	print_message("on at night: %d of %d\n", told, STREAMS);
	assert_true(told >= STREAMS * 9 / 10);
}

/* Readings are lost now and then, for hours: what the wave does meanwhile is no jump.  A jump behind a gap still is one. */
static void
gap_is_no_jump(void **state)
{
	int alerts = 0, found = 0;

	for (uint64_t seed = 1; seed <= STREAMS; seed++) {
		struct stream s = new_stream(seed);

		while (s.n < 14 * A_DAY) {
			add(&s, daily(&s) + 0.1 * noise(&s));
			if (s.n > A_DAY && s.n % 101 == 0)
				s.n += 30;
		}
		alerts += s.alerts;
		s.n += 30;
		s.alerts = 0;
		add(&s, daily(&s) + 20);
		add(&s, daily(&s) + 20);
		found += s.alerts;
	}
	print_message("%d alerts, %d of %d jumps\n", alerts, found, STREAMS);
	assert_true(alerts <= 2 && found >= STREAMS * 3 / 4);
}

static void
new_level_becomes_the_usual_one(void **state)
{
	int false_alerts = 0, accepted = 0;

	for (uint64_t seed = 1; seed <= STREAMS; seed++) {
		struct stream s = new_stream(seed);

		while (s.n < 10 * A_DAY)
			add(&s, 100 + noise(&s));
		s.alerts = 0;
		while (s.n < 11 * A_DAY)
			add(&s, 120 + noise(&s));
		assert_true(s.alerts >= 1);
		accepted += s.accepted > 0 && fabs(scalar_mean(&s.detector.scalar) - 120) < 3;
		while (s.n < 14 * A_DAY)
			add(&s, 120 + noise(&s));
		false_alerts += s.alerts - 1;
		assert_int_equal(s.detector.episode.status, EPISODE_OK);
	}
	print_message("%d of %d accepted, %d false alerts\n", accepted, STREAMS, false_alerts);
	assert_true(accepted >= STREAMS * 3 / 4 && false_alerts <= 2);
}

/* Grams instead of kilograms: one alert, then all is as it was, a thousand times larger. */
static void
another_unit_is_learnt(void **state)
{
	int found = 0, false_alerts = 0;

	for (uint64_t seed = 1; seed <= STREAMS; seed++) {
		struct stream s = new_stream(seed);

		while (s.n < 10 * A_DAY)
			add(&s, 20 + noise(&s));
		s.alerts = 0;
		while (s.n < 12 * A_DAY)
			add(&s, 1000 * (20 + noise(&s)));
		assert_true(s.alerts >= 1);
		assert_true(s.accepted >= 1);
		assert_true(fabs(scalar_mean(&s.detector.scalar) - 20000) < 1000);
		assert_true(scalar_deviation(&s.detector.scalar) > 500 && scalar_deviation(&s.detector.scalar) < 2000);
		while (s.n < 16 * A_DAY)
			add(&s, 1000 * (20 + noise(&s)));
		false_alerts += s.alerts - 1;
		s.alerts = 0;
		add(&s, 1000 * (20 + 12));
		add(&s, 1000 * (20 + 12));
		found += s.alerts;
	}
	print_message("%d of %d spikes after, %d false alerts\n", found, STREAMS, false_alerts);
	assert_true(found >= STREAMS * 3 / 4 && false_alerts <= 2);
}

/* What was strange by the old unit's measures makes nothing of the new one's less strange, however often it comes. */
static void
another_unit_hides_nothing(void **state)
{
	const int spikes = 10, apart = 397;
	int strange = 0;

	for (uint64_t seed = 1; seed <= STREAMS; seed++) {
		struct stream s = new_stream(seed);

		while (s.n < 10 * A_DAY)
			add(&s, 20 + noise(&s));
		while (s.n < 11 * A_DAY)
			add(&s, 1000 * (20 + noise(&s)));
		for (int i = 0; i < spikes; i++) {
			for (int k = 1; k < apart; k++)
				add(&s, 1000 * (20 + noise(&s)));
			add(&s, 1000 * (20 + 13));
			strange += s.p < 1e-4;
		}
	}
	print_message("%d of %d spikes below 1e-4\n", strange, STREAMS * spikes);
	assert_true(strange >= STREAMS * spikes * 9 / 10);
}

/* Spike after spike: no more alerts than the cap allows in its time, and it is told that there would be more. */
static void
flapping_is_capped(void **state)
{
	struct stream s = new_stream(1);

	s.options.episode.refractory_values = 0;
	s.options.episode.calm_values = 1;
	s.options.episode.accept_values = 0;
	s.options.episode.state_span = 1;
	s.options.episode.fdr.level = 0;
	s.options.episode.flap_alerts = 3;
	s.options.episode.flap_us = A_DAY * STEP_US;
	while (s.n < 10 * A_DAY)
		add(&s, noise(&s));
	s.alerts = s.capped = 0;
	for (int i = 0; i < A_DAY; i++)
		add(&s, i % 48 == 47 ? 500 * (i + 1) : noise(&s));
	print_message("%d alerts, %d capped\n", s.alerts, s.capped);
	assert_true(s.alerts >= 3 && s.alerts <= 6); /* three at once, three more as the day goes by */
	assert_true(s.capped > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_day_is_no_alert),           cmocka_unit_test(first_day_is_watched),
		cmocka_unit_test(office_hours_are_known),          cmocka_unit_test(gap_is_no_jump),
		cmocka_unit_test(new_level_becomes_the_usual_one), cmocka_unit_test(another_unit_is_learnt),
		cmocka_unit_test(another_unit_hides_nothing),      cmocka_unit_test(flapping_is_capped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
