/* The headers of a dead letter. */
#include "common/kafka/deadletter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct span
value_of(const struct header *headers, size_t n, const char *name)
{
	struct span found = SPAN_NONE;
	int seen = 0;

	for (size_t i = 0; i < n; i++)
		if (strcmp(headers[i].name, name) == 0) {
			found = headers[i].value;
			seen++;
		}
	assert_true(seen <= 1); /* never twice */
	return found;
}

static const struct row {
	const char *name, *value;
} rows[] = {
	{ "__connect.errors.topic", "telemetry.raw" },
	{ "__connect.errors.partition", "3" },
	{ "__connect.errors.offset", "123456789012" },
	{ "__connect.errors.connector.name", "ingest-router" },
	{ "__connect.errors.task.id", "pod-0" },
	{ "__connect.errors.stage", "TRANSFORMATION" },
	{ "__connect.errors.class.name", "forebay.ingest-router" },
	{ "__connect.errors.exception.class.name", "forebay.TIME_RANGE" },
	{ "__connect.errors.exception.message", "too late" },
	{ "forebay.reason", "TIME_RANGE" },
	{ "forebay.worker", "ingest-router" },
	{ "forebay.device", "dev-1" },
	{ "forebay.attempt", "1" },
	{ "forebay.first.failed.at", "1970-01-01T00:00:01.000000Z" },
	{ "forebay.schema.id", "66051" },
};

static void
all_of_them(void **state)
{
	static const char value[] = { 0, 0, 1, 2, 3, 9 };
	const struct deadletter_source source = { "telemetry.raw",          3,   123456789012, SPAN("dev-1"),
						  { value, sizeof(value) }, NULL };
	const struct deadletter_origin origin = { "ingest-router", "pod-0", deadletter_stage(REASON_TIME_RANGE),
						  1000000, -1 };
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	struct err why = ERR_INIT, err = ERR_INIT;
	struct header *headers;
	size_t n;

	(void)state;
	err_set(&why, REASON_TIME_RANGE, "too late");
	assert_int_equal(deadletter_headers(&source, &origin, &why, arena, &headers, &n, &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span got = value_of(headers, n, rows[i].name);

		if (!span_equal(got, span_of(rows[i].value)))
			fail_msg("%s is \"%.*s\", not \"%s\"", rows[i].name, SPAN_ARG(got), rows[i].value);
	}
	assert_non_null(value_of(headers, n, "__connect.errors.exception.stacktrace").ptr);
	assert_null(value_of(headers, n, "forebay.timestamp.ms").ptr);
}

static void
texts_are_cut(void **state)
{
	char *key = malloc(5000);
	const struct deadletter_source source = { "t", 0, 0, { memset(key, 'k', 5000), 5000 }, SPAN_NONE, NULL };
	const struct deadletter_origin origin = { "w", "i", "TASK_PUT", 0, 42 };
	CLEANUP(arena_free)
	struct arena *arena = arena_new(4096, 0);
	struct err why = ERR_INIT, err = ERR_INIT;
	struct header *headers;
	size_t n;

	(void)state;
	err_set(&why, REASON_ROW_REFUSED, "%0500d", 1);
	assert_int_equal(deadletter_headers(&source, &origin, &why, arena, &headers, &n, &err), 0);
	for (size_t i = 0; i < n; i++)
		assert_true(headers[i].value.len <= DEADLETTER_MESSAGE_BYTES);
	assert_true(span_equal(value_of(headers, n, "forebay.timestamp.ms"), SPAN("42")));
	free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_of_them), cmocka_unit_test(texts_are_cut) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
