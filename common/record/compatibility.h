/* compatibility.h -- may a new schema follow the old ones of its subject? */
#ifndef FOREBAY_RECORD_COMPATIBILITY_H
#define FOREBAY_RECORD_COMPATIBILITY_H

#include "common/base/error.h"
#include "common/record/schema.h"

/*
 * Can everything that WRITER (the older one) may have written be read with READER (the newer one)?  -1 on
 * SCHEMA_INCOMPATIBLE: the path of the first difference and why.  BACKWARD_TRANSITIVE is this for every older version.
 */
int compatibility_check(const struct schema *reader, const struct schema *writer, struct err *err);

#endif
