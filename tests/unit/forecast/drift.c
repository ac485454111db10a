/* drift.c -- detectors on the stream of river's own examples: 1000 values of 0 and 1, then 1000 of 4 to 7. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "common/forecast/drift.h"

#define VALUES 2000
#define CHANGE 1000

/* Python: r = random.Random(12345); r.choices([0, 1], k=1000) + r.choices(range(4, 8), k=1000).  Four values a digit. */
static const char zeros_and_ones[] =
    "222aa8771deb7322f655c8c3590c849e39621e8722181576e36149015fd9c4fcc85bf744ae42ffe7036322178ab8793e09c6ec5cd4062f61"
    "aec3cfc385de66aa80f28a830440e5e0c5162f97462f674f2fce128367cf93cf374e9cff5c02d1a6be3fbe0531022abebe89e1571121b587"
    "8a2675b0c3bbd884f1c14aedfb";
/* Two values a digit, each less 4. */
static const char four_to_seven[] =
    "2cb4be36b8ac8c8555c0fc6a3a9048992c3fdffe247bc8dc8fa11257f434c91ec197e2aa7f42c666fd032d3cf50d5f57c1fd0d13627ea1f5"
    "0cc610716079624910a6db55bd7948115f7447b50edf2120afb59583c0dd32ed0f8732362dc26060122428871dc7d51eea147f95fe6eeeb7"
    "789072493c598e79273c6591f2ee5ac7980c5809168c50afda3edd69fb5d39e6e175f2e712714e6443d30e7ecad9ae34d07c965fef9ba1a8"
    "d373a2927180f180c8a855c73edf5e9b98ead8a846652068a0d992b7b1db02c97e75624bf3f234a92218dd948557daa0d8902c9a0e246b76"
    "5a0574563b4be185c61988b171cc997302510a4c9c4e4d173caf";

static const struct page_hinkley_rule hinkley = { 30, 0.005, 50, 0.9999 };
static const struct adwin_rule windows = { 0.002, 32, 10, 5 };
static const struct kswin_rule smirnov = { 0.0001, 100, 30, 42 };

static int
digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void
stream(double *values)
{
	assert_int_equal(strlen(zeros_and_ones), CHANGE / 4);
	assert_int_equal(strlen(four_to_seven), (VALUES - CHANGE) / 2);
	for (size_t i = 0; i < CHANGE; i++)
		values[i] = digit(zeros_and_ones[i / 4]) >> (3 - i % 4) & 1;
	for (size_t i = 0; i < VALUES - CHANGE; i++)
		values[CHANGE + i] = 4 + (digit(four_to_seven[i / 2]) >> (i % 2 ? 0 : 2) & 3);
}

/* One of the three, by its rule. */
struct detector {
	struct page_hinkley hinkley;
	struct adwin adwin;
	struct kswin kswin;
};

static bool
hinkley_next(struct detector *d, double value)
{
	return page_hinkley_add(&d->hinkley, &hinkley, value);
}

static bool
adwin_next(struct detector *d, double value)
{
	return adwin_add(&d->adwin, &windows, value);
}

static bool
kswin_next(struct detector *d, double value)
{
	return kswin_add(&d->kswin, &smirnov, value);
}

/* River 0.21's documented answers; which values KSWIN draws differs, so its alarm is only near. */
static const struct row {
	const char *name;
	bool (*next)(struct detector *, double);
	size_t from, to;
	int64_t alarms; /* over all of the stream */
} rows[] = {
	{ "page-hinkley", hinkley_next, 1006, 1006, 1 },
	{ "adwin", adwin_next, 1023, 1023, 1 },
	{ "kswin", kswin_next, 1010, 1022, 1 },
};

static void
river(void **state)
{
	const struct row *row = *state;
	struct detector d;
	double values[VALUES];
	size_t first = VALUES;
	int64_t alarms = 0;

	memset(&d, 0, sizeof(d));
	stream(values);
	for (size_t i = 0; i < VALUES; i++)
		if (row->next(&d, values[i])) {
			first = first < VALUES ? first : i;
			alarms++;
		}
	assert_in_range(first, row->from, row->to);
	assert_int_equal(alarms, row->alarms);
}

/* Numbers that are none leave no trace, and the same stream gives the same alarms. */
static void
not_numbers(void **state)
{
	const struct row *row = *state;
	struct detector d, e;
	double values[VALUES];

	memset(&d, 0, sizeof(d));
	memset(&e, 0, sizeof(e));
	stream(values);
	for (size_t i = 0; i < VALUES; i++) {
		assert_false(row->next(&e, NAN));
		assert_false(row->next(&e, i % 2 ? INFINITY : -INFINITY));
		assert_int_equal(row->next(&d, values[i]), row->next(&e, values[i]));
	}
	assert_memory_equal(&d, &e, sizeof(d));
}

/* 100 streams of 2000 normal values: what may sound is rare, and every change of three deviations is heard. */
static const struct quiet {
	const char *name;
	bool (*next)(struct detector *, double);
	int64_t most; /* of 100 streams */
} quiets[] = {
	{ "page-hinkley", hinkley_next, 60 },
	{ "adwin", adwin_next, 5 },
	{ "kswin", kswin_next, 60 },
};

static void
quiet_and_awake(void **state)
{
	const struct quiet *row = *state;
	int64_t false_alarms = 0, heard = 0;

	for (uint64_t s = 0; s < 100; s++) {
		struct detector d;
		bool early = false, late = false;

		memset(&d, 0, sizeof(d));
		for (uint64_t i = 0; i < VALUES; i++)
			early |= row->next(&d, random_normal(1, s, i));
		for (uint64_t i = VALUES; i < VALUES + 200; i++)
			late |= row->next(&d, 3 + random_normal(1, s, i));
		false_alarms += early;
		heard += late;
	}
	print_message("%s: %lld of 100 false, %lld of 100 heard\n", row->name, (long long)false_alarms,
		      (long long)heard);
	assert_in_range(false_alarms, 0, row->most);
	assert_int_equal(heard, 100);
}

/* Sum, width and spread of the histogram are those of a window that grows and is cut from its old end. */
static void
adwin_window(void **state)
{
	struct adwin a;
	double values[VALUES];

	(void)state;
	memset(&a, 0, sizeof(a));
	stream(values);
	for (size_t i = 0; i < VALUES; i++) {
		double sum = 0, spread = 0;

		adwin_add(&a, &windows, values[i]);
		assert_in_range(a.width, 1, i + 1);
		for (size_t k = i + 1 - a.width; k <= i; k++)
			sum += values[k];
		for (size_t k = i + 1 - a.width; k <= i; k++)
			spread += (values[k] - sum / (double)a.width) * (values[k] - sum / (double)a.width);
		assert_true(fabs(a.sum - sum) < 1e-6);
		assert_true(fabs(a.spread - spread) < 1e-6);
		assert_true(fabs(adwin_mean(&a) - sum / (double)a.width) < 1e-9);
	}
	assert_true(a.width < 1100); /* of the first thousand next to nothing is left */
	assert_true(adwin_mean(&a) > 5);
}

/* A number whose square is none: had it been taken, nothing would ever look different from it again. */
static void
adwin_outlives_what_is_huge(void **state)
{
	struct adwin a;
	bool alarm = false;

	(void)state;
	memset(&a, 0, sizeof(a));
	assert_false(adwin_add(&a, &windows, 1e300));
	for (int i = 0; i < 1000; i++)
		alarm |= adwin_add(&a, &windows, i < 500 ? i % 2 : 10 + i % 2);
	assert_true(alarm);
}

/* A histogram that is full forgets instead of growing. */
static void
adwin_is_bounded(void **state)
{
	struct adwin a;

	(void)state;
	memset(&a, 0, sizeof(a));
	a.rows = ADWIN_ROWS;
	for (uint32_t r = 0; r < ADWIN_ROWS; r++) {
		a.buckets[r] = ADWIN_BUCKETS;
		a.width += (uint64_t)ADWIN_BUCKETS << r;
	}
	for (int i = 0; i < 100; i++)
		assert_false(adwin_add(&a, &windows, 0));
	assert_int_equal(a.rows, ADWIN_ROWS);
	assert_in_range(a.width, 1, ((uint64_t)ADWIN_BUCKETS << ADWIN_ROWS));
	for (uint32_t r = 0; r < ADWIN_ROWS; r++)
		assert_in_range(a.buckets[r], 0, ADWIN_BUCKETS);
}

/* A rule with more than the room there is, or a sample too large for its window, is silent or bounded, never out of bounds. */
static void
kswin_bounds(void **state)
{
	static const struct kswin_rule wide = { 0.005, 5000, 30, 1 }, wrong = { 0.005, 20, 15, 1 };
	struct kswin k = { .n = 0 }, w = { .n = 0 };
	bool heard = false;

	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		heard |= kswin_add(&k, &wide, i < 500 ? random_normal(2, 0, i) : 9 + random_normal(2, 0, i));
		assert_false(kswin_add(&w, &wrong, (double)i));
	}
	assert_true(heard);
	assert_in_range(k.n, 1, KSWIN_WINDOW_MAX);
}

int
main(void)
{
	struct CMUnitTest tests[13] = {
		cmocka_unit_test(adwin_window),
		cmocka_unit_test(adwin_is_bounded),
		cmocka_unit_test(kswin_bounds),
		cmocka_unit_test(adwin_outlives_what_is_huge),
	};
	size_t n = 4;

	for (size_t i = 0; i < 3; i++) {
		tests[n++] = (struct CMUnitTest){ rows[i].name, river, NULL, NULL, (void *)&rows[i] };
		tests[n++] = (struct CMUnitTest){ "not numbers", not_numbers, NULL, NULL, (void *)&rows[i] };
		tests[n++] = (struct CMUnitTest){ quiets[i].name, quiet_and_awake, NULL, NULL, (void *)&quiets[i] };
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
