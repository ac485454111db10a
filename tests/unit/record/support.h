/* support.h -- what the tests of common/record share: the repository's schemas, records from JSON, random records. */
#ifndef FOREBAY_TESTS_RECORD_SUPPORT_H
#define FOREBAY_TESTS_RECORD_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/record/codec.h"
#include "common/record/schema.h"
#include "common/record/type.h"

/* CALL takes `why`, a struct err *, as its last argument. */
#define OK(call)                                                \
	do {                                                    \
		struct err why_not = ERR_INIT, *why = &why_not; \
		if ((call) != 0)                                \
			fail_msg("%s: %s", #call, why->text);   \
	} while (0)

/* The repository's schemas/ (SCHEMAS_DIR is given by the build). */
struct registry *support_registry(void);

/* A schema written with ' for ". */
struct schema_document *support_schema(const char *text);

/* A whole file under schemas/examples. */
void support_example(const char *name, struct buffer *text);

/* JSON as bytes of SCHEMA, without a prefix. */
void support_to_avro(const struct schema *schema, const char *json, struct buffer *out);

/* A random record that keeps its type's rules: a function of NUMBER alone. */
void *support_random(const struct record_type *type, uint64_t number, struct arena *arena);

const struct record_type *support_type(const char *name);

#endif
