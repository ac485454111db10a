/*
 * number.c -- W. D. Clinger, "How to Read Floating Point Numbers Accurately", PLDI 1990, his fast path: an integer of at
 * most 53 bits and a power of ten of at most 10^22 are exact doubles, so one multiplication or division rounds once, and
 * rightly.  What telemetry holds is nearly always of this kind.
 *
 * A little beyond it (17 digits, as programs print doubles) the same is done with the 64-bit significand of the x87's
 * long double: digits below 2^64 and 10^27 are exact there.  The result is then rounded a second time, to 53 bits, which
 * can only err where the eleven bits that go lie next to one half; such numbers, and all others, go to strtod.
 *
 * strtod gets a text of our own making: digits and an exponent, so neither decimal commas nor megabytes of digits reach
 * it.  No double and no midpoint between two has more than 767 significant digits, so 780 and one that says "and a
 * little more" decide every rounding.
 */
#include "common/base/number.h"

#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define DIGITS_MAX 19 /* that always fit into 64 bits */
#define DECISIVE 780
#define EXPONENT_MAX (INT64_C(1) << 40)
#define EXACT_DOUBLE (UINT64_C(1) << 53)

static inline bool
is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

/* More than 19 digits: keep the first 19 significant ones. */
static void
recount(struct decimal *d, const char *digits, const char *end, char point)
{
	int kept = 0;
	bool fraction = false;

	d->digits = 0;
	d->exponent = 0;
	for (const char *p = digits; p < end; p++) {
		if (*p == point) {
			fraction = true;
			continue;
		}
		if (kept < DIGITS_MAX) {
			d->digits = d->digits * 10 + (uint64_t)(*p - '0');
			kept += d->digits != 0;
			d->exponent -= fraction;
		} else {
			d->cut |= *p != '0';
			d->exponent += !fraction;
		}
	}
}

/* The exponent behind 'e', saturating.  NULL: no digit. */
static const char *
scan_exponent(const char *p, const char *end, int64_t *exponent)
{
	bool negative = false;
	int64_t n = 0;

	if (p < end && (*p == '-' || *p == '+'))
		negative = *p++ == '-';
	if (p == end || !is_digit(*p))
		return NULL;
	for (; p < end && is_digit(*p); p++)
		if (n < EXPONENT_MAX)
			n = n * 10 + (*p - '0');
	*exponent += negative ? -n : n;
	return p;
}

/* Digits, point, digits, exponent from P on; with STRICT as JSON wants them. */
static inline const char *
scan(const char *p, const char *end, char point, bool strict, struct decimal *d)
{
	const char *digits = p;
	size_t whole, part = 0;
	uint64_t n = 0;

	d->cut = false;
	d->exponent = 0;
	for (; p < end && is_digit(*p); p++)
		n = n * 10 + (uint64_t)(*p - '0');
	whole = (size_t)(p - digits);
	if (strict && (whole == 0 || (whole > 1 && *digits == '0')))
		return NULL;
	if (p < end && *p == point) {
		const char *fraction = ++p;

		for (; p < end && is_digit(*p); p++)
			n = n * 10 + (uint64_t)(*p - '0');
		part = (size_t)(p - fraction);
		if (strict && part == 0)
			return NULL;
	}
	if (whole + part == 0)
		return NULL;
	d->digits = n;
	d->exponent = -(int64_t)part;
	if (whole + part > DIGITS_MAX)
		recount(d, digits, p, point);
	if (p < end && (*p == 'e' || *p == 'E'))
		return scan_exponent(p + 1, end, &d->exponent);
	return p;
}

const char *
decimal_scan(const char *p, const char *end, struct decimal *ret)
{
	const char *start = p;

	ret->negative = p < end && *p == '-';
	p = scan(p + ret->negative, end, '.', true, ret);
	if (p)
		ret->text = (struct span){ start, (size_t)(p - start) };
	return p;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
says_not_finite(const char *p, const char *end)
{
	static const struct span words[] = { { "nan", 3 }, { "inf", 3 }, { "infinity", 8 } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if ((size_t)(end - p) == words[i].len && strncasecmp(p, words[i].ptr, words[i].len) == 0)
			return true;
	return false;
}

enum number_verdict
decimal_parse(struct span text, char point, struct decimal *ret)
{
	const char *p = text.ptr, *end = p + text.len, *start;

	while (p < end && is_blank(*p))
		p++;
	while (p < end && is_blank(end[-1]))
		end--;
	if (p == end)
		return NUMBER_EMPTY;
	start = p;
	ret->negative = *p == '-';
	p += *p == '-' || *p == '+';
	if (scan(p, end, point, false, ret) != end)
		return says_not_finite(p, end) ? NUMBER_NOT_FINITE : NUMBER_NONE;
	ret->text = (struct span){ start, (size_t)(end - start) };
	return NUMBER_OK;
}

/* By strtod, from up to DECISIVE digits of the text. */
static double
slowly(const struct decimal *d)
{
	char text[DECISIVE + 32];
	int64_t exponent = d->exponent;
	size_t n = 0;
	bool more = false;

	if (!d->cut) {
		n = (size_t)snprintf(text, sizeof(text), "%" PRIu64, d->digits);
	} else {
		for (const char *p = d->text.ptr; p < d->text.ptr + d->text.len && *p != 'e' && *p != 'E'; p++) {
			if (!is_digit(*p) || (n == 0 && *p == '0'))
				continue;
			if (n < DECISIVE)
				text[n++] = *p;
			else
				more |= *p != '0';
		}
		exponent -= (int64_t)n - DIGITS_MAX;
		if (more) {
			text[n++] = '1';
			exponent--;
		}
	}
	if (exponent > 100000 || exponent < -100000)
		exponent = exponent < 0 ? -100000 : 100000;
	snprintf(text + n, sizeof(text) - n, "e%" PRId64, exponent);
	return strtod(text, NULL);
}

#if LDBL_MANT_DIG == 64
static const long double long_powers[] = { 1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
					   1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
					   1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L };

/* Correct to 64 bits, and to 53 unless the rest is too near to one half. */
static bool
by_long_double(const struct decimal *d, double *ret)
{
	long double wide = (long double)d->digits;
	uint64_t bits;
	unsigned rest;

	if (d->exponent < -27 || d->exponent > 27 || d->digits == 0)
		return false;
	wide = d->exponent < 0 ? wide / long_powers[-d->exponent] : wide * long_powers[d->exponent];
	memcpy(&bits, &wide, sizeof(bits));
	rest = bits & 0x7ff;
	if (rest - 0x3ff <= 2)
		return false;
	*ret = (double)wide;
	return true;
}
#else
static bool
by_long_double(const struct decimal *d, double *ret)
{
	return false;
}
#endif

double
decimal_double(const struct decimal *d)
{
	static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
					 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
	double value;

	if (!d->cut && d->digits <= EXACT_DOUBLE && d->exponent >= -22 && d->exponent <= 22)
		value = d->exponent < 0 ? (double)d->digits / powers[-d->exponent]
					: (double)d->digits * powers[d->exponent];
	else if (d->cut || !by_long_double(d, &value))
		value = slowly(d);
	return d->negative ? -value : value;
}
