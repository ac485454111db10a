/* Properties texts: what comes out is written as "line:key=value;" for each pair, or the error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/config/options.h"
#include "tests/unit/config/support.h"

#define TEXT(literal) literal, sizeof(literal) - 1

static const struct row {
	const char *name, *text;
	size_t len;
	const char *pairs, *error;
} rows[] = {
	{ "nothing", TEXT(""), "", NULL },
	{ "blank lines and comments", TEXT("\n \t\n# a=b\n  ! c=d\n\f\n"), "", NULL },
	{ "a pair", TEXT("a=b\n"), "1:a=b;", NULL },
	{ "no line end at the end", TEXT("a=b\nc=d"), "1:a=b;2:c=d;", NULL },
	{ "spaces around", TEXT("  a.b \t=  c d  \n"), "1:a.b=c d;", NULL },
	{ "a colon separates", TEXT("a: b=c\n"), "1:a=b=c;", NULL },
	{ "the first separator counts", TEXT("a=b:c=d\n"), "1:a=b:c=d;", NULL },
	{ "no value", TEXT("a=\nb =\n"), "1:a=;2:b=;", NULL },
	{ "a comment sign in a value", TEXT("a=b # c\n"), "1:a=b # c;", NULL },
	{ "line ends of Windows", TEXT("a=b\r\nc=d\r\n"), "1:a=b;2:c=d;", NULL },
	{ "line ends of old Macs", TEXT("a=b\rc=d\r"), "1:a=b;2:c=d;", NULL },
	{ "a byte order mark",
	  TEXT("\xef\xbb\xbf"
	       "a=b"),
	  "1:a=b;", NULL },
	{ "continued", TEXT("a=b,\\\n   c,\\\n\td\ne=f\n"), "1:a=b,c,d;4:e=f;", NULL },
	{ "continued in the key", TEXT("a.\\\nb=c\n"), "1:a.b=c;", NULL },
	{ "continued with line ends of Windows", TEXT("a=b\\\r\n  c\r\n"), "1:a=bc;", NULL },
	{ "continued by an empty line", TEXT("a=b\\\n\nc=d\n"), "1:a=b;3:c=d;", NULL },
	{ "a comment is not continued", TEXT("# a\\\nb=c\n"), "2:b=c;", NULL },
	{ "a continuing line may look like a comment", TEXT("a=b\\\n#c\n"), "1:a=b#c;", NULL },
	{ "continued by the end", TEXT("a=b\\"), "1:a=b;", NULL },
	{ "two backslashes do not continue", TEXT("a=b\\\\\nc=d\n"), "1:a=b\\;2:c=d;", NULL },
	{ "escapes", TEXT("a=\\t\\n\\r\\f\\\\\\x\\=\n"), "1:a=\t\n\r\f\\x=;", NULL },
	{ "escaped separators in a key", TEXT("a\\=b\\:c\\ d=e\n"), "1:a=b:c d=e;", NULL },
	{ "escaped white space stays", TEXT("a=\\ b\\ \n"), "1:a= b ;", NULL },
	{ "characters by number", TEXT("a=\\u0041\\u00e9\\u20AC\\ud83d\\ude00.\n"),
	  "1:a=A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80.;", NULL },
	{ "other bytes stay", TEXT("a=\xc3\xa9\xff\n"), "1:a=\xc3\xa9\xff;", NULL },
	{ "references are left alone", TEXT("a=${env:HOME}\n"), "1:a=${env:HOME};", NULL },

	{ "no separator", TEXT("a=b\nhunter2\n"), "1:a=b;", "t:2: no '=' (a line is key=value)" },
	{ "a comment behind nothing", TEXT("a\\=b\n"), "", "t:1: no '=' (a line is key=value)" },
	{ "no key", TEXT("=b\n"), "", "t:1: no key in front of '='" },
	{ "white space in a key", TEXT("\n\na b=c\n"), "", "t:3: white space inside the key (a line is key=value)" },
	{ "twice", TEXT("a=b\n#\na=c\n"), "1:a=b;", "t:3: a is given twice, first in line 1" },
	{ "twice, differently written", TEXT("a=b\n\\u0061:b\n"), "1:a=b;", "t:2: a is given twice, first in line 1" },
	{ "three digits", TEXT("a=\\u004\n"), "", "t:1: \\u needs four hexadecimal digits of a character" },
	{ "no digits", TEXT("a=\\uzzzz\n"), "", "t:1: \\u needs four hexadecimal digits of a character" },
	{ "character zero", TEXT("a=\\u0000\n"), "", "t:1: \\u needs four hexadecimal digits of a character" },
	{ "half a pair", TEXT("a=\\ud83dx\n"), "", "t:1: \\u needs four hexadecimal digits of a character" },
	{ "half a pair, then another", TEXT("a=\\ud83d\\u0041\n"), "",
	  "t:1: \\u needs four hexadecimal digits of a character" },
	{ "the other half", TEXT("a=\\ude00\n"), "", "t:1: \\u needs four hexadecimal digits of a character" },
	{ "a NUL byte", TEXT("a=b\0c\n"), "", "t:1: a NUL byte" },
	{ "the visitor's own error", TEXT("a=b\nstop=1\nc=d\n"), "1:a=b;", "stopped" },
};

static int
collect(void *ctx, const char *key, const char *value, int line, struct err *err)
{
	struct buffer *out = ctx;

	if (strcmp(key, "stop") == 0)
		return err_set(err, REASON_FILE_INVALID, "stopped");
	return buffer_printf(out, "%d:%s=%s;", line, key, value);
}

static void
parses(void **state)
{
	const struct row *row = *state;
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);
	struct err err = ERR_INIT;
	int result = properties_parse((struct span){ row->text, row->len }, "t", collect, &out, &err);

	buffer_append(&out, "", 1);
	assert_string_equal(out.ptr, row->pairs);
	assert_string_equal(err.text, row->error ? row->error : "");
	assert_int_equal(result, row->error ? -1 : 0);
	assert_int_equal(err.reason, row->error ? REASON_FILE_INVALID : REASON_NONE);
}

static int
ignore(void *ctx, const char *key, const char *value, int line, struct err *err)
{
	assert_true(*key && line > 0 && strlen(value) < 65536);
	return 0;
}

/* Texts made of the characters that mean something: no crash, and an error names its line. */
static void
any_text(void **state)
{
	static const char alphabet[] = "ab=: \t\n\r\\#!u00d8\f\0${}";

	for (uint64_t i = 0; i < 20000; i++) {
		struct err err = ERR_INIT;
		char text[64];

		for (size_t k = 0; k < sizeof(text); k++)
			text[k] = alphabet[random_u64(7, i, k) % sizeof(alphabet)];
		if (properties_parse((struct span){ text, i % sizeof(text) }, "t", ignore, NULL, &err) < 0)
			assert_memory_equal(err.text, "t:", 2);
	}
}

static void
too_much(void **state)
{
	CLEANUP(heap_free)
	char *text = malloc(2000000);
	struct err err = ERR_INIT;

	memset(text, 'a', 2000000);
	text[1] = '=';
	assert_int_equal(properties_parse((struct span){ text, 70000 }, "t", ignore, NULL, &err), -1);
	assert_string_equal(err.text, "t:1: the line is longer than 64 KiB");
	assert_int_equal(properties_parse((struct span){ text, 2000000 }, "t", ignore, NULL, &err), -1);
	assert_string_equal(err.text, "t: larger than 1 MiB");
	assert_int_equal(properties_parse((struct span){ text, 60000 }, "t", ignore, NULL, &err), 0);
}

static void
of_a_file(void **state)
{
	static const char text[] = "a=x${env:FOREBAY_TEST_WORD}y\nstop=1\n";
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);
	struct err err = ERR_INIT;

	setenv("FOREBAY_TEST_WORD", "${env:HOME}", 1); /* what is put in is not looked at again */
	file_write("map.properties", text, sizeof(text) - 1);
	assert_int_equal(properties_read("map.properties", collect, &out, &err), -1);
	assert_string_equal(err.text, "map.properties:2: stopped");
	buffer_append(&out, "", 1);
	assert_string_equal(out.ptr, "1:a=x${env:HOME}y;");
	unsetenv("FOREBAY_TEST_WORD");
	assert_int_equal(properties_read("map.properties", collect, &out, &err), -1);
	assert_string_equal(err.text, "map.properties:1: a: ${env:FOREBAY_TEST_WORD}: no such environment variable");
	assert_int_equal(properties_read("missing.properties", collect, &out, &err), -1);
	assert_int_equal(err.reason, REASON_FILE_UNREADABLE);
	assert_string_equal(err.text, "missing.properties: No such file or directory");
	assert_int_equal(properties_read(".", collect, &out, &err), -1);
	assert_int_equal(err.reason, REASON_FILE_UNREADABLE);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 3] = {
		cmocka_unit_test(any_text),
		cmocka_unit_test(too_much),
		cmocka_unit_test(of_a_file),
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[3 + i] =
		    (struct CMUnitTest){ .name = rows[i].name, .test_func = parses, .initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
