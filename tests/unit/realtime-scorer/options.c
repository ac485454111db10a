/* options.c -- the option table's defaults make a rule, and values that do not go together are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/base/cleanup.h"
#include "workers/realtime-scorer/options.h"

static const struct row {
	const char *name, *flags[3];
	enum err_reason reason;
} rows[] = {
	{ "defaults", { NULL }, REASON_NONE },
	{ "all levels alike", { "--alert.pending.p=1e-6", "--alert.firing.p=1e-6" }, REASON_NONE },
	{ "firing above pending", { "--alert.firing.p=0.01" }, REASON_OPTION_INVALID },
	{ "critical above firing", { "--alert.critical.p=0.001" }, REASON_OPTION_INVALID },
	{ "more than the window", { "--alert.firing.readings=4" }, REASON_OPTION_INVALID },
	{ "all of the window", { "--alert.firing.readings=3" }, REASON_NONE },
	{ "too many slots", { "--score.slots.per.day=49" }, REASON_OPTION_INVALID },
	{ "no p", { "--alert.pending.p=0" }, REASON_OPTION_INVALID },
};

static void
makes_a_rule(void **state)
{
	const struct row *row = *state;
	struct scorer_options opt = { 0 };
	const struct option_set set = { "realtime-scorer", scorer_option_table, scorer_option_count, &opt };
	const struct option_program program = { "realtime-scorer", "", &set, 1, NULL, 0 };
	char name[] = "realtime-scorer", flags[3][64];
	char *argv[5] = { name };
	enum options_verdict verdict = OPTIONS_RUN;
	struct stream_rule rule;
	struct err err = ERR_INIT;
	int argc = 1;

	for (size_t i = 0; i < ARRAY_LEN(flags) && row->flags[i]; i++) {
		strncpy(flags[i], row->flags[i], sizeof(flags[i]) - 1);
		flags[i][sizeof(flags[i]) - 1] = '\0';
		argv[argc++] = flags[i];
	}
	if (options_load(&program, argc, argv, NULL, NULL, &verdict, &err) == 0)
		scorer_rule(&opt, &rule, &err);
	assert_int_equal(err.reason, row->reason);
	if (row == rows) {
		assert_true(rule.detector.slots == 24 && rule.detector.episode.m == 2 && rule.detector.episode.n == 3);
		assert_true(rule.jump_max_us == INT64_C(86400000000));
	}
	options_clear(&program);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows)];

	for (size_t n = 0; n < ARRAY_LEN(rows); n++)
		tests[n] = (struct CMUnitTest){ .name = rows[n].name,
						.test_func = makes_a_rule,
						.initial_state = (void *)(uintptr_t)&rows[n] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
