/* framing.h -- which schema wrote a value, and where its body begins.  For this module only. */
#ifndef FOREBAY_RECORD_FRAMING_H
#define FOREBAY_RECORD_FRAMING_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/base/span.h"

#define FRAMING_ID_BYTES 5    /* 0x00, the schema's id, big-endian */
#define FRAMING_GUID_BYTES 17 /* 0x01, the schema's GUID */
#define GUID_BYTES 16

struct framing {
	enum { FRAMED_BY_ID, FRAMED_BY_GUID } kind;
	int32_t id;
	unsigned char guid[GUID_BYTES];
	struct span body; /* of the value; not SPAN_NONE */
};

/* HEADER is the header __value_schema_id or SPAN_NONE.  -1 on EMPTY_VALUE, AVRO_FRAMING. */
int framing_parse(struct span value, struct span header, struct framing *ret, struct err *err);

/* The prefix that stands in front of what we write. */
void framing_prefix(int32_t id, char prefix[FRAMING_ID_BYTES]);

/* "42475bcd-b6f0-4f00-bf2a-4235059886eb" and back; -1: TEXT is none. */
#define GUID_TEXT_BYTES 37
void guid_text(const unsigned char guid[GUID_BYTES], char text[GUID_TEXT_BYTES]);
int guid_parse(struct span text, unsigned char guid[GUID_BYTES]);

#endif
