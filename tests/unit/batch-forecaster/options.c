/* options.c -- lists of levels and seasons, and what contradicts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "workers/batch-forecaster/options.h"

static const struct row {
	const char *name, *quantiles, *seasons;
	int64_t horizon, history, min;
	size_t n_levels, n_seasons; /* both 0: OPTION_INVALID ... */
	const char *text;           /* ... or the version, or what the error speaks of */
} rows[] = {
	{ "usual", "0.1,0.5,0.9", "24,168", 24, 336, 16, 3, 2,
	  "1 seasons=24,168 residuals=336 min=16 history=336 gap=7" },
	{ "blanks", " .1 , .5 ", " 24 , 168", 24, 336, 16, 2, 2, "1 seasons=24,168 " },
	{ "no season", "0.5", "", 24, 336, 16, 1, 0, "1 seasons= residuals" },
	{ "no level", "", "24", 24, 336, 16, 0, 0, "quantiles" },
	{ "level 1", "0.5,1", "24", 24, 336, 16, 0, 0, "quantiles" },
	{ "level 0", "0,0.5", "24", 24, 336, 16, 0, 0, "quantiles" },
	{ "not ascending", "0.5,0.5", "24", 24, 336, 16, 0, 0, "quantiles: 0.5 must be above 0.5" },
	{ "no number", "0.5,x", "24", 24, 336, 16, 0, 0, "quantiles: \"x\"" },
	{ "not a number", "nan", "24", 24, 336, 16, 0, 0, "quantiles" },
	{ "nothing between", "0.1,,0.5", "24", 24, 336, 16, 0, 0, "quantiles" },
	{ "half a step", "0.5", "1.5", 24, 336, 16, 0, 0, "seasons: 1.5" },
	{ "infinite", "0.5", "inf", 24, 336, 16, 0, 0, "seasons" },
	{ "season does not fit", "0.5", "24,321", 24, 336, 16, 0, 0, "history.steps" },
	{ "too many seasons", "0.5", "1,2,3,4,5,6,7,8,9", 24, 336, 16, 0, 0, "seasons: at most 8" },
	{ "record too large", "0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,0.95,0.99", "", 10000, 336, 16, 0, 0,
	  "horizon.steps" },
};

static void
plans(void **state)
{
	const struct row *row = *state;
	char quantiles[100], seasons[100];
	struct forecaster_options opt = { .quantiles = strcpy(quantiles, row->quantiles),
					  .seasons = strcpy(seasons, row->seasons),
					  .horizon_steps = row->horizon,
					  .history_steps = row->history,
					  .history_gap_max_steps = 7,
					  .residual_steps = 336,
					  .residual_min = row->min };
	struct forecast_plan plan;
	struct err err = ERR_INIT;
	int result = forecast_plan_make(&opt, &plan, &err);

	assert_int_equal(err.reason, row->n_levels ? REASON_NONE : REASON_OPTION_INVALID);
	assert_int_equal(result, row->n_levels ? 0 : -1);
	if (strncmp(result ? err.text : plan.version, row->text, strlen(row->text)) != 0 &&
	    !strstr(err.text, row->text))
		fail_msg("\"%s\" instead of \"%s\"", result ? err.text : plan.version, row->text);
	if (result)
		return;
	assert_int_equal(plan.n_levels, row->n_levels);
	assert_int_equal(plan.naive.n_seasons, row->n_seasons);
	assert_ptr_equal(plan.naive.seasons, plan.seasons);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows)];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, plans, NULL, NULL, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
