/* fit.c -- which column types are taken: those that give back what came in, and those that refuse it aloud. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/cleanup.h"
#include "workers/sink-writer/fit.h"

struct span
input_header(const struct input *in, const char *name)
{
	(void)in, (void)name;
	return SPAN_NONE;
}

#define NUMERIC(p, s) (((p) << 16 | ((s)&0x7ff)) + 4)

enum verdict { NEVER, VALUE, ALWAYS }; /* VALUE: where rows are not compared by it */

static const struct fact {
	enum wire wire;
	const char *typname;
	int typmod;
	enum verdict verdict;
} facts[] = {
	{ WIRE_TEXT, "text", -1, ALWAYS },
	{ WIRE_TEXT, "varchar", 24, ALWAYS }, /* too long is refused */
	{ WIRE_TEXT, "citext", -1, VALUE },
	{ WIRE_TEXT, "bpchar", 24, NEVER },
	{ WIRE_TEXT, "name", -1, NEVER },
	{ WIRE_TEXT, "char", -1, NEVER },
	{ WIRE_TEXT, "uuid", -1, NEVER },
	{ WIRE_TEXT, "jsonb", -1, NEVER },
	{ WIRE_REAL, "float8", -1, ALWAYS },
	{ WIRE_REAL, "text", -1, VALUE },
	{ WIRE_REAL, "float4", -1, NEVER },
	{ WIRE_REAL, "int4", -1, NEVER },
	{ WIRE_REAL, "int8", -1, NEVER },
	{ WIRE_REAL, "numeric", -1, NEVER },
	{ WIRE_REAL, "money", -1, NEVER },
	{ WIRE_REAL, "bool", -1, NEVER },
	{ WIRE_REAL, "citext", -1, NEVER },
	{ WIRE_TIME, "timestamptz", -1, ALWAYS },
	{ WIRE_TIME, "timestamptz", 6, ALWAYS },
	{ WIRE_TIME, "timestamptz", 3, NEVER },
	{ WIRE_TIME, "timestamptz", 0, NEVER },
	{ WIRE_TIME, "timestamp", -1, ALWAYS },
	{ WIRE_TIME, "timestamp", 0, NEVER },
	{ WIRE_TIME, "text", -1, VALUE },
	{ WIRE_TIME, "date", -1, NEVER },
	{ WIRE_TIME, "time", -1, NEVER },
	{ WIRE_TIME, "int8", -1, NEVER },
	{ WIRE_INT4, "int4", -1, ALWAYS },
	{ WIRE_INT4, "int2", -1, ALWAYS }, /* too large is refused */
	{ WIRE_INT4, "int8", -1, ALWAYS },
	{ WIRE_INT4, "float8", -1, ALWAYS },
	{ WIRE_INT4, "float4", -1, NEVER },
	{ WIRE_INT8, "int8", -1, ALWAYS },
	{ WIRE_INT8, "int4", -1, ALWAYS },
	{ WIRE_INT8, "float8", -1, NEVER },
	{ WIRE_INT8, "numeric", -1, ALWAYS },
	{ WIRE_INT8, "numeric", NUMERIC(20, 0), ALWAYS },
	{ WIRE_INT8, "numeric", NUMERIC(20, 2), ALWAYS },
	{ WIRE_INT8, "numeric", NUMERIC(20, -2), NEVER },
	{ WIRE_INT8, "text", -1, VALUE },
	{ WIRE_BYTES, "bytea", -1, ALWAYS },
	{ WIRE_BYTES, "text", -1, VALUE },
	{ WIRE_REALS, "_float8", -1, ALWAYS },
	{ WIRE_REALS, "_float4", -1, NEVER },
	{ WIRE_REALS, "_numeric", -1, NEVER },
	{ WIRE_REALS, "text", -1, VALUE },
	{ WIRE_TEXTS, "_text", -1, ALWAYS },
	{ WIRE_TEXTS, "_varchar", -1, ALWAYS },
	{ WIRE_TEXTS, "_name", -1, NEVER },
	{ WIRE_BOOLEAN, "bool", -1, ALWAYS },
	{ WIRE_BOOLEAN, "int4", -1, NEVER },
};

static void
judges(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		const struct fact *f = &facts[i];

		if (fit_holds(f->wire, f->typname, f->typmod, false) != (f->verdict != NEVER) ||
		    fit_holds(f->wire, f->typname, f->typmod, true) != (f->verdict == ALWAYS))
			fail_msg("%s in %s, modifier %d", wire_sql(f->wire), f->typname, f->typmod);
	}
}

static void
every_field_fits_its_own_type(void **state)
{
	(void)state;
	for (int w = 0; w < WIRE_COUNT; w++)
		assert_true(fit_holds((enum wire)w, wire_typname((enum wire)w), -1, true));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(judges), cmocka_unit_test(every_field_fits_its_own_type) };

	return cmocka_run_group_tests_name("fit", tests, NULL, NULL);
}
