/* An error keeps its first reason, gains text in front, and never overruns. */
#include "common/base/error.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
set_and_wrapped(void **state)
{
	struct err err = ERR_INIT;

	assert_int_equal(err_class(&err), ERR_NONE);
	assert_int_equal(err_set(&err, REASON_TIME_RANGE, "%d us is past year 9999", 42), -1);
	assert_int_equal(err.reason, REASON_TIME_RANGE);
	assert_int_equal(err_class(&err), ERR_RECORD);
	assert_int_equal(err_wrap(&err, "series %d", 7), -1);
	assert_int_equal(err_wrap(&err, "batch"), -1);
	assert_string_equal(err.text, "batch: series 7: 42 us is past year 9999");
	assert_int_equal(err.reason, REASON_TIME_RANGE);
	err_clear(&err);
	assert_int_equal(err.reason, REASON_NONE);
	assert_string_equal(err.text, "");
}

static void
too_long_is_cut(void **state)
{
	struct err err = ERR_INIT;
	char text[2000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, REASON_IO, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_wrap(&err, "front");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_memory_equal(err.text, "front: xxx", 10);
	assert_string_equal(err.text + sizeof(err.text) - 5, "x...");
	err_wrap(&err, "%s", text);
	assert_string_equal(err.text + sizeof(err.text) - 5, "x...");
}

static void
nobody_asks(void **state)
{
	assert_int_equal(err_set(NULL, REASON_IO, "x"), -1);
	assert_int_equal(err_wrap(NULL, "x"), -1);
}

/* Every reason has a stable name, a meaning and a remedy for docs/dead-letters.md, and a class. */
static void
every_reason_is_complete(void **state)
{
	assert_string_equal(err_reason_name(REASON_NONE), "NONE");
	assert_string_equal(err_reason_name(REASON_JSON_SYNTAX), "JSON_SYNTAX");
	assert_string_equal(err_reason_name(REASON_COUNT), "UNKNOWN");
	assert_int_equal(err_reason_class(REASON_COUNT), ERR_FATAL);
	for (int r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		const char *name = err_reason_name((enum err_reason)r);

		for (const char *c = name; *c; c++)
			assert_true(isupper((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '_');
		assert_true(strlen(err_reason_meaning((enum err_reason)r)) > 5);
		assert_true(strlen(err_reason_remedy((enum err_reason)r)) > 5);
		assert_int_not_equal(err_reason_class((enum err_reason)r), ERR_NONE);
		for (int other = r + 1; other < REASON_COUNT; other++)
			assert_string_not_equal(name, err_reason_name((enum err_reason)other));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_and_wrapped),
		cmocka_unit_test(too_long_is_cut),
		cmocka_unit_test(nobody_asks),
		cmocka_unit_test(every_reason_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
