/*
 * backtest.c -- `forebay backtest FILE`: how good would forecasts of these series have been, member by member and together?
 *
 * With --model it is made sure that the model has not seen what it is asked to forecast.  Its cut-off is one moment for all series: so
 * origins are counted back from the latest end of all series, and must not lie before it.  Only a model that was trained with
 * --holdout.by=series, on these very series, is judged by windows at the end of each.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/backtest_report.h"
#include "cli/verb.h"
#include "cli/verbs.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/progress.h"
#include "common/forecast/cut.h"
#include "common/forecast/fit.h"

struct backtest_options {
	struct series_options series;
	struct panel_options panel;
	int64_t windows, stride, worst;
	char *model;
	bool json;
};

#define AT(field) offsetof(struct backtest_options, field)

static const struct option table[] = {
	{ "windows", OPTION_INT, AT(windows), "1", 1, 10000, "",
	  "origins: the last one is a horizon before the end of each series; with a model before the latest end of all, as its cut-off is one moment for all" },
	{ "stride", OPTION_INT, AT(stride), "0", 0, 1000000, "steps", "between origins; 0: the horizon" },
	{ "model", OPTION_TEXT, AT(model), "", 0, 4096, "",
	  "a file of `forebay train` or `forebay models export`; empty: no DeepAR" },
	{ "worst", OPTION_INT, AT(worst), "10", 0, 1000000, "series",
	  "that are told of one by one, the worst first: by MASE, or by wQL where that is not known" },
	{ "json", OPTION_BOOL, AT(json), "false", 0, 0, "", "one JSON object on standard output" },
};

struct session {
	const struct backtest_options *options;
	struct backtest_report report;
	struct target *targets; /* the data's */
	struct backtest_rule how;
	struct artefact artefact;
	struct progress progress;
};

static double
cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Steps that windows reach back over N: those that have anything before them. */
static size_t
steps_back(const struct session *s, size_t n)
{
	size_t horizon = s->report.rule.horizon, most = n > horizon ? (n - horizon - 1) / s->how.stride : 0;

	return (s->how.windows - 1 < most ? s->how.windows - 1 : most) * s->how.stride + (n > horizon ? horizon : 0);
}

/*
 * Was the model trained on these very series, without the last *HOLDOUT values of each?  Then it has not seen those, whatever it saw of
 * other series at that time: who trained it so has said that their calendars have nothing to do with each other.
 */
static bool
trained_by_ends(const struct session *s, size_t *holdout)
{
	double steps = artefact_figure(s->report.model, SERIES_HOLDOUT_FIGURE);
	CLEANUP(heap_free)
	struct target *seen = NULL;

	if (!(steps >= 1 && steps <= 1e9) || !(seen = calloc(s->report.data.n + 1, sizeof(*seen))))
		return false;
	*holdout = (size_t)steps;
	for (size_t i = 0; i < s->report.data.n; i++) {
		seen[i] = s->targets[i];
		seen[i].n = seen[i].n > *holdout ? seen[i].n - *holdout : 0;
	}
	return fit_data_hash(seen, s->report.data.n) == s->report.model->data;
}

static int
check_ends(const struct session *s, size_t holdout, struct err *err)
{
	size_t most = 0;

	for (size_t i = 0; i < s->report.data.n; i++) {
		size_t steps = steps_back(s, s->targets[i].n);

		most = steps > most ? steps : most;
	}
	if (most <= holdout)
		return 0;
	return err_set(
	    err, REASON_OPTION_INVALID,
	    "model: %s was trained without the last %zu steps of each series, the windows begin %zu before the "
	    "end: train it with --holdout=%zu --holdout.by=series, or ask for fewer windows",
	    s->report.model->version, holdout, most, most);
}

/* Is the first origin at or behind the model's cut-off? */
static int
check_calendar(struct session *s, struct err *err)
{
	struct cut cut;
	size_t steps;
	char known[CLOCK_TEXT_BYTES], asked[CLOCK_TEXT_BYTES];

	s->how.calendar = true;
	cut_init(&cut, &s->report.rule.frequency, s->targets, s->report.data.n);
	if (!cut.last)
		return 0;
	steps = steps_back(s, cut.span);
	s->report.first_us = cut_border(&cut, steps);
	if (!steps || s->report.first_us >= s->report.model->cutoff_us)
		return 0; /* 0: there is no window, which will be told */
	clock_iso8601(s->report.model->cutoff_us, known);
	clock_iso8601(s->report.first_us, asked);
	return err_set(err, REASON_OPTION_INVALID,
		       "model: %s was trained on data up to %s, but the first window begins at %s: train it with "
		       "--holdout=%zu, or ask for fewer windows",
		       s->report.model->version, known, asked, steps);
}

/* It must not have seen what it is to forecast. */
static int
check_cutoff(struct session *s, struct err *err)
{
	size_t holdout;

	return trained_by_ends(s, &holdout) ? check_ends(s, holdout, err) : check_calendar(s, err);
}

/* Is every series what the model was trained for?  The panel would put DeepAR to sleep without a word. */
static int
check_series(struct session *s, const char *path, struct err *err)
{
	const struct artefact *model = s->report.model;

	if (!model->n_networks || !(s->report.rule.members >> PANEL_DEEPAR & 1))
		return 0;
	return series_check(&s->report.data, s->targets, model->networks[0], false, path, err);
}

static int
check_model(struct session *s, const char *path, struct err *err)
{
	CLEANUP(panel_free)
	struct panel *panel = NULL;

	/* That it is for another frequency, or for fewer steps, is said before what this does to the times of its cut-off. */
	if (panel_new(&s->report.rule, s->report.model, NULL, &panel, err) < 0)
		return -1;
	return check_cutoff(s, err) < 0 ? -1 : check_series(s, path, err);
}

static int
prepare(struct session *s, const char *path, struct err *err)
{
	const struct backtest_options *o = s->options;
	struct backtest_report *r = &s->report;
	size_t model_horizon;

	if (series_read(&o->series, path, &r->data, err) < 0)
		return -1;
	s->targets = dataset_targets(&r->data);
	r->own = arena_zalloc(r->data.arena, (r->data.n + 1) * sizeof(*r->own));
	if (!s->targets || !r->own)
		return err_set(err, REASON_NO_MEMORY, "backtest");
	if (*o->model) {
		if (artefact_load(o->model, &s->artefact, err) < 0)
			return -1;
		r->model = &s->artefact;
	}
	if (panel_options_rule(&o->panel, &r->data.frequency, r->model, &r->rule, err) < 0)
		return -1;
	model_horizon = r->model && r->model->n_networks ? (size_t)r->model->networks[0]->config.horizon : 0;
	if (!r->rule.horizon && !(r->rule.horizon = model_horizon))
		return err_set(err, REASON_OPTION_INVALID, "horizon: say how many steps are to be forecast");
	s->how = (struct backtest_rule){ .windows = (size_t)o->windows,
					 .stride = o->stride ? (size_t)o->stride : r->rule.horizon };
	return r->model ? check_model(s, path, err) : 0;
}

static void
show_progress(void *self, double share)
{
	struct session *s = self;

	progress_show(&s->progress, share, (int64_t)(share * (double)s->report.data.n));
}

static void
keep_own(void *self, size_t i, const struct accuracy *own)
{
	struct session *s = self;

	backtest_report_own(&s->report, i, own);
}

static int
measure(struct session *s, const char *path, struct err *err)
{
	struct backtest_report *r = &s->report;
	double cpu = cpu_seconds();
	int64_t begun = clock_monotonic_us();
	int result;

	progress_start(&s->progress, "series");
	s->how.report = show_progress;
	s->how.each = keep_own;
	s->how.self = s;
	result = backtest_run(&r->rule, r->model, &s->how, s->targets, r->data.n, &r->result, err);
	progress_end(&s->progress);
	r->how = &s->how;
	r->seconds = (double)(clock_monotonic_us() - begun) / 1e6;
	r->cpu_seconds = cpu_seconds() - cpu;
	return result < 0 ? -1 : backtest_report_check(r, path, err);
}

static int
backtest(void *self, int n, char **words, struct err *err)
{
	const struct backtest_options *o = self;
	struct session *s;
	int result;

	if (n != 1)
		return err_set(err, REASON_USAGE, "one file is wanted: forebay backtest FILE --horizon=24");
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(err, REASON_NO_MEMORY, "backtest");
	s->options = o;
	result = prepare(s, words[0], err);
	if (result == 0)
		result = measure(s, words[0], err);
	if (result == 0)
		result = o->json ? backtest_report_json(&s->report, (size_t)o->worst, err)
				 : backtest_report_text(&s->report, (size_t)o->worst, err);
	artefact_clear(&s->artefact);
	dataset_clear(&s->report.data);
	free(s);
	return result;
}

int
verb_backtest(int argc, char **argv)
{
	struct backtest_options options = { 0 };
	const struct option_set sets[] = { { "Backtest", table, ARRAY_LEN(table), &options },
					   { "Forecasts", panel_option_table, panel_option_count, &options.panel },
					   { "Series", series_option_table, series_option_count, &options.series } };
	const struct option_program program = { "forebay backtest",
						"FILE: how good forecasts of these series would have been",
						sets,
						ARRAY_LEN(sets),
						NULL,
						0,
						"FILE" };

	return verb_run(&program, true, argc, argv, &options, backtest);
}
