/* options.c -- lists of levels, seasons and members, what contradicts, and what follows from a step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "workers/batch-forecaster/options.h"

static const struct row {
	const char *name, *quantiles, *seasons, *members;
	int64_t horizon, history;
	size_t n_levels, n_seasons; /* both 0: OPTION_INVALID ... */
	const char *text;           /* ... and what the error speaks of */
} rows[] = {
	{ "usual", "0.1,0.5,0.9", "24,168", "all", 24, 336, 3, 2, "" },
	{ "blanks", " .1 , .5 ", " 24 , 168", " season , deepar", 24, 336, 2, 2, "" },
	{ "no season", "0.5", "", "all", 24, 336, 1, 0, "" },
	{ "no level", "", "24", "all", 24, 336, 0, 0, "quantiles" },
	{ "level 1", "0.5,1", "24", "all", 24, 336, 0, 0, "quantiles" },
	{ "level 0", "0,0.5", "24", "all", 24, 336, 0, 0, "quantiles" },
	{ "not ascending", "0.5,0.5", "24", "all", 24, 336, 0, 0, "quantiles: 0.5 must be above 0.5" },
	{ "no number", "0.5,x", "24", "all", 24, 336, 0, 0, "quantiles: \"x\"" },
	{ "not a number", "nan", "24", "all", 24, 336, 0, 0, "quantiles" },
	{ "nothing between", "0.1,,0.5", "24", "all", 24, 336, 0, 0, "quantiles" },
	{ "too many levels",
	  ".01,.02,.03,.04,.05,.06,.07,.08,.09,.1,.11,.12,.13,.14,.15,.16,.17,.18,.19,.2,.21,.22,.23,.24,.25,.26,.27,.28,"
	  ".29,.3,.31,.32,.33",
	  "", "all", 24, 336, 0, 0, "quantiles: at most 32" },
	{ "half a step", "0.5", "1.5", "all", 24, 336, 0, 0, "seasons: 1.5" },
	{ "infinite", "0.5", "inf", "all", 24, 336, 0, 0, "seasons" },
	{ "season does not fit", "0.5", "24,336", "all", 24, 336, 0, 0, "history.steps" },
	{ "too many seasons", "0.5", "1,2,3", "all", 24, 336, 0, 0, "seasons: at most 2" },
	{ "nobody", "0.5", "", "", 24, 336, 0, 0, "members" },
	{ "somebody else", "0.5", "", "season,prophet", 24, 336, 0, 0, "prophet" },
	{ "record too large", "0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,0.95,0.99", "", "all", 10000, 336, 0, 0,
	  "horizon.steps" },
};

static struct forecaster_options
options_of(const struct row *row, char *quantiles, char *seasons, char *members)
{
	return (struct forecaster_options){ .quantiles = strcpy(quantiles, row->quantiles),
					    .seasons = strcpy(seasons, row->seasons),
					    .members = strcpy(members, row->members),
					    .horizon_steps = row->horizon,
					    .history_steps = row->history,
					    .history_gap_max_steps = 7,
					    .paths = 100 };
}

static void
plans(void **state)
{
	const struct row *row = *state;
	char quantiles[300], seasons[100], members[100];
	const struct forecaster_options opt = options_of(row, quantiles, seasons, members);
	struct forecast_plan plan;
	struct err err = ERR_INIT;
	int result = forecast_plan_make(&opt, &plan, &err);

	assert_int_equal(err.reason, row->n_levels ? REASON_NONE : REASON_OPTION_INVALID);
	assert_int_equal(result, row->n_levels ? 0 : -1);
	if (!strstr(err.text, row->text))
		fail_msg("\"%s\" instead of \"%s\"", err.text, row->text);
	if (result)
		return;
	assert_int_equal(plan.panel.n_levels, row->n_levels);
	assert_int_equal(plan.n_seasons, row->n_seasons);
}

/* Step -> frequency, seasons; with the option `seasons` and without. */
static const struct step {
	int64_t step_us;
	const char *seasons;
	bool trained;
	const char *name;
	int32_t season, long_season;
} steps[] = {
	{ 3600000000, "", true, "1h", 24, 168 },
	{ 60000000, "", true, "1min", 1440, 10080 },
	{ 60000000, "60", true, "1min", 60, 0 },
	{ 60000000, "60,120", true, "1min", 60, 120 },
	{ 500000, "", false, "none", 1, 0 },
	{ 500000, "10", false, "none", 10, 0 },
	{ INT64_C(86400000000) * 30, "", false, "none", 1, 0 },
};

static void
rules_by_step(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		const struct row row = { "", "0.5", steps[i].seasons, "all", 24, 336, 1, 0, "" };
		char quantiles[100], seasons[100], members[100];
		const struct forecaster_options opt = options_of(&row, quantiles, seasons, members);
		struct forecast_plan plan;
		struct panel_rule rule;
		struct err err = ERR_INIT;
		bool trained;

		assert_int_equal(forecast_plan_make(&opt, &plan, &err), 0);
		rule = plan_rule(&plan, steps[i].step_us, &trained);
		assert_int_equal(trained, steps[i].trained);
		assert_string_equal(rule.frequency.name, steps[i].name);
		assert_int_equal(rule.frequency.season, steps[i].season);
		assert_int_equal(rule.frequency.long_season, steps[i].long_season);
		assert_true(rule.frequency.n_lags > 0);
	}
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 1];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, plans, NULL, NULL, (void *)&rows[i] };
	tests[ARRAY_LEN(rows)] = (struct CMUnitTest)cmocka_unit_test(rules_by_step);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
