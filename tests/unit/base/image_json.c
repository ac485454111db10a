/* Images as JSON, by their description alone: what it may hold, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "tests/unit/base/image_seal.h"

static const struct image_table no_table;

static const struct json_row {
	const char *name, *text;
	struct span members;
	enum err_reason reason;
	const char *json; /* or the error's text */
} json_rows[] = {
	{ "integers to their ends", "t 1 {a:i8,b:u8,c:i16,d:i32,e:i64,f:u64,g:size}",
	  SPAN(
	      "\x80\xff\x00\x80\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00\x80\xff\xff\xff\xff\xff\xff\xff\xff\x01\0\0\0\0\0\0\0"),
	  REASON_NONE,
	  "{\"a\":-128,\"b\":255,\"c\":-32768,\"d\":-2147483648,\"e\":-9223372036854775808,\"f\":18446744073709551615,\"g\":1}" },
	{ "a float is as short as it was", "t 1 {a:f32,b:f64}",
	  SPAN("\xcd\xcc\xcc\x3d\x9a\x99\x99\x99\x99\x99\xb9\x3f"), REASON_NONE, "{\"a\":0.1,\"b\":0.1}" },
	{ "no number", "t 1 {a:f32,b:f32}", SPAN("\x00\x00\xc0\x7f\x00\x00\x80\xff"), REASON_NONE,
	  "{\"a\":null,\"b\":null}" },
	{ "texts", "t 1 {a:char,b:4*char,c:[char],d:?char}", SPAN("xhi\0!\2\0\0\0\n\xff\1\""), REASON_NONE,
	  "{\"a\":\"x\",\"b\":\"hi\",\"c\":\"\\n\\ufffd\",\"d\":\"\\\"\"}" },
	{ "nothing there", "t 1 {a:?{b:2*{c:[{d:i8}]}},e:[{f:?[u8]}],g:u8}", SPAN("\0\0\0\0\0\1"), REASON_STATE_CORRUPT,
	  "the description is broken at \"[u8]}],g:u8}\"" },
	{ "optionals and lists without elements", "t 1 {a:?{b:2*{c:[{d:i8}]}},e:[{f:?u8}],g:u8}", SPAN("\0\0\0\0\0\1"),
	  REASON_NONE, "{\"a\":null,\"e\":[],\"g\":1}" },
	{ "no members", "t 1 {}", SPAN(""), REASON_STATE_CORRUPT, "the description is broken at \"}\"" },
	{ "an array of none", "t 1 {a:0*u8}", SPAN(""), REASON_STATE_CORRUPT, "the description is broken at \"*u8}\"" },
	{ "an array of more than can be", "t 1 {a:99999999999999999999*u8}", SPAN(""), REASON_STATE_CORRUPT,
	  "the description is broken at \"9*u8}\"" },
	{ "a huge array", "t 1 {a:9999999999999999999*u8}", SPAN("\1"), REASON_STATE_CORRUPT,
	  "the image is shorter than its description says" },
	{ "a huge text", "t 1 {a:[char]}", SPAN("\xff\xff\xff\xff\1"), REASON_STATE_CORRUPT,
	  "the image is shorter than its description says" },
	{ "an unknown kind", "t 1 {a:u9}", SPAN("\1"), REASON_STATE_CORRUPT, "the description is broken at \"u9}\"" },
	{ "the end of a name missing", "t 1 {a", SPAN("\1"), REASON_STATE_CORRUPT,
	  "the description is broken at \"\"" },
	{ "a brace missing", "t 1 {a:u8", SPAN("\1"), REASON_STATE_CORRUPT, "the description is broken at \"\"" },
	{ "more behind it", "t 1 {a:u8} ", SPAN("\1"), REASON_STATE_CORRUPT, "the description is broken at \" \"" },
	{ "no version", "t {a:u8}", SPAN("\1"), REASON_STATE_CORRUPT, "the description is broken at \"{a:u8}\"" },
	{ "a bool of 2", "t 1 {a:bool}", SPAN("\2"), REASON_STATE_CORRUPT, "a bool is 2" },
	{ "an optional of 2", "t 1 {a:?u8}", SPAN("\2\1"), REASON_STATE_CORRUPT, "an optional is there 2 times" },
	{ "a byte too many", "t 1 {a:u8}", SPAN("\1\2"), REASON_STATE_CORRUPT, "1 bytes too many" },
	{ "as deep as tables may be", "t 1 {a:{a:{a:{a:{a:{a:{a:{a:{a:{a:{a:{a:{a:{a:{a:{a:u8}}}}}}}}}}}}}}}}",
	  SPAN("\1"), REASON_NONE,
	  "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}}}}}}}}" },
	{ "deeper", "t 1 {a:{a:{a:{a:{a:{a:{a:{a:{a:{a:{a:{a:{a:{a:{a:{a:{a:u8}}}}}}}}}}}}}}}}}", SPAN("\1"),
	  REASON_STATE_CORRUPT, "the description is broken at \"{a:u8}}}}}}}}}}}}}}}\"" },
};

static void
json_by_description(void **state)
{
	const struct json_row *row = *state;
	CLEANUP(buffer_clear) struct buffer image = BUFFER_INIT(0), out = BUFFER_INIT(0);
	uint64_t hash = random_hash(span_of(row->text));
	const struct image_type type = { "t", 1, &no_table, &hash };
	struct err err = ERR_INIT;

	seal(&image, &type, row->members);
	assert_int_equal(image_json(span_of(row->text), buffer_span(&image), &out, &err), row->reason ? -1 : 0);
	assert_int_equal(err.reason, row->reason);
	buffer_append(&out, "", 1);
	assert_string_equal(row->reason ? err.text : out.ptr, row->json);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(json_rows)];

	for (size_t i = 0; i < ARRAY_LEN(json_rows); i++)
		tests[i] = (struct CMUnitTest){ .name = json_rows[i].name,
						.test_func = json_by_description,
						.initial_state = (void *)(uintptr_t)&json_rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
