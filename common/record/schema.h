/*
 * schema.h -- an Avro schema as a tree, immutable once read.  For this module and the command line.
 *
 * Avro's own C library keeps neither defaults nor aliases nor logical types of a schema, so it cannot resolve what an
 * older writer wrote; hence a tree of our own.  A named type that is mentioned again is the same node, so a recursive
 * schema is a graph: who walks one bounds the depth.
 */
#ifndef FOREBAY_RECORD_SCHEMA_H
#define FOREBAY_RECORD_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/base/span.h"

#define SCHEMA_TEXT_MAX (1 << 20)
#define SCHEMA_DEPTH_MAX 64 /* of nesting, in schemas and in values */

enum schema_kind {
	SCHEMA_NULL,
	SCHEMA_BOOLEAN,
	SCHEMA_INT,
	SCHEMA_LONG,
	SCHEMA_FLOAT,
	SCHEMA_DOUBLE,
	SCHEMA_BYTES,
	SCHEMA_STRING,
	SCHEMA_RECORD,
	SCHEMA_ENUM,
	SCHEMA_ARRAY,
	SCHEMA_MAP,
	SCHEMA_UNION,
	SCHEMA_FIXED,
	SCHEMA_KIND_COUNT
};

struct schema_names {
	const char **items;
	size_t n;
};

struct schema_field {
	const char *name;
	struct schema_names aliases;
	const struct schema *type;
	const json_t *fallback; /* the default; NULL: none.  A JSON null is a default, too */
};

struct schema {
	enum schema_kind kind;
	const char *logical;         /* "timestamp-micros"; NULL: none */
	const char *name;            /* record, enum, fixed: the full name */
	struct schema_names aliases; /* full names */
	struct schema_field *fields; /* record */
	size_t n_fields;
	struct schema_names symbols;    /* enum */
	const char *fallback;           /* enum: the symbol for unknown ones; NULL: none */
	const struct schema **branches; /* union */
	size_t n_branches;
	const struct schema *items; /* array, map */
	size_t size;                /* fixed, in bytes */
};

/* A schema with the memory it lives in. */
struct schema_document {
	const struct schema *root;
	const char *text; /* as it was given, NUL-terminated */
	/* Private: */
	struct arena *arena;
	json_t *json;
};

/* -1 on SCHEMA_INVALID (with the path), NO_MEMORY. */
int schema_parse(struct span text, struct schema_document **ret, struct err *err);
void schema_document_free(struct schema_document *d);
DEFINE_CLEANUP(struct schema_document, schema_document_free)

const char *schema_kind_name(enum schema_kind kind); /* "long" */

/* A full name without its namespace. */
const char *schema_short_name(const char *name);

/* Can a value of S take no bytes at all (null, an empty record)? */
bool schema_may_be_empty(const struct schema *s);

/* Avro's parsing canonical form: equal texts mean equal bytes on the wire.  -1 when OUT's maximum is reached. */
int schema_canonical(const struct schema *s, struct buffer *out);
bool schema_same(const struct schema *a, const struct schema *b);

/* CRC-64-AVRO of the canonical form.  -1 as above. */
int schema_fingerprint(const struct schema *s, uint64_t *ret);

#endif
