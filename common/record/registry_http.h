/*
 * registry_http.h -- a Confluent-compatible schema registry over HTTP: one call, one function, no cache (registry.h has
 * it).  For registry.c and the command line.  Every wait is bounded; a password in the URL is used and never printed.
 *
 * Errors: REGISTRY_DOWN (no answer, 408, 429, 5xx: worth a retry), AVRO_SCHEMA_UNKNOWN (it answers that it has no such
 * schema), SCHEMA_INCOMPATIBLE (409), SCHEMA_INVALID (422), OPTION_INVALID (401, 403: credentials; other refusals).
 */
#ifndef FOREBAY_RECORD_REGISTRY_HTTP_H
#define FOREBAY_RECORD_REGISTRY_HTTP_H

#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/cleanup.h"
#include "common/base/error.h"

struct registry_http;

int registry_http_new(const char *url, struct registry_http **ret, struct err *err);
void registry_http_free(struct registry_http *h);
DEFINE_CLEANUP(struct registry_http, registry_http_free)

/* The URL without its password. */
const char *registry_http_url(const struct registry_http *h);

/* The text of a schema.  -1 also on AVRO_SCHEMA_MISMATCH: it is no Avro schema, or one in several parts. */
int registry_http_by_id(struct registry_http *h, int32_t id, struct buffer *text, struct err *err);
int registry_http_by_guid(struct registry_http *h, const char *guid, struct buffer *text, struct err *err);

/* The id under which TEXT is, or becomes, a version of SUBJECT. */
int registry_http_register(struct registry_http *h, const char *subject, const char *text, int32_t *id,
			   struct err *err);

/* The id of TEXT among the versions of SUBJECT.  -1 also on AVRO_SCHEMA_UNKNOWN: it is none of them. */
int registry_http_lookup(struct registry_http *h, const char *subject, const char *text, int32_t *id, struct err *err);

/* Would TEXT be accepted?  0 also where SUBJECT does not exist yet. */
int registry_http_compatible(struct registry_http *h, const char *subject, const char *text, struct err *err);

/* The compatibility level of SUBJECT ("BACKWARD_TRANSITIVE"), set only where it differs. */
int registry_http_set_level(struct registry_http *h, const char *subject, const char *level, struct err *err);

#endif
