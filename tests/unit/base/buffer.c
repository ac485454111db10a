/* Bytes that grow to a bound; JSON strings and numbers, read back by another JSON library. */
#include "common/base/buffer.h"

#include <float.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"

static const struct row {
	const char *name;
	struct span text;
	const char *json;
} rows[] = {
	{ "empty", { "", 0 }, "\"\"" },
	{ "not there", { NULL, 0 }, "\"\"" },
	{ "plain", { "abc", 3 }, "\"abc\"" },
	{ "quote and backslash", { "a\"b\\c", 5 }, "\"a\\\"b\\\\c\"" },
	{ "line end, tab, NUL", { "a\nb\tc\0d", 7 }, "\"a\\nb\\u0009c\\u0000d\"" },
	{ "delete is allowed", { "\x7f", 1 }, "\"\x7f\"" },
	{ "two, three, four bytes",
	  { "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9 },
	  "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
	{ "the last character", { "\xf4\x8f\xbf\xbf", 4 }, "\"\xf4\x8f\xbf\xbf\"" },
	{ "past the last character", { "\xf4\x90\x80\x80", 4 }, "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
	{ "a lone continuation", { "a\x80z", 3 }, "\"a\\ufffdz\"" },
	{ "overlong slash", { "\xc0\xaf", 2 }, "\"\\ufffd\\ufffd\"" },
	{ "overlong three", { "\xe0\x80\xaf", 3 }, "\"\\ufffd\\ufffd\\ufffd\"" },
	{ "overlong four", { "\xf0\x80\x80\xaf", 4 }, "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
	{ "a surrogate", { "\xed\xa0\x80", 3 }, "\"\\ufffd\\ufffd\\ufffd\"" },
	{ "cut in the middle", { "x\xe2\x82", 3 }, "\"x\\ufffd\\ufffd\"" },
	{ "cut, then plain", { "\xe2\x82z", 3 }, "\"\\ufffd\\ufffdz\"" },
	{ "never a first byte", { "\xfe\xff", 2 }, "\"\\ufffd\\ufffd\"" },
};

static void
json_release_cleanup(json_t **json)
{
	json_decref(*json);
}

static void
json_string_of(void **state)
{
	const struct row *row = *state;
	CLEANUP(buffer_clear)
	struct buffer b = BUFFER_INIT(0);
	CLEANUP(json_release)
	json_t *read = NULL;

	assert_int_equal(buffer_json_string(&b, row->text), 0);
	assert_int_equal(b.len, strlen(row->json));
	assert_memory_equal(b.ptr, row->json, b.len);
	read = json_loadb(b.ptr, b.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	assert_non_null(read);
}

/* Any bytes give a JSON string that a strict reader accepts. */
static void
any_bytes(void **state)
{
	for (uint64_t i = 0; i < 2000; i++) {
		CLEANUP(buffer_clear)
		struct buffer b = BUFFER_INIT(0);
		CLEANUP(json_release)
		json_t *read = NULL;
		char text[24];

		for (size_t k = 0; k < sizeof(text); k++) {
			uint64_t r = random_u64(1, i, k);

			text[k] = (char)(r & 256 ? 0x80 | (r & 0x7f) : r & 0x7f); /* half of them above 0x7f */
		}
		assert_int_equal(buffer_json_string(&b, (struct span){ text, i % sizeof(text) }), 0);
		read = json_loadb(b.ptr, b.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		assert_non_null(read);
	}
}

static double
read_back(double value)
{
	CLEANUP(buffer_clear)
	struct buffer b = BUFFER_INIT(0);
	CLEANUP(json_release)
	json_t *read = NULL;

	assert_int_equal(buffer_json_number(&b, value), 0);
	read = json_loadb(b.ptr, b.len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
	assert_non_null(read);
	return json_number_value(read);
}

static void
numbers_come_back(void **state)
{
	static const double values[] = { 0,
					 -0.0,
					 1,
					 -1,
					 0.1,
					 1.0 / 3,
					 1e21,
					 1e22,
					 1e23,
					 5e-324,
					 DBL_MIN,
					 DBL_MAX,
					 -DBL_MAX,
					 9007199254740993.0,
					 123456789.123456789,
					 0.30000000000000004,
					 1e-7 };

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		assert_true(read_back(values[i]) == values[i]);
		assert_true(!signbit(read_back(values[i])) == !signbit(values[i]));
	}
	for (uint64_t i = 0; i < 20000; i++) {
		uint64_t bits = random_u64(2, 0, i);
		double value;

		memcpy(&value, &bits, sizeof(value));
		if (isfinite(value))
			assert_true(read_back(value) == value);
	}
}

static const struct number {
	double value;
	const char *text;
} numbers[] = {
	{ 0.1, "0.1" },
	{ 100, "100" },
	{ 21.5, "21.5" },
	{ 0.30000000000000004, "0.30000000000000004" },
	{ NAN, "null" },
	{ INFINITY, "null" },
	{ -INFINITY, "null" },
	{ 1e300, "1e+300" },
	{ 123456789012, "123456789012" },
};

static void
numbers_are_short(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		CLEANUP(buffer_clear)
		struct buffer b = BUFFER_INIT(0);

		buffer_json_number(&b, numbers[i].value);
		buffer_append(&b, "", 1);
		assert_string_equal(b.ptr, numbers[i].text);
	}
}

static void
grows_and_keeps(void **state)
{
	CLEANUP(buffer_clear)
	struct buffer b = BUFFER_INIT(0);

	for (int i = 0; i < 10000; i++)
		assert_int_equal(buffer_printf(&b, "%05d", i), 0);
	assert_int_equal(b.len, 50000);
	assert_memory_equal(b.ptr + 5 * 1234, "01234", 5);
	buffer_clear(&b);
	assert_int_equal(b.len, 0);
	assert_int_equal(buffer_text(&b, "again"), 0);
}

static void
a_full_buffer_stays_as_it_was(void **state)
{
	CLEANUP(buffer_clear)
	struct buffer b = BUFFER_INIT(10);

	assert_int_equal(buffer_text(&b, "12345678"), 0);
	assert_int_equal(buffer_text(&b, "abc"), -1);
	assert_int_equal(buffer_printf(&b, "%s", "abc"), -1);
	assert_int_not_equal(buffer_json_string(&b, SPAN("a")), 0); /* three bytes with its quotes */
	assert_int_equal(buffer_reserve(&b, SIZE_MAX), -1);
	assert_int_equal(b.len, 8);
	assert_memory_equal(b.ptr, "12345678", 8);
	assert_int_equal(buffer_text(&b, "ab"), 0); /* exactly full */
	assert_int_equal(buffer_append(&b, NULL, 0), 0);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 5] = {
		cmocka_unit_test(any_bytes),
		cmocka_unit_test(numbers_come_back),
		cmocka_unit_test(numbers_are_short),
		cmocka_unit_test(grows_and_keeps),
		cmocka_unit_test(a_full_buffer_stays_as_it_was),
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[5 + i] = (struct CMUnitTest){ .name = rows[i].name,
						    .test_func = json_string_of,
						    .initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
