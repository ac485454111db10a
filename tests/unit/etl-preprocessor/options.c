/* options.c -- options that contradict each other, and the rule that the others make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "workers/etl-preprocessor/options.h"

static void
makes_a_rule(void **state)
{
	static const struct {
		int64_t step_ms, lateness_ms, gap_max_steps, window_steps, window_ms;
		enum err_reason reason;
		struct window_rule window;
		int64_t jump_us;
	} rows[] = {
		{ 1000, 5000, 60, 30, 0, REASON_NONE, { WINDOW_BY_COUNT, 30 }, 60000000 },
		{ 1000, 5000, 60, 30, 60000, REASON_NONE, { WINDOW_BY_TIME, 60 }, 60000000 },
		{ 1000, 90000, 60, 30, 0, REASON_NONE, { WINDOW_BY_COUNT, 30 }, 90000000 },
		{ 1000, 0, 60, 30, 1500, REASON_OPTION_INVALID, { 0 }, 0 },
		{ 1, 0, 60, 30, 31536000000, REASON_OPTION_INVALID, { 0 }, 0 },
		{ 31536000000, 0, 60, 100000, 0, REASON_OPTION_INVALID, { 0 }, 0 },
		{ 31536000000, 0, 1000000, 30, 0, REASON_OPTION_INVALID, { 0 }, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct etl_options opt = { .step_ms = rows[i].step_ms,
						 .lateness_ms = rows[i].lateness_ms,
						 .gap_max_steps = rows[i].gap_max_steps,
						 .window_steps = rows[i].window_steps,
						 .window_ms = rows[i].window_ms };
		struct cleaner_rule rule = { 0 };
		struct err err = ERR_INIT;

		assert_int_equal(etl_rule(&opt, 1 << 20, &rule, &err), rows[i].reason ? -1 : 0);
		assert_int_equal(err.reason, rows[i].reason);
		if (rows[i].reason)
			continue;
		assert_int_equal(rule.window.kind, rows[i].window.kind);
		assert_int_equal(rule.window.steps, rows[i].window.steps);
		assert_int_equal(rule.order.jump_us, rows[i].jump_us);
		assert_int_equal(rule.step_us, rows[i].step_ms * 1000);
	}
}

/* What may wait for its order has to fit into a state: readings that lateness.ms can hold at one in a millisecond. */
static void
has_room(void **state)
{
	static const struct {
		int64_t lateness_ms, reorder_max, window_steps, state_max_bytes;
		enum err_reason reason;
	} rows[] = {
		{ 10000, 1000, 60, 1 << 20, REASON_NONE },
		{ 10000, 1000, 100000, 1 << 20, REASON_NONE },
		{ 10000, 1000000, 60, 1 << 20, REASON_NONE },
		{ 86400000, 30000, 60, 1 << 20, REASON_NONE },
		{ 86400000, 1000000, 60, 1 << 20, REASON_OPTION_INVALID },
		{ 86400000, 1000000, 60, 1 << 25, REASON_NONE },
		{ 60000, 1000000, 60, 1 << 20, REASON_OPTION_INVALID },
		{ 10000, 1000, 60, 4096, REASON_OPTION_INVALID },
		{ 0, 1000000, 60, 4096, REASON_NONE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct etl_options opt = { .step_ms = 1000,
						 .lateness_ms = rows[i].lateness_ms,
						 .reorder_max = rows[i].reorder_max,
						 .gap_max_steps = 60,
						 .window_steps = rows[i].window_steps };
		struct cleaner_rule rule = { 0 };
		struct err err = ERR_INIT;

		assert_int_equal(etl_rule(&opt, rows[i].state_max_bytes, &rule, &err), rows[i].reason ? -1 : 0);
		assert_int_equal(err.reason, rows[i].reason);
		if (rows[i].reason)
			assert_true(strstr(err.text, "reorder.max.readings") && strstr(err.text, "lateness.ms") &&
				    strstr(err.text, "state.key.max.bytes"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_a_rule),
		cmocka_unit_test(has_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
