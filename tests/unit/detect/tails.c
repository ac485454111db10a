/*
 * tails.c -- calibration: p-values of streams whose law is known are uniform, in the far tail within a stated factor.
 */
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
#include "common/detect/tails.h"

static double
add(struct tails *t, double raw)
{
	double p = tails_p(t, raw);

	tails_learn(t, raw, p, false);
	return p;
}

static double
half_normal(uint64_t seed, uint64_t i)
{
	return fabs(random_normal(seed, 1, i));
}

static double
exponential(uint64_t seed, uint64_t i)
{
	return -log(random_uniform(seed, 1, i));
}

/* Student's t with 3 degrees of freedom, its size: a tail of index 3. */
static double
student3(uint64_t seed, uint64_t i)
{
	double sum = 0;

	for (uint64_t k = 0; k < 3; k++)
		sum += pow(random_normal(seed, 2 + k, i), 2);
	return fabs(random_normal(seed, 1, i)) / sqrt(sum / 3);
}

/* P(X > x) = (1 + x)^-1.5: infinite variance. */
static double
pareto(uint64_t seed, uint64_t i)
{
	return pow(random_uniform(seed, 1, i), -1 / 1.5) - 1;
}

static double
uniform(uint64_t seed, uint64_t i)
{
	return 3 * random_uniform(seed, 1, i);
}

static const struct law {
	const char *name;
	double (*draw)(uint64_t seed, uint64_t i);
	double thousandth, tenthousandth; /* at most so many times too often p < 1e-3, p < 1e-4 */
	double young;                     /* the same for p < 1e-3 among the first hundred */
} laws[] = {
	{ "half normal", half_normal, 1.2, 1.2, 7 },
	{ "exponential", exponential, 1.2, 1.5, 14 },
	{ "student 3", student3, 1.5, 3, 22 },
	{ "pareto 1.5", pareto, 1.8, 4.5, 35 },
	{ "uniform", uniform, 1, 1, 7 },
};

/* Shares of p-values below round levels, and the Kolmogorov-Smirnov distance, over 8 streams of 20000 scores. */
static void
is_uniform(void **state)
{
	enum { STREAMS = 8, WARM = 2000, SCORES = 20000, BINS = 1000 };

	for (size_t k = 0; k < ARRAY_LEN(laws); k++) {
		long bins[BINS] = { 0 }, n = 0, sum = 0, hundredth = 0, thousandth = 0, tenthousandth = 0;
		double distance = 0;

		for (uint64_t seed = 1; seed <= STREAMS; seed++) {
			struct tails t = { 0 };

			for (uint64_t i = 0; i < WARM + SCORES; i++) {
				double p = add(&t, laws[k].draw(seed, i));

				assert_true(p > 0 && p <= 1);
				if (i < WARM)
					continue;
				n++;
				bins[p < 1 ? (int)(p * BINS) : BINS - 1]++;
				hundredth += p < 1e-2;
				thousandth += p < 1e-3;
				tenthousandth += p < 1e-4;
			}
		}
		for (int i = 0; i < BINS; i++) {
			sum += bins[i];
			distance = fmax(distance, fabs((double)sum / (double)n - (i + 1.0) / BINS));
		}
		print_message("%-12s KS %.4f  p<1e-2 %.5f  p<1e-3 %.6f  p<1e-4 %.6f\n", laws[k].name, distance,
			      (double)hundredth / (double)n, (double)thousandth / (double)n,
			      (double)tenthousandth / (double)n);
		assert_true(distance < 0.025);
		assert_true(hundredth < 0.012 * n);
		assert_true(laws[k].thousandth <= 1 || hundredth > 0.008 * n);
		assert_true(thousandth <= laws[k].thousandth * 1e-3 * n);
		assert_true(laws[k].thousandth <= 1 || thousandth > 0.5e-3 * n); /* no power is given away */
		assert_true(tenthousandth <= laws[k].tenthousandth * 1e-4 * n);
	}
}

/* Early p-values do not cry wolf either: 4000 streams of 100 scores. */
static void
is_careful_when_young(void **state)
{
	for (size_t k = 0; k < ARRAY_LEN(laws); k++) {
		long thousandth = 0, millionth = 0;

		for (uint64_t seed = 1; seed <= 4000; seed++) {
			struct tails t = { 0 };

			for (uint64_t i = 0; i < 100; i++) {
				double p = add(&t, laws[k].draw(seed, i)), n = (double)i + 1;

				assert_true(p >= 0.999 / (n * n * n));
				thousandth += p < 1e-3;
				millionth += p < 1e-6;
			}
		}
		print_message("%-12s p<1e-3 %.6f  p<1e-6 %ld of 400000\n", laws[k].name, (double)thousandth / 4e5,
			      millionth);
		assert_true((double)thousandth <= laws[k].young * 1e-3 * 4e5);
		assert_true(millionth == 0);
	}
}

static void
counts_by_hand(void **state)
{
	struct tails t = { 0 };

	assert_true(tails_p(&t, 5) == 1 && add(&t, 0) == 1);
	for (int i = 0; i < 8; i++)
		assert_true(add(&t, 0) == 1); /* as many as there are are as large */
	assert_true(tails_p(&t, 0) == 1);
	assert_true(tails_p(&t, NAN) == 1);
	assert_true(tails_p(&t, 3) < 0.1 && tails_p(&t, 3) >= 1e-3);
	assert_true(t.seen == 9);
}

static void
falls_with_the_score(void **state)
{
	for (size_t k = 0; k < ARRAY_LEN(laws); k++) {
		struct tails t = { 0 };

		for (uint64_t i = 0; i < 5000; i++) {
			double last = 2;

			add(&t, laws[k].draw(9, i));
			for (double raw = 0; i % 500 == 17 && raw < 2000; raw = raw * 1.05 + 0.01) {
				double p = tails_p(&t, raw);

				assert_true(p <= last + 1e-9);
				last = p;
			}
		}
		assert_true(tails_p(&t, 1e300) > 0 && tails_p(&t, INFINITY) > 0);
	}
}

/* The generalised Pareto law itself, P(X > x) = (1 + 0.3 x)^(-1/0.3): its shape is found, and what it has once in 1e5. */
static void
finds_the_shape(void **state)
{
	const double rare = (pow(1e-5, -0.3) - 1) / 0.3;
	double shape = 0, p = 0;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct tails t = { 0 };

		for (uint64_t i = 0; i < 30000; i++)
			add(&t, (pow(random_uniform(seed, 7, i), -0.3) - 1) / 0.3);
		shape += (double)t.gamma / 20;
		p += log(tails_p(&t, rare)) / 20;
	}
	print_message("shape %.3f, p %.3g\n", shape, exp(p));
	assert_true(fabs(shape - 0.3) < 0.12);
	assert_true(exp(p) > 1.5e-6 && exp(p) < 3e-5);
}

/* A part's tail is exponential: further out of the same tail is less likely by a factor for each unit. */
static void
parts_have_exponential_tails(void **state)
{
	struct tails t = { 0 };

	for (uint64_t i = 0; i < 20000; i++) {
		double raw = student3(1, i);

		tails_learn_part(&t, raw, tails_p(&t, raw), false);
	}
	assert_true(t.gamma == 0);
	assert_true(fabs(log(tails_p(&t, 20) / tails_p(&t, 30)) - log(tails_p(&t, 30) / tails_p(&t, 40))) < 1e-9);
}

/* One absurd score does no lasting harm, and what the caller suspects hardly teaches -- for a while. */
static void
leaves_anomalies_out(void **state)
{
	struct tails t = { 0 };
	uint32_t seen;
	int needed = 0;

	for (uint64_t i = 0; i < 3000; i++)
		add(&t, half_normal(1, i));
	assert_true(add(&t, 1e300) < 1e-6 && tails_p(&t, 8) < 1e-5);
	seen = t.seen;
	for (uint64_t i = 0; i < 20; i++)
		tails_learn(&t, 6, tails_p(&t, 6), true);
	assert_true(t.seen == seen + 3 && t.left_out == 17 && tails_p(&t, 6) < 2e-3);
	while (tails_p(&t, 6) < 1e-2 && needed < 2000) {
		tails_learn(&t, 6, tails_p(&t, 6), true);
		needed++;
	}
	print_message("a new normal after %d\n", needed);
	assert_true(needed > 180 && needed < 300);
}

/* What comes back every 500 scores, and is suspected each time, is as likely as that in the end. */
static void
learns_what_comes_back(void **state)
{
	struct tails t = { 0 };
	double first = 0, last = 0;

	for (uint64_t i = 0; i < 40000; i++) {
		if (i % 500 != 499) {
			add(&t, half_normal(1, i));
			continue;
		}
		last = tails_p(&t, 8);
		first = i == 499 ? last : first;
		tails_learn(&t, 8, last, true);
	}
	print_message("what comes back: p %.3g, then %.3g\n", first, last);
	assert_true(first < 1e-7 && last > 1e-5);
}

/* ... also where ordinary scores are suspected along with it, so many each time that it never is the sixth of all. */
static void
learns_what_comes_back_in_company(void **state)
{
	struct tails t = { 0 };
	double first = 0, last = 0;

	for (uint64_t i = 0; i < 20000; i++) {
		uint64_t of_incident = (i + 1) % 500;
		double raw = of_incident == 0 && i > 0 ? 8 : half_normal(1, i), p = tails_p(&t, raw);

		tails_learn(&t, raw, p, i > 11 && of_incident < 12);
		if (raw < 8)
			continue;
		last = p;
		first = i == 499 ? last : first;
	}
	print_message("what comes back in company: p %.3g, then %.3g\n", first, last);
	assert_true(first < 1e-7 && last > 1e-5);
}

/* Of rounded values there are a few scores only, most of them often: the next rare one is not far out of a narrow tail. */
static void
an_atom_is_no_tail(void **state)
{
	struct tails t = { 0 };

	for (uint64_t i = 0; i < 10000; i++)
		add(&t, i % 1000 == 999 ? 4.4 : i % 5 == 4 ? 2.2 : 0);
	print_message("once in 1000: p %.3g\n", tails_p(&t, 4.4));
	assert_true(tails_p(&t, 4.4) > 3e-4);
}

static void
fades(void **state)
{
	struct tails t = { 0 };
	double before;

	for (uint64_t i = 0; i < 5000; i++)
		add(&t, half_normal(1, i));
	before = tails_p(&t, 1);
	tails_fade(&t);
	assert_true(fabs(tails_p(&t, 1) - before) < 0.02);
	for (uint64_t i = 0; i < 600; i++)
		add(&t, 3 * half_normal(2, i));
	assert_true(tails_p(&t, 3) > 0.1);
}

/* Old scores are forgotten: after a change of scale p-values are uniform again. */
static void
follows_a_change_of_scale(void **state)
{
	struct tails t = { 0 };
	int below = 0;

	for (uint64_t i = 0; i < 10000; i++)
		add(&t, half_normal(1, i));
	for (uint64_t i = 0; i < 30000; i++)
		add(&t, 2 * half_normal(2, i));
	for (uint64_t i = 0; i < 10000; i++)
		below += add(&t, 2 * half_normal(3, i)) < 0.01;
	print_message("p<1e-2: %d of 10000\n", below);
	assert_true(below > 60 && below < 160);
}

static void
largest_are_forgotten(void **state)
{
	static const struct tails none;
	struct tails t = { 0 }, before;

	for (int i = 0; i < 1500; i++)
		tails_learn_part(&t, fabs(random_normal(1, 1, (uint64_t)i)), 1, false);
	before = t;
	for (int i = 0; i < 120; i++)
		tails_learn_part(&t, 100 + i, 1, false);
	assert_true(tails_p(&before, 12) < 1e-6 && tails_p(&t, 12) > 1e-2);
	tails_forget(&t, 120);
	assert_true(tails_p(&t, 12) < 1e-6);
	assert_memory_equal(t.bucket, before.bucket, sizeof(t.bucket));
	tails_forget(&t, 1000000);
	assert_memory_equal(&t, &none, sizeof(t));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(largest_are_forgotten),        cmocka_unit_test(is_uniform),
		cmocka_unit_test(is_careful_when_young),        cmocka_unit_test(counts_by_hand),
		cmocka_unit_test(falls_with_the_score),         cmocka_unit_test(finds_the_shape),
		cmocka_unit_test(parts_have_exponential_tails), cmocka_unit_test(fades),
		cmocka_unit_test(leaves_anomalies_out),         cmocka_unit_test(follows_a_change_of_scale),
		cmocka_unit_test(learns_what_comes_back),       cmocka_unit_test(learns_what_comes_back_in_company),
		cmocka_unit_test(an_atom_is_no_tail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
