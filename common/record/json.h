/*
 * json.h -- any value of any schema as JSON and back, for people, examples and a schema's defaults.  Unlike Avro's own
 * JSON encoding a union is its plain value, and bytes are base64.
 */
#ifndef FOREBAY_RECORD_JSON_H
#define FOREBAY_RECORD_JSON_H

#include <jansson.h>

#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/record/reader.h"
#include "common/record/schema.h"
#include "common/record/writer.h"

/* Append the next value of R, which was written with SCHEMA.  -1 on AVRO_DECODE, NO_MEMORY. */
int json_from_avro(const struct schema *schema, struct reader *r, struct buffer *out, struct err *err);

enum json_form {
	JSON_PLAIN,   /* as json_from_avro writes it: the first branch of a union that fits; bytes are base64 */
	JSON_DEFAULT, /* a schema's "default": the first branch of a union; bytes are code points 0 to 255 */
};

/* Append VALUE.  Missing fields take their defaults.  -1 on RECORD_INVALID (with the path), NO_MEMORY. */
int json_to_avro(const struct schema *schema, const json_t *value, enum json_form form, struct writer *w,
		 struct err *err);

#endif
