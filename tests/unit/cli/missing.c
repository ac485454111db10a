/* What stands for a missing value. */
#include "cli/missing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

static const struct row {
	const char *name, *list, *text;
	bool is;
} rows[] = {
	{ "nothing is asked for", "", "-9999", false },
	{ "an empty list has no empty text", ", ,", "", false },
	{ "the text", "NA", "NA", true },
	{ "another one", "NA", "na", false },
	{ "the beginning of one", "NA", "NAN", false },
	{ "the first of three", "NA,n/a,-9999", "NA", true },
	{ "the last of three", "NA,n/a,-9999", "-9999", true },
	{ "blanks around one", "NA, n/a ", "n/a", true },
	{ "the list is no text of its own", "NA,n/a", "NA,n/a", false },
	{ "a number with a point", "-9999", "-9999.0", true },
	{ "a number with an exponent", "-9999.00", "-9.999e3", true },
	{ "another number", "-9999", "-9999.5", false },
	{ "a text is no number", "NA", "0", false },
	{ "no number is none of the numbers", "0", "NaN", false },
};

static void
stands_for_a_missing_value(void **state)
{
	const struct row *row = *state;
	struct missing m;

	assert_int_equal(missing_parse(row->list, &m), 0);
	assert_int_equal(missing_is(&m, span_of(row->text)), row->is);
}

static void
what_never_occurred_is_told(void **state)
{
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(0);
	struct missing m;

	(void)state;
	assert_int_equal(missing_parse("NA,n/a,-9999", &m), 0);
	missing_is(&m, SPAN("n/a"));
	missing_is(&m, SPAN("-999"));
	assert_int_equal(missing_unseen(&m, &text), 0);
	assert_true(span_equal(buffer_span(&text), SPAN("\"NA\", \"-9999\"")));
	missing_is(&m, SPAN("NA"));
	missing_is(&m, SPAN("-9999.0"));
	text.len = 0;
	assert_int_equal(missing_unseen(&m, &text), 0);
	assert_int_equal(text.len, 0);
}

static void
too_many(void **state)
{
	char list[2 * MISSING_MAX + 2];
	struct missing m;

	(void)state;
	for (size_t i = 0; i <= MISSING_MAX; i++) {
		list[2 * i] = 'x';
		list[2 * i + 1] = ',';
	}
	list[2 * MISSING_MAX] = '\0';
	assert_int_equal(missing_parse(list, &m), 0);
	list[2 * MISSING_MAX] = 'x';
	list[2 * MISSING_MAX + 1] = '\0';
	assert_int_equal(missing_parse(list, &m), -1);
}

int
main(void)
{
	struct CMUnitTest tests[2 + ARRAY_LEN(rows)] = { cmocka_unit_test(what_never_occurred_is_told),
							 cmocka_unit_test(too_many) };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i + 2] = (struct CMUnitTest){ .name = rows[i].name,
						    .test_func = stands_for_a_missing_value,
						    .initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
