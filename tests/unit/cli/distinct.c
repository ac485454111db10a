/* tests/unit/cli/distinct.c -- counting different readings. */
#include "cli/distinct.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
tells_apart(void **state)
{
	static const struct {
		struct span device, metric;
		int64_t us, count;
	} rows[] = {
		{ SPAN("a"), SPAN("bc"), 1, 1 },
		{ SPAN("ab"), SPAN("c"), 1, 2 },
		{ SPAN("a"), SPAN("bc"), 1, 2 },
		{ SPAN("a"), SPAN("bc"), 2, 3 },
		{ SPAN(""), SPAN(""), 0, 4 },
		{ SPAN(""), SPAN(""), 0, 4 },
		{ SPAN("a\0"), SPAN("bc"), 1, 5 },
		{ SPAN("a"), SPAN("bc"), -1, 6 },
		{ SPAN("long-device-1"), SPAN("m"), 1, 7 },
		{ SPAN("long-device-2"), SPAN("m"), 1, 8 },
	};
	CLEANUP(distinct_free)
	struct distinct *d = distinct_new();
	struct err err = ERR_INIT;

	(void)state;
	assert_non_null(d);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(distinct_add(d, rows[i].device, rows[i].metric, rows[i].us, &err), 0);
		assert_int_equal(distinct_count(d), rows[i].count);
	}
}

/* Many, close to each other, through several growths, each twice. */
static void
counts_many(void **state)
{
	CLEANUP(distinct_free)
	struct distinct *d = distinct_new();
	struct err err = ERR_INIT;

	(void)state;
	assert_non_null(d);
	for (int round = 0; round < 2; round++)
		for (int64_t i = 0; i < 200000; i++) {
			char device[24];
			int len = snprintf(device, sizeof(device), "device-%d", (int)(i % 100));

			assert_int_equal(distinct_add(d, (struct span){ device, (size_t)len },
						      i % 2 ? SPAN("t") : SPAN("u"), i / 100 * 300000000, &err),
					 0);
		}
	assert_int_equal(distinct_count(d), 200000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(tells_apart), cmocka_unit_test(counts_many) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
