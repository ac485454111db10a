/* quoted.c -- strings that are not plain: escapes and UTF-8 (RFC 8259 section 7, RFC 3629). */
#include "workers/ingest-router/quoted.h"

#include "common/base/buffer.h"

/* Four hexadecimal digits at P, or -1. */
static int
hexadecimal(const char *p, const char *end)
{
	int value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* The second half of a surrogate pair, \uDC00 to \uDFFF, at P, or -1. */
static int
low_half(const char *p, const char *end)
{
	int low = end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hexadecimal(p + 2, end) : -1;

	return low >= 0xdc00 && low < 0xe000 ? low : -1;
}

/* Check the escape at *P and pass it. */
static enum quoted_fault
check_escape(const char **p, const char *end)
{
	const char *q = *p + 1;
	int code;

	if (q == end)
		return QUOTED_OPEN;
	if (*q != 'u') {
		*p = q + 1;
		return *q && strchr("\"\\/bfnrt", *q) ? QUOTED_OK : QUOTED_ESCAPE;
	}
	code = hexadecimal(q + 1, end);
	if (code < 0)
		return QUOTED_ESCAPE;
	q += 5;
	if (code >= 0xd800 && code < 0xe000) {
		if (code >= 0xdc00 || low_half(q, end) < 0)
			return QUOTED_SURROGATE;
		q += 6;
	}
	*p = q;
	return QUOTED_OK;
}

enum quoted_fault
quoted_check(const char *p, const char *end, bool *escaped, const char **stop)
{
	enum quoted_fault fault = QUOTED_OPEN;

	while ((p = quoted_plain(p, end)) < end) {
		const char *start = p;
		unsigned char c = (unsigned char)*p;

		fault = QUOTED_OK;
		if (c == '"')
			break;
		if (c < 0x20) {
			fault = QUOTED_CONTROL;
		} else if (c == '\\') {
			*escaped = true;
			fault = check_escape(&p, end);
		} else {
			size_t n = utf8_sequence(p, (size_t)(end - p));

			fault = n ? QUOTED_OK : QUOTED_UTF8;
			p += n;
		}
		if (fault != QUOTED_OK) {
			p = start;
			break;
		}
		fault = QUOTED_OPEN;
	}
	*stop = p;
	return fault;
}

static size_t
utf8_put(char *to, unsigned code)
{
	unsigned char *p = (unsigned char *)to;

	if (code < 0x80) {
		p[0] = (unsigned char)code;
		return 1;
	}
	if (code < 0x800) {
		p[0] = (unsigned char)(0xc0 | code >> 6);
		p[1] = (unsigned char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		p[0] = (unsigned char)(0xe0 | code >> 12);
		p[1] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
		p[2] = (unsigned char)(0x80 | (code & 0x3f));
		return 3;
	}
	p[0] = (unsigned char)(0xf0 | code >> 18);
	p[1] = (unsigned char)(0x80 | (code >> 12 & 0x3f));
	p[2] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
	p[3] = (unsigned char)(0x80 | (code & 0x3f));
	return 4;
}

static char
short_escape(char letter)
{
	switch (letter) {
	case 'b': return '\b';
	case 'f': return '\f';
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	default: return letter; /* " \ / */
	}
}

size_t
quoted_resolve(struct span inside, char *to)
{
	const char *p = inside.ptr, *end = p + inside.len;
	size_t n = 0;

	while (p < end) {
		unsigned code;

		if (*p != '\\') {
			to[n++] = *p++;
		} else if (p[1] != 'u') {
			to[n++] = short_escape(p[1]);
			p += 2;
		} else {
			code = (unsigned)hexadecimal(p + 2, end);
			p += 6;
			if (code >= 0xd800 && code < 0xdc00) {
				code = 0x10000 + ((code - 0xd800) << 10) + ((unsigned)low_half(p, end) - 0xdc00);
				p += 6;
			}
			n += utf8_put(to + n, code);
		}
	}
	return n;
}
