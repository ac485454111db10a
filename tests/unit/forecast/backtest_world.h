/*
 * backtest_world.h -- waves to be forecast, for the tests of backtests: included by each once, with numbers and all.
 */
#ifndef FOREBAY_TEST_BACKTEST_WORLD_H
#define FOREBAY_TEST_BACKTEST_WORLD_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/forecast/backtest.h"

#define SERIES 70 /* more than one chunk */
#define LENGTH 240
#define HORIZON 6
#define LEVELS 5

static double values[SERIES][LENGTH];
static struct target targets[SERIES];

/* A day's wave with noise, each series its own. */
static inline void
waves(void)
{
	for (size_t s = 0; s < SERIES; s++) {
		for (size_t i = 0; i < LENGTH; i++)
			values[s][i] =
			    10 + 5 * sin(2 * M_PI * (double)((i + s) % 24) / 24) + 0.3 * random_normal(3, s, i);
		targets[s] = (struct target){ .values = values[s], .n = LENGTH };
	}
}

static inline struct panel_rule
rule_of(const char *members)
{
	struct panel_rule rule = { .horizon = HORIZON,
				   .n_levels = LEVELS,
				   .levels = { .05, .1, .5, .9, .95 },
				   .paths = 20,
				   .seed = 1,
				   .history_max = 1000 };
	struct err err = ERR_INIT;

	assert_int_equal(frequency_parse("1h", &rule.frequency, &err), 0);
	assert_int_equal(panel_members_parse(members, &rule.members, &err), 0);
	return rule;
}

static inline struct backtest
run(const struct panel_rule *rule, size_t windows, size_t stride, size_t n)
{
	const struct backtest_rule how = { .windows = windows, .stride = stride };
	struct backtest ret = { 0 };
	struct err err = ERR_INIT;

	if (backtest_run(rule, NULL, &how, targets, n, &ret, &err) < 0)
		fail_msg("%s", err.text);
	return ret;
}

static inline double
crps_of(const struct panel_rule *rule, const struct accuracy *a)
{
	return accuracy_figures(a, rule->levels, rule->n_levels).crps;
}

#endif
