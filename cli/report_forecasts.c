/*
 * report_forecasts.c -- some forecasts as pictures, with what came before and after.
 *
 * Drawn is, of a series, the latest forecast whose horizon has (nearly) been lived through.  Series are taken spread over
 * the devices, another metric each time, so that not the same kind of thing is seen again and again.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/report.h"
#include "common/base/clock.h"

#define CHART_HEIGHT 12
#define MOST_STEPS 2000
#define MOST_POINTS 20000

/* One forecast with its surroundings; texts and arrays are in the report's arena. */
struct picture {
	struct span device, metric, unit, model, version;
	struct chart chart;
	double levels[CHART_LEVELS]; /* of the fan: the nearest to the wanted ones that the forecast has */
	int64_t inside, outside;     /* readings that came, inside the outermost of them and outside */
};

/* ---- taking ---- */

static const double wanted_levels[CHART_LEVELS] = { 0.05, 0.25, 0.5, 0.75, 0.95 };

/* N forecasts: device, metric, model, version, origin, step, steps. */
static int
choose(struct report *r, struct rows **ret, struct err *err)
{
	static const char sql[] =
	    "WITH reach AS (SELECT device, metric, max(event_time) AS last FROM forebay.readings GROUP BY 1, 2), "
	    "lived AS (SELECT DISTINCT ON (f.device, f.metric) f.device, f.metric, f.model, f.version, f.origin_time, "
	    "f.step_us, array_length(f.quantiles, 1) AS steps FROM forebay.forecasts f JOIN reach USING (device, metric) "
	    "WHERE f.origin_time + 0.9 * array_length(f.quantiles, 1) * f.step_us * interval '1 microsecond' <= reach.last "
	    "ORDER BY f.device, f.metric, f.origin_time DESC, f.model, f.version), "
	    "spread AS (SELECT *, dense_rank() OVER (ORDER BY device) - 1 AS d, "
	    "row_number() OVER (PARTITION BY device ORDER BY metric) - 1 AS m, "
	    "count(*) OVER (PARTITION BY device) AS metrics FROM lived), "
	    "size AS (SELECT max(d) + 1 AS devices FROM spread), "
	    "place AS (SELECT i, i * devices / $1::int AS d FROM size, generate_series(0, $1::int - 1) AS i "
	    "WHERE $1::int <= devices OR i < devices) "
	    "SELECT device, metric, model, version, (extract(epoch FROM origin_time) * 1000000)::bigint, step_us, steps "
	    "FROM place JOIN spread ON spread.d = place.d AND spread.m = place.i % spread.metrics ORDER BY i";
	const struct param params[] = { PARAM_INT(r->options->devices) };

	return store_query(r->store, sql, params, ARRAY_LEN(params), ret, err);
}

/* The quantiles nearest to the wanted ones, step by step. */
static int
take_fan(struct report *r, struct picture *p, size_t n_steps, struct err *err)
{
	static const char sql[] =
	    "SELECT s, l.wanted, f.quantiles[s][l.at], f.levels[l.at] FROM forebay.forecasts f, generate_series(1, $6::int) AS s, "
	    "unnest(ARRAY[0.05, 0.25, 0.5, 0.75, 0.95]::float8[]) WITH ORDINALITY AS w(level, wanted), LATERAL "
	    "(SELECT w.wanted, i AS at FROM generate_subscripts(f.levels, 1) AS i "
	    "ORDER BY abs(f.levels[i] - w.level), i LIMIT 1) AS l "
	    "WHERE f.device = $1 AND f.metric = $2 AND f.origin_time = forebay.micros($3) AND f.model = $4 "
	    "AND f.version = $5 ORDER BY s, wanted";
	const struct param params[] = { PARAM_TEXT(p->device), PARAM_TEXT(p->metric),  PARAM_INT(p->chart.origin_us),
					PARAM_TEXT(p->model),  PARAM_TEXT(p->version), PARAM_INT((int64_t)n_steps) };
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	double(*fan)[CHART_LEVELS] = arena_alloc(r->arena, (n_steps + 1) * sizeof(*fan));

	if (!fan)
		return err_set(err, REASON_NO_MEMORY, "forecast");
	if (store_query(r->store, sql, params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	p->chart.n_steps = rows_count(rows) / CHART_LEVELS;
	for (size_t k = 0; k < CHART_LEVELS; k++)
		p->levels[k] = p->chart.n_steps ? rows_real(rows, k, 3) : wanted_levels[k];
	for (size_t i = 0; i < p->chart.n_steps * CHART_LEVELS; i++)
		fan[i / CHART_LEVELS][i % CHART_LEVELS] = rows_real(rows, i, 2);
	p->chart.fan = fan;
	return 0;
}

/* Good readings of [FROM_US, TO_US). */
static int
take_line(struct report *r, struct picture *p, int64_t from_us, int64_t to_us, struct chart_line *ret, struct err *err)
{
	static const char sql[] =
	    "SELECT (extract(epoch FROM event_time) * 1000000)::bigint, value, unit FROM forebay.readings "
	    "WHERE device = $1 AND metric = $2 AND event_time >= forebay.micros($3) AND event_time < forebay.micros($4) "
	    "AND value IS NOT NULL ORDER BY event_time LIMIT $5";
	const struct param params[] = { PARAM_TEXT(p->device), PARAM_TEXT(p->metric), PARAM_INT(from_us),
					PARAM_INT(to_us), PARAM_INT(MOST_POINTS) };
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	int64_t *times;
	double *values;

	if (store_query(r->store, sql, params, ARRAY_LEN(params), &rows, err) < 0)
		return -1;
	ret->n = rows_count(rows);
	times = arena_alloc(r->arena, (ret->n + 1) * sizeof(*times));
	values = arena_alloc(r->arena, (ret->n + 1) * sizeof(*values));
	if (!times || !values)
		return err_set(err, REASON_NO_MEMORY, "readings of a forecast");
	for (size_t i = 0; i < ret->n; i++) {
		times[i] = rows_int(rows, i, 0);
		values[i] = rows_real(rows, i, 1);
		if (!p->unit.ptr)
			p->unit = arena_copy(r->arena, rows_text(rows, i, 2));
	}
	ret->times_us = times;
	ret->values = values;
	return 0;
}

static void
count_inside(struct picture *p)
{
	const struct chart *c = &p->chart;

	for (size_t i = 0; i < c->actual.n; i++) {
		size_t h = (size_t)((c->actual.times_us[i] - c->origin_us) / c->step_us);

		if (h >= c->n_steps)
			continue;
		if (c->actual.values[i] >= c->fan[h][CHART_P05] && c->actual.values[i] <= c->fan[h][CHART_P95])
			p->inside++;
		else
			p->outside++;
	}
}

/* History as long as the horizon, at least a day where a horizon is some hours: so that the season can be seen. */
static int64_t
history_us(int64_t horizon_us)
{
	const int64_t day_us = 86400 * US_PER_SECOND;

	return horizon_us >= day_us / 24 && horizon_us < day_us ? day_us + day_us / 4 : horizon_us * 3 / 2;
}

static int
take_picture(struct report *r, const struct rows *rows, size_t i, struct picture *p, struct err *err)
{
	int64_t steps = rows_int(rows, i, 6), horizon_us;

	*p = (struct picture){ .device = arena_copy(r->arena, rows_text(rows, i, 0)),
			       .metric = arena_copy(r->arena, rows_text(rows, i, 1)),
			       .model = arena_copy(r->arena, rows_text(rows, i, 2)),
			       .version = arena_copy(r->arena, rows_text(rows, i, 3)),
			       .chart = { .origin_us = rows_int(rows, i, 4), .step_us = rows_int(rows, i, 5) } };
	if (!p->device.ptr || !p->metric.ptr || !p->model.ptr || !p->version.ptr)
		return err_set(err, REASON_NO_MEMORY, "forecast");
	if (steps > MOST_STEPS)
		steps = MOST_STEPS;
	horizon_us = steps * p->chart.step_us;
	if (take_fan(r, p, (size_t)steps, err) < 0 ||
	    take_line(r, p, p->chart.origin_us - history_us(horizon_us), p->chart.origin_us, &p->chart.history, err) <
		0 ||
	    take_line(r, p, p->chart.origin_us, p->chart.origin_us + horizon_us, &p->chart.actual, err) < 0)
		return -1;
	count_inside(p);
	return 0;
}

/* ---- telling ---- */

static void
print_title(const struct report *r, const struct picture *p)
{
	const char *bold = r->style == CHART_COLOUR ? "\033[1m" : "",
		   *plain = r->style == CHART_COLOUR ? "\033[0m" : "";
	char from[CLOCK_TEXT_BYTES];
	double hours = (double)p->chart.n_steps * (double)p->chart.step_us / 3.6e9;

	clock_iso8601(p->chart.origin_us, from);
	printf("  %s%.*s %.*s%s", bold, SPAN_ARG(p->device), SPAN_ARG(p->metric), plain);
	if (p->unit.ptr)
		printf(" [%.*s]", SPAN_ARG(p->unit));
	printf(", %.4g h from %.5s %.5s: %" PRId64 " of %" PRId64 " readings within the %.3g %%\n", hours, from + 5,
	       from + 11, p->inside, p->inside + p->outside, 100 * (p->levels[CHART_P95] - p->levels[CHART_P05]));
}

static int
print(const struct report *r, const struct picture *p, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(1 << 20);

	print_title(r, p);
	if (chart_draw(&p->chart, r->width, CHART_HEIGHT, r->style, &text, err) < 0)
		return -1;
	fwrite(text.ptr, 1, text.len, stdout);
	return 0;
}

static json_t *
line_json(const struct chart_line *line)
{
	json_t *points = json_array();

	for (size_t i = 0; i < line->n; i++)
		json_array_append_new(points, json_pack("[I, f]", (json_int_t)line->times_us[i], line->values[i]));
	return points;
}

static json_t *
picture_json(const struct picture *p)
{
	json_t *levels = json_array(), *steps = json_array();
	char origin[CLOCK_TEXT_BYTES];

	clock_iso8601(p->chart.origin_us, origin);
	for (int k = 0; k < CHART_LEVELS; k++)
		json_array_append_new(levels, json_real(p->levels[k]));
	for (size_t h = 0; h < p->chart.n_steps; h++) {
		json_t *step = json_array();

		for (int k = 0; k < CHART_LEVELS; k++)
			json_array_append_new(step, isfinite(p->chart.fan[h][k]) ? json_real(p->chart.fan[h][k])
										 : json_null());
		json_array_append_new(steps, step);
	}
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "device", p->device.ptr,
			 "metric", p->metric.ptr, "model", p->model.ptr, "version", p->version.ptr, "origin", origin,
			 "step_us", (json_int_t)p->chart.step_us, "inside_90", (json_int_t)p->inside, "outside_90",
			 (json_int_t)p->outside, "levels", levels, "quantiles", steps, "history",
			 line_json(&p->chart.history), "actual", line_json(&p->chart.actual));
}

/* How much of all that was scored under a forecast lay inside its fan. */
static int
take_coverage(struct report *r, json_t *result, struct err *err)
{
	static const char sql[] = "SELECT count(*), count(*) FILTER (WHERE lower IS NOT NULL), "
				  "count(*) FILTER (WHERE value BETWEEN lower AND upper) FROM forebay.scores";
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	int64_t scored, covered, inside;

	if (store_query(r->store, sql, NULL, 0, &rows, err) < 0)
		return -1;
	scored = rows_int(rows, 0, 0);
	covered = rows_int(rows, 0, 1);
	inside = rows_int(rows, 0, 2);
	json_object_set_new(result, "coverage",
			    json_pack("{s:I, s:I, s:I}", "scored", (json_int_t)scored, "with_forecast",
				      (json_int_t)covered, "inside_90", (json_int_t)inside));
	if (!r->options->json && scored > 0)
		printf(
		    "  %.1f %% of all scored readings had a forecast before they came; its 90 %% held %.1f %% of them\n",
		    100 * (double)covered / (double)scored, covered ? 100 * (double)inside / (double)covered : 0.0);
	return 0;
}

static int
print_legend(const struct report *r, struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer text = BUFFER_INIT(1 << 16);

	if (chart_legend(r->style, &text, err) < 0)
		return -1;
	fwrite(text.ptr, 1, text.len, stdout);
	return 0;
}

int
report_forecasts(struct report *r, json_t *result, struct err *err)
{
	CLEANUP(rows_free)
	struct rows *rows = NULL;
	json_t *pictures = json_array();

	json_object_set_new(result, "forecasts", pictures);
	if (choose(r, &rows, err) < 0)
		return -1;
	if (!r->options->json)
		report_heading(r, "Forecasts");
	for (size_t i = 0; i < rows_count(rows); i++) {
		struct picture p;

		if (take_picture(r, rows, i, &p, err) < 0)
			return -1;
		if (r->options->json)
			json_array_append_new(pictures, picture_json(&p));
		else if (print(r, &p, err) < 0)
			return -1;
	}
	if (!r->options->json && rows_count(rows) == 0)
		puts("  none whose time has come to an end yet");
	else if (!r->options->json && print_legend(r, err) < 0)
		return -1;
	return take_coverage(r, result, err);
}
