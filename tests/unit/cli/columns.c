/* Tables for people: golden texts. */
#include "cli/columns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

static const struct column columns[] = { { "name", false }, { "n", true }, { "note", false } };

#define N ARRAY_LEN(columns)

static const struct row {
	const char *name;
	const char *cells[3 * N];
	size_t n;
	const char *text;
} rows[] = {
	{ "titles alone", { NULL }, 0, "name  n  note\n" },
	{ "as wide as what is in them",
	  { "a", "1", "x", "longer than that", "1,000", "y" },
	  2,
	  "name                  n  note\n"
	  "a                     1  x\n"
	  "longer than that  1,000  y\n" },
	{ "no cell", { "a", NULL, "x", "b", "22", NULL }, 2, "name   n  note\na      -  x\nb     22  -\n" },
	{ "no cell in a whole column", { "a", NULL, "x", "b", NULL, "y" }, 2, "name  note\na     x\nb     y\n" },
	{ "empty cells", { "a", "1", "", "", "2", "" }, 2, "name  n  note\na     1\n      2\n" },
	{ "letters beyond ASCII",
	  { "gr\xc3\xbcn", "1", "x", "blau", "2", "y" },
	  2,
	  "name  n  note\ngr\xc3\xbcn  1  x\nblau  2  y\n" },
	{ "no UTF-8", { "\xff\xff\xff\xff\xff", "1", "x" }, 1, "name   n  note\n\xff\xff\xff\xff\xff  1  x\n" },
};

static void
prints(void **state)
{
	const struct row *row = *state;
	struct buffer out = BUFFER_INIT(0);

	assert_int_equal(columns_print(columns, N, row->cells, row->n, &out), 0);
	assert_int_equal(buffer_append(&out, "", 1), 0);
	assert_string_equal(out.ptr, row->text);
	buffer_clear(&out);
}

static void
knows_its_bounds(void **state)
{
	struct buffer out = BUFFER_INIT(20);

	(void)state;
	assert_int_equal(columns_print(columns, N, rows[1].cells, rows[1].n, &out), -1);
	buffer_clear(&out);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 1];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, prints, NULL, NULL, (void *)&rows[i] };
	tests[ARRAY_LEN(rows)] = (struct CMUnitTest)cmocka_unit_test(knows_its_bounds);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
