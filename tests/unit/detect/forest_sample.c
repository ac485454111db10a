/* forest_sample.c -- the sampler that skips, against one that asks about every point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/detect/forest_kernel.h"
#include "common/detect/forest_sample.h"

#define SAMPLE 64
#define POINTS 6000
#define RUNS 800
#define CELLS 12

/* Numbers of the points that are held after POINTS of them; how many of the later half were taken. */
static int
skipping(double decay, uint64_t run, int *held)
{
	struct forest_sampler s = forest_sampler(decay, SAMPLE);
	const struct forest_kernel *kernel = forest_kernel_find(NULL);
	uint16_t keys[SAMPLE];
	uint64_t next = 0;
	int last, taken = 0;

	for (uint64_t n = 0; n < POINTS; n++) {
		if (n < SAMPLE) {
			held[n] = (int)n;
			keys[n] = forest_sample_key(&s, n, random_uniform(run, n, 0));
		} else if (n == next) {
			last = kernel->greatest(keys, SAMPLE, forest_sample_base(&s, n));
			keys[last] = forest_sample_key_below(&s, n, forest_sample_level(&s, keys[last], n),
							     random_uniform(run, n, 0));
			held[last] = (int)n;
			taken += n >= POINTS / 2;
		}
		if (n >= SAMPLE - 1 && n >= next) {
			last = kernel->greatest(keys, SAMPLE, forest_sample_base(&s, n));
			next = forest_sample_next(&s, forest_sample_level(&s, keys[last], n), n,
						  random_uniform(run, n, 1));
			assert_true(next > n);
		}
	}
	return taken;
}

static int
asking(double decay, uint64_t run, int *held)
{
	double keys[SAMPLE];
	int last, taken = 0;

	for (int n = 0; n < POINTS; n++) {
		double key = log(-log(random_uniform(run + 1000000, (uint64_t)n, 0))) - decay * n;

		if (n < SAMPLE) {
			keys[n] = key;
			held[n] = n;
			continue;
		}
		last = 0;
		for (int i = 1; i < SAMPLE; i++)
			last = keys[i] > keys[last] ? i : last;
		if (key >= keys[last])
			continue;
		keys[last] = key;
		held[last] = n;
		taken += n >= POINTS / 2;
	}
	return taken;
}

/* By age: cells that hold about as many each. */
static void
count(const int *held, double decay, double *cells)
{
	for (int i = 0; i < SAMPLE; i++) {
		double age = POINTS - 1 - held[i], share = decay > 0 ? 1 - exp(-age * decay) : age / POINTS;

		cells[(int)(share * CELLS)]++;
	}
}

static void
recency_is_as_defined(void **state)
{
	static const double decays[] = { 0, 1.0 / 640, 1.0 / 64, 0.2, 1 };

	for (size_t d = 0; d < ARRAY_LEN(decays); d++) {
		double skipped[CELLS + 1] = { 0 }, asked[CELLS + 1] = { 0 }, chi2 = 0, taken[2] = { 0 };
		int held[SAMPLE], cells = 0;

		for (uint64_t run = 0; run < RUNS; run++) {
			taken[0] += skipping(decays[d], run, held);
			count(held, decays[d], skipped);
			taken[1] += asking(decays[d], run, held);
			count(held, decays[d], asked);
		}
		for (int i = 0; i <= CELLS; i++) {
			if (skipped[i] + asked[i] < 20)
				continue;
			chi2 += (skipped[i] - asked[i]) * (skipped[i] - asked[i]) / (skipped[i] + asked[i]);
			cells++;
		}
		/* Without replacement the counts vary less than independent ones; the bound is that of those. */
		if (!(chi2 < cells + 5 * sqrt(2 * cells)))
			fail_msg("decay %g: chi2 %g of %d cells", decays[d], chi2, cells);
		assert_true(fabs(taken[0] - taken[1]) < 6 * sqrt(taken[0] + taken[1] + 1));
		if (d == 1) /* a tenth of a sample per decay: 0.0975 are taken, once it is settled */
			assert_true(fabs(taken[0] / RUNS / (POINTS - POINTS / 2) - 0.0975) < 0.002);
	}
}

/* A level as it was put in, later as much older as it should be, also after a very long time. */
static void
levels_age(void **state)
{
	static const uint64_t births[] = { 0, 1000, UINT64_C(1000000000000) };
	struct forest_sampler s = forest_sampler(1.0 / 2560, 256);

	for (size_t i = 0; i < ARRAY_LEN(births); i++) {
		for (int k = 1; k < 200; k++) {
			double u = random_uniform(3, i, (uint64_t)k), level = log(-log(u));
			uint16_t key = forest_sample_key(&s, births[i], u);

			assert_true(fabs(forest_sample_level(&s, key, births[i]) - level) < 0.001);
			assert_true(fabs(forest_sample_level(&s, key, births[i] + 5000) - level - 5000 / 2560.0) <
				    0.002);
			key = forest_sample_key_below(&s, births[i], -2.2, u);
			assert_true(forest_sample_level(&s, key, births[i]) < -2.2 + 0.0005);
		}
	}
}

static void
greatest_of_a_circle(void **state)
{
	static const char *const sets[] = { "portable", "avx2", "avx512" };
	uint16_t keys[256];

	for (int n = 1; n <= 256; n++) {
		for (int turn = 0; turn < 20; turn++) {
			uint16_t base = (uint16_t)random_u64(1, (uint64_t)n, (uint64_t)turn);
			int first = 0;

			for (int i = 0; i < n; i++)
				keys[i] =
				    (uint16_t)(random_u64(2, (uint64_t)turn, (uint64_t)i) % (turn < 10 ? 5 : 65536) +
					       base);
			for (int i = 1; i < n; i++)
				if ((uint16_t)(keys[i] - base) > (uint16_t)(keys[first] - base))
					first = i;
			for (size_t i = 0; i < ARRAY_LEN(sets); i++)
				if (forest_kernel_find(sets[i]))
					assert_int_equal(forest_kernel_find(sets[i])->greatest(keys, n, base), first);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recency_is_as_defined),
		cmocka_unit_test(levels_age),
		cmocka_unit_test(greatest_of_a_circle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
