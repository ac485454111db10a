/*
 * registry.c -- the cache in front of a registry.  A schema of an id never changes, so what is known is kept for ever;
 * that an id is not known may change, so it is asked again after a while, and a flood of poison costs one call.
 */
#include "common/record/registry.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/map.h"
#include "common/record/index.h"
#include "common/record/registry_http.h"

#define UNKNOWN_TIME_US (30 * US_PER_SECOND)
#define UNKNOWN_MAX 1024

struct registry {
	struct schema_index *index;
	struct registry_http *http; /* NULL: the index is the registry */
	struct map *documents;      /* "i" and an id, "g" and a GUID -> schema_document */
	struct map *unknown;        /* the same -> int64_t: until when */
	char *name;
};

struct key {
	char bytes[1 + GUID_BYTES];
	size_t len;
};

static struct span
key_span(const struct key *k)
{
	return (struct span){ k->bytes, k->len };
}

static void
document_free(void *d)
{
	schema_document_free(d);
}

static int
new_http(struct registry *r, const char *url, struct err *err)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return err_set(err, REASON_INTERNAL, "libcurl does not start");
	return registry_http_new(url, &r->http, err);
}

int
registry_new(const char *url, const char *schema_dir, struct registry **ret, struct err *err)
{
	CLEANUP(registry_free)
	struct registry *r = calloc(1, sizeof(*r));
	const char *dir = schema_dir && *schema_dir ? schema_dir : SCHEMA_DIR_DEFAULT;
	bool file = strncmp(url, "file:", 5) == 0;

	if (!r || !(r->documents = map_new(document_free)) || !(r->unknown = map_new(free)))
		return err_set(err, REASON_NO_MEMORY, "no memory for the schema registry");
	if (file && url[5]) {
		dir = url + 5;
		if (strncmp(dir, "//", 2) == 0) /* file:///path */
			dir += 2;
	} else if (!file && strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
		return err_set(err, REASON_OPTION_INVALID, "schema.registry.url: file:DIR or http(s)://... is needed");
	}
	if (index_load(dir, &r->index, err) < 0)
		return -1;
	if (!file && new_http(r, url, err) < 0)
		return -1;
	if (asprintf(&r->name, "%s%s", file ? "file:" : "", file ? dir : registry_http_url(r->http)) < 0)
		return err_set(err, REASON_NO_MEMORY, "no memory for the schema registry");
	*ret = TAKE(r);
	return 0;
}

void
registry_free(struct registry *r)
{
	if (!r)
		return;
	map_free(r->documents);
	map_free(r->unknown);
	registry_http_free(r->http);
	index_free(r->index);
	free(r->name);
	free(r);
}

const char *
registry_name(const struct registry *r)
{
	return r->name;
}

const struct schema_index *
registry_index(const struct registry *r)
{
	return r->index;
}

struct registry_http *
registry_client(const struct registry *r)
{
	return r->http;
}

static bool
known_as_unknown(struct registry *r, const struct key *key)
{
	const int64_t *until = map_get(r->unknown, key_span(key));

	if (!until)
		return false;
	if (clock_monotonic_us() < *until)
		return true;
	free(map_take(r->unknown, key_span(key)));
	return false;
}

/* The oldest makes room, so that a flood of strange ids takes no more than UNKNOWN_MAX places. */
static void
remember_unknown(struct registry *r, const struct key *key)
{
	int64_t *until = malloc(sizeof(*until));
	struct span oldest;
	void *value;
	size_t at = 0;

	if (!until)
		return;
	if (map_count(r->unknown) >= UNKNOWN_MAX && map_next(r->unknown, &at, &oldest, &value))
		free(map_take(r->unknown, oldest));
	*until = clock_monotonic_us() + UNKNOWN_TIME_US;
	if (map_put(r->unknown, key_span(key), until) < 0)
		free(until);
}

/* TEXT, as the registry gave it, into the cache. */
static int
keep(struct registry *r, const struct key *key, const struct buffer *text, const struct schema_document **ret,
     struct err *err)
{
	CLEANUP(schema_document_free)
	struct schema_document *d = NULL;

	if (schema_parse(buffer_span(text), &d, err) < 0) {
		if (err && err->reason == REASON_SCHEMA_INVALID)
			err->reason = REASON_AVRO_SCHEMA_MISMATCH; /* theirs, not one of ours */
		return -1;
	}
	if (map_put(r->documents, key_span(key), d) < 0)
		return err_set(err, REASON_NO_MEMORY, "no memory for a schema");
	*ret = TAKE(d);
	return 0;
}

/* One of ID and GUID; the other is NULL. */
static int
fetch(struct registry *r, const struct key *key, const int32_t *id, const unsigned char *guid,
      const struct schema_document **ret, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(SCHEMA_TEXT_MAX);
	struct err local = ERR_INIT;
	char name[GUID_TEXT_BYTES];
	int failed;

	if (guid)
		guid_text(guid, name);
	else
		snprintf(name, sizeof(name), "%d", *id);
	if (known_as_unknown(r, key))
		return err_set(err, REASON_AVRO_SCHEMA_UNKNOWN, "%s: no schema %s (asked a moment ago)", r->name, name);
	failed = guid ? registry_http_by_guid(r->http, name, &text, &local)
		      : registry_http_by_id(r->http, *id, &text, &local);
	if (failed || keep(r, key, &text, ret, &local) < 0) {
		if (local.reason == REASON_AVRO_SCHEMA_UNKNOWN)
			remember_unknown(r, key);
		return err_set(err, local.reason, "schema %s: %s", name, local.text);
	}
	return 0;
}

int
registry_by_id(struct registry *r, int32_t id, const struct schema_document **ret, struct err *err)
{
	struct key key = { "i", 1 + sizeof(id) };
	const struct index_entry *e;

	if (r->http) {
		memcpy(key.bytes + 1, &id, sizeof(id));
		*ret = map_get(r->documents, key_span(&key));
		return *ret ? 0 : fetch(r, &key, &id, NULL, ret, err);
	}
	e = index_by_id(r->index, id);
	if (!e)
		return err_set(err, REASON_AVRO_SCHEMA_UNKNOWN, "%s: no schema with id %d", r->name, id);
	*ret = e->document;
	return 0;
}

int
registry_by_guid(struct registry *r, const unsigned char *guid, const struct schema_document **ret, struct err *err)
{
	struct key key = { "g", 1 + GUID_BYTES };
	const struct index_entry *e;
	char name[GUID_TEXT_BYTES];

	if (r->http) {
		memcpy(key.bytes + 1, guid, GUID_BYTES);
		*ret = map_get(r->documents, key_span(&key));
		return *ret ? 0 : fetch(r, &key, NULL, guid, ret, err);
	}
	e = index_by_guid(r->index, guid);
	guid_text(guid, name);
	if (!e)
		return err_set(err, REASON_AVRO_SCHEMA_UNKNOWN, "%s: no schema with GUID %s", r->name, name);
	*ret = e->document;
	return 0;
}

/* Asking first lets a program run whose credentials may only read, and a registry in read-only mode. */
static int
register_http(struct registry *r, const char *subject, const char *text, int32_t *id, struct err *err)
{
	struct err why = ERR_INIT;

	if (registry_http_lookup(r->http, subject, text, id, &why) == 0)
		return 0;
	if (why.reason != REASON_AVRO_SCHEMA_UNKNOWN)
		return err_set(err, why.reason, "%s", why.text);
	return registry_http_register(r->http, subject, text, id, err);
}

/* In the index an id belongs to a schema, whatever the subject: a shadow topic has another subject and the same id. */
int
registry_register(struct registry *r, const char *subject, const struct schema_document *document, int32_t *id,
		  struct err *err)
{
	if (r->http)
		return register_http(r, subject, document->text, id, err);
	for (size_t i = 0; i < r->index->n_entries; i++) {
		const struct index_entry *e = &r->index->entries[i];

		if (e->document == document || json_equal(e->document->json, document->json)) {
			*id = e->id;
			return 0;
		}
	}
	return err_set(err, REASON_SCHEMA_INVALID, "%s: the schema of %s is not in the index", r->name, subject);
}
