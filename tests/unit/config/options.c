/* Loading: a row is a file, an environment and a command line, and the configuration or the error that they give. */
#include "common/config/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "tests/unit/config/support.h"

static struct target {
	char *servers, *password;
	bool verbose;
	int64_t interval_ms, records, bytes;
	double ratio;
	int tolerance;
} target;

static const struct option table[] = {
	{ "bootstrap.servers", OPTION_TEXT, offsetof(struct target, servers), NULL, 1, 40, "", "brokers" },
	{ "password", OPTION_SECRET, offsetof(struct target, password), "", 0, 20, "", "a secret" },
	{ "verbose", OPTION_BOOL, offsetof(struct target, verbose), "false", 0, 0, "", "more words" },
	{ "commit.interval.ms", OPTION_INT, offsetof(struct target, interval_ms), "100", 1, 60000, "ms", "time" },
	{ "batch.max.records", OPTION_INT, offsetof(struct target, records), "-1", 0, 0, "records", "number" },
};
static const struct option more[] = {
	{ "queue.bytes", OPTION_BYTES, offsetof(struct target, bytes), "64k", 1024, 1073741824, "bytes", "size" },
	{ "ratio", OPTION_REAL, offsetof(struct target, ratio), "0.5", 0, 1, "", "share" },
	{ "errors.tolerance", OPTION_CHOICE, offsetof(struct target, tolerance), "none", 0, 0, "none|all", "poison" },
};
static const struct option_set sets[] = {
	{ "First", table, ARRAY_LEN(table), &target },
	{ "Second", more, ARRAY_LEN(more), &target },
};
static struct property_list lists[] = { { "consumer.override.", "client properties", NULL, 0 } };
static const struct option_program program = { "test", "a test", sets, ARRAY_LEN(sets), lists, ARRAY_LEN(lists) };

#define REST ",\"queue.bytes\":65536,\"ratio\":0.5,\"errors.tolerance\":\"none\"}"
#define DEFAULTS ",\"password\":\"\",\"verbose\":false,\"commit.interval.ms\":100,\"batch.max.records\":-1" REST
#define WITH_INTERVAL(n)                                                                             \
	"{\"bootstrap.servers\":\"b\",\"password\":\"\",\"verbose\":false,\"commit.interval.ms\":" n \
	",\"batch.max.records\":-1" REST

static const struct row {
	const char *name, *file;
	const char *environment[3]; /* NAME=VALUE */
	const char *words[6];
	const char *json; /* NULL: fails */
	enum err_reason reason;
	const char *error;
} rows[] = {
	{ "the defaults", NULL, { 0 }, { "--bootstrap.servers=b" }, "{\"bootstrap.servers\":\"b\"" DEFAULTS, 0, "" },
	{ "from the file", "bootstrap.servers=f\n", { 0 }, { 0 }, "{\"bootstrap.servers\":\"f\"" DEFAULTS, 0, "" },
	{ "from the environment",
	  "bootstrap.servers=f\n",
	  { "FOREBAY_BOOTSTRAP_SERVERS=e" },
	  { 0 },
	  "{\"bootstrap.servers\":\"e\"" DEFAULTS,
	  0,
	  "" },
	{ "from a flag",
	  "bootstrap.servers=f\n",
	  { "FOREBAY_BOOTSTRAP_SERVERS=e" },
	  { "--bootstrap.servers=g" },
	  "{\"bootstrap.servers\":\"g\"" DEFAULTS,
	  0,
	  "" },
	{ "the last flag",
	  NULL,
	  { 0 },
	  { "--bootstrap.servers=b", "--commit.interval.ms=1", "--commit.interval.ms=2" },
	  WITH_INTERVAL("2"),
	  0,
	  "" },
	{ "as two words",
	  NULL,
	  { 0 },
	  { "--bootstrap.servers", "b", "--commit.interval.ms", "7" },
	  WITH_INTERVAL("7"),
	  0,
	  "" },
	{ "with dashes",
	  NULL,
	  { 0 },
	  { "--bootstrap-servers", "b", "--commit-interval-ms=8" },
	  WITH_INTERVAL("8"),
	  0,
	  "" },
	{ "a weaker mistake is not looked at",
	  "commit.interval.ms=x\n",
	  { 0 },
	  { "--bootstrap.servers=b", "--commit.interval.ms=9" },
	  WITH_INTERVAL("9"),
	  0,
	  "" },
	{ "variables of others",
	  NULL,
	  { "FOREBAY_STACK_DIR=/x", "FOREBAY_COMMIT_INTERVALL_MS=3" },
	  { "--bootstrap.servers=b" },
	  WITH_INTERVAL("100"),
	  0,
	  "" },
	{ "every type",
	  "bootstrap.servers=b\npassword=p\nverbose=YES\nbatch.max.records=-7\nqueue.bytes=16MiB\nratio=1e-3\nerrors.tolerance=All\n",
	  { 0 },
	  { 0 },
	  "{\"bootstrap.servers\":\"b\",\"password\":\"[hidden]\",\"verbose\":true,\"commit.interval.ms\":100,\"batch.max.records\":-7,"
	  "\"queue.bytes\":16777216,\"ratio\":0.001,\"errors.tolerance\":\"all\"}",
	  0,
	  "" },
	{ "bare bool",
	  NULL,
	  { 0 },
	  { "--verbose", "--bootstrap.servers=b" },
	  "{\"bootstrap.servers\":\"b\",\"password\":\"\",\"verbose\":true,\"commit.interval.ms\":100,\"batch.max.records\":-1" REST,
	  0,
	  "" },
	{ "bool as two words",
	  "verbose=on\n",
	  { 0 },
	  { "--verbose", "off", "--bootstrap.servers=b" },
	  WITH_INTERVAL("100"),
	  0,
	  "" },
	{ "a negative number as two words",
	  NULL,
	  { 0 },
	  { "--bootstrap.servers=b", "--batch.max.records", "-1" },
	  WITH_INTERVAL("100"),
	  0,
	  "" },
	{ "passed through, strongest first, sorted, secrets hidden",
	  "consumer.override.session.timeout.ms=1\nconsumer.override.fetch.min.bytes=5\nconsumer.override.sasl.password=p\n",
	  { "FOREBAY_CONSUMER_OVERRIDE_FETCH_MIN_BYTES=6", "WORD=w" },
	  { "--bootstrap.servers=b", "--consumer.override.session.timeout.ms", "2",
	    "--consumer.override.client.rack=${env:WORD}" },
	  "{\"bootstrap.servers\":\"b\",\"password\":\"\",\"verbose\":false,\"commit.interval.ms\":100,\"batch.max.records\":-1,"
	  "\"queue.bytes\":65536,\"ratio\":0.5,\"errors.tolerance\":\"none\",\"consumer.override.client.rack\":\"[hidden]\","
	  "\"consumer.override.fetch.min.bytes\":\"6\",\"consumer.override.sasl.password\":\"[hidden]\",\"consumer.override.session.timeout.ms\":\"2\"}",
	  0,
	  "" },

	{ "required",
	  NULL,
	  { 0 },
	  { 0 },
	  NULL,
	  REASON_OPTION_INVALID,
	  "bootstrap.servers: required; give it in the file of --config (bootstrap.servers=...), in the environment (FOREBAY_BOOTSTRAP_SERVERS=...) or as a flag (--bootstrap.servers=...)" },
	{ "required, but empty",
	  NULL,
	  { "FOREBAY_BOOTSTRAP_SERVERS=" },
	  { 0 },
	  NULL,
	  REASON_OPTION_INVALID,
	  "bootstrap.servers: may not be empty (1..40 bytes) (environment FOREBAY_BOOTSTRAP_SERVERS)" },
	{ "too long",
	  NULL,
	  { 0 },
	  { "--bootstrap.servers=12345678901234567890123456789012345678901" },
	  NULL,
	  REASON_OPTION_INVALID,
	  "bootstrap.servers: 41 bytes long, allowed is 1..40 bytes (flag --bootstrap.servers)" },
	{ "unknown in the file",
	  "#\n\ncommit.intervall.ms=3\n",
	  { 0 },
	  { 0 },
	  NULL,
	  REASON_OPTION_UNKNOWN,
	  "commit.intervall.ms: unknown key (t.properties:3); did you mean commit.interval.ms?" },
	{ "unknown, nothing near",
	  "kafka.url=x\n",
	  { 0 },
	  { 0 },
	  NULL,
	  REASON_OPTION_UNKNOWN,
	  "kafka.url: unknown key (t.properties:1); --help lists all keys" },
	{ "unknown as a flag",
	  NULL,
	  { 0 },
	  { "--comit-interval-ms=3" },
	  NULL,
	  REASON_OPTION_UNKNOWN,
	  "comit.interval.ms: unknown key (flag --comit-interval-ms); did you mean commit.interval.ms?" },
	{ "unknown flag of all programs",
	  NULL,
	  { 0 },
	  { "--cofnig=x" },
	  NULL,
	  REASON_OPTION_UNKNOWN,
	  "cofnig: unknown key (flag --cofnig); did you mean config?" },
	{ "not a number",
	  NULL,
	  { "FOREBAY_BATCH_MAX_RECORDS=ten" },
	  { "--bootstrap.servers=b" },
	  NULL,
	  REASON_OPTION_INVALID,
	  "batch.max.records: \"ten\" is not a whole number (environment FOREBAY_BATCH_MAX_RECORDS)" },
	{ "a number and more",
	  NULL,
	  { 0 },
	  { "--bootstrap.servers=b", "--batch.max.records=10ms" },
	  NULL,
	  REASON_OPTION_INVALID,
	  "batch.max.records: \"10ms\" is not a whole number (flag --batch.max.records)" },
	{ "a number too large for any",
	  NULL,
	  { 0 },
	  { "--bootstrap.servers=b", "--batch.max.records=9223372036854775808" },
	  NULL,
	  REASON_OPTION_INVALID,
	  "batch.max.records: \"9223372036854775808\" is not a whole number (flag --batch.max.records)" },
	{ "outside",
	  "bootstrap.servers=b\ncommit.interval.ms=0\n",
	  { 0 },
	  { 0 },
	  NULL,
	  REASON_OPTION_INVALID,
	  "commit.interval.ms: 0 is outside 1..60000 ms (t.properties:2)" },
	{ "bytes outside",
	  NULL,
	  { 0 },
	  { "--bootstrap.servers=b", "--queue.bytes=2g" },
	  NULL,
	  REASON_OPTION_INVALID,
	  "queue.bytes: 2g is outside 1k..1G bytes (flag --queue.bytes)" },
	{ "bytes with another unit",
	  NULL,
	  { 0 },
	  { "--bootstrap.servers=b", "--queue.bytes=2x" },
	  NULL,
	  REASON_OPTION_INVALID,
	  "queue.bytes: \"2x\" is not a number of bytes (512, 64k, 16M, 1G) (flag --queue.bytes)" },
	{ "bytes beyond all",
	  NULL,
	  { 0 },
	  { "--bootstrap.servers=b", "--queue.bytes=99999999999T" },
	  NULL,
	  REASON_OPTION_INVALID,
	  "queue.bytes: \"99999999999T\" is not a number of bytes (512, 64k, 16M, 1G) (flag --queue.bytes)" },
	{ "neither true nor false",
	  NULL,
	  { 0 },
	  { "--bootstrap.servers=b", "--verbose=maybe" },
	  NULL,
	  REASON_OPTION_INVALID,
	  "verbose: \"maybe\" is neither true nor false (flag --verbose)" },
	{ "not a choice",
	  NULL,
	  { 0 },
	  { "--bootstrap.servers=b", "--errors.tolerance=some" },
	  NULL,
	  REASON_OPTION_INVALID,
	  "errors.tolerance: \"some\" is not one of none, all (flag --errors.tolerance)" },
	{ "not finite",
	  NULL,
	  { 0 },
	  { "--bootstrap.servers=b", "--ratio=nan" },
	  NULL,
	  REASON_OPTION_INVALID,
	  "ratio: \"nan\" is not a number (flag --ratio)" },
	{ "a secret is not shown",
	  NULL,
	  { "WORD=a-very-long-s3cret-indeed" },
	  { "--bootstrap.servers=b", "--password=${env:WORD}" },
	  NULL,
	  REASON_OPTION_INVALID,
	  "password: 25 bytes long, allowed is at most 20 bytes (flag --password)" },
	{ "nor is what ${...} led to",
	  NULL,
	  { "WORD=s3cret" },
	  { "--bootstrap.servers=b", "--batch.max.records=${env:WORD}" },
	  NULL,
	  REASON_OPTION_INVALID,
	  "batch.max.records: the value is not a whole number (flag --batch.max.records)" },
	{ "nor outside of a range",
	  NULL,
	  { "WORD=0" },
	  { "--bootstrap.servers=b", "--commit.interval.ms=${env:WORD}" },
	  NULL,
	  REASON_OPTION_INVALID,
	  "commit.interval.ms: the value is outside 1..60000 ms (flag --commit.interval.ms)" },
	{ "a reference to nothing",
	  "bootstrap.servers=b\npassword=${env:NOWHERE}\n",
	  { 0 },
	  { 0 },
	  NULL,
	  REASON_OPTION_INVALID,
	  "password: ${env:NOWHERE}: no such environment variable (t.properties:2)" },
	{ "twice in the file",
	  "a=1\nbootstrap.servers=b\nbootstrap.servers=c\n",
	  { 0 },
	  { 0 },
	  NULL,
	  REASON_OPTION_UNKNOWN,
	  "a: unknown key (t.properties:1); --help lists all keys" },
	{ "twice in the file, known",
	  "bootstrap.servers=b\n\nbootstrap.servers=c\n",
	  { 0 },
	  { 0 },
	  NULL,
	  REASON_FILE_INVALID,
	  "t.properties:3: bootstrap.servers is given twice, first in line 1" },
	{ "no such file",
	  NULL,
	  { "FOREBAY_CONFIG=nowhere" },
	  { 0 },
	  NULL,
	  REASON_FILE_UNREADABLE,
	  "nowhere: No such file or directory (environment FOREBAY_CONFIG)" },
	{ "no such file by flag",
	  NULL,
	  { "FOREBAY_CONFIG=t.properties" },
	  { "--config", "nowhere" },
	  NULL,
	  REASON_FILE_UNREADABLE,
	  "nowhere: No such file or directory (flag --config)" },
	{ "no value",
	  NULL,
	  { 0 },
	  { "--bootstrap.servers", "--verbose" },
	  NULL,
	  REASON_USAGE,
	  "--bootstrap.servers: needs a value (--bootstrap.servers=...)" },
	{ "a short flag",
	  NULL,
	  { 0 },
	  { "-v" },
	  NULL,
	  REASON_USAGE,
	  "-v: unknown flag; flags are written --key=value (--help)" },
	{ "a word",
	  NULL,
	  { 0 },
	  { "--bootstrap.servers=b", "password=s3cret" },
	  NULL,
	  REASON_USAGE,
	  "password: unexpected word; flags are written --key=value (--help)" },
};

static int
load(const struct row *row, char **n_argv, int argc, struct err *err)
{
	enum options_verdict verdict;
	int result;

	for (size_t i = 0; i < ARRAY_LEN(row->environment) && row->environment[i]; i++)
		putenv((char *)row->environment[i]);
	result = options_load(&program, argc, n_argv, NULL, NULL, &verdict, err);
	assert_int_equal(verdict, OPTIONS_RUN);
	for (size_t i = 0; i < ARRAY_LEN(row->environment) && row->environment[i]; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(row->environment[i], "="), row->environment[i]);
		unsetenv(name);
	}
	return result;
}

static void
loads(void **state)
{
	const struct row *row = *state;
	CLEANUP(buffer_clear)
	struct buffer json = BUFFER_INIT(0);
	char *argv[16] = { (char *)"test" };
	struct err err = ERR_INIT;
	int argc = 1, result;

	if (row->file) {
		file_write("t.properties", row->file, strlen(row->file));
		argv[argc++] = (char *)"--config=t.properties";
	}
	for (size_t i = 0; i < ARRAY_LEN(row->words) && row->words[i]; i++)
		argv[argc++] = (char *)row->words[i];
	result = load(row, argv, argc, &err);
	assert_string_equal(err.text, row->error);
	assert_int_equal(err.reason, row->reason);
	assert_int_equal(result, row->json ? 0 : -1);
	if (!row->json) {
		assert_null(target.servers); /* nothing left to clear */
		assert_null(lists[0].items);
		return;
	}
	assert_int_equal(options_json(&program, &json), 0);
	buffer_append(&json, "", 1);
	assert_string_equal(json.ptr, row->json);
	options_clear(&program);
	assert_null(target.servers);
	options_clear(&program); /* twice is nothing */
}

/* Fields get what the text says, in the unit that the table names. */
static void
fields(void **state)
{
	char *argv[] = { (char *)"test", (char *)"--bootstrap.servers=a:1,b:2", (char *)"--queue.bytes=3M",
			 (char *)"--errors.tolerance=all", (char *)"--consumer.override.check.crcs=true" };
	enum options_verdict verdict;
	struct err err = ERR_INIT;

	memset(&target, 0xa5, sizeof(target)); /* what was there before does not matter */
	assert_int_equal(options_load(&program, ARRAY_LEN(argv), argv, NULL, NULL, &verdict, &err), 0);
	assert_string_equal(target.servers, "a:1,b:2");
	assert_string_equal(target.password, "");
	assert_false(target.verbose);
	assert_int_equal(target.bytes, 3 << 20);
	assert_int_equal(target.tolerance, 1);
	assert_int_equal(lists[0].n_items, 1);
	assert_string_equal(lists[0].items[0].key, "check.crcs");
	assert_string_equal(lists[0].items[0].value, "true");
	assert_false(lists[0].items[0].secret);
	options_clear(&program);
}

/* Words keep their order, flags come in front; the same ARGV can be read again. */
static void
words(void **state)
{
	char *argv[] = { (char *)"test",  (char *)"topics", (char *)"--bootstrap.servers",
			 (char *)"b",     (char *)"apply",  (char *)"--verbose",
			 (char *)"file",  (char *)"-",      (char *)"--",
			 (char *)"--help" };
	enum options_verdict verdict;
	struct err err = ERR_INIT;
	char **rest;
	int n_rest;

	for (int again = 0; again < 2; again++) {
		assert_int_equal(options_load(&program, ARRAY_LEN(argv), argv, &n_rest, &rest, &verdict, &err), 0);
		assert_int_equal(verdict, OPTIONS_RUN);
		assert_int_equal(n_rest, 5);
		assert_string_equal(rest[0], "topics");
		assert_string_equal(rest[1], "apply");
		assert_string_equal(rest[2], "file");
		assert_string_equal(rest[3], "-");
		assert_string_equal(rest[4], "--help");
		assert_string_equal(target.servers, "b");
		assert_true(target.verbose);
		options_clear(&program);
	}
}

static void
too_many_keys(void **state)
{
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(0);
	char *argv[] = { (char *)"test", (char *)"--config=many", (char *)"--bootstrap.servers=b" };
	enum options_verdict verdict;
	struct err err = ERR_INIT;

	for (int i = 0; i < 5000; i++)
		buffer_printf(&text, "consumer.override.k%d=v\n", i);
	file_write("many", text.ptr, text.len);
	assert_int_equal(options_load(&program, ARRAY_LEN(argv), argv, NULL, NULL, &verdict, &err), -1);
	assert_int_equal(err.reason, REASON_OPTION_INVALID);
	assert_non_null(strstr(err.text, "more than 4096 keys (many:"));
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 3] = {
		cmocka_unit_test(fields),
		cmocka_unit_test(words),
		cmocka_unit_test(too_many_keys),
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[3 + i] =
		    (struct CMUnitTest){ .name = rows[i].name, .test_func = loads, .initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
