/* Numbers and documents for people: golden texts. */
#include "cli/readable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"

static void
ages(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = {
		{ -5, "0s" },
		{ 0, "0s" },
		{ 59, "59s" },
		{ 60, "1m00s" },
		{ 185, "3m05s" },
		{ 3599, "59m59s" },
		{ 3600, "1h00m" },
		{ 86399, "23h59m" },
		{ 86400, "1d00h" },
		{ 442800, "5d03h" },
		{ 400 * 86400, "400d00h" },
	};
	char text[READABLE_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(readable_age(rows[i].seconds * US_PER_SECOND, text), rows[i].text);
	assert_string_equal(readable_age(US_PER_SECOND - 1, text), "0s");
}

static void
sizes(void **state)
{
	static const struct {
		int64_t bytes;
		const char *text;
	} rows[] = {
		{ 0, "0 B" },
		{ 999, "999 B" },
		{ 1000, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ 10240, "10 KiB" },
		{ 1024 * 1000, "1.0 MiB" },
		{ 1 << 20, "1.0 MiB" },
		{ INT64_C(5) << 30, "5.0 GiB" },
		{ INT64_MAX, "8192 PiB" },
	};
	char text[READABLE_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(readable_size(rows[i].bytes, text), rows[i].text);
}

static const struct row {
	const char *name, *json, *text;
	int depth, width;
} rows[] = {
	{ "nothing", "", "", 0, 80 },
	{ "a number", "1.5", "1.5", 0, 80 },
	{ "empty ones", "{\"a\":{},\"b\":[]}", "{\n  \"a\": {},\n  \"b\": []\n}", 0, 80 },
	{ "numbers share a line", "{\"a\":[1,2,null]}", "{\n  \"a\": [1, 2, null]\n}", 0, 80 },
	{ "... of so many columns", "[100,200,300,400]", "[100, 200,\n  300, 400]", 0, 8 },
	{ "objects do not", "[{\"a\":1},{\"a\":2}]", "[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": 2\n  }\n]", 0, 80 },
	{ "what follows an array", "{\"a\":[1],\"b\":2}", "{\n  \"a\": [1],\n  \"b\": 2\n}", 0, 80 },
	{ "brackets in strings", "{\"[\":\"{,:}\"}", "{\n  \"[\": \"{,:}\"\n}", 0, 80 },
	{ "quotes in strings", "[\"a\\\"]\",\"\\\\\"]", "[\"a\\\"]\", \"\\\\\"]", 0, 80 },
	{ "deeper from the start", "{\"a\":1}", "{\n    \"a\": 1\n  }", 1, 80 },
	{ "no JSON", "}}]\"", "\n}\n}\n]\"", 0, 80 },
	{ "cut in a string", "{\"a\\", "{\n  \"a\\", 0, 80 },
};

static void
indents(void **state)
{
	const struct row *row = *state;
	struct buffer out = BUFFER_INIT(0);

	assert_int_equal(readable_json(span_of(row->json), row->depth, row->width, &out), 0);
	assert_int_equal(buffer_append(&out, "", 1), 0);
	assert_string_equal(out.ptr, row->text);
	buffer_clear(&out);
}

static void
texts(void **state)
{
	static const struct {
		const char *given, *shown;
	} told[] = {
		{ "", "" },
		{ "plain \u2013 \u00e9\u00a0", "plain \u2013 \u00e9\u00a0" },
		{ "\x1b]0;title\x07\t\r\n\x7f", " ]0;title     " },
		{ "a\xc2\x9b"
		  "2J",
		  "a  2J" }, /* an escape sequence in UTF-8's spelling */
		{ "\x9b"
		  "2J \xe9t\xe9",
		  "?2J ?t?" }, /* the same, and words, in Latin-1 */
		{ "cut \xe2\x80", "cut ??" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(told); i++) {
		char text[40];

		snprintf(text, sizeof(text), "%s", told[i].given);
		assert_string_equal(readable_text(text), told[i].shown);
	}
}

static void
knows_its_bounds(void **state)
{
	struct buffer out = BUFFER_INIT(10);

	(void)state;
	assert_int_equal(readable_json(SPAN("{\"a\":[1,2,3,4,5]}"), 0, 80, &out), -1);
	buffer_clear(&out);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 4];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, indents, NULL, NULL, (void *)&rows[i] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(ages);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(sizes);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(texts);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(knows_its_bounds);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
