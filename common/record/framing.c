/*
 * framing.c -- Confluent's wire format: 0x00 and an id of 4 bytes, or 0x01 and a GUID of 16, in front of the value or in
 * the header __value_schema_id.  A reader takes the header first, as Confluent's own does.
 */
#include "common/record/framing.h"

#include <stdio.h>
#include <string.h>

#define BY_ID 0x00
#define BY_GUID 0x01

/* Reads the prefix in BYTES; its length, or 0 if there is none. */
static size_t
prefix_parse(struct span bytes, struct framing *ret)
{
	const unsigned char *p = (const unsigned char *)bytes.ptr;

	if (bytes.len >= FRAMING_ID_BYTES && p[0] == BY_ID) {
		ret->kind = FRAMED_BY_ID;
		ret->id = (int32_t)((uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4]);
		return FRAMING_ID_BYTES;
	}
	if (bytes.len >= FRAMING_GUID_BYTES && p[0] == BY_GUID) {
		ret->kind = FRAMED_BY_GUID;
		memcpy(ret->guid, p + 1, GUID_BYTES);
		return FRAMING_GUID_BYTES;
	}
	return 0;
}

int
framing_parse(struct span value, struct span header, struct framing *ret, struct err *err)
{
	size_t n;

	if (!value.ptr)
		return err_set(err, REASON_EMPTY_VALUE, "the record has no value");
	if (header.ptr) {
		if (prefix_parse(header, ret) != header.len || header.len == 0)
			return err_set(err, REASON_AVRO_FRAMING,
				       "the header __value_schema_id has %zu bytes and is neither an id nor a GUID",
				       header.len);
		ret->body = value;
		return 0;
	}
	n = prefix_parse(value, ret);
	if (n == 0 && value.len == 0)
		return err_set(err, REASON_AVRO_FRAMING, "the value is empty");
	if (n == 0)
		return err_set(err, REASON_AVRO_FRAMING, "%zu bytes that begin with 0x%02x", value.len,
			       (unsigned char)value.ptr[0]);
	ret->body = (struct span){ value.ptr + n, value.len - n };
	return 0;
}

void
framing_prefix(int32_t id, char prefix[FRAMING_ID_BYTES])
{
	uint32_t v = (uint32_t)id;

	prefix[0] = BY_ID;
	for (int i = 0; i < 4; i++)
		prefix[1 + i] = (char)(v >> (24 - 8 * i));
}

void
guid_text(const unsigned char guid[GUID_BYTES], char text[GUID_TEXT_BYTES])
{
	size_t at = 0;

	for (int i = 0; i < GUID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[at++] = '-';
		at += (size_t)snprintf(text + at, GUID_TEXT_BYTES - at, "%02x", guid[i]);
	}
}

int
guid_parse(struct span text, unsigned char guid[GUID_BYTES])
{
	static const char digits[] = "0123456789abcdefABCDEF";
	size_t nibbles = 0;

	if (text.len != GUID_TEXT_BYTES - 1)
		return -1;
	for (size_t i = 0; i < text.len; i++) {
		const char *digit = memchr(digits, text.ptr[i], sizeof(digits) - 1);
		unsigned v;

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text.ptr[i] != '-')
				return -1;
			continue;
		}
		if (!digit)
			return -1;
		v = (unsigned)(digit - digits);
		v = v < 16 ? v : v - 6;
		guid[nibbles / 2] = (unsigned char)(nibbles % 2 ? guid[nibbles / 2] << 4 | v : v);
		nibbles++;
	}
	return 0;
}
