/* fit.c -- weights, shifts and figures from windows held back; what a training leaves behind. */
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
#include "common/forecast/fit.h"

#define SERIES 30
#define LENGTH 500
#define HORIZON 12
#define LEVELS 9

static double values[SERIES][LENGTH];
static struct target targets[SERIES];

static struct panel_rule
rule_of(const char *members)
{
	struct panel_rule rule = {
		.horizon = HORIZON, .n_levels = LEVELS, .paths = 50, .seed = 1, .history_max = 1000
	};
	struct err err = ERR_INIT;

	assert_int_equal(frequency_parse("1h", &rule.frequency, &err), 0);
	assert_int_equal(panel_members_parse(members, &rule.members, &err), 0);
	for (size_t q = 0; q < LEVELS; q++)
		rule.levels[q] = (double)(q + 1) / 10;
	rule.calibrate = true;
	return rule;
}

/* Daily waves, each its own size, with noise. */
static void
waves(void)
{
	for (size_t s = 0; s < SERIES; s++) {
		for (size_t i = 0; i < LENGTH; i++)
			values[s][i] = (double)(s + 1) *
				       (9 + 3 * sin(2 * M_PI * (double)(i % 24) / 24) + 0.5 * random_normal(1, s, i));
		targets[s] = (struct target){ .start_us = (int64_t)s * 3600000000, .values = values[s], .n = LENGTH };
	}
}

static double last_share;

static void
note(void *self, double share)
{
	assert_true(share > last_share);
	last_share = share;
	++*(int *)self;
}

static void
without_networks(void **state)
{
	struct panel_rule rule = rule_of("last,season");
	struct artefact a;
	struct err err = ERR_INIT;
	struct panel *p = NULL;
	int reports = 0;

	(void)state;
	waves();
	memset(&a, 0, sizeof(a));
	last_share = 0;
	assert_int_equal(fit_ensemble(&a, &rule, targets, SERIES, 4, 20, note, &reports, &err), 0);
	assert_int_equal(reports, 20);
	assert_true(last_share == 1);
	for (size_t b = 0; b < a.ensemble.n_buckets; b++) {
		float sum = 0;

		for (size_t m = 0; m < PANEL_MEMBERS; m++)
			sum += a.ensemble.prior[b][m];
		assert_true(fabsf(sum - 1) < 1e-5F);
	}
	assert_true(a.ensemble.prior[a.ensemble.n_buckets - 1][PANEL_SEASON] > 0.5F); /* what a wave is forecast by */
	assert_true(artefact_figure(&a, "wql.season") < 0.5 * artefact_figure(&a, "wql.last"));
	assert_true(artefact_figure(&a, "wql") < 1.05 * artefact_figure(&a, "wql.season"));
	assert_true(fabs(artefact_figure(&a, "coverage80") - .8) < .05);
	assert_true(artefact_figure(&a, "mase") > 0 && artefact_figure(&a, "mase") < 1.1);
	assert_true(isnan(artefact_figure(&a, "wql.deepar")));
	assert_int_equal(a.n_levels, LEVELS);
	assert_int_equal(panel_new(&rule, &a, NULL, &p, &err), 0);
	assert_memory_equal(panel_ensemble(p)->prior, a.ensemble.prior, sizeof(a.ensemble.prior));
	panel_free(p);
	artefact_clear(&a);
}

/* A window's forecast is of values before it alone: what comes later may change as it likes. */
static void
no_look_ahead(void **state)
{
	struct panel_rule rule = rule_of("season");
	struct artefact a, b;
	struct err err = ERR_INIT;

	(void)state;
	waves();
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	assert_int_equal(fit_ensemble(&a, &rule, targets, SERIES, 1, SERIES, NULL, NULL, &err), 0);
	for (size_t s = 0; s < SERIES;
	     s++) /* the season of the held-back window as its past has it, without noise of its own */
		for (size_t h = 0; h < HORIZON; h++)
			values[s][LENGTH - HORIZON + h] = values[s][LENGTH - HORIZON + h - 24];
	assert_int_equal(fit_ensemble(&b, &rule, targets, SERIES, 1, SERIES, NULL, NULL, &err), 0);
	assert_true(artefact_figure(&b, "wql.season") < artefact_figure(&a, "wql.season"));
	assert_true(artefact_figure(&b, "wql.season") > 0.005); /* its quantiles still expect noise */
	artefact_clear(&a);
	artefact_clear(&b);
}

/* What comes after the windows that were looked at is covered as they were, by shifts that nobody has moved since. */
static void
covers_what_comes(void **state)
{
	enum { LATER = 8 };
	struct panel_rule rule = rule_of("season,ets,ridge");
	const struct backtest_rule how = { .windows = 1, .stride = 1 };
	struct target seen[SERIES];
	struct backtest b = { 0 };
	struct artefact a = { 0 };
	struct err err = ERR_INIT;
	double covered;

	(void)state;
	waves();
	for (size_t s = 0; s < SERIES; s++) {
		seen[s] = targets[s];
		seen[s].n = LENGTH - LATER * HORIZON;
	}
	assert_int_equal(fit_ensemble(&a, &rule, seen, SERIES, 8, SERIES, NULL, NULL, &err), 0);
	for (size_t w = 0; w < LATER; w++) {
		for (size_t s = 0; s < SERIES; s++)
			seen[s].n = LENGTH - w * HORIZON;
		assert_int_equal(backtest_run(&rule, &a, &how, seen, SERIES, &b, &err), 0);
	}
	covered = accuracy_figures(&b.ensemble, rule.levels, LEVELS).coverage80;
	print_message("coverage %.3f -> %.3f, foretold %.3f\n",
		      accuracy_figures(&b.uncalibrated, rule.levels, LEVELS).coverage80, covered,
		      artefact_figure(&a, "coverage80"));
	assert_true(fabs(covered - .8) < .02);
	assert_true(fabs(artefact_figure(&a, "coverage80") - .8) < .02);
	artefact_clear(&a);
}

static void
missing_and_short(void **state)
{
	struct panel_rule rule = rule_of("last,season");
	struct artefact a;
	struct err err = ERR_INIT;

	(void)state;
	waves();
	memset(&a, 0, sizeof(a));
	for (size_t s = 0; s < SERIES; s++)
		targets[s].n = s % 3 ? 2 * HORIZON - 1 : LENGTH;
	for (size_t i = 0; i < LENGTH; i++) {
		values[0][i] = NAN; /* a series without a value */
		values[3][i] = i % 5 ? values[3][i] : NAN;
	}
	assert_int_equal(fit_ensemble(&a, &rule, targets, SERIES, 3, SERIES, NULL, NULL, &err), 0);
	assert_true(isfinite(artefact_figure(&a, "wql")));
	assert_int_equal(fit_ensemble(&a, &rule, targets + 1, 2, 3, SERIES, NULL, NULL, &err), -1);
	assert_int_equal(err.reason, REASON_OPTION_INVALID);
	assert_int_equal(fit_ensemble(&a, &rule, targets, SERIES, 0, SERIES, NULL, NULL, &err), -1);
	assert_int_equal(err.reason, REASON_OPTION_INVALID);
	artefact_clear(&a);
}

/* ---- how many windows ---- */

static const struct windows_row {
	const char *name;
	size_t n, length, horizon, windows;
} windows_rows[] = {
	{ "few series: as many windows as give 200 forecasts", 12, 100000, 24, 17 },
	{ "many series: two windows each", 5000, 100000, 24, 2 },
	{ "one series: not more than twenty", 1, 100000, 24, 20 },
	{ "short series: a tenth of them", 12, 1000, 12, 8 },
	{ "very short series: two all the same", 12, 30, 12, 2 },
	{ "nothing", 0, 0, 12, 2 },
};

static void
how_many_windows(void **state)
{
	const struct windows_row *row = *state;
	struct target *many = calloc(row->n + 1, sizeof(*many));

	assert_non_null(many);
	for (size_t i = 0; i < row->n; i++)
		many[i].n = row->length;
	assert_int_equal(fit_windows(many, row->n, row->horizon), row->windows);
	if (row->n > 1) { /* it is the mean length that counts */
		many[0].n = 0;
		many[1].n = 2 * row->length;
		assert_int_equal(fit_windows(many, row->n, row->horizon), row->windows);
	}
	free(many);
}

/* ---- a training becomes an artefact ---- */

static struct training *
train(uint64_t seed, const double *change)
{
	struct panel_rule rule = rule_of("all");
	struct deepar_config c;
	struct train_options o;
	struct train_progress progress;
	struct training *t = NULL;
	struct err err = ERR_INIT;
	int more;

	waves();
	if (change)
		values[2][7] = *change;
	deepar_config_default(&rule.frequency, HORIZON, &c);
	c.hidden = 8;
	c.layers = 1;
	c.default_scale = 1;
	train_options_default(&o);
	o.networks = 2;
	o.epochs = 2;
	o.batches = 2;
	o.batch = 4;
	o.validation_every = 1;
	o.validation_windows = 1;
	o.validation_series = 5;
	o.seed = seed;
	if (training_new(&c, &o, targets, SERIES, NULL, &t, &err) < 0)
		fail_msg("%s", err.text);
	while ((more = training_epoch(t, &progress, &err)) == 1)
		;
	assert_int_equal(more, 0);
	return t;
}

/* Members, levels and the windows held back make another version of the same networks; twice the same makes the same. */
static void
versions(void **state)
{
	static const struct row {
		const char *members;
		size_t windows;
		double level; /* the last one */
		bool same;
	} rows[] = {
		{ "season,deepar", 2, .9, true },
		{ "season,ets,deepar", 2, .9, false },
		{ "season,deepar", 3, .9, false },
		{ "season,deepar", 2, .95, false },
	};
	struct training *t = train(1, NULL);
	struct artefact first, a;
	struct err err = ERR_INIT;
	char unfitted[ARTEFACT_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i <= ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i ? i - 1 : 0];
		struct panel_rule rule = rule_of(row->members);

		assert_true(rule.levels[rule.n_levels - 1] <= .9);
		rule.levels[rule.n_levels - 1] = row->level;
		assert_int_equal(fit_artefact(t, "deepar-1h", targets, SERIES, (int64_t)i, &a, &err), 0);
		memcpy(unfitted, a.version, sizeof(unfitted));
		assert_int_equal(fit_ensemble(&a, &rule, targets, SERIES, row->windows, 5, NULL, NULL, &err), 0);
		assert_string_not_equal(a.version, unfitted);
		if (!i) {
			first = a;
			continue;
		}
		assert_int_equal(strcmp(a.version, first.version) == 0, row->same);
		artefact_clear(&a);
	}
	artefact_clear(&first);
	training_free(t);
}

/* A series of which nothing was seen, as it began later, has no say in when the data end. */
static void
nothing_was_seen_later(void **state)
{
	struct training *t = train(1, NULL);
	struct target seen[SERIES];
	struct artefact a;
	struct err err = ERR_INIT;

	(void)state;
	memcpy(seen, targets, sizeof(seen));
	seen[0].start_us = INT64_C(1) << 60;
	seen[0].n = 0;
	assert_int_equal(fit_artefact(t, "deepar-1h", seen, SERIES, 77, &a, &err), 0);
	assert_int_equal(a.from_us, targets[1].start_us);
	assert_int_equal(a.cutoff_us, (int64_t)(SERIES - 1 + LENGTH) * 3600000000);
	assert_int_equal(a.n_series, SERIES);
	assert_true(a.data == fit_data_hash(seen, SERIES) && a.data != fit_data_hash(targets, SERIES));
	artefact_clear(&a);
	training_free(t);
}

static void
of_a_training(void **state)
{
	const double other = 55;
	struct training *t = train(1, NULL), *u;
	struct artefact a, b;
	struct err err = ERR_INIT;
	struct panel_rule rule = rule_of("season,deepar");
	double best = fmin(training_validation(t, 0), training_validation(t, 1));

	(void)state;
	assert_int_equal(fit_artefact(t, "deepar-1h", targets, SERIES, 77, &a, &err), 0);
	assert_in_range(a.n_networks, 1, 2);
	for (size_t i = 0; i < a.n_networks; i++)
		assert_true(a.validation[i] <= 1.5 * best);
	assert_string_equal(a.name, "deepar-1h");
	assert_int_equal(a.created_us, 77);
	assert_int_equal(a.from_us, 0);
	assert_int_equal(a.cutoff_us, (int64_t)(SERIES - 1 + LENGTH) * 3600000000);
	assert_int_equal(a.n_series, SERIES);
	assert_int_equal(a.n_points, SERIES * LENGTH);
	assert_int_equal(fit_artefact(t, "deepar-1h", targets, SERIES, 78, &b, &err), 0);
	assert_string_equal(a.version, b.version); /* of weights and data, not of the hour */
	training_free(t);
	assert_true(isfinite((double)a.networks[0]->weights[0])); /* its own copy */
	artefact_clear(&b);
	u = train(1, &other);
	assert_int_equal(fit_artefact(u, "deepar-1h", targets, SERIES, 77, &b, &err), 0);
	assert_true(a.data != b.data && strcmp(a.version, b.version) != 0);
	training_free(u);
	artefact_clear(&b);
	assert_int_equal(fit_ensemble(&a, &rule, targets, SERIES, 2, 5, NULL, NULL, &err), 0);
	assert_true(artefact_figure(&a, "wql.deepar") > 1.5 * artefact_figure(&a, "wql.season"));
	for (size_t k = 0; k < a.ensemble.n_buckets; k++) /* hardly trained: no more than a foot in the door */
		assert_true(a.ensemble.prior[k][PANEL_DEEPAR] > 0.001F && a.ensemble.prior[k][PANEL_DEEPAR] < 0.05F);
	/* Where nobody else was asked the network is all that can be selected; the others stay within reach. */
	rule = rule_of("deepar");
	assert_int_equal(fit_ensemble(&a, &rule, targets, SERIES, 2, 5, NULL, NULL, &err), 0);
	for (size_t k = 0; k < a.ensemble.n_buckets; k++) {
		double sum = 0;

		for (size_t m = 0; m < PANEL_MEMBERS; m++)
			sum += (double)a.ensemble.prior[k][m];
		assert_true(fabs(sum - 1) < 1e-5 && a.ensemble.prior[k][PANEL_RIDGE] > 0);
	}
	artefact_clear(&a);
}

/* A training that was broken off has networks that nobody has judged: they are left out. */
static void
of_an_unfinished_training(void **state)
{
	struct training *t = NULL;
	struct train_options o;
	struct deepar_config c;
	struct frequency f;
	struct artefact a;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(frequency_parse("1h", &f, &err), 0);
	deepar_config_default(&f, 12, &c);
	train_options_default(&o);
	o.networks = 2;
	assert_int_equal(training_new(&c, &o, targets, SERIES, NULL, &t, &err), 0);
	assert_int_equal(fit_artefact(t, "deepar-1h", targets, SERIES, 77, &a, &err), 0);
	assert_int_equal(a.n_networks, 0);
	training_free(t);
	artefact_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest fits[] = {
		cmocka_unit_test(without_networks),          cmocka_unit_test(no_look_ahead),
		cmocka_unit_test(missing_and_short),         cmocka_unit_test(versions),
		cmocka_unit_test(nothing_was_seen_later),    cmocka_unit_test(of_a_training),
		cmocka_unit_test(of_an_unfinished_training), cmocka_unit_test(covers_what_comes),
	};
	struct CMUnitTest tests[ARRAY_LEN(windows_rows) + ARRAY_LEN(fits)];

	for (size_t n = 0; n < ARRAY_LEN(windows_rows); n++)
		tests[n] = (struct CMUnitTest){ .name = windows_rows[n].name,
						.test_func = how_many_windows,
						.initial_state = (void *)(uintptr_t)&windows_rows[n] };
	memcpy(tests + ARRAY_LEN(windows_rows), fits, sizeof(fits));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
