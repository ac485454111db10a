/* How far behind workers may be: what the option says, and what follows from looks one after another. */
#include "cli/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/clock.h"

/* ---- the option ---- */

static const struct said {
	const char *name, *list;
	const char *limits; /* "worker=records;" each; NULL: refused */
	const char *why;    /* what the refusal says */
	int64_t batch;      /* messages between two looks */
} said[] = {
	{ "nobody", "", "", NULL, 1 },
	{ "one", "ingest-router=100", "ingest-router=100;", NULL, 100 },
	{ "two, in their order", "realtime-scorer=7,batch-forecaster=0", "realtime-scorer=7;batch-forecaster=0;", NULL,
	  7 },
	{ "by its group", "forebay-etl-preprocessor=1", "etl-preprocessor=1;", NULL, 1 },
	{ "by no record", "etl-preprocessor=0", "etl-preprocessor=0;", NULL, 1 },
	{ "the greatest", "sink-writer=9223372036854775807", "sink-writer=9223372036854775807;", NULL, PACE_BATCH_MAX },
	{ "too great", "sink-writer=9223372036854775808", NULL,
	  "'sink-writer=9223372036854775808' is not worker=records" },
	{ "no number", "ingest-router=", NULL, "'ingest-router=' is not worker=records" },
	{ "no equals sign", "ingest-router", NULL, "'ingest-router' is not worker=records" },
	{ "a number's unit", "ingest-router=1k", NULL, "'ingest-router=1k' is not worker=records" },
	{ "below zero", "ingest-router=-1", NULL, "'ingest-router=-1' is not worker=records" },
	{ "the second one is wrong", "ingest-router=1,etl-preprocessor", NULL,
	  "'etl-preprocessor' is not worker=records" },
	{ "nothing between commas", "ingest-router=1,,sink-writer=1", NULL, "'' is not worker=records" },
	{ "nothing behind a comma", "ingest-router=1,", NULL, "'' is not worker=records" },
	{ "an unknown worker", "router=1", NULL, "'router' is neither a worker" },
	{ "without a name", "=1", NULL, "'' is neither a worker" },
	{ "twice, once by its group", "ingest-router=1,forebay-ingest-router=2", NULL, "ingest-router is named twice" },
};

static void
is_read(void **state)
{
	const struct said *row = *state;
	struct pace_limits limits;
	struct err err = ERR_INIT;
	char text[256] = "";

	if (!row->limits) {
		assert_int_equal(pace_parse(row->list, &limits, &err), -1);
		assert_int_equal(err.reason, REASON_USAGE);
		assert_non_null(strstr(err.text, "--lag.max.records"));
		assert_non_null(strstr(err.text, row->why));
		return;
	}
	assert_int_equal(pace_parse(row->list, &limits, &err), 0);
	for (size_t i = 0; i < limits.n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s=%lld;", limits.at[i].member->worker,
			 (long long)limits.at[i].records);
	assert_string_equal(text, row->limits);
	assert_int_equal(pace_batch(&limits), row->batch);
}

static void
has_room_for_the_whole_fleet(void **state)
{
	(void)state;
	assert_true(fleet_member_count <= PACE_LIMITS_MAX);
}

/* ---- looks ---- */

#define TIMEOUT_S 10

/* Two workers that may lag by ten and by no record. */
struct look {
	int64_t at_s, lag[2], committed[2];
	enum pace_verdict verdict;
	size_t who; /* is stuck */
};

static const struct course {
	const char *name;
	struct look looks[5];
	size_t n;
} courses[] = {
	{ "as far as allowed", { { 1, { 10, 0 }, { 5, 5 }, PACE_FOLLOWS, 0 } }, 1 },
	{ "one further", { { 1, { 11, 0 }, { 5, 5 }, PACE_BEHIND, 0 } }, 1 },
	{ "the other one", { { 1, { 0, 1 }, { 5, 5 }, PACE_BEHIND, 0 } }, 1 },
	{ "behind and reading, for as long as it likes",
	  { { 1, { 90, 0 }, { 5, 5 }, PACE_BEHIND, 0 },
	    { 11, { 80, 0 }, { 15, 5 }, PACE_BEHIND, 0 },
	    { 21, { 70, 0 }, { 25, 5 }, PACE_BEHIND, 0 },
	    { 31, { 10, 0 }, { 85, 5 }, PACE_FOLLOWS, 0 } },
	  4 },
	{ "behind and reading nothing",
	  { { 1, { 90, 0 }, { 5, 5 }, PACE_BEHIND, 0 },
	    { 11, { 90, 0 }, { 5, 5 }, PACE_BEHIND, 0 },
	    { 12, { 90, 0 }, { 5, 5 }, PACE_STUCK, 0 } },
	  3 },
	{ "one reads, the other does not",
	  { { 1, { 90, 9 }, { 5, 5 }, PACE_BEHIND, 0 }, { 12, { 80, 9 }, { 15, 5 }, PACE_STUCK, 1 } },
	  2 },
	{ "a topic made anew is no standstill",
	  { { 1, { 90, 0 }, { 50, 5 }, PACE_BEHIND, 0 }, { 12, { 90, 0 }, { 5, 5 }, PACE_BEHIND, 0 } },
	  2 },
	{ "the time is that of being behind, not of having nothing to read",
	  { { 1, { 90, 0 }, { 5, 5 }, PACE_BEHIND, 0 },
	    { 2, { 0, 0 }, { 95, 5 }, PACE_FOLLOWS, 0 },
	    { 50, { 11, 0 }, { 95, 5 }, PACE_BEHIND, 0 },
	    { 60, { 11, 0 }, { 95, 5 }, PACE_BEHIND, 0 },
	    { 61, { 11, 0 }, { 95, 5 }, PACE_STUCK, 0 } },
	  5 },
};

static void
is_judged(void **state)
{
	const struct course *row = *state;
	struct pace_limits limits = { .at = { { .records = 10 }, { .records = 0 } }, .n = 2 };

	for (size_t i = 0; i < row->n; i++) {
		const struct look *l = &row->looks[i];
		struct fleet_group groups[2] = { { .lag = l->lag[0], .committed = l->committed[0] },
						 { .lag = l->lag[1], .committed = l->committed[1] } };
		const struct fleet_look look = { .at_us = l->at_s * US_PER_SECOND, .groups = groups, .n_groups = 2 };
		size_t who = 0;

		assert_int_equal(pace_judge(&limits, &look, TIMEOUT_S * US_PER_SECOND, &who), l->verdict);
		assert_int_equal(who, l->who);
	}
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(said) + ARRAY_LEN(courses) + 1];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(said); i++)
		tests[n++] = (struct CMUnitTest){ said[i].name, is_read, NULL, NULL, (void *)&said[i] };
	for (size_t i = 0; i < ARRAY_LEN(courses); i++)
		tests[n++] = (struct CMUnitTest){ courses[i].name, is_judged, NULL, NULL, (void *)&courses[i] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(has_room_for_the_whole_fleet);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
