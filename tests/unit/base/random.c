/*
 * The generator may never change: checkpoints and replays draw the same numbers years later.  The vectors were
 * computed by a second implementation in another language.
 */
#include "common/base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

static const struct row {
	const char *name;
	uint64_t seed, stream, counter, bits;
	double uniform, normal;
} rows[] = {
	{ "all zero", 0, 0, 0, UINT64_C(0xa45195a5576dfefb), 0.6418698815027071, -0.9094226025462722 },
	{ "the next", 0, 0, 1, UINT64_C(0x92be69a83828d51e), 0.5732179675762012, 0.6417189189343544 },
	{ "another stream", 0, 1, 0, UINT64_C(0x4bcd2dd2cda50c37), 0.29609953304829534, 0.4899313110988058 },
	{ "another seed", 1, 0, 0, UINT64_C(0x4ca9706415f412c3), 0.29946043437480824, 0.005311207588157858 },
	{ "far away", 42, 7, 1000000, UINT64_C(0x5b59e46d1da30f30), 0.35684039749106605, -0.14644853835298688 },
	{ "all ones", UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_C(0x5edca5e4b16c4e7c), 0.37055432160689,
	  1.2004938567932784 },
};

static void
draws(void **state)
{
	const struct row *row = *state;

	assert_true(random_u64(row->seed, row->stream, row->counter) == row->bits);
	assert_true(random_uniform(row->seed, row->stream, row->counter) == row->uniform);
	assert_true(fabs(random_normal(row->seed, row->stream, row->counter) - row->normal) <
		    1e-14); /* log, cos: libm's */
}

static void
hashes(void **state)
{
	assert_true(random_hash(SPAN("")) == UINT64_C(0xf52a15e9a9b5e89b));
	assert_true(random_hash(SPAN_NONE) == UINT64_C(0xf52a15e9a9b5e89b));
	assert_true(random_hash(SPAN("a")) == UINT64_C(0x02c0bdbf481420f8));
	assert_true(random_hash(SPAN("device-17")) == UINT64_C(0xdd5b8c63a3a39915));
	assert_true(random_hash((struct span){ "\0", 1 }) == UINT64_C(0x25fc6dd36ce04b20));
	assert_true(random_hash(SPAN("\xc3\xa9")) == UINT64_C(0x233403617480019e));
}

/* Names derived from parts are stored: they may never change, and where a part ends matters. */
static void
names(void **state)
{
	static const struct span parts[][2] = {
		{ { NULL, 0 }, { NULL, 0 } },
		{ { "ab", 2 }, { "c", 1 } },
		{ { "a", 1 }, { "bc", 2 } },
		{ { "device-17\xff", 10 }, { "temperature", 11 } },
	};
	char text[RANDOM_NAME_BYTES];

	random_name(parts[0], 0, text);
	assert_string_equal(text, "00000000000000010000000000000002");
	random_name(parts[0], 1, text);
	assert_string_equal(text, "4ca9706415f412c3c5983952df04f21c");
	random_name(parts[1], 2, text);
	assert_string_equal(text, "2892d184429fd15c5f851cdcca4a150a");
	random_name(parts[2], 2, text);
	assert_string_equal(text, "ebaa2b2777c611f720bf4d6bae7c6250");
	random_name(parts[3], 2, text);
	assert_string_equal(text, "f6712969ea86d8336ed8ae98d7b547c6");
}

/* Moments within five standard errors; the numbers are fixed, so this passes always or never. */
static void
moments(void **state)
{
	enum { N = 200000 };
	double u1 = 0, u2 = 0, g1 = 0, g2 = 0, g3 = 0, g4 = 0, lag = 0, last = 0;

	for (uint64_t i = 0; i < N; i++) {
		double u = random_uniform(5, 6, i), g = random_normal(5, 6, i);

		assert_true(u > 0 && u < 1 && isfinite(g));
		u1 += u;
		u2 += u * u;
		g1 += g;
		g2 += g * g;
		g3 += g * g * g;
		g4 += g * g * g * g;
		lag += g * last;
		last = g;
	}
	assert_true(fabs(u1 / N - 0.5) < 5 * sqrt(1.0 / 12 / N));
	assert_true(fabs(u2 / N - 1.0 / 3) < 5 * sqrt(4.0 / 45 / N));
	assert_true(fabs(g1 / N) < 5 * sqrt(1.0 / N));
	assert_true(fabs(g2 / N - 1) < 5 * sqrt(2.0 / N));
	assert_true(fabs(g3 / N) < 5 * sqrt(15.0 / N));
	assert_true(fabs(g4 / N - 3) < 5 * sqrt(96.0 / N));
	assert_true(fabs(lag / N) < 5 * sqrt(1.0 / N));
}

/* Streams of neighbouring numbers share nothing: bits that two of them agree in are half of all bits. */
static void
streams_are_apart(void **state)
{
	enum { N = 20000 };
	double equal = 0;

	for (uint64_t i = 0; i < N; i++)
		equal += 64 - __builtin_popcountll(random_u64(1, i, 0) ^ random_u64(1, i + 1, 0));
	assert_true(fabs(equal / N - 32) < 5 * sqrt(16.0 / N));
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 4] = {
		cmocka_unit_test(hashes),
		cmocka_unit_test(names),
		cmocka_unit_test(moments),
		cmocka_unit_test(streams_are_apart),
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[4 + i] =
		    (struct CMUnitTest){ .name = rows[i].name, .test_func = draws, .initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
