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
	{ "all levels alike",
	  { "--alert.pending.p=1e-6", "--alert.firing.p=1e-6", "--alert.critical.p=1e-6" },
	  REASON_NONE },
	{ "firing above pending", { "--alert.firing.p=0.01" }, REASON_OPTION_INVALID },
	{ "critical above firing", { "--alert.critical.p=0.001" }, REASON_OPTION_INVALID },
	{ "more than the window", { "--alert.firing.readings=4" }, REASON_OPTION_INVALID },
	{ "all of the window", { "--alert.firing.readings=3" }, REASON_NONE },
	{ "too many slots", { "--score.slots.per.day=49" }, REASON_OPTION_INVALID },
	{ "a member that there is not", { "--detect.members=scalar,guess" }, REASON_OPTION_INVALID },
	{ "no member", { "--detect.members=," }, REASON_OPTION_INVALID },
	{ "the largest forest", { "--forest.trees=192", "--forest.sample=256" }, REASON_NONE },
	{ "a forest too large", { "--forest.trees=256", "--forest.sample=256" }, REASON_OPTION_INVALID },
	{ "a length that is no multiple of 8", { "--neighbours.length=33" }, REASON_OPTION_INVALID },
	{ "no p", { "--alert.pending.p=0" }, REASON_OPTION_INVALID },
	{ "a trained model on demand",
	  { "--ondemand.history.steps=800", "--ondemand.members=season,deepar" },
	  REASON_NONE },
	{ "nobody like that on demand",
	  { "--ondemand.history.steps=800", "--ondemand.members=season,guess" },
	  REASON_OPTION_INVALID },
	{ "steps of half a second",
	  { "--ondemand.history.steps=800", "--ondemand.step.ms=1500" },
	  REASON_OPTION_INVALID },
	{ "farther than a forecast may reach",
	  { "--ondemand.history.steps=800", "--forecast.max.steps=1" },
	  REASON_OPTION_INVALID },
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
	struct collective_rule collective;
	struct ondemand_rule ondemand;
	struct err err = ERR_INIT;
	int argc = 1;

	for (size_t i = 0; i < ARRAY_LEN(flags) && row->flags[i]; i++) {
		strncpy(flags[i], row->flags[i], sizeof(flags[i]) - 1);
		flags[i][sizeof(flags[i]) - 1] = '\0';
		argv[argc++] = flags[i];
	}
	if (options_load(&program, argc, argv, NULL, NULL, &verdict, &err) == 0 && scorer_rule(&opt, &rule, &err) == 0)
		scorer_ondemand_rule(&opt, &ondemand, &err);
	assert_int_equal(err.reason, row->reason);
	if (row == rows) {
		assert_true(rule.detector.slots == 24 && rule.detector.episode.m == 2 && rule.detector.episode.n == 3);
		assert_true(rule.order.jump_max_us == INT64_C(86400000000));
		assert_int_equal(rule.detector.members, 1u << DETECTOR_SCALAR | 1u << DETECTOR_FORECAST);
		assert_int_equal(scorer_collective_rule(&opt, &collective, &err), 0);
		assert_string_equal(opt.groups, "");
		assert_int_equal(ondemand.recent.steps, 0);
	}
	options_clear(&program);
}

/* The table's defaults are the one configuration that all figures are measured with; but for the members, of which the worker asks few. */
static void
defaults_are_the_detectors(void **state)
{
	struct scorer_options opt = { 0 };
	const struct option_set set = { "realtime-scorer", scorer_option_table, scorer_option_count, &opt };
	const struct option_program program = { "realtime-scorer", "", &set, 1, NULL, 0 };
	char name[] = "realtime-scorer", *argv[] = { name, NULL };
	enum options_verdict verdict = OPTIONS_RUN;
	struct stream_rule rule;
	struct collective_rule collective;
	const struct detector_options want = detector_defaults(), *got = &rule.detector;
	struct err err = ERR_INIT;

	assert_int_equal(options_load(&program, 1, argv, NULL, NULL, &verdict, &err), 0);
	assert_int_equal(scorer_rule(&opt, &rule, &err), 0);
	assert_int_equal(scorer_collective_rule(&opt, &collective, &err), 0);
	assert_true(got->slots == want.slots && got->warmup_values == want.warmup_values);
	assert_memory_equal(&got->forest, &want.forest, sizeof(want.forest));
	assert_memory_equal(&got->neighbours, &want.neighbours, sizeof(want.neighbours));
	assert_true(got->episode.pending == want.episode.pending && got->episode.firing == want.episode.firing &&
		    got->episode.critical == want.episode.critical && got->episode.m == want.episode.m &&
		    got->episode.n == want.episode.n && got->episode.calm_ratio == want.episode.calm_ratio &&
		    got->episode.calm_values == want.episode.calm_values &&
		    got->episode.refractory_values == want.episode.refractory_values &&
		    got->episode.refire == want.episode.refire && got->episode.state_span == want.episode.state_span);
	assert_true(got->episode.accept_values == want.episode.accept_values &&
		    got->episode.flap_alerts == want.episode.flap_alerts &&
		    got->episode.flap_us == want.episode.flap_us && got->episode.fdr.level == want.episode.fdr.level &&
		    got->episode.fdr.memory_values == want.episode.fdr.memory_values);
	assert_true(collective.group.forest.trees == want.forest.trees &&
		    collective.group.episode.fdr.level == want.episode.fdr.level &&
		    collective.group.warmup_rows == want.warmup_values);
	options_clear(&program);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 1] = { [ARRAY_LEN(rows)] =
							     cmocka_unit_test(defaults_are_the_detectors) };

	for (size_t n = 0; n < ARRAY_LEN(rows); n++)
		tests[n] = (struct CMUnitTest){ .name = rows[n].name,
						.test_func = makes_a_rule,
						.initial_state = (void *)(uintptr_t)&rows[n] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
