/* Order and equality of byte strings. */
#include "common/base/span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

static const struct row {
	const char *name;
	struct span a, b;
	int order;
} rows[] = {
	{ "equal", { "ab", 2 }, { "ab", 2 }, 0 },
	{ "both empty", { "", 0 }, { "", 0 }, 0 },
	{ "empty and not there", { "", 0 }, { NULL, 0 }, 0 },
	{ "by bytes", { "ab", 2 }, { "ac", 2 }, -1 },
	{ "a beginning comes first", { "ab", 2 }, { "abc", 3 }, -1 },
	{ "empty comes first", { NULL, 0 }, { "a", 1 }, -1 },
	{ "bytes are unsigned", { "a", 1 }, { "\xc3", 1 }, -1 },
	{ "NUL is a byte", { "a\0b", 3 }, { "a\0c", 3 }, -1 },
	{ "NUL is longer than nothing", { "a", 1 }, { "a\0", 2 }, -1 },
};

static int
sign(int x)
{
	return (x > 0) - (x < 0);
}

static void
compares(void **state)
{
	const struct row *row = *state;

	assert_int_equal(sign(span_compare(row->a, row->b)), row->order);
	assert_int_equal(sign(span_compare(row->b, row->a)), -row->order);
	assert_int_equal(span_equal(row->a, row->b), row->order == 0);
}

static void
made_of_text(void **state)
{
	assert_int_equal(span_of("abc").len, 3);
	assert_null(span_of(NULL).ptr);
	assert_int_equal(span_of(NULL).len, 0);
	assert_true(span_equal(SPAN("abc"), span_of("abc")));
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 1] = { cmocka_unit_test(made_of_text) };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[1 + i] = (struct CMUnitTest){ .name = rows[i].name,
						    .test_func = compares,
						    .initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
