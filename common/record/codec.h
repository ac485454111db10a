/*
 * codec.h -- records as structures on one side, Avro bytes in Confluent framing on the other.
 *
 * Every Avro record of ours has a header common/record/<name>.h with its structure and one constant
 * `const struct record_type <name>_record`.  A codec binds a type to a topic: it registers our schema as a version of
 * subject <topic>-value and writes 0x00, schema id (big-endian), body.  It reads what any registered writer schema wrote,
 * resolved to ours (defaults, promotions, added and missing fields), with the id in the prefix or in the header
 * __value_schema_id (0x00+id or 0x01+GUID; then the value is the bare body).
 */
#ifndef FOREBAY_RECORD_CODEC_H
#define FOREBAY_RECORD_CODEC_H

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/base/span.h"
#include "common/record/registry.h"

#define TIME_NONE INT64_MIN /* in a structure: there is no such time, where its record allows that */

struct record_type; /* one per record, see there; members are in record/type.h, for this module only */
struct codec;

/*
 * Of the versions in the schema directory the codec writes the newest that this program was built for.  -1 on
 * SCHEMA_INVALID (there is none), SCHEMA_INCOMPATIBLE, REGISTRY_DOWN, OPTION_INVALID (credentials), NO_MEMORY.  REGISTRY
 * must outlive the codec.  One codec, one thread.
 */
int codec_new(struct registry *registry, const struct record_type *type, const char *topic, struct codec **ret,
	      struct err *err);
void codec_free(struct codec *c);
DEFINE_CLEANUP(struct codec, codec_free)

/* Append prefix and body of RECORD (the type's structure) to OUT.  -1 on RECORD_INVALID, NO_MEMORY; OUT is then as before. */
int codec_encode(struct codec *c, const void *record, struct buffer *out, struct err *err);

/*
 * Read VALUE into *RECORD (the type's structure); texts and arrays live in ARENA.  SCHEMA_ID is the header
 * __value_schema_id or SPAN_NONE.  -1 on EMPTY_VALUE, AVRO_FRAMING, AVRO_SCHEMA_UNKNOWN, AVRO_SCHEMA_MISMATCH,
 * AVRO_DECODE (with the byte of VALUE), RECORD_INVALID (with the field), REGISTRY_DOWN (worth a retry), OPTION_INVALID
 * (credentials), NO_MEMORY; *RECORD is then undefined.
 */
int codec_decode(struct codec *c, struct span value, struct span schema_id, struct arena *arena, void *record,
		 struct err *err);

/* The id our schema has in the registry. */
int32_t codec_schema_id(const struct codec *c);

/* Any record in any registered schema as JSON (Avro's JSON is not used: unions are plain values, bytes are base64). */
int codec_to_json(struct registry *registry, struct span value, struct span schema_id, struct buffer *out,
		  struct err *err);

#endif
