/* Spans and points of time as people write them. */
#include "cli/moments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

static const struct row {
	const char *text;
	int (*parse)(const char *text, int64_t *us, struct err *err);
	int64_t us; /* -1: refused */
} rows[] = {
	{ "250ms", duration_parse, 250000 },
	{ "30s", duration_parse, 30000000 },
	{ "1h30m", duration_parse, 5400000000 },
	{ "2d", duration_parse, 172800000000 },
	{ "", duration_parse, -1 },
	{ "0s", duration_parse, -1 },
	{ "30", duration_parse, -1 },
	{ "s", duration_parse, -1 },
	{ "30 s", duration_parse, -1 },
	{ "1.5h", duration_parse, -1 },
	{ "-1s", duration_parse, -1 },
	{ "5 minutes", duration_parse, -1 },
	{ "99999999999999999999d", duration_parse, -1 },
	{ "36501d", duration_parse, -1 },
	{ "1970-01-01", moment_parse, 0 },
	{ "2024-02-29", moment_parse, 1709164800000000 },
	{ "2024-02-29T12:00", moment_parse, 1709208000000000 },
	{ "2024-02-29 12:00:01.25", moment_parse, 1709208001250000 },
	{ "2024-02-29T12:00:00Z", moment_parse, 1709208000000000 },
	{ "2024-02-29T12:00:00+02:00", moment_parse, 1709200800000000 },
	{ "2024-02-29T12:00:00-05:30", moment_parse, 1709227800000000 },
	{ "2023-02-29", moment_parse, -1 },
	{ "2024-13-01", moment_parse, -1 },
	{ "2024-00-01", moment_parse, -1 },
	{ "2024-02-29T24:00", moment_parse, -1 },
	{ "2024-02-29T12", moment_parse, -1 },
	{ "2024-02-29T12:00:00 Z", moment_parse, -1 },
	{ "2024-02-29T12:00:00.", moment_parse, -1 },
	{ "24-02-29", moment_parse, -1 },
	{ "now", moment_parse, -1 },
	{ "", moment_parse, -1 },
};

static void
parses(void **state)
{
	const struct row *row = *state;
	struct err err = ERR_INIT;
	int64_t us = -1;

	assert_int_equal(row->parse(row->text, &us, &err), row->us < 0 ? -1 : 0);
	assert_int_equal(us, row->us);
	assert_int_equal(err.reason, row->us < 0 ? REASON_OPTION_INVALID : REASON_NONE);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows)];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].text, parses, NULL, NULL, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
