/* Bytes that follow no schema: an error with its place, never a crash, never memory beyond what the bytes justify. */
#include <dirent.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/record/index.h"
#include "common/record/resolve.h"
#include "tests/unit/record/support.h"

#define HUGE "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"  /* the greatest long */
#define LEAST "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" /* the least long */
#define READING "\0\0\0\0\1\2d\0\0\0"                    /* device d, at 0, from 0, no source */
#define VALUE "\2m\0\0\x08good\0"

static const struct row {
	const char *name;
	struct span value;
	enum err_reason reason;
	const char *text; /* part of the message */
} rows[] = {
	{ "nothing behind the prefix",
	  { "\0\0\0\0\1", 5 },
	  REASON_AVRO_DECODE,
	  "byte 5: the value ends inside a number" },
	{ "a text beyond the end",
	  { "\0\0\0\0\1\x10"
	    "d",
	    7 },
	  REASON_AVRO_DECODE,
	  "byte 5: a length beyond the end" },
	{ "a huge text", { "\0\0\0\0\1" HUGE "d", 16 }, REASON_AVRO_DECODE, "byte 5: a length beyond the end" },
	{ "a negative length",
	  { "\0\0\0\0\1\1"
	    "d",
	    7 },
	  REASON_AVRO_DECODE,
	  "byte 5: a negative length" },
	{ "the most negative length", { "\0\0\0\0\1" LEAST "d", 16 }, REASON_AVRO_DECODE, "byte 5: a negative length" },
	{ "a number without end",
	  { "\0\0\0\0\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 17 },
	  REASON_AVRO_DECODE,
	  "byte 5: a number of more than 64 bits" },
	{ "a number of 65 bits",
	  { "\0\0\0\0\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 15 },
	  REASON_AVRO_DECODE,
	  "byte 5: a number of more than 64 bits" },
	{ "more items than bytes", { READING HUGE, 20 }, REASON_AVRO_DECODE, "byte 10: more array items" },
	{ "2000 items, one there",
	  { READING "\xa0\x1f" VALUE "\0", 23 },
	  REASON_AVRO_DECODE,
	  "byte 10: more array items" },
	{ "the most negative count", { READING LEAST "\0", 21 }, REASON_AVRO_DECODE, "byte 10: more array items" },
	{ "a block of negative size", { READING "\1\1", 12 }, REASON_AVRO_DECODE, "byte 10: an array block" },
	{ "a block beyond the end", { READING "\1" HUGE, 21 }, REASON_AVRO_DECODE, "byte 10: an array block" },
	{ "an array without its end",
	  { READING "\2\2m\1\0\x08good\0", 21 },
	  REASON_AVRO_DECODE,
	  "byte 13: a union branch" },
	{ "a union branch too many",
	  { READING "\2\2m\4\0\x08good\0\0", 22 },
	  REASON_AVRO_DECODE,
	  "byte 13: a union branch" },
	{ "left over", { READING "\2\2m\0\0\x08null\0\0!", 23 }, REASON_AVRO_DECODE, "byte 22: bytes are left over" },
	{ "no values", { READING "\0", 11 }, REASON_RECORD_INVALID, "values: 0 is not within 1.." },
	{ "no device",
	  { "\0\0\0\0\1\0\0\0\0\2\2m\0\0\x08null\0\0", 21 },
	  REASON_RECORD_INVALID,
	  "device: 0 bytes, 1 to 256" },
	{ "a device with a NUL",
	  { "\0\0\0\0\1\2\0\0\0\0\2\2m\0\0\x08null\0\0", 22 },
	  REASON_RECORD_INVALID,
	  "device: not UTF-8" },
	{ "a metric that is no UTF-8",
	  { READING "\2\2\xff\0\0\x08null\0\0", 22 },
	  REASON_RECORD_INVALID,
	  "values[0]: metric: not UTF-8" },
	{ "the same metric twice",
	  { READING "\4\2m\0\0\x08null\0\2m\0\0\x08null\0\0", 32 },
	  REASON_RECORD_INVALID,
	  "values: 'm' is there twice" },
	{ "good without a value",
	  { READING "\2\2m\0\0\x08good\0\0", 22 },
	  REASON_RECORD_INVALID,
	  "values[0].value: null" },
	{ "a time beyond year 9999",
	  { "\0\0\0\0\1\2d" HUGE "\0\0\2\2m\0\0\x08null\0\0", 31 },
	  REASON_RECORD_INVALID,
	  "event_time: 9223372036854775807" },
	{ "unknown quality", { READING "\2\2m\0\0\x08next\0\0", 22 }, REASON_NONE, "" },
};

static struct codec *
codec_for(struct registry *registry, const struct record_type *type)
{
	struct codec *codec = NULL;

	OK(codec_new(registry, type, "any", &codec, why));
	return codec;
}

static void
refuses(void **state)
{
	const struct row *row = *state;
	CLEANUP(registry_free)
	struct registry *registry = support_registry();
	CLEANUP(codec_free)
	struct codec *codec = codec_for(registry, support_type("Reading"));
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	CLEANUP(heap_free)
	char *exact = malloc(row->value.len); /* so that a sanitizer sees a read beyond it */
	void *record = arena_zalloc(arena, 256);
	struct err err = ERR_INIT;

	memcpy(exact, row->value.ptr, row->value.len);
	codec_decode(codec, (struct span){ exact, row->value.len }, SPAN_NONE, arena, record, &err);
	if (err.reason != row->reason || (row->reason && !strstr(err.text, row->text)))
		fail_msg("%s: %s", err_reason_name(err.reason), err.text);
	assert_true(arena_used(arena) < 8192);
}

static void
decode_all(struct codec *codec, struct registry *registry, size_t size, struct span bytes, const char *what,
	   bool must_fail)
{
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	CLEANUP(heap_free)
	char *exact = malloc(bytes.len + 1);
	CLEANUP(buffer_clear)
	struct buffer shown = BUFFER_INIT(1 << 20), again = BUFFER_INIT(1 << 20);
	void *record = arena_zalloc(arena, size);
	struct err err = ERR_INIT;

	exact = realloc(exact, bytes.len ? bytes.len : 1);
	memcpy(exact, bytes.ptr, bytes.len);
	bytes.ptr = exact;
	if (codec_decode(codec, bytes, SPAN_NONE, arena, record, &err) == 0) {
		if (must_fail)
			fail_msg("%s: was taken", what);
		OK(codec_encode(codec, record, &again, why)); /* what is read can be written */
	} else {
		assert_int_not_equal(err.reason, REASON_NONE);
		assert_int_equal(err_class(&err), ERR_RECORD);
	}
	assert_true(arena_used(arena) < 64 * bytes.len + 65536);
	if (codec_to_json(registry, bytes, SPAN_NONE, &shown, &err) < 0)
		assert_int_equal(shown.len, 0);
}

/* Every beginning of every kind of record is an error; every flipped bit is an error or another valid record. */
static void
cuts_and_flips(void **state)
{
	CLEANUP(registry_free)
	struct registry *registry = support_registry();

	for (size_t t = 0; record_types[t]; t++) {
		const struct record_type *type = record_types[t];
		CLEANUP(codec_free)
		struct codec *codec = codec_for(registry, type);

		for (uint64_t number = 0; number < 8; number++) {
			CLEANUP(arena_free)
			struct arena *arena = arena_new(4096, 0);
			CLEANUP(buffer_clear)
			struct buffer bytes = BUFFER_INIT(0);

			OK(codec_encode(codec, support_random(type, number, arena), &bytes, why));
			for (size_t n = 0; n < bytes.len; n++)
				decode_all(codec, registry, type->shape->size, (struct span){ bytes.ptr, n },
					   type->name, true);
			for (size_t bit = 40; bit < bytes.len * 8; bit++) {
				bytes.ptr[bit / 8] ^= (char)(1 << bit % 8);
				decode_all(codec, registry, type->shape->size, buffer_span(&bytes), type->name, false);
				bytes.ptr[bit / 8] ^= (char)(1 << bit % 8);
			}
		}
	}
}

static void
random_bytes(void **state)
{
	CLEANUP(registry_free)
	struct registry *registry = support_registry();

	for (size_t t = 0; record_types[t]; t++) {
		const struct record_type *type = record_types[t];
		CLEANUP(codec_free)
		struct codec *codec = codec_for(registry, type);
		char bytes[200] = { 0 };

		for (uint64_t i = 0; i < 2000; i++) {
			bytes[4] = (char)codec_schema_id(codec);
			for (size_t k = 5; k < sizeof(bytes); k++) /* many small numbers, so that it goes far */
				bytes[k] = (char)(random_u64(5, i, k) >> (random_u64(6, i, k) % 4 ? 62 : 56));
			decode_all(codec, registry, type->shape->size, (struct span){ bytes, 5 + i % 195 }, type->name,
				   false);
		}
	}
}

/* The other schema's way: counts of items that take no bytes, endless recursion, defaults that multiply. */
static void
hostile_to_a_resolution(void **state)
{
	static const struct {
		const char *writer, *reader;
		struct span value;
	} others[] = {
		{ "{'type':'array','items':'null'}", "{'type':'array','items':'null'}", { HUGE "\0", 11 } },
		{ "{'type':'record','name':'R','fields':[{'name':'n','type':['R','null']}]}",
		  "{'type':'record','name':'R','fields':[{'name':'n','type':['null','R']}]}",
		  { "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2",
		    102 } },
		{ "{'type':'array','items':{'type':'record','name':'R','fields':[]}}",
		  "{'type':'array','items':{'type':'record','name':'R','fields':[{'name':'s','type':'string','default':"
		  "'0123456789012345678901234567890123456789'}]}}",
		  { "\x80\x80\x08", 3 } },
		{ "{'type':'map','values':'null'}", "{'type':'map','values':'null'}", { "\x80\x80\x08\0", 4 } },
		{ "['null','int']", "['null','long']", { "\4", 1 } },
		{ "'int'", "'long'", { "\xfe\xff\xff\xff\xff\x01", 6 } },
		{ "'boolean'", "'boolean'", { "\2", 1 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		CLEANUP(schema_document_free)
		struct schema_document *writer = support_schema(others[i].writer);
		CLEANUP(schema_document_free)
		struct schema_document *reader = support_schema(others[i].reader);
		CLEANUP(resolution_free)
		struct resolution *r = NULL;
		CLEANUP(buffer_clear)
		struct buffer out = BUFFER_INIT(1 << 20);
		struct reader in = reader_of(others[i].value, others[i].value);
		struct err err = ERR_INIT;

		OK(resolution_new(writer->root, reader->root, &r, why));
		assert_int_equal(resolution_run(r, &in, &out, &err), -1);
		if (err.reason != REASON_AVRO_DECODE)
			fail_msg("%zu: %s %s", i, err_reason_name(err.reason), err.text);
	}
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 3];
	size_t n = 0;

	for (; n < ARRAY_LEN(rows); n++)
		tests[n] = (struct CMUnitTest){ rows[n].name, refuses, NULL, NULL, (void *)(uintptr_t)&rows[n] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(cuts_and_flips);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(random_bytes);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(hostile_to_a_resolution);
	return _cmocka_run_group_tests("hostile", tests, n, NULL, NULL);
}
