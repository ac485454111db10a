/* gap.c -- values for empty steps. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/series/gap.h"

static void
fills(void **state)
{
	static const struct {
		struct gap_rule rule;
		double before, after;
		int64_t n, i;
		double value;
	} rows[] = {
		{ { GAP_FORWARD, 10 }, 65, 75, 1, 0, 65 }, /* 65, -, 75 */
		{ { GAP_LINEAR, 10 }, 65, 75, 1, 0, 70 },      { { GAP_NONE, 10 }, 65, 75, 1, 0, NAN },
		{ { GAP_LINEAR, 10 }, 110, 115, 1, 0, 112.5 }, { { GAP_LINEAR, 10 }, 0, 4, 3, 0, 1 },
		{ { GAP_LINEAR, 10 }, 0, 4, 3, 2, 3 },         { { GAP_LINEAR, 3 }, 0, 4, 3, 1, 2 },
		{ { GAP_LINEAR, 2 }, 0, 4, 3, 1, NAN },        { { GAP_FORWARD, 2 }, 0, 4, 3, 0, NAN },
		{ { GAP_FORWARD, 0 }, 0, 4, 1, 0, NAN },       { { GAP_LINEAR, 10 }, NAN, 4, 1, 0, NAN },
		{ { GAP_LINEAR, 10 }, 4, NAN, 1, 0, NAN },     { { GAP_LINEAR, 10 }, -DBL_MAX, DBL_MAX, 1, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		double value = gap_value(&rows[i].rule, rows[i].before, rows[i].after, rows[i].n, rows[i].i);

		assert_true(isnan(rows[i].value) ? isnan(value) : value == rows[i].value);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(fills) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
