/*
 * fit.c -- the casts that lose nothing; all others are refused, for PostgreSQL casts in silence.
 *
 * What is not here, and why: double precision to integer rounds, to real and to numeric cuts digits (numeric has 15 of
 * 17); bigint to double precision rounds beyond 2^53; a time to date, time or fewer digits of a second makes one row of
 * several; char(n) pads and forgets blanks, "char" and name cut.  Types that text is not cast to in an INSERT (json, uuid,
 * enums) cannot be filled at all.
 */
#include "workers/sink-writer/fit.h"

#include <string.h>

enum modifier { ANY, MICROSECONDS, NO_ROUNDING };

static const struct {
	enum wire wire;
	const char *typname;
	enum modifier modifier;
} exact[] = {
	/* and they compare alike */
	{ WIRE_TEXT, "text", ANY },
	{ WIRE_TEXT, "varchar", ANY },
	{ WIRE_REAL, "float8", ANY },
	{ WIRE_TIME, "timestamptz", MICROSECONDS },
	{ WIRE_TIME, "timestamp", MICROSECONDS }, /* our sessions are in UTC */
	{ WIRE_INT4, "int4", ANY },
	{ WIRE_INT4, "int2", ANY },
	{ WIRE_INT4, "int8", ANY },
	{ WIRE_INT4, "float8", ANY },
	{ WIRE_INT4, "numeric", NO_ROUNDING },
	{ WIRE_INT8, "int8", ANY },
	{ WIRE_INT8, "int2", ANY },
	{ WIRE_INT8, "int4", ANY },
	{ WIRE_INT8, "numeric", NO_ROUNDING },
	{ WIRE_BYTES, "bytea", ANY },
	{ WIRE_REALS, "_float8", ANY },
	{ WIRE_TEXTS, "_text", ANY },
	{ WIRE_TEXTS, "_varchar", ANY },
	{ WIRE_BOOLEAN, "bool", ANY },
};

/* numeric(p, s): the scale is the lowest eleven bits of what is four less, signed; below 0 it rounds to tens. */
static int
numeric_scale(int typmod)
{
	return (((typmod - 4) & 0x7ff) ^ 0x400) - 0x400;
}

static bool
modifier_keeps(enum modifier m, int typmod)
{
	if (typmod < 0)
		return true;
	return m == ANY || (m == MICROSECONDS ? typmod >= 6 : numeric_scale(typmod) >= 0);
}

bool
fit_holds(enum wire w, const char *typname, int typmod, bool compared)
{
	for (size_t i = 0; i < ARRAY_LEN(exact); i++)
		if (exact[i].wire == w && strcmp(exact[i].typname, typname) == 0)
			return modifier_keeps(exact[i].modifier, typmod);
	if (compared)
		return false;
	/* Whatever it is, as PostgreSQL prints it. */
	return strcmp(typname, "text") == 0 || strcmp(typname, "varchar") == 0 ||
	       (w == WIRE_TEXT && strcmp(typname, "citext") == 0);
}
