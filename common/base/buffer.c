/* buffer.c -- doubling growth; JSON strings by the rules of RFC 8259, invalid UTF-8 replaced as Unicode 3.9 suggests. */
#include "common/base/buffer.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buffer_clear(struct buffer *b)
{
	free(b->ptr);
	b->ptr = NULL;
	b->len = b->cap = 0;
}

int
buffer_reserve(struct buffer *b, size_t more)
{
	size_t need, cap;
	char *p;

	if (more > SIZE_MAX / 4 - b->len)
		return -1;
	need = b->len + more;
	if (b->max && need > b->max)
		return -1;
	if (need <= b->cap)
		return 0;
	cap = b->cap ? b->cap * 2 : 256;
	while (cap < need)
		cap *= 2;
	p = realloc(b->ptr, cap);
	if (!p)
		return -1;
	b->ptr = p;
	b->cap = cap;
	return 0;
}

int
buffer_append(struct buffer *b, const void *bytes, size_t len)
{
	if (len == 0)
		return 0;
	if (buffer_reserve(b, len) < 0)
		return -1;
	memcpy(b->ptr + b->len, bytes, len);
	b->len += len;
	return 0;
}

int
buffer_text(struct buffer *b, const char *text)
{
	return buffer_append(b, text, strlen(text));
}

int
buffer_printf(struct buffer *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || buffer_reserve(b, (size_t)n + 1) < 0)
		return -1;
	va_start(ap, fmt);
	vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

size_t
utf8_sequence(const char *text, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)text;
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
	uint32_t c;

	if (n <= 1 || n > len)
		return n > len ? 0 : n;
	c = p[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	return c < least[n] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff ? 0 : n;
}

int
buffer_json_string(struct buffer *b, struct span text)
{
	const unsigned char *p = (const unsigned char *)text.ptr;
	size_t start = b->len, i = 0;
	int bad = buffer_append(b, "\"", 1);

	while (i < text.len) {
		size_t n = utf8_sequence(text.ptr + i, text.len - i);

		if (n == 0) {
			bad |= buffer_text(b, "\\ufffd");
			n = 1;
		} else if (p[i] == '"' || p[i] == '\\') {
			char escaped[2] = { '\\', (char)p[i] };

			bad |= buffer_append(b, escaped, 2);
		} else if (p[i] == '\n') {
			bad |= buffer_text(b, "\\n");
		} else if (p[i] < 0x20) {
			bad |= buffer_printf(b, "\\u%04x", p[i]);
		} else {
			bad |= buffer_append(b, p + i, n);
		}
		i += n;
	}
	bad |= buffer_append(b, "\"", 1);
	if (bad)
		b->len = start;
	return bad;
}

int
buffer_json_number(struct buffer *b, double value)
{
	char text[32];

	if (!isfinite(value))
		return buffer_text(b, "null");
	for (int digits = 15; digits <= 17; digits += 1) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	return buffer_text(b, text);
}
