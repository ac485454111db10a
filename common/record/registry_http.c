/*
 * registry_http.c -- the calls of Confluent's schema registry API, version 1 (v7 of the platform).
 *
 * What decides between waiting and dead-lettering is the registry's own error code: only 40403 in a JSON body says that a
 * schema is not there.  A bare 404 is a proxy or a wrong path, and must not turn a topic into dead letters.
 */
#include "common/record/registry_http.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MEDIA_TYPE "application/vnd.schemaregistry.v1+json"
#define CONNECT_TIMEOUT_MS 3000L
#define TOTAL_TIMEOUT_MS 10000L
#define ANSWER_BYTES_MAX (4 << 20)

#define CODE_SUBJECT_NOT_FOUND 40401
#define CODE_VERSION_NOT_FOUND 40402
#define CODE_SCHEMA_NOT_FOUND 40403
#define CODE_LEVEL_NOT_SET 40408

struct registry_http {
	CURL *curl;
	struct curl_slist *headers;
	char *url; /* without user and password, without a slash at the end */
	char error[CURL_ERROR_SIZE];
};

struct answer {
	long status;
	int code; /* error_code of the body, 0: none */
	json_t *json;
};

static void
answer_clear_cleanup(struct answer *a)
{
	json_decref(a->json);
}

static size_t
receive(char *bytes, size_t size, size_t n, void *buffer)
{
	return buffer_append(buffer, bytes, size * n) < 0 ? 0 : size * n;
}

/* Takes user and password out of URL and gives them to curl, decoded. */
static int
set_credentials(struct registry_http *h, CURLU *parts)
{
	static const struct {
		CURLUPart part;
		CURLoption option;
	} rows[] = { { CURLUPART_USER, CURLOPT_USERNAME }, { CURLUPART_PASSWORD, CURLOPT_PASSWORD } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = NULL;
		CURLUcode rc = curl_url_get(parts, rows[i].part, &text, CURLU_URLDECODE);

		if (rc == CURLUE_OK && curl_easy_setopt(h->curl, rows[i].option, text) != CURLE_OK)
			rc = CURLUE_OUT_OF_MEMORY;
		curl_free(text);
		if (rc == CURLUE_OUT_OF_MEMORY || rc == CURLUE_URLDECODE ||
		    curl_url_set(parts, rows[i].part, NULL, 0) != CURLUE_OK)
			return -1;
	}
	return 0;
}

static int
set_url(struct registry_http *h, const char *url, struct err *err)
{
	CURLU *parts = curl_url();
	char *clean = NULL;
	int failed = !parts || curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK ||
		     set_credentials(h, parts) < 0 || curl_url_get(parts, CURLUPART_URL, &clean, 0) != CURLUE_OK;

	if (!failed) {
		size_t n = strlen(clean);

		while (n > 0 && clean[n - 1] == '/')
			n--;
		h->url = strndup(clean, n);
	}
	curl_free(clean);
	curl_url_cleanup(parts);
	if (failed || !h->url)
		return err_set(err, REASON_OPTION_INVALID, "schema.registry.url: not an http URL");
	return 0;
}

int
registry_http_new(const char *url, struct registry_http **ret, struct err *err)
{
	CLEANUP(registry_http_free)
	struct registry_http *h = calloc(1, sizeof(*h));

	if (!h || !(h->curl = curl_easy_init()))
		return err_set(err, REASON_NO_MEMORY, "no memory for the schema registry's client");
	if (set_url(h, url, err) < 0)
		return -1;
	h->headers = curl_slist_append(NULL, "Content-Type: " MEDIA_TYPE);
	if (!h->headers || !curl_slist_append(h->headers, "Accept: " MEDIA_TYPE ", application/json") ||
	    !curl_slist_append(h->headers, "Expect:"))
		return err_set(err, REASON_NO_MEMORY, "no memory for the schema registry's client");
	curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, h->headers);
	curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, h->error);
	curl_easy_setopt(h->curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	curl_easy_setopt(h->curl, CURLOPT_TIMEOUT_MS, TOTAL_TIMEOUT_MS);
	curl_easy_setopt(h->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(h->curl, CURLOPT_USERAGENT, "forebay/" FOREBAY_VERSION);
	*ret = TAKE(h);
	return 0;
}

void
registry_http_free(struct registry_http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->curl);
	curl_slist_free_all(h->headers);
	free(h->url);
	free(h);
}

const char *
registry_http_url(const struct registry_http *h)
{
	return h->url;
}

/* An answer that is no success becomes the reason that fits; see the head of registry_http.h. */
static int
refuse(const struct registry_http *h, const char *path, const struct answer *a, struct err *err)
{
	const char *text = json_string_value(json_object_get(a->json, "message"));
	enum err_reason reason = REASON_OPTION_INVALID;

	if (a->code >= CODE_SUBJECT_NOT_FOUND && a->code <= CODE_SCHEMA_NOT_FOUND)
		reason = REASON_AVRO_SCHEMA_UNKNOWN;
	else if (a->status >= 500 || a->status == 408 || a->status == 429 || a->status == 404)
		reason = REASON_REGISTRY_DOWN;
	else if (a->status == 409)
		reason = REASON_SCHEMA_INCOMPATIBLE;
	else if (a->status == 422)
		reason = REASON_SCHEMA_INVALID;
	return err_set(err, reason, "%s%s: %ld %.300s", h->url, path, a->status,
		       text               ? text
		       : a->status == 404 ? "(is there a registry at this path?)"
					  : "");
}

/* One exchange.  BODY NULL: no body.  -1 only where there is no answer; the caller looks at the status. */
static int
exchange(struct registry_http *h, const char *method, const char *path, const char *body, struct answer *ret,
	 struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(ANSWER_BYTES_MAX);
	CLEANUP(heap_free)
	char *url = NULL;
	CURLcode rc;

	if (asprintf(&url, "%s%s", h->url, path) < 0)
		return err_set(err, REASON_NO_MEMORY, "no memory for a URL");
	curl_easy_setopt(h->curl, CURLOPT_URL, url);
	curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, &text);
	if (body) {
		curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
	} else {
		curl_easy_setopt(h->curl, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(h->curl, CURLOPT_CUSTOMREQUEST, method);
	h->error[0] = '\0';
	rc = curl_easy_perform(h->curl);
	if (rc != CURLE_OK)
		return err_set(err, REASON_REGISTRY_DOWN, "%s: %s", h->url,
			       h->error[0] ? h->error : curl_easy_strerror(rc));
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &ret->status);
	ret->json = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_DECODE_ANY, NULL);
	ret->code = (int)json_integer_value(json_object_get(ret->json, "error_code"));
	return 0;
}

/* The same, and anything but 200 is an error. */
static int
call(struct registry_http *h, const char *method, const char *path, const char *body, struct answer *ret,
     struct err *err)
{
	if (exchange(h, method, path, body, ret, err) < 0)
		return -1;
	if (ret->status != 200)
		return refuse(h, path, ret, err);
	return 0;
}

/* PATH with the subject escaped in place of the one %s of FORM. */
static char *
subject_path(struct registry_http *h, const char *before, const char *subject, const char *after)
{
	char *escaped = curl_easy_escape(h->curl, subject, 0), *path = NULL;

	if (!escaped || asprintf(&path, "%s%s%s", before, escaped, after) < 0)
		path = NULL;
	curl_free(escaped);
	return path;
}

/* {"schema": "..."}, as register, lookup and compatibility take it. */
static char *
schema_body(const char *text)
{
	json_t *json = json_pack("{s:s}", "schema", text);
	char *body = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return body;
}

static int
take_schema(const struct registry_http *h, const char *path, const struct answer *a, struct buffer *text,
	    struct err *err)
{
	const char *schema = json_string_value(json_object_get(a->json, "schema"));
	const char *type = json_string_value(json_object_get(a->json, "schemaType"));

	if (!schema)
		return err_set(err, REASON_REGISTRY_DOWN, "%s%s: an answer without a schema", h->url, path);
	if (type && strcmp(type, "AVRO") != 0)
		return err_set(err, REASON_AVRO_SCHEMA_MISMATCH, "%s%s: a schema of type %.40s", h->url, path, type);
	if (json_array_size(json_object_get(a->json, "references")) > 0)
		return err_set(err, REASON_AVRO_SCHEMA_MISMATCH,
			       "%s%s: a schema that refers to others; register it in one piece", h->url, path);
	return buffer_text(text, schema) < 0 ? err_set(err, REASON_NO_MEMORY, "no memory for a schema") : 0;
}

int
registry_http_by_id(struct registry_http *h, int32_t id, struct buffer *text, struct err *err)
{
	CLEANUP(answer_clear)
	struct answer answer = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "/schemas/ids/%d", id);
	if (call(h, "GET", path, NULL, &answer, err) < 0)
		return -1;
	return take_schema(h, path, &answer, text, err);
}

int
registry_http_by_guid(struct registry_http *h, const char *guid, struct buffer *text, struct err *err)
{
	CLEANUP(answer_clear)
	struct answer answer = { 0 };
	char path[96];

	snprintf(path, sizeof(path), "/schemas/guids/%s", guid);
	if (exchange(h, "GET", path, NULL, &answer, err) < 0)
		return -1;
	if (answer.status == 404) /* also from a registry that does not have this call */
		return err_set(err, REASON_AVRO_SCHEMA_UNKNOWN, "%s%s: not found", h->url, path);
	if (answer.status != 200)
		return refuse(h, path, &answer, err);
	return take_schema(h, path, &answer, text, err);
}

static int
post_schema(struct registry_http *h, char *path, const char *text, struct answer *ret, struct err *err)
{
	CLEANUP(heap_free)
	char *own_path = path;
	CLEANUP(heap_free)
	char *body = schema_body(text);

	if (!own_path || !body)
		return err_set(err, REASON_NO_MEMORY, "no memory for a request");
	return call(h, "POST", own_path, body, ret, err);
}

static int
take_id(const struct registry_http *h, const char *subject, const struct answer *a, int32_t *id, struct err *err)
{
	json_int_t n = json_integer_value(json_object_get(a->json, "id"));

	if (n < 1 || n > INT32_MAX)
		return err_set(err, REASON_REGISTRY_DOWN, "%s: an answer without an id for %s", h->url, subject);
	*id = (int32_t)n;
	return 0;
}

int
registry_http_register(struct registry_http *h, const char *subject, const char *text, int32_t *id, struct err *err)
{
	CLEANUP(answer_clear)
	struct answer answer = { 0 };

	if (post_schema(h, subject_path(h, "/subjects/", subject, "/versions"), text, &answer, err) < 0)
		return -1;
	return take_id(h, subject, &answer, id, err);
}

int
registry_http_lookup(struct registry_http *h, const char *subject, const char *text, int32_t *id, struct err *err)
{
	CLEANUP(answer_clear)
	struct answer answer = { 0 };

	if (post_schema(h, subject_path(h, "/subjects/", subject, ""), text, &answer, err) < 0)
		return -1;
	return take_id(h, subject, &answer, id, err);
}

int
registry_http_compatible(struct registry_http *h, const char *subject, const char *text, struct err *err)
{
	CLEANUP(answer_clear)
	struct answer answer = { 0 };
	char *path = subject_path(h, "/compatibility/subjects/", subject, "/versions?verbose=true");
	const char *why;

	if (post_schema(h, path, text, &answer, err) < 0) {
		if (answer.code != CODE_SUBJECT_NOT_FOUND && answer.code != CODE_VERSION_NOT_FOUND)
			return -1;
		err_clear(err);
		return 0;
	}
	if (json_is_true(json_object_get(answer.json, "is_compatible")))
		return 0;
	why = json_string_value(json_array_get(json_object_get(answer.json, "messages"), 0));
	return err_set(err, REASON_SCHEMA_INCOMPATIBLE, "%s: %s: %.300s", h->url, subject,
		       why ? why : "the registry refuses it");
}

int
registry_http_set_level(struct registry_http *h, const char *subject, const char *level, struct err *err)
{
	CLEANUP(answer_clear)
	struct answer now = { 0 }, changed = { 0 };
	CLEANUP(heap_free)
	char *path = subject_path(h, "/config/", subject, "");
	char body[96];
	const char *is;

	if (!path)
		return err_set(err, REASON_NO_MEMORY, "no memory for a request");
	if (exchange(h, "GET", path, NULL, &now, err) < 0)
		return -1;
	is = json_string_value(json_object_get(now.json, "compatibilityLevel"));
	if (now.status == 200 && is && strcmp(is, level) == 0)
		return 0;
	if (now.status != 200 && now.status != 404)
		return refuse(h, path, &now, err);
	snprintf(body, sizeof(body), "{\"compatibility\":\"%s\"}", level);
	return call(h, "PUT", path, body, &changed, err);
}
