/* base64.c -- three bytes to four letters and back. */
#include "common/record/base64.h"

#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int
base64_encode(struct span bytes, struct buffer *out)
{
	const unsigned char *p = (const unsigned char *)bytes.ptr;

	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
		unsigned v = (unsigned)p[i] << 16 | (n > 1 ? (unsigned)p[i + 1] << 8 : 0) | (n > 2 ? p[i + 2] : 0u);
		char four[4] = { letters[v >> 18], letters[v >> 12 & 63], n > 1 ? letters[v >> 6 & 63] : '=',
				 n > 2 ? letters[v & 63] : '=' };

		if (buffer_append(out, four, sizeof(four)) < 0)
			return -1;
	}
	return 0;
}

int
base64_decode(struct span text, struct buffer *out)
{
	if (text.len % 4 != 0)
		return -1;
	for (size_t i = 0; i < text.len; i += 4) {
		bool last = i + 4 == text.len;
		size_t n = !last || text.ptr[i + 3] != '=' ? 3 : text.ptr[i + 2] != '=' ? 2 : 1;
		unsigned char three[3];
		unsigned v = 0;

		for (size_t k = 0; k < 4; k++) {
			const char *at = k <= n ? memchr(letters, text.ptr[i + k], 64) : letters;

			if (!at)
				return -1;
			v = v << 6 | (unsigned)(at - letters);
		}
		three[0] = (unsigned char)(v >> 16);
		three[1] = (unsigned char)(v >> 8);
		three[2] = (unsigned char)v;
		if (buffer_append(out, three, n) < 0)
			return -1;
	}
	return 0;
}
