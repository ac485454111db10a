/*
 * backtest.c -- `forebay backtest FILE`: how good would forecasts of these series have been, member by member and together?
 *
 * With --model the model's own cut-off is looked at: it must not have seen what it is asked to forecast.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/columns.h"
#include "common/base/progress.h"
#include "cli/series_options.h"
#include "cli/verb.h"
#include "cli/verbs.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/forecast/backtest.h"

struct backtest_options {
	struct series_options series;
	struct panel_options panel;
	int64_t windows, stride;
	char *model;
	bool json;
};

#define AT(field) offsetof(struct backtest_options, field)

static const struct option table[] = {
	{ "windows", OPTION_INT, AT(windows), "1", 1, 10000, "",
	  "origins: the last one is a horizon before the end of each series" },
	{ "stride", OPTION_INT, AT(stride), "0", 0, 1000000, "steps", "between origins; 0: the horizon" },
	{ "model", OPTION_TEXT, AT(model), "", 0, 4096, "",
	  "a file of `forebay train` or `forebay models export`; empty: no DeepAR" },
	{ "json", OPTION_BOOL, AT(json), "false", 0, 0, "", "one JSON object on standard output" },
};

/* What the run is about, and what came of it. */
struct session {
	const struct backtest_options *options;
	struct dataset data;
	struct target *targets; /* the data's */
	struct panel_rule rule;
	struct backtest_rule how;
	struct artefact artefact;
	const struct artefact *model; /* NULL: none */
	struct backtest result;
	struct progress progress;
	double seconds, cpu_seconds;
};

static double
cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The first origin of a series of N values, as backtest_run() has it; 0: it has none. */
static size_t
first_origin(const struct session *s, size_t n)
{
	size_t last = n > s->rule.horizon ? n - s->rule.horizon : 0, windows = s->how.windows - 1;

	if (last > 0 && (last - 1) / s->how.stride < windows)
		windows = (last - 1) / s->how.stride;
	return last - windows * s->how.stride * (last > 0);
}

/* Steps from TIME_US to the end of series T. */
static size_t
steps_before_end(const struct frequency *f, const struct target *t, int64_t time_us)
{
	int64_t n = 0;

	while (frequency_time(f, t->start_us, (int64_t)t->n - n) > time_us)
		n++;
	return (size_t)n;
}

/*
 * Is the first origin of every series at or behind the model's cut-off?  A training leaves out as many steps of one series as of
 * another, so that its cut-off is before the latest end: where others end earlier, more must be left out than the windows have.
 */
static int
check_cutoff(const struct session *s, struct err *err)
{
	const struct frequency *f = &s->data.frequency;
	int64_t first_us = INT64_MAX, end_us = INT64_MIN;
	size_t first = 0, last = 0; /* the series that begins to be forecast first, that ends last */
	char known[CLOCK_TEXT_BYTES], asked[CLOCK_TEXT_BYTES];

	for (size_t i = 0; i < s->data.n; i++) {
		const struct target *t = &s->data.rows[i].target;
		size_t origin = first_origin(s, t->n);
		int64_t origin_us = frequency_time(f, t->start_us, (int64_t)origin);

		if (origin > 0 && origin_us < first_us) {
			first_us = origin_us;
			first = i;
		}
		if (frequency_time(f, t->start_us, (int64_t)t->n) > end_us) {
			end_us = frequency_time(f, t->start_us, (int64_t)t->n);
			last = i;
		}
	}
	if (first_us >= s->model->cutoff_us)
		return 0;
	clock_iso8601(s->model->cutoff_us, known);
	clock_iso8601(first_us, asked);
	return err_set(
	    err, REASON_OPTION_INVALID,
	    "model: %s was trained on data up to %s, but the first forecast of series %zu (%.60s) begins at %s: train it with "
	    "--holdout=%zu, or ask for fewer windows",
	    s->model->version, known, first + 1, s->data.rows[first].name ? s->data.rows[first].name : "without an id",
	    asked, steps_before_end(f, &s->data.rows[last].target, first_us));
}

/* Is every series what the model was trained for?  The panel would put DeepAR to sleep without a word. */
static int
check_series(struct session *s, const char *path, struct err *err)
{
	if (!s->model->n_networks || !(s->rule.members >> PANEL_DEEPAR & 1))
		return 0;
	return series_check(&s->data, s->targets, s->model->networks[0], false, path, err);
}

static int
prepare(struct session *s, const char *path, struct err *err)
{
	const struct backtest_options *o = s->options;
	CLEANUP(panel_free)
	struct panel *panel = NULL;
	size_t model_horizon;

	if (series_read(&o->series, path, &s->data, err) < 0)
		return -1;
	s->targets = dataset_targets(&s->data);
	if (!s->targets)
		return err_set(err, REASON_NO_MEMORY, "backtest");
	if (*o->model) {
		if (artefact_load(o->model, &s->artefact, err) < 0)
			return -1;
		s->model = &s->artefact;
	}
	if (panel_options_rule(&o->panel, &s->data.frequency, s->model, &s->rule, err) < 0)
		return -1;
	model_horizon = s->model && s->model->n_networks ? (size_t)s->model->networks[0]->config.horizon : 0;
	if (!s->rule.horizon && !(s->rule.horizon = model_horizon))
		return err_set(err, REASON_OPTION_INVALID, "horizon: say how many steps are to be forecast");
	s->how = (struct backtest_rule){ .windows = (size_t)o->windows,
					 .stride = o->stride ? (size_t)o->stride : s->rule.horizon };
	if (!s->model)
		return 0;
	/* That it is for another frequency, or for fewer steps, is said before what this does to the times of its cut-off. */
	if (panel_new(&s->rule, s->model, NULL, &panel, err) < 0)
		return -1;
	return check_cutoff(s, err) < 0 ? -1 : check_series(s, path, err);
}

static void
show_progress(void *self, double share)
{
	struct session *s = self;

	progress_show(&s->progress, share, (int64_t)(share * (double)s->data.n));
}

static int
measure(struct session *s, struct err *err)
{
	double cpu = cpu_seconds();
	int64_t begun = clock_monotonic_us();
	int result;

	progress_start(&s->progress, "series");
	s->how.report = show_progress;
	s->how.self = s;
	result = backtest_run(&s->rule, s->model, &s->how, s->targets, s->data.n, &s->result, err);
	progress_end(&s->progress);
	s->seconds = (double)(clock_monotonic_us() - begun) / 1e6;
	s->cpu_seconds = cpu_seconds() - cpu;
	return result;
}

/* ---- what is said of it ---- */

static json_t *
number(double x)
{
	return isfinite(x) ? json_real(x) : json_null();
}

static json_t *
figures_json(const struct session *s, const struct accuracy *a)
{
	struct accuracy_figures f = accuracy_figures(a, s->rule.levels, s->rule.n_levels);

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "wql",
			 number(backtest_wql(a, s->rule.levels, s->rule.n_levels)), "mase", number(f.mase), "smape",
			 number(f.smape), "wape", number(f.wape), "crps", number(f.crps), "coverage80",
			 number(f.coverage80), "coverage95", number(f.coverage95));
}

/* Forecasts by what they rest on. */
static json_t *
bases_json(const struct backtest *b)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "nothing", (json_int_t)b->bases[FORECAST_NOTHING], "naive",
			 (json_int_t)b->bases[FORECAST_NAIVE], "classical", (json_int_t)b->bases[FORECAST_CLASSICAL],
			 "model", (json_int_t)b->bases[FORECAST_MODEL]);
}

static int
print_json(const struct session *s, struct err *err)
{
	json_t *members = json_object(), *member;

	for (size_t m = 0; m < PANEL_MEMBERS; m++) {
		if (!s->result.members[m].points)
			continue;
		member = figures_json(s, &s->result.members[m]);
		json_object_set_new(member, "awake", number(s->result.awake[m]));
		json_object_set_new(member, "weight", number(s->result.weights[m]));
		json_object_set_new(members, panel_member_name((enum panel_member)m), member);
	}
	return verb_print_json(
	    json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:s, s:s, s:o, s:o, s:o, s:f, s:f}", "series",
		      (json_int_t)s->data.n, "windows", (json_int_t)s->how.windows, "stride", (json_int_t)s->how.stride,
		      "horizon", (json_int_t)s->rule.horizon, "forecasts", (json_int_t)s->result.forecasts, "too_short",
		      (json_int_t)s->result.too_short, "bases", bases_json(&s->result), "frequency",
		      s->data.frequency.name, "model", s->model ? s->model->version : "", "ensemble",
		      figures_json(s, &s->result.ensemble), "uncalibrated", figures_json(s, &s->result.uncalibrated),
		      "members", members, "seconds", s->seconds, "cpu_seconds", s->cpu_seconds),
	    err);
}

enum { COLUMNS = 9 };

static const char *
cell(struct arena *a, int digits, double x)
{
	return isfinite(x) ? arena_printf(a, "%.*f", digits, x) : NULL;
}

static void
fill_row(const struct session *s, struct arena *a, const char *name, const struct accuracy *from, double weight,
	 const char **row)
{
	struct accuracy_figures f = accuracy_figures(from, s->rule.levels, s->rule.n_levels);

	row[0] = name;
	row[1] = cell(a, 4, backtest_wql(from, s->rule.levels, s->rule.n_levels));
	row[2] = cell(a, 3, f.mase);
	row[3] = cell(a, 4, f.smape);
	row[4] = cell(a, 4, f.wape);
	row[5] = cell(a, 3, f.crps);
	row[6] = cell(a, 3, f.coverage80);
	row[7] = cell(a, 3, f.coverage95);
	row[8] = cell(a, 2, weight);
}

static int
print_table(struct session *s, struct err *err)
{
	static const struct column titles[COLUMNS] = { { "member", false }, { "wQL", true },  { "MASE", true },
						       { "sMAPE", true },   { "WAPE", true }, { "CRPS", true },
						       { "80 %", true },    { "95 %", true }, { "weight", true } };
	const char *cells[(PANEL_MEMBERS + 2) * COLUMNS] = { 0 };
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);
	size_t n = 0;

	for (size_t m = 0; m < PANEL_MEMBERS; m++)
		if (s->result.members[m].points)
			fill_row(s, s->data.arena, panel_member_name((enum panel_member)m), &s->result.members[m],
				 s->result.weights[m], cells + COLUMNS * n++);
	if (s->rule.calibrate)
		fill_row(s, s->data.arena, "uncalibrated", &s->result.uncalibrated, NAN, cells + COLUMNS * n++);
	fill_row(s, s->data.arena, "ensemble", &s->result.ensemble, NAN, cells + COLUMNS * n++);
	if (columns_print(titles, COLUMNS, cells, n, &out) < 0)
		return err_set(err, REASON_NO_MEMORY, "backtest");
	printf("%zu series of %s, %zu windows of %zu steps, %zu steps apart: %" PRIu64
	       " forecasts in %.1f s (%.1f s of CPU)\n",
	       s->data.n, s->data.frequency.name, s->how.windows, s->rule.horizon, s->how.stride, s->result.forecasts,
	       s->seconds, s->cpu_seconds);
	if (s->result.bases[FORECAST_NOTHING] || s->result.too_short)
		printf("without a forecast: %" PRIu64 " (no value known), %" PRIu64
		       " series too short for any window\n",
		       s->result.bases[FORECAST_NOTHING], s->result.too_short);
	if (s->result.bases[FORECAST_NAIVE] || (s->model && s->result.bases[FORECAST_CLASSICAL]))
		printf("fallen back: %" PRIu64 " on naive members alone, %" PRIu64 " on classical ones%s\n",
		       s->result.bases[FORECAST_NAIVE], s->result.bases[FORECAST_CLASSICAL],
		       s->model ? ", without the model" : "");
	printf("%.*s", SPAN_ARG(buffer_span(&out)));
	return 0;
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
		result = measure(s, err);
	if (result == 0)
		result = o->json ? print_json(s, err) : print_table(s, err);
	artefact_clear(&s->artefact);
	dataset_clear(&s->data);
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
						0 };

	return verb_run(&program, true, argc, argv, &options, backtest);
}
