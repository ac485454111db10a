/* Pauses grow, are capped and jittered; a budget ends them. */
#include "common/worker/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct row {
	const char *name;
	int attempt;
	int64_t max_ms, least, most;
} rows[] = {
	{ "first", 1, 60000, 150, 300 },
	{ "second", 2, 60000, 300, 600 },
	{ "fifth", 5, 60000, 2400, 4800 },
	{ "capped", 12, 10000, 5000, 10000 },
	{ "absurdly often", 1000000, 10000, 5000, 10000 },
	{ "cap below the first", 1, 10, 5, 10 },
};

static void
delays(void **state)
{
	const struct row *row = *state;

	for (uint64_t seed = 0; seed < 1000; seed++) {
		int64_t ms = retry_delay_ms(row->attempt, row->max_ms, seed);

		assert_true(ms >= row->least && ms <= row->most);
	}
}

static void
budget(void **state)
{
	struct retry r = { 0 };

	(void)state;
	assert_true(retry_failed(&r, 1000000, 1000, 2000));
	assert_true(r.at_us > 1000000);
	assert_true(retry_failed(&r, 2000000, 1000, 2000));
	assert_false(retry_failed(&r, 3000001 + 0, 1000, 2000));
	retry_succeeded(&r);
	assert_true(retry_failed(&r, 9000000, 1000, 2000));
	assert_int_equal(r.attempt, 1);
	assert_true(retry_failed(&r, INT64_C(1) << 50, 1000, -1)); /* no budget: for ever */
}

int
main(void)
{
	struct CMUnitTest tests[sizeof(rows) / sizeof(rows[0]) + 1];
	size_t n = 0;

	for (; n < sizeof(rows) / sizeof(rows[0]); n++)
		tests[n] =
		    (struct CMUnitTest){ .name = rows[n].name, .test_func = delays, .initial_state = (void *)&rows[n] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(budget);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
