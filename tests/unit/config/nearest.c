/* What a mistyped word is likely to mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/config/options.h"

static const char *const keys[] = {
	"commit.interval.ms", "batch.max.records", "batch.max.bytes", "topics", "listen", "a"
};

static const struct row {
	const char *word, *nearest;
} rows[] = {
	{ "commit.intervall.ms", "commit.interval.ms" },
	{ "commit.interval", "commit.interval.ms" },
	{ "comit.intreval.ms", "commit.interval.ms" },
	{ "commit-interval-ms", "commit.interval.ms" },
	{ "batch.max.byte", "batch.max.bytes" },
	{ "batch.max.record", "batch.max.records" },
	{ "topic", "topics" },
	{ "tpoics", "topics" },
	{ "lisen", "listen" },
	{ "topics", "topics" },
	{ "b", NULL }, /* a whole word replaced is no likeness */
	{ "", NULL },
	{ "group.id", NULL },
	{ "completely.different.key", NULL },
};

static void
suggests(void **state)
{
	const struct row *row = *state;
	const char *near = options_nearest(row->word, keys, ARRAY_LEN(keys));

	if (row->nearest)
		assert_string_equal(near ? near : "(none)", row->nearest);
	else
		assert_null(near);
}

static void
endless_words(void **state)
{
	char word[1000];
	const char *const long_keys[] = { word };

	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_null(options_nearest(word, keys, ARRAY_LEN(keys)));
	assert_null(options_nearest("xxxxxxx", long_keys, 1));
	assert_null(options_nearest("topics", NULL, 0));
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 1] = { cmocka_unit_test(endless_words) };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[1 + i] = (struct CMUnitTest){ .name = rows[i].word,
						    .test_func = suggests,
						    .initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
