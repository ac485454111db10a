/* scan.c -- reasons and offsets as a table; verdict and values against jansson on a corpus and on damaged messages. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/base/buffer.h"
#include "common/base/random.h"
#include "oracle.h"
#include "workers/ingest-router/scan.h"

#define BYTES(literal) SPAN(literal)

static const struct row {
	struct span text;
	enum err_reason reason;
	int offset; /* that the error names; -1: any */
} rows[] = {
	{ BYTES(""), REASON_JSON_SYNTAX, 0 },
	{ BYTES(" \n"), REASON_JSON_SYNTAX, 2 },
	{ BYTES("{}"), REASON_NONE, -1 },
	{ BYTES(" [ ] "), REASON_NONE, -1 },
	{ BYTES("null"), REASON_NONE, -1 },
	{ BYTES("nul"), REASON_JSON_SYNTAX, 0 },
	{ BYTES("NaN"), REASON_JSON_SYNTAX, 0 },
	{ BYTES("{\"a\":NaN}"), REASON_JSON_SYNTAX, 5 },
	{ BYTES("{\"a\":-Infinity}"), REASON_JSON_SYNTAX, 5 },
	{ BYTES("{\"a\":1,}"), REASON_JSON_SYNTAX, 7 },
	{ BYTES("[1,]"), REASON_JSON_SYNTAX, 3 },
	{ BYTES("[1 2]"), REASON_JSON_SYNTAX, 3 },
	{ BYTES("{\"a\" 1}"), REASON_JSON_SYNTAX, 5 },
	{ BYTES("{a:1}"), REASON_JSON_SYNTAX, 1 },
	{ BYTES("{\"a\":1"), REASON_JSON_SYNTAX, 6 },
	{ BYTES("{\"a\":1} x"), REASON_JSON_SYNTAX, 8 },
	{ BYTES("{\"a\":1}{}"), REASON_JSON_SYNTAX, 7 },
	{ BYTES("{\"a\":01}"), REASON_JSON_SYNTAX, 5 },
	{ BYTES("[1.]"), REASON_JSON_SYNTAX, 1 },
	{ BYTES("[.5]"), REASON_JSON_SYNTAX, 1 },
	{ BYTES("[+1]"), REASON_JSON_SYNTAX, 1 },
	{ BYTES("[-]"), REASON_JSON_SYNTAX, 1 },
	{ BYTES("[1e]"), REASON_JSON_SYNTAX, 1 },
	{ BYTES("[0x10]"), REASON_JSON_SYNTAX, 2 },
	{ BYTES("[1e308,1e-999,0e999]"), REASON_NONE, -1 },
	{ BYTES("[1e309]"), REASON_JSON_NUMBER, 1 },
	{ BYTES("[-1e309]"), REASON_JSON_NUMBER, 1 },
	{ BYTES("[123456789012345678901234567890]"), REASON_NONE, -1 },
	{ BYTES("['a']"), REASON_JSON_SYNTAX, 1 },
	{ BYTES("[\"a]"), REASON_JSON_SYNTAX, -1 },
	{ BYTES("[\"a\tb\"]"), REASON_JSON_SYNTAX, 3 },
	{ BYTES("[\"a\\qb\"]"), REASON_JSON_SYNTAX, 3 },
	{ BYTES("[\"\\u12g4\"]"), REASON_JSON_SYNTAX, 2 },
	{ BYTES("[\"\\u0000\"]"), REASON_NONE, -1 },
	{ BYTES("[\"\\ud83d\\ude00\"]"), REASON_NONE, -1 },
	{ BYTES("[\"\\ud83d\"]"), REASON_JSON_UTF8, 2 },
	{ BYTES("[\"\\ude00\"]"), REASON_JSON_UTF8, 2 },
	{ BYTES("[\"\\ude00\\ude00\"]"), REASON_JSON_UTF8, 2 },
	{ BYTES("[\"\\ud83d\\u0041\"]"), REASON_JSON_UTF8, 2 },
	{ BYTES("[\"gr\xc3\xbc\xc3\x9f\"]"), REASON_NONE, -1 },
	{ BYTES("[\"\xff\"]"), REASON_JSON_UTF8, 2 },
	{ BYTES("[\"\xc0\xaf\"]"), REASON_JSON_UTF8, 2 },
	{ BYTES("[\"\xed\xa0\x80\"]"), REASON_JSON_UTF8, 2 },
	{ BYTES("[\"\xf4\x90\x80\x80\"]"), REASON_JSON_UTF8, 2 },
	{ BYTES("[\"\xe2\x82\"]"), REASON_JSON_UTF8, 2 },
	{ BYTES("\xef\xbb\xbf{}"), REASON_JSON_SYNTAX, 0 },
	{ BYTES("[\"a\0b\"]"), REASON_JSON_SYNTAX, 3 },
	{ BYTES("[1]\0"), REASON_JSON_SYNTAX, 3 },
	{ BYTES("[1\0]"), REASON_JSON_SYNTAX, 2 },
	{ BYTES("[[[[[]]]]]"), REASON_NONE, -1 },
	{ BYTES("[[[[[[]]]]]]"), REASON_JSON_DEPTH, 5 },
	{ BYTES("{\"a\":1,\"b\":2,\"a\":3}"), REASON_JSON_DUPLICATE_KEY, -1 },
	{ BYTES("{\"a\":1,\"\\u0061\":3}"), REASON_JSON_DUPLICATE_KEY, -1 },
	{ BYTES("{\"a\":{\"a\":1},\"b\":{\"a\":1}}"), REASON_NONE, -1 },
	{ BYTES("{\"\":1,\"\":2}"), REASON_JSON_DUPLICATE_KEY, -1 },
	{ BYTES("{\"12345678\":1,\"123456789\":2,\"x2345678\":3}"), REASON_NONE, -1 },
};

static int
scan(struct span text, unsigned depth, struct err *err)
{
	const struct scan_limits limits = { .depth = depth };
	CLEANUP(arena_free)
	struct arena *arena = arena_new(65536, 0);
	CLEANUP(plan_free)
	struct plan *plan = NULL;
	const struct scan_row *row;

	assert_int_equal(plan_new(&plan, err), 0);
	return scan_json(plan, text, &limits, arena, &row, err);
}

static void
names_reason_and_byte(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		char place[32];

		assert_int_equal(scan(rows[i].text, 5, &err), rows[i].reason ? -1 : 0);
		snprintf(place, sizeof(place), "byte %d:", rows[i].offset);
		if (err.reason != rows[i].reason ||
		    (rows[i].offset >= 0 && strncmp(err.text, place, strlen(place)) != 0))
			fail_msg("%.*s: %s %s, not %s %s", SPAN_ARG(rows[i].text), err_reason_name(err.reason),
				 err.text, err_reason_name(rows[i].reason), place);
	}
}

static void
agrees_with_jansson_on_the_rows(void **state)
{
	char why[ORACLE_WHY];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!oracle_agrees(rows[i].text, why))
			fail_msg("%.*s: %s", SPAN_ARG(rows[i].text), why);
}

static const char good[] =
    "{\"device\":\"pump-\\u00fc7\",\"time\":\"2026-01-01T00:00:00.5Z\",\"metrics\":{\"t\":21.530000000000001,\"h\":-4.8e1,"
    "\"p\":[1,2,{\"x\":null}],\"\\\"q\\\\\":true},\"name\":\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\",\"n\":18446744073709551616}";

/* Every cut, and random damage, of a message that has a bit of everything. */
static void
agrees_with_jansson_on_damage(void **state)
{
	static const char bytes[] = "{}[]\",:\\u0eE.-+19 tfn\xc3\xbc\xf0\x80\xff\n";
	char text[sizeof(good)], why[ORACLE_WHY];

	for (size_t n = 0; n < sizeof(good); n++)
		if (!oracle_agrees((struct span){ good, n }, why))
			fail_msg("cut at %zu: %s", n, why);
	for (uint64_t i = 0; i < 30000; i++) {
		memcpy(text, good, sizeof(good));
		for (uint64_t k = 0; k <= i % 3; k++)
			text[random_u64(i, k, 0) % (sizeof(good) - 1)] =
			    bytes[random_u64(i, k, 1) % (sizeof(bytes) - 1)];
		if (!oracle_agrees((struct span){ text, sizeof(good) - 1 }, why))
			fail_msg("%.*s: %s", (int)sizeof(good) - 1, text, why);
	}
}

static void
object_of(struct buffer *b, int n, int repeated)
{
	b->len = 0;
	buffer_text(b, "{");
	for (int i = 0; i < n; i++)
		buffer_printf(b, "%s\"key-%d\":%d", i ? "," : "", i == n - 1 && repeated >= 0 ? repeated : i, i);
	buffer_text(b, "}");
}

/* Small objects are checked on the way, large ones at their end: both, and the edge between. */
static void
finds_repeated_keys_in_objects_of_any_size(void **state)
{
	CLEANUP(buffer_clear)
	struct buffer b = BUFFER_INIT(0);

	for (int n = 2; n < 300; n += n < 40 ? 1 : 37) {
		for (int repeated = -1; repeated < n - 1; repeated += n < 40 ? 1 : 50) {
			struct err err = ERR_INIT;

			object_of(&b, n, repeated);
			scan(buffer_span(&b), 5, &err);
			assert_int_equal(err.reason, repeated >= 0 ? REASON_JSON_DUPLICATE_KEY : REASON_NONE);
		}
	}
	for (int repeated = -1; repeated < 2; repeated++) {
		struct err err = ERR_INIT;

		object_of(&b, 100000, repeated);
		scan(buffer_span(&b), 5, &err);
		assert_int_equal(err.reason, repeated >= 0 ? REASON_JSON_DUPLICATE_KEY : REASON_NONE);
	}
}

static void
agrees_with_jansson_on_files(void **state)
{
	static const char dir[] = BAD_INPUT_DIR;
	struct dirent **entries;
	int n = scandir(dir, &entries, NULL, alphasort), checked = 0;

	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		char path[1024], why[ORACLE_WHY];
		static char text[1 << 16];
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		file = entries[i]->d_name[0] == '.' ? NULL : fopen(path, "re");
		if (file) {
			size_t len = fread(text, 1, sizeof(text), file);

			fclose(file);
			if (!oracle_agrees((struct span){ text, len }, why))
				fail_msg("%s: %s", path, why);
			checked++;
		}
		free(entries[i]);
	}
	free(entries);
	assert_true(checked > 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_reason_and_byte),
		cmocka_unit_test(agrees_with_jansson_on_the_rows),
		cmocka_unit_test(agrees_with_jansson_on_damage),
		cmocka_unit_test(agrees_with_jansson_on_files),
		cmocka_unit_test(finds_repeated_keys_in_objects_of_any_size),
	};

	return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
