/*
 * rows.h -- what a record has to offer as columns: per kind of record a table of fields, each with its type in PostgreSQL.
 *
 * A record becomes one row, or several (a reading: one per value).  NaN and times that are not there are NULL.
 */
#ifndef FOREBAY_SINK_ROWS_H
#define FOREBAY_SINK_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/record/aggregate.h"
#include "common/record/alert.h"
#include "common/record/anomaly.h"
#include "common/record/forecast.h"
#include "common/record/outcome.h"
#include "common/record/reading.h"
#include "common/record/score.h"
#include "common/record/series.h"
#include "common/worker/worker.h"

enum wire {
	WIRE_TEXT,
	WIRE_REAL,
	WIRE_TIME,
	WIRE_INT4,
	WIRE_INT8,
	WIRE_BYTES,
	WIRE_REALS,
	WIRE_TEXTS,
	WIRE_BOOLEAN,
	WIRE_COUNT
};

/* The type's name for SQL ("double precision[]") and in pg_type ("_float8"). */
const char *wire_sql(enum wire w);
const char *wire_typname(enum wire w);

/* Where a field lives. */
struct row {
	const struct input *in;
	const void *record; /* NULL for kinds without a record type */
	const void *value;  /* the element of the record's array, for kinds with several rows */
};

enum place { PLACE_INPUT, PLACE_RECORD, PLACE_VALUE };

struct field {
	const char *name;
	enum wire wire;
	int (*put)(struct buffer *out, const struct row *row, const struct field *field);
	enum place place;
	size_t offset;
	const char *header; /* of the Kafka record */
};

struct row_kind {
	const char *name;
	const struct record_type *type; /* NULL: the value is not decoded */
	const struct field *fields;
	size_t n_fields;
	size_t (*count)(const void *record);                    /* NULL: one row */
	const void *(*value)(const void *record, size_t index); /* NULL: none */
};

/* Room for a record of any kind. */
union any_record {
	struct reading reading;
	struct series series;
	struct aggregate aggregate;
	struct forecast forecast;
	struct outcome outcome;
	struct score score;
	struct anomaly anomaly;
	struct alert alert;
};

const struct row_kind *row_kind_find(const char *name);

/* Also the fields that every record has: topic, partition, offset, timestamp, key, value.  NULL: there is none. */
const struct field *row_field(const struct row_kind *kind, const char *name);

size_t row_count(const struct row_kind *kind, const void *record);
struct row row_at(const struct row_kind *kind, const struct input *in, const void *record, size_t index);

/* One row of binary COPY.  -1 when the buffer is full. */
int row_put(struct buffer *out, const struct row *row, const struct field *const *fields, size_t n_fields);

/* A text for people: what is no UTF-8 of PostgreSQL's kind is shown as '?', so that the row cannot fail for it. */
int put_shown(struct buffer *out, struct span text);

/* The number behind a WIRE_TIME field: microseconds. */
int64_t row_time(const struct row *row, const struct field *field);

#endif
