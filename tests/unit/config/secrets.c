/* References inside values, by way of properties_read: one key whose value is the row's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/config/options.h"
#include "tests/unit/config/support.h"

static const struct row {
	const char *value, *result, *error;
} rows[] = {
	{ "plain", "plain", NULL },
	{ "${env:WORD}", "w", NULL },
	{ "a${env:WORD}b${env:WORD}", "awbw", NULL },
	{ "${env:EMPTY}", "", NULL },
	{ "${file:secret}", "s3cret", NULL },
	{ "x ${file:pairs:user}/${file:pairs:pass word}", "x admin/p:=#", NULL },
	{ "$${env:WORD}", "${env:WORD}", NULL },
	{ "$", "$", NULL },
	{ "${", "${", NULL },
	{ "${}", "${}", NULL },
	{ "${device}", "${device}", NULL }, /* no provider: not for us */
	{ "$env:WORD", "$env:WORD", NULL },
	{ "${env:NOWHERE}", NULL, "${env:NOWHERE}: no such environment variable" },
	{ "${evn:WORD}", NULL, "${evn:WORD}: only ${env:...} and ${file:...} are known ($${ is a plain ${)" },
	{ "${env:WORD", NULL, "${env:... has no end" },
	{ "${file:nowhere}", NULL, "${file:nowhere}: nowhere: No such file or directory" },
	{ "${file:pairs:pass}", NULL, "${file:pairs:pass}: pairs has no key pass" },
	{ "${file:broken:a}", NULL, "${file:broken:a}: broken:2: no '=' (a line is key=value)" },
	{ "${file:nul}", NULL, "${file:nul}: nul holds a NUL byte" },
	{ "${file:large}", NULL, "${file:large}: large is longer than a value may be" },
};

static int
keep(void *ctx, const char *key, const char *value, int line, struct err *err)
{
	return buffer_append(ctx, value, strlen(value) + 1);
}

static void
resolves(void **state)
{
	const struct row *row = *state;
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);
	struct err err = ERR_INIT;
	char line[256];
	int len = snprintf(line, sizeof(line), "k=%s\n", row->value);

	file_write("t", line, (size_t)len);
	if (row->error) {
		assert_int_equal(properties_read("t", keep, &out, &err), -1);
		assert_memory_equal(err.text, "t:1: k: ", 8);
		assert_string_equal(err.text + 8, row->error);
		assert_null(strstr(err.text, "s3cret"));
	} else {
		assert_int_equal(properties_read("t", keep, &out, &err), 0);
		assert_string_equal(out.ptr, row->result);
	}
}

static int
prepare(void **state)
{
	static char large[100000];

	if (scratch_enter(state) < 0)
		return -1;
	memset(large, 'x', sizeof(large));
	file_write("secret", "s3cret\n\n", 8);
	file_write("pairs", "user=admin\npass\\ word=p:=#\n", 27);
	file_write("broken", "a=1\ns3cret\n", 11);
	file_write("nul", "a\0s3cret", 8);
	file_write("large", large, sizeof(large));
	setenv("WORD", "w", 1);
	setenv("EMPTY", "", 1);
	return unsetenv("NOWHERE");
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows)];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].value,
						.test_func = resolves,
						.initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, prepare, scratch_leave);
}
