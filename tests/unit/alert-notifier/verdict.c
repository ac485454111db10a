/* What an answer means, and when the next attempt is. */
#include "workers/alert-notifier/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/base/cleanup.h"

static const struct row {
	const char *name;
	struct http_answer answer;
	enum verdict verdict;
	enum err_reason reason;
	const char *says;
} rows[] = {
	{ "200", { .status = 200 }, VERDICT_DELIVERED, REASON_NONE, "" },
	{ "204", { .status = 204 }, VERDICT_DELIVERED, REASON_NONE, "" },
	{ "299", { .status = 299 }, VERDICT_DELIVERED, REASON_NONE, "" },
	{ "no answer",
	  { .text = "Connection refused" },
	  VERDICT_AGAIN,
	  REASON_DELIVERY_FAILED,
	  "hook: Connection refused" },
	{ "a redirect",
	  { .status = 301, .location = "https://h/x" },
	  VERDICT_AGAIN,
	  REASON_DELIVERY_FAILED,
	  "hook: 301: redirects are not followed; this one points to https://h/x: give the address itself" },
	{ "304",
	  { .status = 304 },
	  VERDICT_AGAIN,
	  REASON_DELIVERY_FAILED,
	  "hook: 304: redirects are not followed: give the address itself" },
	{ "400",
	  { .status = 400, .text = "bad \"x\"" },
	  VERDICT_REFUSED,
	  REASON_DELIVERY_REFUSED,
	  "hook: 400: bad \"x\"" },
	{ "401", { .status = 401 }, VERDICT_REFUSED, REASON_DELIVERY_REFUSED, "hook: 401" },
	{ "404", { .status = 404 }, VERDICT_REFUSED, REASON_DELIVERY_REFUSED, "hook: 404" },
	{ "410", { .status = 410 }, VERDICT_REFUSED, REASON_DELIVERY_REFUSED, "hook: 410" },
	{ "408", { .status = 408 }, VERDICT_AGAIN, REASON_DELIVERY_FAILED, "hook: 408" },
	{ "425", { .status = 425 }, VERDICT_AGAIN, REASON_DELIVERY_FAILED, "hook: 425" },
	{ "429", { .status = 429, .text = "slower" }, VERDICT_AGAIN, REASON_DELIVERY_FAILED, "hook: 429: slower" },
	{ "500", { .status = 500 }, VERDICT_AGAIN, REASON_DELIVERY_FAILED, "hook: 500" },
	{ "503", { .status = 503 }, VERDICT_AGAIN, REASON_DELIVERY_FAILED, "hook: 503" },
};

static void
judges(void **state)
{
	const struct row *row = *state;
	struct err why = ERR_INIT;

	assert_int_equal(verdict_of(&row->answer, "hook", &why), row->verdict);
	assert_int_equal(why.reason, row->reason);
	assert_string_equal(why.text, row->says);
}

static const struct pause {
	const char *name;
	int64_t attempts, retry_after_ms, least, most;
} pauses[] = {
	{ "the first", 1, -1, 500, 1000 },
	{ "the second", 2, -1, 1000, 2000 },
	{ "the fifth", 5, -1, 8000, 16000 },
	{ "at the limit", 7, -1, 30000, 60000 },
	{ "far beyond", 1000000, -1, 30000, 60000 },
	{ "asked for less", 5, 100, 8000, 16000 },
	{ "asked for more", 1, 120000, 120000, 120000 },
	{ "asked for too much", 1, INT64_MAX, 3600000, 3600000 },
};

static void
pauses_for(void **state)
{
	static const struct schedule s = { 1000, 60000 };
	const struct pause *row = *state;
	int64_t first = schedule_pause_ms(&s, row->attempts, 1, row->retry_after_ms);
	size_t others = 0;

	for (uint64_t who = 1; who <= 1000; who++) {
		int64_t ms = schedule_pause_ms(&s, row->attempts, who, row->retry_after_ms);

		assert_in_range(ms, row->least, row->most);
		assert_int_equal(ms, schedule_pause_ms(&s, row->attempts, who, row->retry_after_ms));
		others += ms != first;
	}
	assert_true(row->least == row->most || others > 900); /* they do not come back together */
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + ARRAY_LEN(pauses)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[n++] =
		    (struct CMUnitTest){ .name = rows[i].name, .test_func = judges, .initial_state = (void *)&rows[i] };
	for (size_t i = 0; i < ARRAY_LEN(pauses); i++)
		tests[n++] = (struct CMUnitTest){ .name = pauses[i].name,
						  .test_func = pauses_for,
						  .initial_state = (void *)&pauses[i] };
	return _cmocka_run_group_tests("verdict", tests, n, NULL, NULL);
}
