/* plan.c -- a plan is what it was; what is none is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "workers/model-trainer/plan.h"

static void
round_trip(void **state)
{
	struct plan_range ranges[] = { { 0, 0, 17 }, { 5, INT64_C(1) << 53 | 1, INT64_MAX } };
	const struct training_plan plan = { .topic = SPAN("a \"topic\""),
					    .ranges = ranges,
					    .n_ranges = 2,
					    .step_us = 60000000,
					    .options = 1,
					    .data = UINT64_MAX };
	struct arena *arena = arena_new(1 << 12, 0);
	struct buffer text = BUFFER_INIT(0);
	struct training_plan back;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(plan_write(&plan, &text), 0);
	assert_int_equal(plan_read(buffer_span(&text), arena, &back, &err), 0);
	assert_true(span_equal(back.topic, plan.topic));
	assert_int_equal(back.n_ranges, 2);
	assert_memory_equal(&back.ranges[1].from, &ranges[1].from, 16);
	assert_int_equal(back.ranges[1].partition, 5);
	assert_true(back.step_us == plan.step_us && back.options == 1 && back.data == UINT64_MAX);
	buffer_clear(&text);
	arena_free(arena);
}

static void
refused(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"topic\":1,\"offsets\":[],\"step_us\":1,\"options\":\"1\",\"data\":\"1\"}",
		"{\"topic\":\"t\",\"offsets\":[[1,2]],\"step_us\":1,\"options\":\"1\",\"data\":\"1\"}",
		"{\"topic\":\"t\",\"offsets\":[[1,2,\"3\"]],\"step_us\":1,\"options\":\"1\",\"data\":\"1\"}",
		"{\"topic\":\"t\",\"offsets\":[7],\"step_us\":1,\"options\":\"1\",\"data\":\"1\"}",
	};
	struct arena *arena = arena_new(1 << 12, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct training_plan plan;
		struct err err = ERR_INIT;

		assert_int_equal(plan_read(span_of(texts[i]), arena, &plan, &err), -1);
		assert_int_equal(err.reason, REASON_STATE_CORRUPT);
	}
	arena_free(arena);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(round_trip), cmocka_unit_test(refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
