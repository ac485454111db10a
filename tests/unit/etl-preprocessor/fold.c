/*
 * fold.c -- output is a function of a series' readings in their order, and of less: disorder within the lateness leaves no
 * trace.  Random streams (seeded) with holes, repeats, outliers, bad values and jumps.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "tests/unit/etl-preprocessor/harness.h"
#include "workers/etl-preprocessor/units.h"

#define READINGS 600
#define LATENESS 50
#define ROUNDS 60

static struct cleaner_rule
rule_of(uint64_t round)
{
	return (struct cleaner_rule){
		.order = { LATENESS, 4000, 1000, REPEAT_FIRST },
		.count_late = true,
		.outlier = { (enum outlier_policy)(round % 3), 3, 20, 10 },
		.step_us = 40,
		.resample = (enum resample_method)(round % 2),
		.gap = { (enum gap_method)(round / 3 % 3), 5 },
		.gap_max_steps = 20,
		.window = { (enum window_kind)(round / 2 % 2), 1 + (int64_t)(round % 12) },
	};
}

/* In order; the value follows from the event time, so that repeats are true repeats. */
static size_t
stream(uint64_t round, struct sample samples[READINGS])
{
	int64_t time = -5000;

	for (size_t i = 0; i < READINGS; i++) {
		double dice = random_uniform(1, round, i);

		if (dice > 0.05) /* else repeated */
			time += 1 + (int64_t)(30 * random_uniform(2, round, i));
		if (dice > 0.97)
			time += 300;
		if (dice > 0.995)
			time += 100000;
		samples[i] = (struct sample){ .time_us = time, .ingest_us = 7 * time + 100000 + (int64_t)i };
		samples[i].value = random_normal(3, round, (uint64_t)time);
		if (time % 41 == 0)
			samples[i].value *= 50;
		if (time % 13 == 0)
			samples[i].value = NAN;
	}
	return READINGS;
}

static int
print(void *ctx, const struct cleaner *c, struct err *err)
{
	struct span unit = units_in_force(c);

	if (buffer_printf(ctx, "%.*s ", SPAN_ARG(unit)) < 0)
		return -1;
	return harness_print(ctx, c, err);
}

struct place {
	int64_t key;
	struct sample sample;
};

static int
by_key(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->sample.time_us > y->sample.time_us) - (x->sample.time_us < y->sample.time_us);
}

/* Each reading is delayed by less than the lateness. */
static void
shuffle(uint64_t round, struct sample *samples, size_t n)
{
	struct place *places = malloc(n * sizeof(*places));

	assert_non_null(places);
	for (size_t i = 0; i < n; i++)
		places[i] = (struct place){ samples[i].time_us + (int64_t)(LATENESS * random_uniform(4, round, i)),
					    samples[i] };
	qsort(places, n, sizeof(*places), by_key);
	for (size_t i = 0; i < n; i++)
		samples[i] = places[i].sample;
	free(places);
}

/* Some streams change their unit, at an event time; not every reading says so. */
static struct span
unit_of(const struct cleaner_rule *rule, int64_t time_us)
{
	static const struct span units[] = { SPAN("C"), SPAN("K"), SPAN(""), SPAN("mV") };

	if (time_us % 3 == 0)
		return SPAN_NONE;
	return units[rule->window.steps % 2 ? 0 : (uint64_t)(time_us + 100000) / 700 % ARRAY_LEN(units)];
}

static void
feed(const struct cleaner_rule *rule, struct cleaner *c, const struct sample *samples, size_t n, size_t every,
     struct buffer *out, struct cleaner_count *count)
{
	struct err err = ERR_INIT;

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(
		    cleaner_add(rule, c, &samples[i], unit_of(rule, samples[i].time_us), print, out, count, &err), 0);
		if (every && (i + 1) % every == 0)
			harness_replace_by_copy(c);
	}
}

static void
run(const struct cleaner_rule *rule, const struct sample *samples, size_t n, size_t every, struct buffer *out)
{
	struct cleaner c = { 0 };
	struct cleaner_count count = { 0 };

	feed(rule, &c, samples, n, every, out, &count);
	cleaner_clear(&c);
	assert_int_equal(buffer_append(out, "", 1), 0);
}

/* A copy stands for the state before it at every cut: what a transaction saves is all there is. */
static void
any_batches(void **state)
{
	for (uint64_t round = 0; round < ROUNDS; round++) {
		static const size_t cuts[] = { 1, 2, 7, 100 };
		const struct cleaner_rule rule = rule_of(round);
		CLEANUP(buffer_clear)
		struct buffer whole = BUFFER_INIT(0);
		struct sample samples[READINGS];
		size_t n = stream(round, samples);

		shuffle(round, samples, n);
		run(&rule, samples, n, 0, &whole);
		assert_true(whole.len > 1000);
		for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
			CLEANUP(buffer_clear)
			struct buffer out = BUFFER_INIT(0);

			run(&rule, samples, n, cuts[i], &out);
			assert_string_equal(out.ptr, whole.ptr);
		}
	}
}

/* A transaction that is given up and done again: its readings are folded into the copy from before it. */
static void
after_an_abort(void **state)
{
	for (uint64_t round = 0; round < ROUNDS; round++) {
		const struct cleaner_rule rule = rule_of(round);
		CLEANUP(buffer_clear)
		struct buffer whole = BUFFER_INIT(0), out = BUFFER_INIT(0);
		struct sample samples[READINGS];
		struct cleaner c = { 0 };
		struct cleaner_count count = { 0 };
		size_t n = stream(round, samples);

		run(&rule, samples, n, 0, &whole);
		for (size_t i = 0; i < n; i += 50) {
			CLEANUP(buffer_clear)
			struct buffer lost = BUFFER_INIT(0);
			struct cleaner before;

			assert_int_equal(cleaner_copy(&before, &c), 0);
			feed(&rule, &c, samples + i, 30, 0, &lost, &count);
			cleaner_clear(&c);
			c = before;
			feed(&rule, &c, samples + i, 50, 0, &out, &count);
		}
		cleaner_clear(&c);
		buffer_append(&out, "", 1);
		assert_string_equal(out.ptr, whole.ptr);
	}
}

static void
any_order(void **state)
{
	for (uint64_t round = 0; round < ROUNDS; round++) {
		const struct cleaner_rule rule = rule_of(round);
		CLEANUP(buffer_clear)
		struct buffer whole = BUFFER_INIT(0);
		struct sample samples[READINGS];

		run(&rule, samples, stream(round, samples), 0, &whole);
		for (uint64_t turn = 0; turn < 5; turn++) {
			CLEANUP(buffer_clear)
			struct buffer out = BUFFER_INIT(0);

			shuffle(1000 * turn + round, samples, stream(round, samples));
			run(&rule, samples, READINGS, 0, &out);
			/* What still waits at the end may differ by a window: compare what both have. */
			assert_true(out.len > whole.len - whole.len / 4);
			assert_memory_equal(out.ptr, whole.ptr, (out.len < whole.len ? out.len : whole.len) - 1);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_batches),
		cmocka_unit_test(after_an_abort),
		cmocka_unit_test(any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
