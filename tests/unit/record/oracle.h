/* oracle.h -- Apache Avro's own C library: what does it make of our bytes, and we of its? */
#ifndef FOREBAY_TESTS_RECORD_ORACLE_H
#define FOREBAY_TESTS_RECORD_ORACLE_H

#include "common/base/buffer.h"
#include "common/base/span.h"

struct oracle;

/* A reader and writer of one schema, or (RESOLVED_TO not NULL) a reader that resolves to another.  NULL: it cannot. */
struct oracle *oracle_new(const char *schema, const char *resolved_to);
void oracle_free(struct oracle *o);

/* Decode BODY, then encode what was understood.  -1: it cannot be decoded, or something is left over. */
int oracle_repeat(struct oracle *o, struct span body, struct buffer *out);

/* A random value of the schema, encoded. */
void oracle_random(struct oracle *o, uint64_t number, struct buffer *out);

#endif
