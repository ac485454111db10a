/* members.c -- discoveries are paid for; shapes are known again; a detector with all members is the same after every way of keeping it. */
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
#include "common/detect/detector_image.h"
#include "common/detect/fdr.h"
#include "common/detect/neighbours.h"

#define MINUTE_US INT64_C(60000000)

static const struct image_type detector_type = IMAGE_TYPE("detector", 1, detector_image_table);

/* Uniform p-values with one planted discovery in 2000: false ones are few, and there are some although nothing happened for long. */
static void
discoveries_are_paid_for(void **state)
{
	const struct fdr_options o = { .level = 0.05, .memory_values = 10000 };
	long found = 0, wrong = 0;
	double expected;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct fdr f = { 0 };

		for (uint64_t i = 0; i < 100000; i++) {
			bool planted = i % 2000 == 1999;
			double p = planted ? 1e-9 : random_uniform(seed, 1, i);
			bool discovery = p <= fdr_threshold(&f, &o);

			fdr_tested(&f, &o, discovery);
			found += discovery && planted;
			wrong += discovery && !planted;
		}
	}
	expected = 0.05 * (1000 + FDR_INCOME * 20 * (10 + 7)); /* the young ones' ln(10000/20) + 1 included */
	print_message("%ld found, %ld wrong, %.0f expected\n", found, wrong, expected);
	assert_int_equal(found, 1000);
	assert_true((double)wrong < expected + 4 * sqrt(expected));
	assert_true((double)wrong > expected - 4 * sqrt(expected));
}

static void
never_runs_dry(void **state)
{
	const struct fdr_options o = { .level = 0.05, .memory_values = 10000 };
	struct fdr f = { 0 };

	assert_true(fdr_threshold(&f, &o) > 1e-4);
	for (int i = 0; i < 1000000; i++)
		fdr_tested(&f, &o, false);
	assert_true(fabs(fdr_threshold(&f, &o) - 0.05 * FDR_INCOME / 10000) < 1e-12);
	assert_true(fdr_threshold(&f, &(struct fdr_options){ 0 }) == 1);
}

static double
wave(int i)
{
	return sin(i * 6.283185307179586 / 20) + 0.02 * random_normal(3, 3, (uint64_t)i);
}

static void
knows_shapes_again(void **state)
{
	const struct neighbours_rule rule = { .length = 16, .stride = 1, .bank = 64, .nearest = 1, .seed = 1 };
	struct neighbours *n = NULL;
	struct err err = ERR_INIT;
	double usual = 0, distance = NAN;

	assert_int_equal(neighbours_new(&rule, 7, &n, &err), 0);
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(neighbours_add(n, wave(i), 0.01, true, &distance, &err), 0);
		assert_true(i > 500 || isnan(distance) || distance >= 0);
		if (i > 1000)
			usual = fmax(usual, distance);
	}
	for (int i = 2000; i < 2012; i++) /* time stands still and the wave runs backwards */
		assert_int_equal(neighbours_add(n, wave(4000 - i) * (i % 3), 0.01, false, &distance, &err), 0);
	print_message("usual up to %.2f, broken %.2f\n", usual, distance);
	assert_true(usual < 4 && distance > 2 * usual && distance <= NEIGHBOURS_FAR);
	neighbours_free(n);
}

static void
refuses_rules(void **state)
{
	static const struct neighbours_rule bad[] = {
		{ .length = 12, .stride = 1, .bank = 64, .nearest = 1 },
		{ .length = 16, .stride = 0, .bank = 64, .nearest = 1 },
		{ .length = 16, .stride = 1, .bank = 4, .nearest = 1 },
		{ .length = 16, .stride = 1, .bank = 64, .nearest = 4 },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct neighbours *n = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(neighbours_new(&bad[i], 1, &n, &err), -1);
		assert_int_equal(err.reason, REASON_OPTION_INVALID);
	}
}

static double
value_at(int i)
{
	return 20 + 5 * sin(i * 6.283185307179586 / 96) + random_normal(7, 1, (uint64_t)i) + (i == 700 ? 60 : 0);
}

static double
step(struct detector *d, int i)
{
	struct detector_options o = detector_defaults();
	struct verdict v;
	struct err err = ERR_INIT;

	o.forest.trees = 10;
	o.forest.sample = 64;
	if (detector_add(d, &o, 5, value_at(i), i * 5 * MINUTE_US, random_uniform(2, 2, (uint64_t)i), &v, &err) < 0)
		fail_msg("%s", err.text);
	return v.p_value;
}

/* Laid flat, written, read: and then as if nothing had been. */
static void
through_bytes(const struct detector *d, struct detector *ret)
{
	struct detector_flat flat, back;
	struct buffer out = BUFFER_INIT(1 << 20);
	struct err err = ERR_INIT;
	const struct detector_flat without = { 0 };

	assert_int_equal(detector_lay(d, &flat, &err), 0);
	assert_int_equal(image_bytes(&detector_type, &without) + detector_image_more(d),
			 image_bytes(&detector_type, &flat));
	assert_int_equal(image_write(&detector_type, &flat, &out), 0);
	detector_flat_clear(&flat);
	if (image_read(&detector_type, buffer_span(&out), &back, &err) < 0 || detector_restore(&back, ret, &err) < 0)
		fail_msg("%s", err.text);
	image_clear(&detector_type, &back);
	buffer_clear(&out);
}

static void
is_the_same_however_kept(void **state)
{
	struct detector plain = { 0 }, kept = { 0 };

	for (int i = 0; i < 1200; i++) {
		if (i % 97 == 50) {
			struct detector other;

			if (i % 2)
				through_bytes(&kept, &other);
			else
				assert_int_equal(detector_copy(&other, &kept), 0);
			detector_clear(&kept);
			kept = other;
		}
		assert_true(step(&plain, i) == step(&kept, i));
	}
	print_message("%zu bytes, %zu of it in the structure\n", detector_memory(&plain), sizeof(plain));
	detector_clear(&plain);
	detector_clear(&kept);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(discoveries_are_paid_for), cmocka_unit_test(never_runs_dry),
		cmocka_unit_test(knows_shapes_again),       cmocka_unit_test(refuses_rules),
		cmocka_unit_test(is_the_same_however_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
