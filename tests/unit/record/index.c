/* The index of schemas: what is refused, and how a version is added. */
#include "common/record/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/record/reading.h"
#include "tests/unit/record/support.h"

#define GUID1 "11111111-1111-4111-8111-111111111111"
#define GUID2 "22222222-2222-4222-8222-222222222222"
#define CRC1 "1bdfd939b01072ce" /* of r.avsc */
#define CRC2 "c841890d19203cbd" /* of r2.avsc */
#define ENTRY(id, guid, version, file, crc)                                                                       \
	"{'id':" id ",'guid':'" guid "','record':'R','version':" version ",'file':'" file "','fingerprint':'" crc \
	"','subjects':['r-value']}"

struct dir {
	char path[64];
};

static void
put(const struct dir *d, const char *file, const char *text)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", d->path, file);
	out = fopen(path, "we");
	assert_non_null(out);
	for (; *text; text++)
		fputc(*text == '\'' ? '"' : *text, out);
	fclose(out);
}

static int
make_dir(void **state)
{
	struct dir *d = calloc(1, sizeof(*d));

	snprintf(d->path, sizeof(d->path), "/tmp/forebay-index-XXXXXX");
	if (!mkdtemp(d->path))
		return -1;
	put(d, "r.avsc", "{'type':'record','name':'forebay.R','fields':[{'name':'a','type':'int'}]}");
	put(d, "r2.avsc",
	    "{'type':'record','name':'forebay.R','fields':[{'name':'a','type':'long'},"
	    "{'name':'b','type':'int','default':0}]}");
	put(d, "bad.avsc", "{'type':'record','name':'forebay.R','fields':[{'name':'c','type':'int'}]}");
	put(d, "other.avsc", "{'type':'record','name':'forebay.Other','fields':[]}");
	put(d, "broken.avsc", "{");
	*state = d;
	return 0;
}

static int
drop_dir(void **state)
{
	static const char *const files[] = {
		"r.avsc", "r2.avsc", "bad.avsc", "other.avsc", "broken.avsc", "index.json"
	};
	struct dir *d = *state;
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", d->path, files[i]);
		unlink(path);
	}
	rmdir(d->path);
	free(d);
	return 0;
}

static const struct row {
	const char *json, *text; /* part of the error; NULL: it is taken */
} rows[] = {
	{ "{'schemas':[" ENTRY("1", GUID1, "1", "r.avsc", CRC1) "]}", NULL },
	{ "{'schemas':[" ENTRY("1", GUID1, "1", "r.avsc", CRC1) "," ENTRY("9", GUID2, "2", "r2.avsc", CRC2) "]}",
	  NULL },
	{ "{", "index.json:1" },
	{ "{'schemas':[]}", "no array" },
	{ "[]", "no array" },
	{ "{'schemas':[" ENTRY("0", GUID1, "1", "r.avsc", CRC1) "]}", "entry 1: id (from 1)" },
	{ "{'schemas':[" ENTRY("1", "x", "1", "r.avsc", CRC1) "]}", "guid: 'x'" },
	{ "{'schemas':[" ENTRY("1", GUID1, "1", "r.avsc", CRC1) "," ENTRY("1", GUID2, "2", "r2.avsc", CRC2) "]}",
	  "entry 2: id or guid" },
	{ "{'schemas':[" ENTRY("1", GUID1, "1", "r.avsc", CRC1) "," ENTRY("2", GUID1, "2", "r2.avsc", CRC2) "]}",
	  "entry 2: id or guid" },
	{ "{'schemas':[" ENTRY("1", GUID1, "2", "r.avsc", CRC1) "]}", "versions of R do not count up" },
	{ "{'schemas':[" ENTRY("1", GUID1, "1", "../r.avsc", CRC1) "]}", "lies beside it" },
	{ "{'schemas':[" ENTRY("1", GUID1, "1", "missing.avsc", CRC1) "]}", "missing.avsc: No such file" },
	{ "{'schemas':[" ENTRY("1", GUID1, "1", "broken.avsc", CRC1) "]}", "broken.avsc: line 1" },
	{ "{'schemas':[" ENTRY("1", GUID1, "1", "other.avsc", CRC1) "]}", "other.avsc: is not the record R" },
	{ "{'schemas':[" ENTRY("1", GUID1, "1", "r.avsc", CRC2) "]}", "its fingerprint is " CRC1 ", pinned is " CRC2 },
};

static void
loads(void **state)
{
	const struct dir *d = *state;

	for (const struct row *row = rows; row < rows + ARRAY_LEN(rows); row++) {
		CLEANUP(index_free)
		struct schema_index *index = NULL;
		struct err err = ERR_INIT;
		int ret;

		put(d, "index.json", row->json);
		ret = index_load(d->path, &index, &err);
		if (ret != (row->text ? -1 : 0) || (row->text && !strstr(err.text, row->text)))
			fail_msg("%s: %s", row->json, ret ? err.text : "was taken");
		if (ret)
			assert_int_equal(err.reason, REASON_SCHEMA_INVALID);
	}
}

static int
pin(const struct dir *d, const char *file, const char *subject, bool dry_run, int32_t *id, struct err *err)
{
	CLEANUP(index_free)
	struct schema_index *index = NULL;

	if (index_load(d->path, &index, err) < 0)
		return -1;
	return index_pin(index, file, subject, dry_run, id, err);
}

static void
pins(void **state)
{
	CLEANUP(index_free)
	struct schema_index *index = NULL;
	const struct dir *d = *state;
	struct err err = ERR_INIT;
	int32_t id = 0;

	put(d, "index.json", "{'schemas':[" ENTRY("4", GUID1, "1", "r.avsc", CRC1) "]}");
	OK(pin(d, "r.avsc", NULL, false, &id, why));
	assert_int_equal(id, 4); /* it is there already */
	assert_int_equal(pin(d, "bad.avsc", NULL, false, &id, &err), -1);
	assert_int_equal(err.reason, REASON_SCHEMA_INCOMPATIBLE);
	assert_non_null(strstr(err.text, "R.c: a new field needs a default"));
	assert_int_equal(pin(d, "other.avsc", NULL, false, &id, &err), -1);
	assert_non_null(strstr(err.text, "its subject is needed"));
	OK(pin(d, "r2.avsc", NULL, true, &id, why)); /* a dry run writes nothing, so the next one gets the same id */
	OK(pin(d, "r2.avsc", NULL, false, &id, why));
	assert_int_equal(id, 5);
	OK(pin(d, "r2.avsc", NULL, false, &id, why));
	assert_int_equal(id, 5);
	OK(pin(d, "other.avsc", "other-value", false, &id, why));
	assert_int_equal(id, 6);

	OK(index_load(d->path, &index, why));
	OK(index_verify(index, why));
	assert_int_equal(index->n_entries, 3);
	assert_int_equal(index->entries[1].version, 2);
	assert_string_equal(index->entries[1].subjects[0], "r-value");
	assert_string_equal(index->entries[2].subjects[0], "other-value");

	put(d, "r2.avsc", "{'type':'record','name':'forebay.R','fields':[]}");
	assert_int_equal(pin(d, "r2.avsc", NULL, false, &id, &err), -1); /* changed in place */
	assert_non_null(strstr(err.text, "r2.avsc: its fingerprint is"));
}

/* An incompatible version that somebody wrote into the index by hand. */
static void
verifies(void **state)
{
	CLEANUP(index_free)
	struct schema_index *index = NULL;
	const struct dir *d = *state;
	struct err err = ERR_INIT;

	put(d, "index.json",
	    "{'schemas':[" ENTRY("1", GUID1, "1", "r.avsc", CRC1) "," ENTRY("2", GUID2, "2", "bad.avsc",
									    "4b10102e17f7e7c8") "]}");
	OK(index_load(d->path, &index, why));
	assert_int_equal(index_verify(index, &err), -1);
	assert_int_equal(err.reason, REASON_SCHEMA_INCOMPATIBLE);
	assert_non_null(strstr(err.text, "bad.avsc: after version 1 (id 1): R.c"));
}

static void
our_own(void **state)
{
	CLEANUP(registry_free)
	struct registry *registry = support_registry();
	const struct schema_index *index = registry_index(registry);

	OK(index_verify(index, why));
	for (size_t i = 0; record_types[i]; i++) {
		CLEANUP(codec_free)
		struct codec *codec = NULL;
		const struct index_entry *e = index_newest(index, record_types[i]->name);

		assert_non_null(e);
		assert_true(e->n_subjects > 0);
		OK(codec_new(registry, record_types[i], "any", &codec, why));
		assert_int_equal(codec_schema_id(codec), e->id); /* the program writes the newest */
	}
}

/* A program that was built for another schema than the directory has must not start. */
static void
a_foreign_directory(void **state)
{
	CLEANUP(registry_free)
	struct registry *registry = NULL;
	const struct dir *d = *state;
	struct codec *codec = NULL;
	struct err err = ERR_INIT;
	char url[80];

	snprintf(url, sizeof(url), "file:%s", d->path);
	put(d, "r.avsc", "{'type':'record','name':'forebay.Reading','fields':[{'name':'device','type':'bytes'}]}");
	put(d, "index.json",
	    "{'schemas':[{'id':1,'guid':'" GUID1
	    "','record':'Reading','version':1,'file':'r.avsc','fingerprint':'f4d550f9db796d2f'}]}");
	OK(registry_new(url, NULL, &registry, why));
	assert_int_equal(codec_new(registry, &reading_record, "telemetry.readings", &codec, &err), -1);
	assert_int_equal(err.reason, REASON_SCHEMA_INVALID);
	assert_non_null(strstr(err.text, "field device is of another type"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(loads, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(pins, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(verifies, make_dir, drop_dir),
		cmocka_unit_test(our_own),
		cmocka_unit_test_setup_teardown(a_foreign_directory, make_dir, drop_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
