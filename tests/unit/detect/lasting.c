/* Values that are a little strange for long, among values that are not. */
#include "common/detect/lasting.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/random.h"

#define KEY UINT64_C(7)
#define LONG 20000
#define STRANGE 0.02 /* once in fifty values by itself */

static double
uniform(uint64_t i)
{
	return random_uniform(KEY, 1, i);
}

/* As a detector does; the p-value together. */
static double
step(struct lasting *l, double p)
{
	double together = lasting_add(l, p);

	lasting_learn(l, false);
	return together;
}

static struct lasting
of_ordinary(uint64_t values)
{
	struct lasting l = { 0 };

	for (uint64_t i = 0; i < values; i++)
		step(&l, uniform(i));
	return l;
}

/* p-values that are uniform: together they are what they are, about. */
static void
says_nothing_of_chance(void **state)
{
	struct lasting l = of_ordinary(1000);
	int below[3] = { 0 };

	(void)state;
	for (uint64_t i = 0; i < LONG; i++) {
		double p = uniform(1000 + i), together = step(&l, p);

		assert_true(together > 0 && together <= p);
		assert_true(p <= 0.1 || together == p);
		below[0] += together < 1e-2;
		below[1] += together < 1e-3;
		below[2] += together < 1e-4;
	}
	assert_in_range(below[0], 150, 400); /* 200 by chance alone */
	assert_in_range(below[1], 10, 60);
	assert_in_range(below[2], 0, 8);
}

static void
adds_up(void **state)
{
	struct lasting l = of_ordinary(5000);
	double first = step(&l, STRANGE), last = first;

	(void)state;
	for (int i = 0; i < 24; i++)
		last = step(&l, STRANGE);
	assert_true(first > 1e-3);
	assert_true(last < 2e-5);
	/* A value that is nothing unusual does not speak for those before it. */
	assert_true(step(&l, 0.5) == 0.5);
	assert_true(step(&l, STRANGE) < 1e-4);
	for (int i = 0; i < 150; i++)
		step(&l, 0.4);
	assert_true(step(&l, STRANGE) > 1e-3);
}

/* One value, however strange, is no lasting trouble: the next, hardly strange one is not made strange by it. */
static void
one_value_is_one_value(void **state)
{
	struct lasting l = of_ordinary(5000);

	(void)state;
	assert_true(step(&l, 1e-30) == 1e-30);
	assert_true(step(&l, 0.09) > 5e-3);
}

/* Few values have had few independent means: n / 24 of them, to the power of -2.5, is the least of two looks. */
static void
young_ones_are_careful(void **state)
{
	struct lasting l = of_ordinary(240);
	double least = 2 * pow(1 + 240 / 24.0, -2.5);

	(void)state;
	for (int i = 0; i < 48; i++) {
		double together = lasting_add(&l, STRANGE);

		assert_true(together >= least * (1 - 1e-9));
	}
}

static void
ends(void **state)
{
	struct lasting l = of_ordinary(5000);

	(void)state;
	for (int i = 0; i < 60; i++)
		step(&l, 1e-3);
	lasting_end(&l);
	assert_true(l.mean == l.usual);
	for (int i = 0; i < 24; i++)
		step(&l, uniform(9000 + (uint64_t)i));
	for (int i = 0; i < 24; i++)
		step(&l, STRANGE);
	assert_true(step(&l, STRANGE) < 1e-4); /* what was taken out does not make the next trouble usual */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_nothing_of_chance),
		cmocka_unit_test(adds_up),
		cmocka_unit_test(one_value_is_one_value),
		cmocka_unit_test(young_ones_are_careful),
		cmocka_unit_test(ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
