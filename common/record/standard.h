/*
 * standard.h -- the word of Apache Avro's own C library on a schema.  What we publish must be readable by any program that
 * uses it; our own reader (schema.h) knows more of a schema than it does, so both have to agree.
 */
#ifndef FOREBAY_RECORD_STANDARD_H
#define FOREBAY_RECORD_STANDARD_H

#include "common/base/error.h"
#include "common/base/span.h"

/* -1 on SCHEMA_INVALID with the library's reason. */
int standard_accepts(struct span schema, struct err *err);

#endif
