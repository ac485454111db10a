/* backtest_report.c -- see backtest_report.h.  Figures that are not known are null, or an empty cell. */
#include "cli/backtest_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/columns.h"
#include "cli/readable.h"
#include "cli/verb.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"

void
backtest_report_own(struct backtest_report *r, size_t i, const struct accuracy *own)
{
	struct accuracy_figures f = accuracy_figures(own, r->rule.levels, r->rule.n_levels);

	r->own[i] = (struct backtest_own){ backtest_wql(own, r->rule.levels, r->rule.n_levels), f.mase, f.coverage80,
					   f.coverage95, own->points };
}

int
backtest_report_check(const struct backtest_report *r, const char *path, struct err *err)
{
	const struct backtest *b = &r->result;

	if (b->ensemble.points)
		return 0;
	if (!b->forecasts)
		return err_set(err, REASON_FILE_INVALID,
			       "%.100s: no series can be forecast: of %zu, %" PRIu64
			       " are too short for any window and %" PRIu64 " end before the first",
			       path, r->data.n, b->too_short, b->ended);
	return err_set(err, REASON_FILE_INVALID,
		       "%.100s: nothing can be judged: of %" PRIu64 " forecasts %" PRIu64
		       " had no known value before them, and the others none to be compared with",
		       path, b->forecasts, b->bases[FORECAST_NOTHING]);
}

/* Series times windows of which nothing came. */
static uint64_t
windows_left_out(const struct backtest_report *r)
{
	return (uint64_t)r->data.n * r->how->windows - r->result.forecasts;
}

/* ---- the worst ---- */

struct ranked {
	double loss;
	size_t series;
};

static int
worse(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->loss != y->loss)
		return x->loss > y->loss ? -1 : 1;
	return x->series < y->series ? -1 : 1;
}

/* Series that were judged, the worst first, in the dataset's arena.  NULL: no memory. */
static struct ranked *
rank(const struct backtest_report *r, size_t *n)
{
	struct ranked *list = arena_alloc(r->data.arena, (r->data.n + 1) * sizeof(*list));

	*n = 0;
	for (size_t i = 0; list && i < r->data.n; i++) {
		const struct backtest_own *own = &r->own[i];

		if (own->points)
			list[(*n)++] = (struct ranked){ isfinite(own->mase)  ? own->mase
							: isfinite(own->wql) ? own->wql
									     : 0,
							i };
	}
	if (list)
		qsort(list, *n, sizeof(*list), worse);
	return list;
}

/* ---- JSON ---- */

static json_t *
number(double x)
{
	return isfinite(x) ? json_real(x) : json_null();
}

static json_t *
figures_json(const struct backtest_report *r, const struct accuracy *a)
{
	struct accuracy_figures f = accuracy_figures(a, r->rule.levels, r->rule.n_levels);

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "wql",
			 number(backtest_wql(a, r->rule.levels, r->rule.n_levels)), "mase", number(f.mase), "smape",
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

static json_t *
members_json(const struct backtest_report *r)
{
	json_t *members = json_object(), *member;

	for (size_t m = 0; m < PANEL_MEMBERS; m++) {
		if (!r->result.members[m].points)
			continue;
		member = figures_json(r, &r->result.members[m]);
		json_object_set_new(member, "awake", number(r->result.awake[m]));
		json_object_set_new(member, "weight", number(r->result.weights[m]));
		json_object_set_new(members, panel_member_name((enum panel_member)m), member);
	}
	return members;
}

static json_t *
worst_json(const struct backtest_report *r, size_t worst)
{
	json_t *list = json_array();
	size_t n = 0;
	const struct ranked *ranked = worst ? rank(r, &n) : NULL;

	for (size_t i = 0; i < n && i < worst; i++) {
		const struct dataset_row *row = &r->data.rows[ranked[i].series];
		const struct backtest_own *own = &r->own[ranked[i].series];
		json_t *one = json_pack("{s:s?, s:o, s:o, s:o, s:o, s:I}", "id", row->name, "wql", number(own->wql),
					"mase", number(own->mase), "coverage80", number(own->coverage80), "coverage95",
					number(own->coverage95), "values", (json_int_t)own->points);

		if (row->line)
			json_object_set_new(one, "line", json_integer((json_int_t)row->line));
		json_array_append_new(list, one);
	}
	return list;
}

/* What of the file had no part in it. */
static json_t *
left_out_json(const struct backtest_report *r)
{
	const struct backtest *b = &r->result;

	return json_pack("{s:I, s:I, s:I, s:I}", "windows", (json_int_t)windows_left_out(r), "series_too_short",
			 (json_int_t)b->too_short, "series_ended", (json_int_t)b->ended, "cut_short",
			 (json_int_t)b->cut_short);
}

int
backtest_report_json(struct backtest_report *r, size_t worst, struct err *err)
{
	const struct backtest *b = &r->result;
	json_t *all = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:s, s:s}", "series", (json_int_t)r->data.n,
				"windows", (json_int_t)r->how->windows, "stride", (json_int_t)r->how->stride, "horizon",
				(json_int_t)r->rule.horizon, "forecasts", (json_int_t)b->forecasts, "too_short",
				(json_int_t)b->too_short, "bases", bases_json(b), "frequency", r->data.frequency.name,
				"model", r->model ? r->model->version : "");
	char first[CLOCK_TEXT_BYTES];

	if (!all)
		return err_set(err, REASON_NO_MEMORY, "JSON output");
	clock_iso8601(r->first_us, first);
	json_object_set_new(all, "windows_by", json_string(r->how->calendar ? "calendar" : "series"));
	if (r->how->calendar)
		json_object_set_new(all, "first_window", json_string(first));
	json_object_set_new(all, "left_out", left_out_json(r));
	json_object_set_new(all, "ensemble", figures_json(r, &b->ensemble));
	json_object_set_new(all, "uncalibrated", figures_json(r, &b->uncalibrated));
	json_object_set_new(all, "members", members_json(r));
	json_object_set_new(all, "worst", worst_json(r, worst));
	json_object_set_new(all, "seconds", json_real(r->seconds));
	json_object_set_new(all, "cpu_seconds", json_real(r->cpu_seconds));
	return verb_print_json(all, err);
}

/* ---- tables ---- */

static const char *
cell(struct arena *a, int digits, double x)
{
	return isfinite(x) ? arena_printf(a, "%.*f", digits, x) : NULL;
}

static void
say_what_was_done(const struct backtest_report *r)
{
	printf("%zu series of %s, %zu windows of %zu steps, %zu steps apart: %" PRIu64
	       " forecasts in %.1f s (%.1f s of CPU)\n",
	       r->data.n, r->data.frequency.name, r->how->windows, r->rule.horizon, r->how->stride, r->result.forecasts,
	       r->seconds, r->cpu_seconds);
}

/* What had no part in it, and what fell back. */
static void
say_what_is_missing(const struct backtest_report *r)
{
	const struct backtest *b = &r->result;
	char first[CLOCK_TEXT_BYTES];

	clock_iso8601(r->first_us, first);
	if (b->ended || b->cut_short)
		printf("windows are moments of the calendar, from %s on, behind all that the model has seen: %" PRIu64
		       " series end before them, %" PRIu64 " forecasts are judged by the steps that there are, %" PRIu64
		       " windows of series are left out\n",
		       first, b->ended, b->cut_short, windows_left_out(r));
	if (b->bases[FORECAST_NOTHING] || b->too_short)
		printf("without a forecast: %" PRIu64 " (no value known), %" PRIu64
		       " series too short for any window\n",
		       b->bases[FORECAST_NOTHING], b->too_short);
	if (b->bases[FORECAST_NAIVE] || (r->model && b->bases[FORECAST_CLASSICAL]))
		printf("fallen back: %" PRIu64 " on naive members alone, %" PRIu64 " on classical ones%s\n",
		       b->bases[FORECAST_NAIVE], b->bases[FORECAST_CLASSICAL], r->model ? ", without the model" : "");
}

enum { COLUMNS = 9, WORST_COLUMNS = 6 };

static void
fill_row(const struct backtest_report *r, const char *name, const struct accuracy *from, double weight,
	 const char **row)
{
	struct accuracy_figures f = accuracy_figures(from, r->rule.levels, r->rule.n_levels);
	struct arena *a = r->data.arena;

	row[0] = name;
	row[1] = cell(a, 4, backtest_wql(from, r->rule.levels, r->rule.n_levels));
	row[2] = cell(a, 3, f.mase);
	row[3] = cell(a, 4, f.smape);
	row[4] = cell(a, 4, f.wape);
	row[5] = cell(a, 3, f.crps);
	row[6] = cell(a, 3, f.coverage80);
	row[7] = cell(a, 3, f.coverage95);
	row[8] = cell(a, 2, weight);
}

static int
print(const struct column *titles, size_t columns, const char *const *cells, size_t n, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer out = BUFFER_INIT(0);

	if (columns_print(titles, columns, cells, n, &out) < 0)
		return err_set(err, REASON_NO_MEMORY, "backtest");
	printf("%.*s", SPAN_ARG(buffer_span(&out)));
	return 0;
}

static int
print_members(const struct backtest_report *r, struct err *err)
{
	static const struct column titles[COLUMNS] = { { "member", false }, { "wQL", true },  { "MASE", true },
						       { "sMAPE", true },   { "WAPE", true }, { "CRPS", true },
						       { "80 %", true },    { "95 %", true }, { "weight", true } };
	const char *cells[(PANEL_MEMBERS + 2) * COLUMNS] = { 0 };
	size_t n = 0;

	for (size_t m = 0; m < PANEL_MEMBERS; m++)
		if (r->result.members[m].points)
			fill_row(r, panel_member_name((enum panel_member)m), &r->result.members[m],
				 r->result.weights[m], cells + COLUMNS * n++);
	if (r->rule.calibrate)
		fill_row(r, "uncalibrated", &r->result.uncalibrated, NAN, cells + COLUMNS * n++);
	fill_row(r, "ensemble", &r->result.ensemble, NAN, cells + COLUMNS * n++);
	return print(titles, COLUMNS, cells, n, err);
}

/* As it may be shown; NULL: no memory. */
static const char *
name_of(struct arena *a, const struct dataset_row *row)
{
	char *name = row->name ? arena_printf(a, "%.80s", row->name) : arena_printf(a, "line %zu", row->line);

	return name ? readable_text(name) : NULL;
}

static int
print_worst(const struct backtest_report *r, size_t worst, struct err *err)
{
	static const struct column titles[WORST_COLUMNS] = { { "worst series", false }, { "wQL", true },
							     { "MASE", true },          { "80 %", true },
							     { "95 %", true },          { "values", true } };
	struct arena *a = r->data.arena;
	size_t n;
	const struct ranked *ranked = rank(r, &n);
	const char **cells;

	n = n < worst ? n : worst;
	cells = arena_zalloc(a, (n + 1) * WORST_COLUMNS * sizeof(*cells));
	if (!ranked || !cells)
		return err_set(err, REASON_NO_MEMORY, "backtest");
	for (size_t i = 0; i < n; i++) {
		const struct backtest_own *own = &r->own[ranked[i].series];
		const char **row = cells + i * WORST_COLUMNS;

		row[0] = name_of(a, &r->data.rows[ranked[i].series]);
		row[1] = cell(a, 4, own->wql);
		row[2] = cell(a, 3, own->mase);
		row[3] = cell(a, 3, own->coverage80);
		row[4] = cell(a, 3, own->coverage95);
		row[5] = arena_printf(a, "%" PRIu64, own->points);
	}
	puts("");
	return print(titles, WORST_COLUMNS, cells, n, err);
}

int
backtest_report_text(struct backtest_report *r, size_t worst, struct err *err)
{
	say_what_was_done(r);
	say_what_is_missing(r);
	if (print_members(r, err) < 0)
		return -1;
	return worst && r->data.n > 1 ? print_worst(r, worst, err) : 0;
}
