/* intake.h -- the value of a raw record as JSON text: as it is, or, if it is Avro, as its schema tells. */
#ifndef FOREBAY_INGEST_ROUTER_INTAKE_H
#define FOREBAY_INGEST_ROUTER_INTAKE_H

#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/record/codec.h"

enum input_format {
	INPUT_AUTO, /* Avro where a schema id is in the header or a zero byte in front, else JSON */
	INPUT_JSON,
	INPUT_AVRO
};

struct intake {
	enum input_format format;
	size_t max_bytes;
	struct registry *registry; /* the caller's */
	struct buffer json;        /* of the latest Avro value */
};

void intake_init(struct intake *in, enum input_format format, size_t max_bytes, struct registry *registry);
void intake_clear(struct intake *in);

/*
 * SCHEMA_ID is the header __value_schema_id or SPAN_NONE.  *RET points into VALUE, or into IN until the next call.  -1 on
 * EMPTY_VALUE, MESSAGE_TOO_LARGE, AVRO_FRAMING, AVRO_SCHEMA_UNKNOWN, AVRO_DECODE, REGISTRY_DOWN, NO_MEMORY.
 */
int intake_json(struct intake *in, struct span value, struct span schema_id, struct span *ret, struct err *err);

#endif
