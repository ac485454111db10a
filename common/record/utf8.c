/* utf8.c -- eight ASCII bytes at a time; the rest by the table of well-formed sequences of RFC 3629, section 4. */
#include "common/record/utf8.h"

#include <stdint.h>

/* The first byte decides the length and what the second byte may be; the others are 80..BF. */
static const struct {
	unsigned char first, last, length, second_low, second_high;
} sequences[] = {
	{ 0x01, 0x7f, 1, 0, 0 },       { 0xc2, 0xdf, 2, 0x80, 0xbf }, { 0xe0, 0xe0, 3, 0xa0, 0xbf },
	{ 0xe1, 0xec, 3, 0x80, 0xbf }, { 0xed, 0xed, 3, 0x80, 0x9f }, { 0xee, 0xef, 3, 0x80, 0xbf },
	{ 0xf0, 0xf0, 4, 0x90, 0xbf }, { 0xf1, 0xf3, 4, 0x80, 0xbf }, { 0xf4, 0xf4, 4, 0x80, 0x8f },
};

static size_t
sequence_length(const unsigned char *p, size_t left)
{
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		size_t n = sequences[i].length;

		if (p[0] < sequences[i].first || p[0] > sequences[i].last)
			continue;
		if (n > left || (n > 1 && (p[1] < sequences[i].second_low || p[1] > sequences[i].second_high)))
			return 0;
		for (size_t k = 2; k < n; k++) {
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		}
		return n;
	}
	return 0;
}

bool
utf8_valid(struct span text)
{
	const unsigned char *p = (const unsigned char *)text.ptr;
	size_t left = text.len;

	while (left > 0) {
		size_t n;

		if (left >= 8) {
			uint64_t word;

			/* No byte above 7F, and none below 01: a byte of 0 borrows into its own high bit. */
			memcpy(&word, p, sizeof(word));
			if (((word | (word - UINT64_C(0x0101010101010101))) & UINT64_C(0x8080808080808080)) == 0) {
				p += 8;
				left -= 8;
				continue;
			}
		}
		if (p[0] >= 0x01 && p[0] < 0x80)
			n = 1;
		else
			n = sequence_length(p, left);
		if (n == 0)
			return false;
		p += n;
		left -= n;
	}
	return true;
}
