/* detector.c -- the whole detector on planted troubles and on quiet streams; bit-identical when repeated or copied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/detect/detector.h"

#define MINUTE_US INT64_C(60000000)
#define LENGTH 4000
#define PLANTED 3000

static const struct detector_options options = {
	.members = 1u << DETECTOR_SCALAR | 1u << DETECTOR_FORECAST,
	.slots = 24,
	.warmup_values = 60,
	.episode = { .pending = 1e-3,
		     .firing = 1e-4,
		     .critical = 1e-6,
		     .m = 2,
		     .n = 3,
		     .calm_ratio = 0.6,
		     .calm_values = 5,
		     .refractory_values = 100,
		     .refire = 1.5,
		     .state_span = 12 },
};

static struct verdict
add(struct detector *d, const struct detector_options *o, double value, int64_t event_us, double p_forecast)
{
	struct verdict v;
	struct err err = ERR_INIT;

	if (detector_add(d, o, 1, value, event_us, p_forecast, &v, &err) < 0)
		fail_msg("%s", err.text);
	return v;
}

static double
normal(uint64_t seed, int i)
{
	return random_normal(seed, 1, (uint64_t)i);
}

static double
heavy(uint64_t seed, int i) /* Student's t, 3 degrees of freedom */
{
	double a = random_normal(seed, 2, (uint64_t)i), b = random_normal(seed, 3, (uint64_t)i),
	       c = random_normal(seed, 4, (uint64_t)i);

	return random_normal(seed, 1, (uint64_t)i) / sqrt((a * a + b * b + c * c) / 3);
}

static double
skewed(uint64_t seed, int i)
{
	return -log(random_uniform(seed, 1, (uint64_t)i));
}

static double
seasonal(uint64_t seed, int i)
{
	return 10 * sin(i * 6.283185307179586 / 288) + random_normal(seed, 1, (uint64_t)i);
}

static double
quantised(uint64_t seed, int i)
{
	return floor(2 * random_normal(seed, 1, (uint64_t)i)) / 2;
}

/* One value in 14 repeats the one before. */
static double
coarse(uint64_t seed, int i)
{
	return floor(4 * random_normal(seed, 1, (uint64_t)i)) / 4;
}

static double
on_and_off(uint64_t seed, int i)
{
	return i / 30 % 2 + 0.0 * (double)seed;
}

static double
constant(uint64_t seed, int i)
{
	return 5 + 0.0 * (double)seed * i;
}

/* One alert in so many values at most, over 20 streams of 4000 values without any trouble. */
static const struct quiet {
	const char *name;
	double (*draw)(uint64_t seed, int i);
	int alerts; /* at most, of 80000 values */
} quiet[] = {
	{ "normal", normal, 4 },          { "heavy-tailed", heavy, 16 }, { "exponential", skewed, 6 },
	{ "seasonal", seasonal, 4 },      { "quantised", quantised, 4 }, { "coarse", coarse, 4 },
	{ "on and off", on_and_off, 20 }, { "constant", constant, 0 },
};

static void
is_quiet_when_all_is_well(void **state)
{
	for (size_t k = 0; k < ARRAY_LEN(quiet); k++) {
		int alerts = 0, thousandth = 0, n = 0;

		for (uint64_t seed = 1; seed <= 20; seed++) {
			struct detector d = { 0 };

			for (int i = 0; i < LENGTH; i++) {
				struct verdict v = add(&d, &options, quiet[k].draw(seed, i), i * 5 * MINUTE_US, NAN);

				alerts += v.action == EPISODE_OPENED;
				thousandth += v.p_value < 1e-3;
				n++;
			}
		}
		print_message("%-12s %d alerts, p<1e-3 in %d of %d values\n", quiet[k].name, alerts, thousandth, n);
		assert_true(alerts <= quiet[k].alerts);
	}
}

enum trouble { SPIKE, SHIFT, FLAT, DRIFT, DEAD_ZERO };

/* What is planted at PLANTED, and within how many values an alert must open. */
static const struct planted {
	const char *name;
	double (*draw)(uint64_t seed, int i);
	enum trouble trouble;
	double size;
	int within;
} planted[] = {
	{ "spike of 10 deviations", normal, SPIKE, 10, 1 },
	{ "spike of 15 below", normal, SPIKE, -15, 1 },
	{ "spike in a season", seasonal, SPIKE, 12, 1 },
	{ "spike in an exponential stream", skewed, SPIKE, 30, 1 },
	{ "shift by 4", normal, SHIFT, 4, 24 },
	{ "shift by 4.5, downwards", normal, SHIFT, -4.5, 40 },
	{ "shift in a season", seasonal, SHIFT, 15, 24 },
	{ "flat line", normal, FLAT, 0, 16 },
	{ "flat line in a season", seasonal, FLAT, 0, 16 },
	{ "flat line at zero", seasonal, DEAD_ZERO, 0, 16 },
	{ "flat line of coarse values", coarse, FLAT, 0, 30 },
	{ "flat line of few levels", quantised, FLAT, 0, 60 },
	{ "drift", normal, DRIFT, 0.2, 60 },
};

static double
troubled(const struct planted *t, uint64_t seed, int i)
{
	double x = t->draw(seed, i);

	if (i < PLANTED || (t->trouble == SPIKE && i > PLANTED + 1))
		return x;
	switch (t->trouble) {
	case FLAT: return t->draw(seed, PLANTED);
	case DEAD_ZERO: return 0;
	case DRIFT: return x + t->size * (i - PLANTED);
	default: return x + t->size;
	}
}

static void
finds_what_was_planted(void **state)
{
	enum { SEEDS = 20 };

	for (size_t k = 0; k < ARRAY_LEN(planted); k++) {
		int found = 0;

		for (uint64_t seed = 1; seed <= SEEDS; seed++) {
			struct detector d = { 0 };
			bool open = false;

			for (int i = 0; i <= PLANTED + planted[k].within && !open; i++) {
				struct verdict v =
				    add(&d, &options, troubled(&planted[k], seed, i), i * 5 * MINUTE_US, NAN);

				open = i >= PLANTED && d.episode.status == EPISODE_FIRING;
				assert_true(v.p_value > 0 && v.p_value <= 1);
			}
			found += open;
		}
		print_message("%-32s %d of %d\n", planted[k].name, found, SEEDS);
		assert_true(found >= SEEDS * 3 / 4);
	}
}

/* A forecast that knows better makes a small deviation matter; one that is off is calibrated away. */
static void
believes_a_forecast_that_deserves_it(void **state)
{
	struct detector sharp = { 0 }, plain = { 0 }, wrong = { 0 };
	struct verdict with, without;
	int alarms = 0, i;

	for (i = 0; i < PLANTED; i++) { /* a random walk by known steps: only the forecast can follow it */
		double x = 3 * normal(1, i / 7), u = random_uniform(2, 2, (uint64_t)i);

		add(&sharp, &options, x, i * MINUTE_US, u);
		add(&plain, &options, x, i * MINUTE_US, NAN);
		alarms += add(&wrong, &options, x, i * MINUTE_US, pow(u, 4)).action == EPISODE_OPENED;
	}
	with = add(&sharp, &options, 3 * normal(1, (i - 1) / 7), i * MINUTE_US, 1e-12);
	without = add(&plain, &options, 3 * normal(1, (i - 1) / 7), i * MINUTE_US, NAN);
	print_message("p %g with the forecast, %g without; %d alarms of a forecast that is far too sure\n",
		      with.p_value, without.p_value, alarms);
	assert_true(with.p_value < 1e-6 && without.p_value > 1e-3);
	assert_true(alarms <= 2);
}

/*
 * Forecasts that were far too wide for a long time, as those of a young series, and then are not: what they now call rare is no rarer
 * than they say, and of two values the one they call rarer is.
 */
static void
is_no_surer_than_the_forecast(void **state)
{
	struct detector d = { 0 };
	double last = 0;

	(void)state;
	for (int i = 0; i < 3000; i++)
		add(&d, &options, 10 + normal(5, i), i * MINUTE_US, .5 + .5 * random_uniform(5, 7, (uint64_t)i));
	for (double p = 1e-6; p <= 1; p *= 1.1) {
		struct verdict v = detector_look(&d, &options, 10, 3000 * MINUTE_US, p);

		assert_true(v.p[DETECTOR_FORECAST] >= fmin(p, .1) * .999999 && v.p[DETECTOR_FORECAST] >= last);
		last = v.p[DETECTOR_FORECAST];
	}
	detector_clear(&d);
}

static void
who_is_not_asked_has_no_say(void **state)
{
	struct detector_options alone = options;
	struct detector with = { 0 }, without = { 0 };

	alone.members = 1u << DETECTOR_SCALAR;
	for (int i = 0; i < PLANTED; i++) {
		double p = i % 50 ? random_uniform(2, 2, (uint64_t)i) : 1e-12;
		struct verdict v = add(&with, &alone, normal(1, i), i * MINUTE_US, p);

		assert_true(v.p_value == add(&without, &alone, normal(1, i), i * MINUTE_US, NAN).p_value);
	}
	assert_memory_equal(&with, &without, sizeof(with));
}

static void
is_a_fold(void **state)
{
	struct detector a = { 0 }, b = { 0 }, copy;

	for (int i = 0; i < LENGTH; i++) {
		double x = troubled(&planted[4], 3, i), p = i % 3 ? NAN : random_uniform(1, 1, (uint64_t)i);
		struct verdict v, w;

		copy = a;
		detector_look(&a, &options, x + 100, i, 0.1);
		assert_memory_equal(&a, &copy, sizeof(a)); /* looking changes nothing */
		v = add(&a, &options, x, i * MINUTE_US, p);
		w = add(&copy, &options, x, i * MINUTE_US, p);
		assert_memory_equal(&a, &copy, sizeof(a));
		assert_true(v.p_value == w.p_value && v.onset == w.onset && v.state == w.state);
		add(&b, &options, x, i * MINUTE_US, p);
	}
	assert_memory_equal(&a, &b, sizeof(a));
	print_message("%zu bytes a stream\n", sizeof(a));
}

static void
looks_at_late_values(void **state)
{
	struct detector d = { 0 };
	struct verdict usual, strange, told;

	for (int i = 0; i < PLANTED; i++)
		add(&d, &options, normal(1, i), i * MINUTE_US, random_uniform(1, 1, (uint64_t)i));
	usual = detector_look(&d, &options, 0.1, 5 * MINUTE_US, NAN);
	strange = detector_look(&d, &options, 20, 5 * MINUTE_US, NAN);
	told = detector_look(&d, &options, 0.1, 5 * MINUTE_US, 1e-12);
	assert_true(usual.p_value > 0.3 && strange.p_value < 1e-5 && told.p_value < 1e-5);
	assert_true(usual.action == EPISODE_NOTHING && strange.action == EPISODE_NOTHING);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_quiet_when_all_is_well),
		cmocka_unit_test(finds_what_was_planted),
		cmocka_unit_test(believes_a_forecast_that_deserves_it),
		cmocka_unit_test(is_no_surer_than_the_forecast),
		cmocka_unit_test(who_is_not_asked_has_no_say),
		cmocka_unit_test(is_a_fold),
		cmocka_unit_test(looks_at_late_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
