/*
 * shape.h -- a record as a table of fields: where a field lies in the structure, how it is written, what it may hold.
 * One walk writes a structure, one reads it, one compares the table with a schema file.  For this module only.
 *
 * The order of a table is the order of the schema's fields.  A table says nothing about older or newer schemas: what
 * another schema wrote is first translated into ours (resolve.h).
 */
#ifndef FOREBAY_RECORD_SHAPE_H
#define FOREBAY_RECORD_SHAPE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/record/reader.h"
#include "common/record/schema.h"
#include "common/record/writer.h"

enum field_kind {                       /* in the structure		in the schema */
		  FIELD_TEXT,           /* struct span			string */
		  FIELD_OPTIONAL_TEXT,  /* struct span, may be SPAN_NONE	["null", "string"] */
		  FIELD_BYTES,          /* struct span			bytes */
		  FIELD_OPTIONAL_BYTES, /* struct span, may be SPAN_NONE	["null", "bytes"] */
		  FIELD_TIME,           /* int64_t, us			long, timestamp-micros */
		  FIELD_OPTIONAL_TIME,  /* int64_t, may be TIME_NONE	["null", long, timestamp-micros] */
		  FIELD_LONG,           /* int64_t				long */
		  FIELD_INT,            /* int32_t				int */
		  FIELD_REAL,           /* double				double */
		  FIELD_OPTIONAL_REAL,  /* double, may be NaN		["null", "double"] */
		  FIELD_CODE,           /* an enum				string: its name */
		  FIELD_BOOLEAN,        /* bool				boolean */
		  FIELD_RECORDS,        /* item *, size_t			array of records */
		  FIELD_MAP,            /* item * (name, value), size_t	map */
		  FIELD_TEXTS,          /* struct span *, size_t		array of strings */
		  FIELD_REALS,          /* double *, size_t		array of doubles */
		  FIELD_OPTIONAL_REALS, /* double * (NaN), size_t		array of ["null", "double"] */
		  FIELD_MATRIX,         /* double *, size_t rows; columns	array of doubles, row by row */
		  FIELD_FLAGS,          /* uint8_t *, shares a count	bytes, as many as the count says */
};

/* The names of an enum's values.  UNKNOWN stands for a name of a later version; -1: such a record is refused. */
struct codes {
	const char *const *names;
	size_t n;
	int unknown;
};

struct shape;

struct field {
	const char *name; /* in the schema */
	enum field_kind kind;
	size_t at;                 /* offset of the value, or of the pointer to an array */
	size_t count_at;           /* arrays: offset of the number of items (FIELD_MATRIX: of rows) */
	size_t columns_at;         /* FIELD_MATRIX: offset of the number of columns */
	int64_t min, max;          /* integers: range; texts and bytes: length in bytes; arrays: number of items */
	double low, high;          /* reals: range; infinities and NaN are never inside */
	const struct codes *codes; /* FIELD_CODE */
	const struct shape *item;  /* FIELD_RECORDS, FIELD_MAP, FIELD_TEXTS */
};

struct shape {
	const struct field *fields;
	size_t n_fields;
	size_t size;       /* of the structure */
	size_t item_bytes; /* least bytes of one on the wire */
};

/* Limits that several records share. */
#define NAME_BYTES 256  /* device, metric, unit, source, a bad value's text */
#define LABEL_BYTES 512 /* names of workers, topics, models */
#define NOTE_BYTES 4096
#define ITEMS_MAX 1000000
#define TIME_MIN_US INT64_C(-62135596800000000) /* 0001-01-01 */
#define TIME_MAX_US INT64_C(253402300799999999) /* the end of 9999-12-31 */
#define REAL_MAX 1.7976931348623157e308
#define REAL_LEAST 4.9406564584124654e-324 /* the least number above 0 */

#define SHAPE(table, type, least)                                                                        \
	{                                                                                                \
		.fields = (table), .n_fields = sizeof(table) / sizeof((table)[0]), .size = sizeof(type), \
		.item_bytes = (least)                                                                    \
	}
#define AT(type, member) .at = offsetof(type, member)
#define COUNT(type, member) .count_at = offsetof(type, member)
#define LENGTH(least, most) .min = (least), .max = (most)
#define RANGE(least, most) .low = (least), .high = (most)
#define ANY_TIME .min = TIME_MIN_US, .max = TIME_MAX_US
#define ANY_REAL RANGE(-REAL_MAX, REAL_MAX)
#define PROBABILITY RANGE(REAL_LEAST, 1.0)

/* Append RECORD.  -1 on RECORD_INVALID (names the field), NO_MEMORY; what was appended until then is the caller's to cut. */
int shape_write(const struct shape *shape, const void *record, struct writer *w, struct err *err);

/* Fill *RECORD; texts stay where R reads, arrays come from ARENA.  -1 on AVRO_DECODE, RECORD_INVALID, NO_MEMORY. */
int shape_read(const struct shape *shape, struct reader *r, struct arena *arena, void *record, struct err *err);

/* 0 if what shape_write writes is exactly what SCHEMA describes, else -1 with SCHEMA_INVALID and the first difference. */
int shape_matches(const struct shape *shape, const struct schema *schema, struct err *err);

/* The code whose name is TEXT, codes->unknown for another one. */
int codes_parse(const struct codes *codes, struct span text);

#endif
