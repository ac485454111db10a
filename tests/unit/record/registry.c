/*
 * The registry over HTTP: which answer means what.  The real thing is met in tests/system; here are the answers that it
 * gives only on a bad day.
 */
#include "common/record/registry.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/record/index.h"
#include "common/record/reading.h"
#include "common/record/registry_http.h"
#include "tests/unit/record/server.h"
#include "tests/unit/record/support.h"

#define GUID "11111111-2222-4333-8444-555555555555"
#define REFUSAL(code) "{\"error_code\":" code ",\"message\":\"because\"}"

static const struct answer answers[] = {
	{ "GET /schemas/ids/1 ", 200, "{\"schema\":\"\\\"long\\\"\"}" },
	{ "GET /schemas/ids/2 ", 404, REFUSAL("40403") },
	{ "GET /schemas/ids/3 ", 404, "<html>not here</html>" },
	{ "GET /schemas/ids/4 ", 500, REFUSAL("50001") },
	{ "GET /schemas/ids/5 ", 503, "" },
	{ "GET /schemas/ids/6 ", 429, "" },
	{ "GET /schemas/ids/7 ", 401, REFUSAL("401") },
	{ "GET /schemas/ids/8 ", 200, "{\"schema\":\"message M {}\",\"schemaType\":\"PROTOBUF\"}" },
	{ "GET /schemas/ids/9 ", 200, "{\"schema\":\"{\"}" },
	{ "GET /schemas/ids/10 ", 200, "not JSON" },
	{ "GET /schemas/ids/11 ", 0, "" },
	{ "GET /schemas/ids/12 ", 200, "{\"schema\":\"\\\"long\\\"\",\"references\":[{\"name\":\"x\"}]}" },
	{ "GET /schemas/guids/" GUID " ", 200, "{\"schema\":\"\\\"int\\\"\"}" },
	{ "POST /subjects/good-value/versions ", 200, "{\"id\":77}" },
	{ "POST /subjects/clash-value/versions ", 409, REFUSAL("409") },
	{ "POST /subjects/bad-value/versions ", 422, REFUSAL("42201") },
	{ "POST /subjects/down-value/versions ", 500, REFUSAL("50002") },
	{ "POST /subjects/odd%2Fname%20-value/versions ", 200, "{\"id\":78}" },
	{ "POST /subjects/known-value ", 200, "{\"id\":79}" },
	{ "POST /subjects/known-value/versions ", 403, REFUSAL("403") },
	{ "POST /subjects/nothing-value", 404, "" },
	{ "POST /subjects/", 404, REFUSAL("40401") },
	{ "POST /compatibility/subjects/new-value/versions", 404, REFUSAL("40401") },
	{ "POST /compatibility/subjects/yes-value/versions", 200, "{\"is_compatible\":true}" },
	{ "POST /compatibility/subjects/no-value/versions", 200,
	  "{\"is_compatible\":false,\"messages\":[\"READER_FIELD_MISSING_DEFAULT_VALUE\"]}" },
	{ "GET /config/set-value ", 200, "{\"compatibilityLevel\":\"BACKWARD_TRANSITIVE\"}" },
	{ "GET /config/unset-value ", 404, REFUSAL("40408") },
	{ "GET /config/other-value ", 200, "{\"compatibilityLevel\":\"NONE\"}" },
	{ "PUT /config/unset-value ", 200, "{\"compatibility\":\"BACKWARD_TRANSITIVE\"}" },
	{ "PUT /config/other-value ", 200, "{\"compatibility\":\"BACKWARD_TRANSITIVE\"}" },
	{ NULL, 0, NULL },
};

static struct registry *
registry_at(const struct server *s, const char *user)
{
	struct registry *r = NULL;
	char url[128];

	snprintf(url, sizeof(url), "http://%s127.0.0.1:%d/", user, server_port(s));
	OK(registry_new(url, SCHEMAS_DIR, &r, why));
	return r;
}

static const struct row {
	int32_t id;
	enum err_reason reason;
} rows[] = {
	{ 1, REASON_NONE },
	{ 2, REASON_AVRO_SCHEMA_UNKNOWN },
	{ 3, REASON_REGISTRY_DOWN }, /* a 404 without the registry's code is a wrong path, not an unknown schema */
	{ 4, REASON_REGISTRY_DOWN },
	{ 5, REASON_REGISTRY_DOWN },
	{ 6, REASON_REGISTRY_DOWN },
	{ 7, REASON_OPTION_INVALID },
	{ 8, REASON_AVRO_SCHEMA_MISMATCH },
	{ 9, REASON_AVRO_SCHEMA_MISMATCH },
	{ 10, REASON_REGISTRY_DOWN },
	{ 11, REASON_REGISTRY_DOWN },
	{ 12, REASON_AVRO_SCHEMA_MISMATCH },
};

static void
by_id(void **state)
{
	struct server *s = server_start(answers);
	CLEANUP(registry_free)
	struct registry *r = registry_at(s, "");

	for (const struct row *row = rows; row < rows + ARRAY_LEN(rows); row++) {
		const struct schema_document *d = NULL;
		struct err err = ERR_INIT;

		registry_by_id(r, row->id, &d, &err);
		if (err.reason != row->reason)
			fail_msg("id %d: %s %s", row->id, err_reason_name(err.reason), err.text);
	}
	server_stop(s);
}

/* What is known is not asked again, and neither is, for a while, what is not known; a failure is. */
static void
remembers(void **state)
{
	struct server *s = server_start(answers);
	CLEANUP(registry_free)
	struct registry *r = registry_at(s, "");
	const struct schema_document *d;
	unsigned char guid[GUID_BYTES];

	for (int i = 0; i < 3; i++) {
		OK(registry_by_id(r, 1, &d, why));
		assert_int_equal(d->root->kind, SCHEMA_LONG);
		assert_int_equal(registry_by_id(r, 2, &d, NULL), -1);
		assert_int_equal(guid_parse(SPAN(GUID), guid), 0);
		OK(registry_by_guid(r, guid, &d, why));
		assert_int_equal(d->root->kind, SCHEMA_INT);
		guid[0] = 0;
		assert_int_equal(registry_by_guid(r, guid, &d, NULL), -1);
	}
	assert_int_equal(server_requests(s), 4);
	for (int i = 0; i < 3; i++)
		assert_int_equal(registry_by_id(r, 4, &d, NULL), -1);
	assert_int_equal(server_requests(s), 7);
	for (int32_t id = 100; id < 3000;
	     id++) { /* a flood of strange ids: each an error, and no more memory than allowed */
		assert_int_equal(registry_by_id(r, id, &d, NULL), -1);
	}
	server_stop(s);
}

static void
registers(void **state)
{
	static const struct {
		const char *topic;
		enum err_reason reason;
		int32_t id;
	} topics[] = {
		{ "good", REASON_NONE, 77 },
		{ "odd/name ", REASON_NONE, 78 },
		{ "known", REASON_NONE, 79 }, /* only asked: this one may not write */
		{ "clash", REASON_SCHEMA_INCOMPATIBLE, 0 },
		{ "bad", REASON_SCHEMA_INVALID, 0 },
		{ "down", REASON_REGISTRY_DOWN, 0 },
		{ "nothing", REASON_REGISTRY_DOWN, 0 },
	};
	struct server *s = server_start(answers);
	CLEANUP(registry_free)
	struct registry *r = registry_at(s, "");

	for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
		CLEANUP(codec_free)
		struct codec *codec = NULL;
		struct err err = ERR_INIT;

		codec_new(r, &reading_record, topics[i].topic, &codec, &err);
		if (err.reason != topics[i].reason)
			fail_msg("%s: %s", topics[i].topic, err.text);
		if (codec)
			assert_int_equal(codec_schema_id(codec), topics[i].id);
		assert_non_null(strstr(server_last(s), "Content-Type: application/vnd.schemaregistry.v1+json"));
		assert_non_null(strstr(server_last(s), "{\"schema\":\"{"));
	}
	server_stop(s);
}

static void
compatibility_and_level(void **state)
{
	struct server *s = server_start(answers);
	CLEANUP(registry_free)
	struct registry *r = registry_at(s, "");
	struct registry_http *h = registry_client(r);
	struct err err = ERR_INIT;

	OK(registry_http_compatible(h, "new-value", "\"int\"", why));
	OK(registry_http_compatible(h, "yes-value", "\"int\"", why));
	assert_int_equal(registry_http_compatible(h, "no-value", "\"int\"", &err), -1);
	assert_int_equal(err.reason, REASON_SCHEMA_INCOMPATIBLE);
	assert_non_null(strstr(err.text, "READER_FIELD_MISSING_DEFAULT_VALUE"));
	OK(registry_http_set_level(h, "set-value", SCHEMA_COMPATIBILITY, why));
	assert_non_null(strstr(server_last(s), "GET /config"));
	OK(registry_http_set_level(h, "unset-value", SCHEMA_COMPATIBILITY, why));
	assert_non_null(strstr(server_last(s), "PUT /config"));
	assert_non_null(strstr(server_last(s), "{\"compatibility\":\"BACKWARD_TRANSITIVE\"}"));
	OK(registry_http_set_level(h, "other-value", SCHEMA_COMPATIBILITY, why));
	assert_non_null(strstr(server_last(s), "PUT /config"));
	server_stop(s);
}

/* The password is sent, decoded, and seen nowhere. */
static void
credentials(void **state)
{
	struct server *s = server_start(answers);
	CLEANUP(registry_free)
	struct registry *r = registry_at(s, "us%40er:se%3Acret@");
	const struct schema_document *d;
	struct err err = ERR_INIT;

	OK(registry_by_id(r, 1, &d, why));
	assert_non_null(strstr(server_last(s), "Authorization: Basic dXNAZXI6c2U6Y3JldA==")); /* us@er:se:cret */
	assert_int_equal(registry_by_id(r, 7, &d, &err), -1);
	assert_null(strstr(err.text, "cret"));
	assert_null(strstr(registry_name(r), "cret"));
	server_stop(s);
	err_clear(&err);
	assert_int_equal(registry_by_id(r, 99, &d, &err), -1);
	assert_int_equal(err.reason, REASON_REGISTRY_DOWN); /* nobody listens any more */
	assert_null(strstr(err.text, "cret"));
	OK(registry_by_id(r, 1, &d, why)); /* from the cache */
}

static void
urls(void **state)
{
	static const struct {
		const char *url;
		enum err_reason reason;
	} urls[] = {
		{ "file:" SCHEMAS_DIR, REASON_NONE },
		{ "file://" SCHEMAS_DIR, REASON_NONE },
		{ "file:", REASON_NONE },
		{ "file:/nowhere", REASON_SCHEMA_INVALID },
		{ "ftp://x/", REASON_OPTION_INVALID },
		{ "", REASON_OPTION_INVALID },
		{ "http://", REASON_OPTION_INVALID },
		{ "http://a b/", REASON_OPTION_INVALID },
		{ "http://user:pass@127.0.0.1:1/apis/ccompat/v7/", REASON_NONE },
	};

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		CLEANUP(registry_free)
		struct registry *r = NULL;
		struct err err = ERR_INIT;

		registry_new(urls[i].url, SCHEMAS_DIR, &r, &err);
		if (err.reason != urls[i].reason)
			fail_msg("%s: %s", urls[i].url, err.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_id),       cmocka_unit_test(remembers),
		cmocka_unit_test(registers),   cmocka_unit_test(compatibility_and_level),
		cmocka_unit_test(credentials), cmocka_unit_test(urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
