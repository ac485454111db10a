/*
 * resolve.h -- from bytes of a writer's schema to bytes of the reader's, by a plan that is made once for two schemas.
 *
 * Fields are found by name or alias, dropped, re-ordered, promoted, or filled from the reader's defaults.  Translating
 * bytes to bytes leaves one way from bytes to structures, the one of shape.h.  For this module only.
 */
#ifndef FOREBAY_RECORD_RESOLVE_H
#define FOREBAY_RECORD_RESOLVE_H

#include "common/base/buffer.h"
#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/record/reader.h"
#include "common/record/schema.h"

struct resolution;

/* Both schemas must outlive the plan.  -1 on AVRO_SCHEMA_MISMATCH (no value can be read: path and reason), NO_MEMORY. */
int resolution_new(const struct schema *writer, const struct schema *reader, struct resolution **ret, struct err *err);
void resolution_free(struct resolution *r);
DEFINE_CLEANUP(struct resolution, resolution_free)

/*
 * Append the next value of IN.  -1 on AVRO_DECODE (also when OUT's maximum is reached), AVRO_SCHEMA_MISMATCH (this value
 * uses a branch or symbol that the reader does not have).
 */
int resolution_run(const struct resolution *r, struct reader *in, struct buffer *out, struct err *err);

#endif
