/*
 * image_crc.c -- CRC-32C, reflected polynomial 0x82f63b78.  The instruction of SSE 4.2 where the processor has it; else eight
 * bytes at a time: table k says what a byte becomes once k more bytes have gone by, and the eight effects add up
 * (M. E. Kounavis and F. L. Berry, "A Systematic Approach to Building High Performance Software-based CRC Generators", 2005).
 */
#include "common/base/image_parts.h"

static uint32_t tables[8][256];

__attribute__((constructor)) static void
tables_fill(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
		tables[0][i] = crc;
	}
	for (int k = 1; k < 8; k++)
		for (int i = 0; i < 256; i++)
			tables[k][i] = tables[k - 1][i] >> 8 ^ tables[0][tables[k - 1][i] & 0xff];
}

uint32_t
image_crc32c_portable(struct span bytes)
{
	const unsigned char *p = (const unsigned char *)bytes.ptr;
	size_t left = bytes.len;
	uint32_t crc = ~0u;

	for (; left >= 8; left -= 8, p += 8) {
		uint64_t word = image_load(p, 8) ^ crc;

		crc = 0;
		for (int i = 0; i < 8; i++)
			crc ^= tables[7 - i][word >> (8 * i) & 0xff];
	}
	for (; left; left--)
		crc = crc >> 8 ^ tables[0][(crc ^ *p++) & 0xff];
	return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t
crc32c_sse42(struct span bytes)
{
	const char *p = bytes.ptr;
	size_t left = bytes.len;
	uint64_t crc = ~0u, word;

	for (; left >= 8; left -= 8, p += 8) {
		memcpy(&word, p, 8);
		crc = __builtin_ia32_crc32di(crc, word);
	}
	for (; left; left--)
		crc = __builtin_ia32_crc32qi((uint32_t)crc, (unsigned char)*p++);
	return ~(uint32_t)crc;
}

uint32_t
image_crc32c(struct span bytes)
{
	return __builtin_cpu_supports("sse4.2") ? crc32c_sse42(bytes) : image_crc32c_portable(bytes);
}
#else
uint32_t
image_crc32c(struct span bytes)
{
	return image_crc32c_portable(bytes);
}
#endif
