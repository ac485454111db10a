/* quoted.h -- the inside of JSON strings. */
#ifndef FOREBAY_INGEST_ROUTER_QUOTED_H
#define FOREBAY_INGEST_ROUTER_QUOTED_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/span.h"

/* The first byte from P on that is not plain printable ASCII ('"', '\\', a control character, beyond ASCII), or END. */
static inline const char *
quoted_plain(const char *p, const char *end)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;

	for (; end - p >= 8; p += 8) {
		uint64_t word, quote, backslash, special;

		memcpy(&word, p, 8);
		quote = word ^ ones * '"';
		backslash = word ^ ones * '\\';
		/* In each byte the top bit: of byte - 1 where it was zero, of byte - 32 where it was a control, its own. */
		special = ((quote - ones) | (backslash - ones) | (word - ones * 0x20) | word) & tops;
		if (special) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
			/* A borrow only spoils bytes behind the first hit, so the lowest one is true. */
			return p + __builtin_ctzll(special) / 8;
#else
			break;
#endif
		}
	}
	while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' && *p != '\\')
		p++;
	return p;
}

enum quoted_fault { QUOTED_OK, QUOTED_OPEN, QUOTED_CONTROL, QUOTED_UTF8, QUOTED_ESCAPE, QUOTED_SURROGATE };

/* From P inside a string to its closing quote, checking all.  At a fault *STOP is the guilty byte.  *ESCAPED is set when
 * there is an escape, else left alone. */
enum quoted_fault quoted_check(const char *p, const char *end, bool *escaped, const char **stop);

/* Resolve the escapes of a checked string into TO, which has room for as many bytes.  Returns the number written. */
size_t quoted_resolve(struct span inside, char *to);

#endif
