/* Who takes part, as options say it. */
#include "cli/series_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct row {
	const char *members;
	bool model;
	size_t networks;  /* of it */
	const char *says; /* why it is refused; NULL: it is not */
} rows[] = {
	{ "all", false, 0, NULL },
	{ "all", true, 0, NULL },
	{ "season,theta", false, 0, NULL },
	{ "season,deepar", true, 1, NULL },
	{ "deepar", true, 1, NULL },
	{ "deepar", false, 0, "members: deepar is a model's network: give a trained model, --model=FILE" },
	{ "season, deepar", false, 0, "--model=FILE" },
	{ "deepar", true, 0, "this one has no network" },
	{ "season,nobody", false, 0, "nobody" },
};

static void
deepar_needs_a_model_where_it_is_asked_for(void **state)
{
	struct frequency hourly;
	struct err err = ERR_INIT;

	assert_int_equal(frequency_parse("1h", &hourly, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		char members[40], quantiles[] = "0.1,0.9";
		const struct panel_options o = {
			.members = strcpy(members, r->members), .quantiles = quantiles, .horizon = 3, .long_season = -1
		};
		const struct artefact model = { .n_networks = r->networks };
		struct panel_rule rule;
		int result;

		err_clear(&err);
		result = panel_options_rule(&o, &hourly, r->model ? &model : NULL, &rule, &err);
		if (result != (r->says ? -1 : 0) ||
		    (r->says && (err.reason != REASON_OPTION_INVALID || !strstr(err.text, r->says))))
			fail_msg("%s: %d %s", r->members, result, err.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(deepar_needs_a_model_where_it_is_asked_for) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
