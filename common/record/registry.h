/*
 * registry.h -- schemas by id.  Two kinds behind one face, chosen by the URL:
 *
 *	file:DIR	DIR/index.json pins ids (the embedded default; nothing is written at run time); "file:" alone is
 *			the schema directory
 *	http(s)://...	a Confluent-compatible registry (libcurl); answers are cached for ever, in memory
 *
 * One owner, not thread-safe: every thread has its own.
 */
#ifndef FOREBAY_RECORD_REGISTRY_H
#define FOREBAY_RECORD_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/cleanup.h"
#include "common/base/error.h"

#define SCHEMA_DIR_DEFAULT FOREBAY_DATA_DIR "/schemas"
#define SCHEMA_REGISTRY_URL_DEFAULT "file:"
#define SCHEMA_COMPATIBILITY "BACKWARD_TRANSITIVE" /* topics are replayed, so a reader must know all versions */

struct registry;
struct registry_http;
struct schema_document;
struct schema_index;

/*
 * SCHEMA_DIR holds our own schemas (*.avsc, index.json) also when URL is http; NULL is SCHEMA_DIR_DEFAULT.  The registry
 * is not asked yet.  -1 on OPTION_INVALID, SCHEMA_INVALID, NO_MEMORY.
 */
int registry_new(const char *url, const char *schema_dir, struct registry **ret, struct err *err);
void registry_free(struct registry *r);
DEFINE_CLEANUP(struct registry, registry_free)

/* For messages: the kind and place, without a password. */
const char *registry_name(const struct registry *r);

/*
 * The schema with this id or GUID (16 bytes); it lives as long as the registry.  -1 on AVRO_SCHEMA_UNKNOWN (also
 * remembered for a while), AVRO_SCHEMA_MISMATCH (not a schema that can be read), REGISTRY_DOWN, OPTION_INVALID.
 */
int registry_by_id(struct registry *r, int32_t id, const struct schema_document **ret, struct err *err);
int registry_by_guid(struct registry *r, const unsigned char *guid, const struct schema_document **ret,
		     struct err *err);

/*
 * The id that DOCUMENT has as a version of SUBJECT; http: becomes one if it is none yet.  -1 on SCHEMA_INCOMPATIBLE,
 * SCHEMA_INVALID (file: not in the index), REGISTRY_DOWN, OPTION_INVALID.
 */
int registry_register(struct registry *r, const char *subject, const struct schema_document *document, int32_t *id,
		      struct err *err);

/* Our own schemas, and the client where URL is http (else NULL): for the command line.  See index.h, registry_http.h. */
const struct schema_index *registry_index(const struct registry *r);
struct registry_http *registry_client(const struct registry *r);

#endif
