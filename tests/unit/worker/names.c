/* Names of topics: which are told before a broker is asked. */
#include "common/worker/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

static const struct row {
	const char *name, *read, *side, *write;
	const char *says; /* NULL: all is well */
} rows[] = {
	{ "as usual", "telemetry.readings,telemetry.deferred", "forecasts", "scores", NULL },
	{ "blanks around", " telemetry.readings , telemetry.deferred ", "", "scores", NULL },
	{ "nothing between commas", ",a,,b,", "", "c", NULL },
	{ "a blank inside", "bad topic", "", "c", "topics: \"bad topic\"" },
	{ "a slash", "a/b", "", "c", "topics: \"a/b\"" },
	{ "a dot", ".", "", "c", "topics: \".\"" },
	{ "two dots", "a", "..", "c", "side.topics: \"..\"" },
	{ "twice", "a,b,a", "", "c", "topics: a is named twice" },
	{ "twice beside", "a", "b,b", "c", "side.topics: b is named twice" },
	{ "read and beside", "a", "a", "c", "side.topics: a is named twice" },
	{ "fed by itself", "a,b", "", "b", "b is read and written" },
	{ "fed by itself beside", "a", "b", "b", "b is read and written" },
	{ "written nowhere", "a", "", "", "\"\" is no name" },
	{ "written to a blank", "a", "", "b c", "\"b c\" is no name" },
};

static void
tells(void **state)
{
	const struct row *row = *state;
	char **read, **side;
	size_t n_read, n_side;
	struct err err = ERR_INIT;

	assert_int_equal(names_split(row->read, &read, &n_read, &err), 0);
	assert_int_equal(names_split(row->side, &side, &n_side, &err), 0);
	if (names_check_inputs(read, n_read, side, n_side, &err) == 0)
		names_check_output(row->write, read, n_read, side, n_side, &err);
	assert_int_equal(err.reason, row->says ? REASON_OPTION_INVALID : REASON_NONE);
	if (row->says)
		assert_non_null(strstr(err.text, row->says));
	names_free(read, n_read);
	names_free(side, n_side);
}

static void
longest(void **state)
{
	char name[251] = "", *names[] = { name };

	(void)state;
	memset(name, 'x', 249);
	assert_int_equal(names_check_inputs(names, 1, NULL, 0, NULL), 0);
	name[249] = 'x';
	assert_int_equal(names_check_inputs(names, 1, NULL, 0, NULL), -1);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 1];
	size_t n = 0;

	for (; n < ARRAY_LEN(rows); n++)
		tests[n] = (struct CMUnitTest){ .name = rows[n].name,
						.test_func = tells,
						.initial_state = (void *)(uintptr_t)&rows[n] };
	tests[n] = (struct CMUnitTest)cmocka_unit_test(longest);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
