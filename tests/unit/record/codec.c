/* Every record: its examples, random ones, and Apache Avro's C library as the judge of the bytes. */
#include "common/record/codec.h"

#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>

#include "common/record/index.h"
#include "common/record/json.h"
#include "common/record/resolve.h"
#include "tests/unit/record/oracle.h"
#include "tests/unit/record/support.h"

#define RANDOM_RECORDS 10000
#define PREFIX_BYTES 5

static struct span
body_of(const struct buffer *b)
{
	return (struct span){ b->ptr + PREFIX_BYTES, b->len - PREFIX_BYTES };
}

static void
same_bytes(const char *what, struct span a, struct span b)
{
	if (!span_equal(a, b))
		fail_msg("%s: the bytes differ (%zu and %zu of them)", what, a.len, b.len);
}

/* JSON -> bytes -> structure -> bytes -> JSON; the bytes are those that avro-c writes. */
static void
try_example(struct registry *registry, const char *file)
{
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 1 << 20);
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(0), bytes = BUFFER_INIT(0), again = BUFFER_INIT(0);
	CLEANUP(buffer_clear)
	struct buffer judged = BUFFER_INIT(0), shown = BUFFER_INIT(0);
	CLEANUP(codec_free)
	struct codec *codec = NULL;
	CLEANUP(heap_free)
	char *name = strndup(file, strcspn(file, "-"));
	const struct index_entry *entry = index_newest(registry_index(registry), name);
	const struct record_type *type = support_type(name);
	void *record = arena_zalloc(arena, type->shape->size);
	struct oracle *oracle = oracle_new(entry->document->text, NULL);
	struct writer w = { &bytes, false };
	char prefix[PREFIX_BYTES];
	json_t *want, *got;

	support_example(file, &text);
	want = json_loads(text.ptr, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(want);
	OK(codec_new(registry, type, "any", &codec, why));
	assert_int_equal(codec_schema_id(codec), entry->id);
	framing_prefix(entry->id, prefix);
	buffer_append(&bytes, prefix, sizeof(prefix));
	OK(json_to_avro(entry->document->root, want, JSON_PLAIN, &w, why));
	OK(codec_decode(codec, buffer_span(&bytes), SPAN_NONE, arena, record, why));
	OK(codec_encode(codec, record, &again, why));
	same_bytes(file, buffer_span(&again), buffer_span(&bytes));
	assert_int_equal(oracle_repeat(oracle, body_of(&bytes), &judged), 0);
	same_bytes(file, buffer_span(&judged), body_of(&bytes));
	OK(codec_to_json(registry, buffer_span(&bytes), SPAN_NONE, &shown, why));
	got = json_loadb(shown.ptr, shown.len, 0, NULL);
	if (!json_equal(want, got))
		fail_msg("%s: became %.*s", file, (int)shown.len, shown.ptr);
	json_decref(want);
	json_decref(got);
	oracle_free(oracle);
}

static void
examples(void **state)
{
	CLEANUP(registry_free)
	struct registry *registry = support_registry();
	struct dirent **files;
	int n = scandir(SCHEMAS_DIR "/examples", &files, NULL, alphasort), tried = 0;

	for (int i = 0; i < n; i++) {
		if (strstr(files[i]->d_name, ".json")) {
			try_example(registry, files[i]->d_name);
			tried++;
		}
		free(files[i]);
	}
	free(files);
	assert_true(tried >= 20);
}

/* What we write avro-c reads and writes alike; what avro-c wrote we read and write alike. */
static void
try_random(struct registry *registry, const struct record_type *type)
{
	CLEANUP(arena_free)
	struct arena *arena = arena_new(1 << 16, 1 << 20);
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(0), judged = BUFFER_INIT(0), again = BUFFER_INIT(0);
	CLEANUP(codec_free)
	struct codec *codec = NULL;
	struct oracle *oracle = oracle_new(index_newest(registry_index(registry), type->name)->document->text, NULL);

	OK(codec_new(registry, type, "any", &codec, why));
	for (uint64_t i = 0; i < RANDOM_RECORDS; i++) {
		void *record = support_random(type, i, arena), *copy = arena_zalloc(arena, type->shape->size);

		bytes.len = judged.len = again.len = 0;
		OK(codec_encode(codec, record, &bytes, why));
		if (oracle_repeat(oracle, body_of(&bytes), &judged) < 0)
			fail_msg("%s %d: avro-c cannot read it", type->name, (int)i);
		same_bytes(type->name, buffer_span(&judged), body_of(&bytes));
		judged.len = 0;
		buffer_append(&judged, bytes.ptr, PREFIX_BYTES);
		assert_int_equal(oracle_repeat(oracle, body_of(&bytes), &judged), 0);
		OK(codec_decode(codec, buffer_span(&judged), SPAN_NONE, arena, copy, why));
		OK(codec_encode(codec, copy, &again, why));
		same_bytes(type->name, buffer_span(&again), buffer_span(&bytes));
		arena_reset(arena);
	}
	oracle_free(oracle);
}

static void
random_records(void **state)
{
	CLEANUP(registry_free)
	struct registry *registry = support_registry();

	for (size_t i = 0; record_types[i]; i++)
		try_random(registry, record_types[i]);
}

/* Any value that avro-c writes with a schema of ours: the translation into the same schema changes nothing. */
static void
random_values_are_walked(void **state)
{
	CLEANUP(registry_free)
	struct registry *registry = support_registry();
	const struct schema_index *index = registry_index(registry);

	for (size_t k = 0; k < index->n_entries; k++) {
		const struct schema_document *d = index->entries[k].document;
		CLEANUP(resolution_free)
		struct resolution *r = NULL;
		struct oracle *oracle = oracle_new(d->text, NULL);

		OK(resolution_new(d->root, d->root, &r, why));
		for (uint64_t i = 0; i < 1000; i++) {
			CLEANUP(buffer_clear)
			struct buffer bytes = BUFFER_INIT(0), again = BUFFER_INIT(0);
			struct reader in;

			oracle_random(oracle, i, &bytes);
			in = reader_of(buffer_span(&bytes), buffer_span(&bytes));
			OK(resolution_run(r, &in, &again, why));
			same_bytes(index->entries[k].record, buffer_span(&again), buffer_span(&bytes));
		}
		oracle_free(oracle);
	}
}

/* Arrays may come in several blocks, also with negative counts and sizes in bytes (Java's BlockingBinaryEncoder). */
static void
blocks(void **state)
{
	static const char value[] = "\0\0\0\0\x0a"  /* Audit is number 10 */
				    "\0\2a\2b\2c\0" /* time, actor, action, subject, no reason */
				    "\2\2x\2"
				    "1" /* a block of one detail */
				    "\3\x10\2y\2"
				    "2\2z\2"
				    "3" /* -2 details in 8 bytes */
				    "\0";
	CLEANUP(registry_free)
	struct registry *registry = support_registry();
	CLEANUP(buffer_clear)
	struct buffer shown = BUFFER_INIT(0), again = BUFFER_INIT(0);
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	CLEANUP(codec_free)
	struct codec *codec = NULL;
	void *record = arena_zalloc(arena, support_type("Audit")->shape->size);
	struct span bytes = { value, sizeof(value) - 1 };

	OK(codec_new(registry, support_type("Audit"), "fleet.audit", &codec, why));
	assert_int_equal(codec_schema_id(codec), 10);
	OK(codec_decode(codec, bytes, SPAN_NONE, arena, record, why));
	OK(codec_encode(codec, record, &again, why));
	OK(codec_to_json(registry, buffer_span(&again), SPAN_NONE, &shown, why));
	buffer_append(&shown, "", 1);
	assert_string_equal(shown.ptr, "{\"time\":0,\"actor\":\"a\",\"action\":\"b\",\"subject\":\"c\",\"reason\":null,"
				       "\"details\":{\"x\":\"1\",\"y\":\"2\",\"z\":\"3\"}}");
}

static void
ids_by_prefix_and_header(void **state)
{
	CLEANUP(registry_free)
	struct registry *registry = support_registry();
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(0), text = BUFFER_INIT(0), other = BUFFER_INIT(0);
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	CLEANUP(codec_free)
	struct codec *codec = NULL;
	const struct record_type *type = support_type("Journal");
	const struct index_entry *entry = index_newest(registry_index(registry), "Journal");
	void *record = support_random(type, 7, arena), *copy = arena_zalloc(arena, type->shape->size);
	char guid[FRAMING_GUID_BYTES] = { 1 };
	struct err err = ERR_INIT;

	memcpy(guid + 1, entry->guid, GUID_BYTES);
	OK(codec_new(registry, type, "fleet.journal", &codec, why));
	OK(codec_encode(codec, record, &bytes, why));
	buffer_append(&other, guid, sizeof(guid));
	buffer_append(&other, body_of(&bytes).ptr, body_of(&bytes).len);

	OK(codec_decode(codec, buffer_span(&bytes), SPAN_NONE, arena, copy, why));
	OK(codec_decode(codec, buffer_span(&other), SPAN_NONE, arena, copy, why));
	OK(codec_decode(codec, body_of(&bytes), (struct span){ bytes.ptr, PREFIX_BYTES }, arena, copy, why));
	OK(codec_decode(codec, body_of(&bytes), (struct span){ guid, sizeof(guid) }, arena, copy, why));
	OK(codec_encode(codec, copy, &text, why));
	same_bytes("by header", buffer_span(&text), buffer_span(&bytes));

	assert_int_equal(codec_decode(codec,
				      SPAN("\0\0\0\x27\x0f"
					   "x"),
				      SPAN_NONE, arena, copy, &err),
			 -1);
	assert_int_equal(err.reason, REASON_AVRO_SCHEMA_UNKNOWN);
	guid[3] ^= 1;
	assert_int_equal(codec_decode(codec, body_of(&bytes), (struct span){ guid, sizeof(guid) }, arena, copy, &err),
			 -1);
	assert_int_equal(err.reason, REASON_AVRO_SCHEMA_UNKNOWN);
	assert_int_equal(codec_decode(codec, SPAN("\0\0\0\0\1x"), SPAN_NONE, arena, copy, &err), -1);
	assert_int_equal(err.reason, REASON_AVRO_SCHEMA_MISMATCH); /* a Reading is no Journal */
}

/* A buffer's maximum is kept to the byte, and a failure leaves it as it was. */
static void
a_full_buffer(void **state)
{
	CLEANUP(registry_free)
	struct registry *registry = support_registry();
	CLEANUP(buffer_clear)
	struct buffer bytes = BUFFER_INIT(0), tight = BUFFER_INIT(0);
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	CLEANUP(codec_free)
	struct codec *codec = NULL;
	const struct record_type *type = support_type("Reading");
	void *record = support_random(type, 3, arena);
	struct err err = ERR_INIT;

	OK(codec_new(registry, type, "telemetry.readings", &codec, why));
	OK(codec_encode(codec, record, &bytes, why));
	tight.max = bytes.len - 1;
	assert_int_equal(codec_encode(codec, record, &tight, &err), -1);
	assert_int_equal(err.reason, REASON_NO_MEMORY);
	assert_int_equal(tight.len, 0);
	tight.max = bytes.len;
	OK(codec_encode(codec, record, &tight, why));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples),
		cmocka_unit_test(random_records),
		cmocka_unit_test(random_values_are_walked),
		cmocka_unit_test(blocks),
		cmocka_unit_test(ids_by_prefix_and_header),
		cmocka_unit_test(a_full_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
