/* type.h -- what a codec needs to know about a record.  For this module only; users name the constant of the record. */
#ifndef FOREBAY_RECORD_TYPE_H
#define FOREBAY_RECORD_TYPE_H

#include "common/record/shape.h"

struct record_type {
	const char *name; /* as in the schema, without namespace: "Reading" */
	const struct shape *shape;
	int (*check)(const void *record, struct err *err); /* rules across fields, RECORD_INVALID; NULL: none */
};

/* All of them, in the order of schemas/index.json; the last one is NULL. */
extern const struct record_type *const record_types[];

#endif
