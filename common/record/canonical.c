/*
 * canonical.c -- what makes two schemas the same: Apache Avro 1.11, "Parsing Canonical Form for Schemas" and "Schema
 * Fingerprints".
 *
 * Defaults, aliases, documentation and logical types are left out; names are full; a named type is written once and
 * mentioned by name afterwards, which also ends a recursion.
 */
#include "common/record/schema.h"

#include <string.h>

#include "common/base/map.h"

static int write_schema(const struct schema *s, struct map *seen, struct buffer *out);

static bool
may_be_empty(const struct schema *s, int depth)
{
	if (s->kind == SCHEMA_NULL || (s->kind == SCHEMA_FIXED && s->size == 0))
		return true;
	if (s->kind != SCHEMA_RECORD || depth > SCHEMA_DEPTH_MAX)
		return s->kind == SCHEMA_RECORD;
	for (size_t i = 0; i < s->n_fields; i++) {
		if (!may_be_empty(s->fields[i].type, depth + 1))
			return false;
	}
	return true;
}

bool
schema_may_be_empty(const struct schema *s)
{
	return may_be_empty(s, 0);
}

static int
write_fields(const struct schema *s, struct map *seen, struct buffer *out)
{
	int bad = buffer_text(out, ",\"fields\":[");

	for (size_t i = 0; i < s->n_fields; i++) {
		bad |= buffer_printf(out, "%s{\"name\":\"%s\",\"type\":", i ? "," : "", s->fields[i].name);
		bad |= write_schema(s->fields[i].type, seen, out);
		bad |= buffer_text(out, "}");
	}
	return bad | buffer_text(out, "]");
}

static int
write_named(const struct schema *s, struct map *seen, struct buffer *out)
{
	int bad;

	if (map_get(seen, span_of(s->name)))
		return buffer_printf(out, "\"%s\"", s->name);
	bad = map_put(seen, span_of(s->name), seen);
	bad |= buffer_printf(out, "{\"name\":\"%s\",\"type\":\"%s\"", s->name, schema_kind_name(s->kind));
	if (s->kind == SCHEMA_RECORD)
		bad |= write_fields(s, seen, out);
	if (s->kind == SCHEMA_FIXED)
		bad |= buffer_printf(out, ",\"size\":%zu", s->size);
	if (s->kind == SCHEMA_ENUM) {
		bad |= buffer_text(out, ",\"symbols\":[");
		for (size_t i = 0; i < s->symbols.n; i++)
			bad |= buffer_printf(out, "%s\"%s\"", i ? "," : "", s->symbols.items[i]);
		bad |= buffer_text(out, "]");
	}
	return bad | buffer_text(out, "}");
}

static int
write_schema(const struct schema *s, struct map *seen, struct buffer *out)
{
	int bad;

	switch (s->kind) {
	case SCHEMA_RECORD:
	case SCHEMA_ENUM:
	case SCHEMA_FIXED: return write_named(s, seen, out);
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
		bad = buffer_text(out, s->kind == SCHEMA_ARRAY ? "{\"type\":\"array\",\"items\":"
							       : "{\"type\":\"map\",\"values\":");
		bad |= write_schema(s->items, seen, out);
		return bad | buffer_text(out, "}");
	case SCHEMA_UNION:
		bad = buffer_text(out, "[");
		for (size_t i = 0; i < s->n_branches; i++) {
			bad |= i ? buffer_text(out, ",") : 0;
			bad |= write_schema(s->branches[i], seen, out);
		}
		return bad | buffer_text(out, "]");
	default: return buffer_printf(out, "\"%s\"", schema_kind_name(s->kind));
	}
}

int
schema_canonical(const struct schema *s, struct buffer *out)
{
	CLEANUP(map_free)
	struct map *seen = map_new(NULL);

	return seen ? write_schema(s, seen, out) : -1;
}

bool
schema_same(const struct schema *a, const struct schema *b)
{
	CLEANUP(buffer_clear)
	struct buffer left = BUFFER_INIT(4 * SCHEMA_TEXT_MAX);
	CLEANUP(buffer_clear)
	struct buffer right = BUFFER_INIT(4 * SCHEMA_TEXT_MAX);

	return a == b || (schema_canonical(a, &left) == 0 && schema_canonical(b, &right) == 0 &&
			  span_equal(buffer_span(&left), buffer_span(&right)));
}

/* A CRC whose polynomial is that of the empty text, bit by bit: schemas are short and fingerprints rare. */
int
schema_fingerprint(const struct schema *s, uint64_t *ret)
{
	const uint64_t empty = UINT64_C(0xc15d213aa4d7a795);
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(4 * SCHEMA_TEXT_MAX);
	uint64_t crc = empty;

	if (schema_canonical(s, &text) < 0)
		return -1;
	for (size_t i = 0; i < text.len; i++) {
		uint64_t row = (crc ^ (unsigned char)text.ptr[i]) & 0xff;

		for (int bit = 0; bit < 8; bit++)
			row = row >> 1 ^ (empty & -(row & 1));
		crc = crc >> 8 ^ row;
	}
	*ret = crc;
	return 0;
}
