/*
 * number.h -- decimal texts as doubles, exactly: the result is always the double nearest to what is written, ties to even,
 * as strtod gives it in the "C" locale.  Pure; nothing is allocated.
 */
#ifndef FOREBAY_BASE_NUMBER_H
#define FOREBAY_BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/span.h"

/* digits * 10^exponent.  With `cut` there were more than 19 significant digits and the value is up to 1 digit larger. */
struct decimal {
	uint64_t digits;
	int64_t exponent;
	bool negative, cut;
	struct span text; /* of the number: sign, digits, point, exponent */
};

enum number_verdict {
	NUMBER_OK,
	NUMBER_EMPTY,      /* nothing but blanks */
	NUMBER_NOT_FINITE, /* NaN, inf, infinity in any case, with or without a sign */
	NUMBER_NONE,       /* any other text */
};

/* Read a number as JSON writes it (RFC 8259, section 6) at P.  Returns the byte after it, or NULL: there is none. */
const char *decimal_scan(const char *p, const char *end, struct decimal *ret);

/*
 * Read a whole text as people and devices write numbers: blanks around it, a sign + or -, digits with one POINT ('.' or
 * ','; none need stand before or behind it), an exponent.  *RET is filled for NUMBER_OK only.
 */
enum number_verdict decimal_parse(struct span text, char point, struct decimal *ret);

/* The nearest double; an infinity beyond the range, zero or a subnormal below it. */
double decimal_double(const struct decimal *d);

#endif
