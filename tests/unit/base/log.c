/* Names of levels; a line is one JSON object, whatever its values are. */
#include "common/base/log.h"

#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

static const struct row {
	const char *name;
	int result;
	enum log_level level;
} rows[] = {
	{ "trace", 0, LOG_TRACE },  { "DEBUG", 0, LOG_DEBUG }, { "Info", 0, LOG_INFO },   { "warn", 0, LOG_WARN },
	{ "WARNING", 0, LOG_WARN }, { "error", 0, LOG_ERROR }, { "FATAL", 0, LOG_ERROR }, { "OFF", 0, LOG_ERROR },
	{ "", -1, LOG_INFO },       { "infos", -1, LOG_INFO }, { "inf", -1, LOG_INFO },
};

static void
level_of(void **state)
{
	const struct row *row = *state;
	enum log_level level = LOG_INFO;

	assert_int_equal(log_level_parse(row->name, &level), row->result);
	assert_int_equal(level, row->level);
}

static void
names_come_back(void **state)
{
	for (int i = LOG_TRACE; i <= LOG_ERROR; i++) {
		enum log_level level = LOG_INFO;

		assert_int_equal(log_level_parse(log_level_name((enum log_level)i), &level), 0);
		assert_int_equal(level, i);
	}
}

/* What reached standard error since log_capture(), as text. */
static int saved_stderr, capture[2];

static void
log_capture(void)
{
	assert_int_equal(pipe2(capture, O_NONBLOCK), 0);
	saved_stderr = dup(STDERR_FILENO);
	dup2(capture[1], STDERR_FILENO);
}

static void
log_captured(char *text, size_t size)
{
	ssize_t n = read(capture[0], text, size - 1);

	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(capture[0]);
	close(capture[1]);
	text[n > 0 ? n : 0] = '\0';
}

static void
json_release_cleanup(json_t **json)
{
	json_decref(*json);
}

static void
a_line_is_an_object(void **state)
{
	CLEANUP(json_release)
	json_t *line = NULL;
	struct err err = ERR_INIT;
	char text[32768];

	err_set(&err, REASON_JSON_UTF8, "byte 3 is \xff");
	log_identity("test-worker", "pod-0");
	log_capture();
	log_error(LOG_WARN, "dead letter", &err, "topic", LOG_S("a\"b"), "offset", LOG_I(INT64_MIN), "load",
		  LOG_F(0.25), "nothing", LOG_S(NULL), "infinite", LOG_F(INFINITY), NULL);
	log_captured(text, sizeof(text));
	assert_int_equal(strcspn(text, "\n"), strlen(text) - 1);
	line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(line);
	assert_string_equal(json_string_value(json_object_get(line, "level")), "warn");
	assert_string_equal(json_string_value(json_object_get(line, "worker")), "test-worker");
	assert_string_equal(json_string_value(json_object_get(line, "instance")), "pod-0");
	assert_string_equal(json_string_value(json_object_get(line, "event")), "dead letter");
	assert_string_equal(json_string_value(json_object_get(line, "reason")), "JSON_UTF8");
	assert_string_equal(json_string_value(json_object_get(line, "error")), "byte 3 is \xef\xbf\xbd");
	assert_string_equal(json_string_value(json_object_get(line, "topic")), "a\"b");
	assert_true(json_integer_value(json_object_get(line, "offset")) == INT64_MIN);
	assert_true(json_real_value(json_object_get(line, "load")) == 0.25);
	assert_string_equal(json_string_value(json_object_get(line, "nothing")), "");
	assert_true(json_is_null(json_object_get(line, "infinite")));
	assert_int_equal(json_string_length(json_object_get(line, "time")), 27);
}

/* A value larger than a line is left out; what comes before and after it stays. */
static void
too_long_stays_json(void **state)
{
	CLEANUP(json_release)
	json_t *line = NULL;
	CLEANUP(heap_free)
	char *huge = malloc(100001);
	char text[32768];

	memset(huge, 'x', 100000);
	huge[100000] = '\0';
	log_capture();
	log_event(LOG_ERROR, "odd", "before", LOG_I(1), "huge", LOG_S(huge), "after", LOG_I(2), NULL);
	log_captured(text, sizeof(text));
	line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(line);
	assert_int_equal(json_integer_value(json_object_get(line, "before")), 1);
	assert_int_equal(json_integer_value(json_object_get(line, "after")), 2);
	assert_null(json_object_get(line, "huge"));
}

static void
below_the_level_is_silence(void **state)
{
	char text[1024];

	log_set_level(LOG_WARN);
	log_capture();
	log_event(LOG_INFO, "unheard", NULL);
	log_captured(text, sizeof(text));
	assert_string_equal(text, "");
	assert_int_equal(log_get_level(), LOG_WARN);
	log_set_level(LOG_INFO);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 4] = {
		cmocka_unit_test(names_come_back),
		cmocka_unit_test(a_line_is_an_object),
		cmocka_unit_test(too_long_stays_json),
		cmocka_unit_test(below_the_level_is_silence),
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[4 + i] = (struct CMUnitTest){ .name = rows[i].name,
						    .test_func = level_of,
						    .initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
