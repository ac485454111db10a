/* What is printed from a table: the page, --help, --version, --check. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/config/options.h"
#include "tests/unit/config/support.h"

static struct target {
	char *topics, *password;
	int64_t bytes;
	int tolerance;
} target;

static const struct option table[] = {
	{ "topics", OPTION_TEXT, offsetof(struct target, topics), NULL, 1, 200, "", "what is read: a|b, <c>" },
	{ "password", OPTION_SECRET, offsetof(struct target, password), "", 0, 0, "", "a secret" },
	{ "queue.bytes", OPTION_BYTES, offsetof(struct target, bytes), "64k", 1, 1572864, "bytes", "size" },
	{ "tolerance", OPTION_CHOICE, offsetof(struct target, tolerance), "none", 0, 0, "none|all", "poison" },
};
static const struct option_set sets[] = { { "Input", table, ARRAY_LEN(table), &target } };
static struct property_list lists[] = { { "consumer.override.", "to the client", NULL, 0 } };
static const struct option_program program = { "test", "a test", sets, 1, lists, 1 };

static const char page[] = "## Input\n\n"
			   "| key | type | default | allowed | what it does |\n"
			   "|---|---|---|---|---|\n"
			   "| `topics` | text | **required** | 1..200 bytes | what is read: a\\|b, &lt;c> |\n"
			   "| `password` | secret |  |  | a secret |\n"
			   "| `queue.bytes` | bytes | `64k` | 1..1536k bytes | size |\n"
			   "| `tolerance` | word | `none` | one of none, all | poison |\n\n"
			   "## Passed through\n\n"
			   "| key | what it does |\n|---|---|\n"
			   "| `consumer.override.*` | to the client |\n\n";

/* What options_load prints on standard output for one flag. */
static void
printed(const char *flag, char *text, size_t size, enum options_verdict *verdict)
{
	char *argv[] = { (char *)"test", (char *)flag, (char *)"--topics=t", (char *)"--password=hunter2" };
	int saved = dup(STDOUT_FILENO);
	FILE *file = tmpfile();
	struct err err = ERR_INIT;

	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	assert_int_equal(options_load(&program, ARRAY_LEN(argv), argv, NULL, NULL, verdict, &err), 0);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(file);
	text[fread(text, 1, size - 1, file)] = '\0';
	fclose(file);
	options_clear(&program);
}

static const struct row {
	const char *flag, *exact, *part;
} rows[] = {
	{ "--print-options-page", page, NULL },
	{ "--version", "test " FOREBAY_VERSION "\n", NULL },
	{ "--check", "{\"topics\":\"t\",\"password\":\"[hidden]\",\"queue.bytes\":65536,\"tolerance\":\"none\"}\n",
	  NULL },
	{ "--help", NULL, "usage: test [--config FILE] [--KEY=VALUE]...\n" },
	{ "--help", NULL, "  --topics=text  (required; 1..200 bytes)\n\twhat is read: a|b, <c>\n" },
	{ "--help", NULL, "  --queue.bytes=bytes  (64k; 1..1536k bytes)\n" },
	{ "-h", NULL, "  --tolerance=word  (none; one of none, all)\n" },
	{ "-h", NULL, "  --consumer.override.*=text\n\tto the client\n" },
};

static void
prints(void **state)
{
	const struct row *row = *state;
	enum options_verdict verdict;
	char text[8192];

	printed(row->flag, text, sizeof(text), &verdict);
	assert_int_equal(verdict, OPTIONS_DONE);
	assert_null(strstr(text, "hunter2"));
	if (row->exact)
		assert_string_equal(text, row->exact);
	else
		assert_non_null(strstr(text, row->part));
}

/* Help is given even when the rest is wrong. */
static void
help_wins(void **state)
{
	char *argv[] = { (char *)"test", (char *)"--nonsense", (char *)"--print-options-page" };
	int saved = dup(STDOUT_FILENO);
	enum options_verdict verdict;
	struct err err = ERR_INIT;

	fflush(stdout);
	assert_non_null(freopen("/dev/null", "w", stdout));
	assert_int_equal(options_load(&program, ARRAY_LEN(argv), argv, NULL, NULL, &verdict, &err), 0);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	assert_int_equal(verdict, OPTIONS_DONE);
}

static void
a_full_disk_is_told(void **state)
{
	CLEANUP(file_close)
	FILE *full = fopen("/dev/full", "we");

	if (!full)
		skip();
	setvbuf(full, NULL, _IONBF, 0);
	assert_int_equal(options_page(&program, full), -1);
}

static void
a_full_buffer_is_told(void **state)
{
	char *argv[] = { (char *)"test", (char *)"--topics=t" };
	CLEANUP(buffer_clear)
	struct buffer small = BUFFER_INIT(40);
	enum options_verdict verdict;
	struct err err = ERR_INIT;

	assert_int_equal(options_load(&program, ARRAY_LEN(argv), argv, NULL, NULL, &verdict, &err), 0);
	assert_int_equal(options_json(&program, &small), -1);
	assert_int_equal(small.len, 0);
	options_clear(&program);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 3] = {
		cmocka_unit_test(help_wins),
		cmocka_unit_test(a_full_disk_is_told),
		cmocka_unit_test(a_full_buffer_is_told),
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[3 + i] =
		    (struct CMUnitTest){ .name = rows[i].flag, .test_func = prints, .initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, environment_clear, NULL);
}
