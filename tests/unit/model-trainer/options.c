/* options.c -- what the table's defaults come to, what contradicts, what makes another training. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workers/model-trainer/options.h"

/* Load the table with FLAGS behind what has no default; the caller clears. */
static struct trainer_options
load(struct option_program *p, struct option_set *set, const char *const *flags, size_t n)
{
	static struct trainer_options opt;
	char *argv[20] = { (char *)"model-trainer", (char *)"--bootstrap.servers=b", (char *)"--postgres.uri=p" };
	enum options_verdict verdict;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < n; i++)
		argv[3 + i] = (char *)flags[i];
	*set = (struct option_set){ "model-trainer", trainer_option_table, trainer_option_count, &opt };
	*p = (struct option_program){ "model-trainer", "", set, 1, NULL, 0 };
	if (options_load(p, 3 + (int)n, argv, NULL, NULL, &verdict, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(verdict, OPTIONS_RUN);
	return opt;
}

static const struct row {
	const char *name, *flag;
	const char *says; /* of an error; NULL: none */
} rows[] = {
	{ "defaults", "--model.name=deepar", NULL },
	{ "no median", "--quantiles=0.1,0.9", NULL },
	{ "too narrow", "--quantiles=0.2,0.5,0.9", "quantiles" },
	{ "without the gate's interval", "--quantiles=0.05,0.5,0.95", "0.1 and 0.9" },
	{ "not ascending", "--quantiles=0.1,0.5,0.5,0.9", "quantiles" },
	{ "no number", "--quantiles=0.1,x,0.9", "quantiles" },
	{ "beyond 1", "--quantiles=0.1,0.9,1", "quantiles" },
	{ "some members", "--members=season,deepar", NULL },
	{ "nothing to train", "--members=season,theta", "deepar" },
	{ "an unknown member", "--members=season,prophet,deepar", "prophet" },
};

static void
rules(void **state)
{
	const struct row *row = *state;
	struct option_program p;
	struct option_set set;
	struct trainer_options opt = load(&p, &set, &row->flag, 1);
	struct trainer_rules r;
	struct err err = ERR_INIT;
	int result = trainer_rules_make(&opt, &r, &err);

	assert_int_equal(result, row->says ? -1 : 0);
	if (row->says) {
		assert_int_equal(err.reason, REASON_OPTION_INVALID);
		assert_non_null(strstr(err.text, row->says));
	}
	options_clear(&p);
}

static void
held_back(void **state)
{
	const struct trainer_options opt = {
		.horizon = 10, .gate_windows = 2, .fit_windows = 3, .validation_windows = 1
	};

	(void)state;
	assert_int_equal(trainer_needs(&opt), 61);
	assert_int_equal(trainer_seen(&opt, 60), 60);
	assert_int_equal(trainer_seen(&opt, 61), 41);
}

static void
another_training(void **state)
{
	static const char *const differ[] = { "--horizon.steps=61", "--train.seed=2",      "--train.epochs=7",
					      "--train.rate=0.002", "--train.head=normal", "--gate.windows=3" };
	static const char *const same[] = { "--train.save.seconds=1", "--train.seconds=7", "--gate.latency.ms=9" };
	struct option_program p;
	struct option_set set;
	struct frequency hourly, daily;
	struct err err = ERR_INIT;
	struct trainer_options opt = load(&p, &set, NULL, 0);
	uint64_t hash;

	(void)state;
	assert_int_equal(frequency_parse("1h", &hourly, &err), 0);
	assert_int_equal(frequency_parse("1D", &daily, &err), 0);
	hash = trainer_options_hash(&opt, &hourly);
	assert_true(hash != trainer_options_hash(&opt, &daily));
	options_clear(&p);
	for (size_t i = 0; i < ARRAY_LEN(differ) + ARRAY_LEN(same); i++) {
		bool other = i < ARRAY_LEN(differ);

		opt = load(&p, &set, other ? &differ[i] : &same[i - ARRAY_LEN(differ)], 1);
		assert_int_equal(trainer_options_hash(&opt, &hourly) != hash, other);
		options_clear(&p);
	}
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 2];
	size_t n = 0;

	for (; n < ARRAY_LEN(rows); n++)
		tests[n] = (struct CMUnitTest){ rows[n].name, rules, NULL, NULL, (void *)&rows[n] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(held_back);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(another_training);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
