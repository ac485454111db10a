/*
 * backtest.c -- series go in chunks, so that memory does not grow with their number and a network's batches are full; inside a
 * chunk origins go from old to new.  A forecast is kept until its last step is known at the origin at hand, and is learnt step by
 * step on the way: with a stride shorter than the horizon several windows are open at once.  Memory is for those that are open, not
 * for all.
 *
 * What a chunk learns together goes by the calendar, as origins may be counted from the ends of series and these may lie years
 * apart: then windows stay open for as long.
 */
#include "common/forecast/backtest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"
#include "common/forecast/cut.h"

#define CHUNK BACKTEST_TOGETHER

/* One forecast of one series. */
struct opened {
	struct panel_forecast forecast; /* its arrays are parts of the window's numbers */
	size_t origin;                  /* index of the first value forecast */
	size_t learnt, shared;          /* steps that were learnt by the series, by all together */
	bool used;
};

/* The forecasts of a chunk's series at one origin, of which something is still to be learnt. */
struct window {
	struct window *next; /* younger */
	struct opened opened[CHUNK];
	double numbers[];
};

struct run {
	const struct panel_rule *rule;
	struct backtest_rule how; /* its windows: not more than any series has */
	struct cut cut;
	struct panel *panel;
	const struct target *targets; /* the chunk's */
	size_t n, width;              /* its series; most of a chunk */
	struct panelist *learnt;      /* CHUNK */
	struct calibration together;
	struct window *open;  /* from old to young */
	struct window *spare; /* memory of those that were closed */
	int64_t last_border;  /* what comes to pass later is never learnt together */
	struct backtest *ret;
	size_t first;                         /* number of the chunk's first series */
	struct accuracy_season season[CHUNK]; /* what the seasonal naive missed in the past, */
	double seasonal[CHUNK];               /* before the origin at hand */
	struct accuracy own[CHUNK];           /* of each series' forecasts */
};

/* 0: series T has none in that window. */
static size_t
origin_of(const struct run *r, const struct target *t, size_t window)
{
	size_t back = (r->how.windows - 1 - window) * r->how.stride + r->rule->horizon, origin;

	if (!r->how.calendar)
		return t->n > back ? t->n - back : 0;
	if (!r->cut.last || back >= r->cut.span)
		return 0;
	origin = cut_from(&r->cut, t, cut_border(&r->cut, back));
	return origin < t->n ? origin : 0;
}

/* Values of T from ORIGIN on that a forecast can be judged by. */
static size_t
steps_of(const struct run *r, const struct target *t, size_t origin)
{
	return t->n - origin < r->rule->horizon ? t->n - origin : r->rule->horizon;
}

/* Windows in which some series may have an origin. */
static size_t
windows_of(const struct run *r, const struct target *targets, size_t n)
{
	size_t reach = r->how.calendar ? r->cut.span : 0, most;

	for (size_t i = 0; !r->how.calendar && i < n; i++)
		reach = targets[i].n > reach ? targets[i].n : reach;
	most = reach > r->rule->horizon ? (reach - 1 - r->rule->horizon) / r->how.stride + 1 : 1;
	return r->how.windows < most ? r->how.windows : most;
}

/* Memory for the forecasts of a window, of which none is used yet; it belongs to the run.  NULL: there is none. */
static struct window *
window_new(struct run *r)
{
	size_t flat = r->rule->horizon * r->rule->n_levels, each = flat * (2 + PANEL_MEMBERS);
	struct window *w = r->spare;

	if (w)
		r->spare = w->next;
	else
		w = malloc(sizeof(*w) + r->width * each * sizeof(w->numbers[0]));
	for (size_t i = 0; w && i < r->width; i++) {
		double *at = w->numbers + i * each;

		w->opened[i] =
		    (struct opened){ .forecast = { .values = at, .combined = at + flat, .members = at + 2 * flat } };
	}
	if (w)
		w->next = NULL;
	return w;
}

static void
free_windows(struct window *w)
{
	for (struct window *next; w; w = next) {
		next = w->next;
		free(w);
	}
}

static int
run_new(struct run *r, const struct artefact *model, struct err *err)
{
	if (panel_new(r->rule, model, NULL, &r->panel, err) < 0)
		return -1;
	r->learnt = malloc(CHUNK * sizeof(*r->learnt));
	return r->learnt ? 0 : err_set(err, REASON_NO_MEMORY, "%d series", CHUNK);
}

static void
run_clear(struct run *r)
{
	panel_free(r->panel);
	free(r->learnt);
	free_windows(r->open);
	free_windows(r->spare);
}

/* Steps of earlier forecasts of series I that are known before ORIGIN. */
static void
learn_until(struct run *r, size_t i, size_t origin)
{
	size_t row = r->rule->n_levels;

	for (struct window *w = r->open; w; w = w->next) {
		struct opened *o = &w->opened[i];

		for (; o->used && o->learnt < r->rule->horizon && o->origin + o->learnt < origin; o->learnt++) {
			double value = r->targets[i].values[o->origin + o->learnt];

			if (isfinite(value))
				panel_learn(r->panel, &r->learnt[i], o->learnt, o->forecast.awake,
					    o->forecast.members + o->learnt * PANEL_MEMBERS * row,
					    o->forecast.combined + o->learnt * row, value, o->forecast.scale);
		}
	}
}

static int64_t
time_of(const struct run *r, size_t i, size_t at)
{
	return frequency_time(&r->rule->frequency, r->targets[i].start_us, (int64_t)at);
}

/* The earliest origin of the chunk's series in WINDOW; INT64_MAX: none has one. */
static int64_t
border_of(const struct run *r, size_t window)
{
	int64_t border = INT64_MAX;

	for (size_t i = 0; i < r->n; i++) {
		size_t origin = origin_of(r, &r->targets[i], window);
		int64_t time = origin ? time_of(r, i, origin) : INT64_MAX;

		border = time < border ? time : border;
	}
	return border;
}

/* What the chunk's forecasts of W have missed, as far as it is known before BORDER. */
static void
share_window(struct run *r, struct window *w, int64_t border)
{
	size_t row = r->rule->n_levels, series = 0;

	for (size_t i = 0; i < r->n; i++)
		series += w->opened[i].used;
	for (size_t i = 0; i < r->n; i++) {
		struct opened *o = &w->opened[i];

		for (; o->used && o->shared < steps_of(r, &r->targets[i], o->origin); o->shared++) {
			size_t at = o->origin + o->shared;

			if (time_of(r, i, at) >= border)
				break;
			panel_learn_together(r->panel, &r->learnt[i], &r->together, series, o->shared,
					     o->forecast.combined + o->shared * row, r->targets[i].values[at],
					     o->forecast.scale);
		}
	}
}

/* Is there something to learn of O, a forecast of series I, at windows from WINDOW on? */
static bool
is_open(const struct run *r, size_t i, const struct opened *o, size_t window)
{
	const struct target *t = &r->targets[i];
	size_t steps = steps_of(r, t, o->origin);

	if (!o->used || window == r->how.windows)
		return false;
	return (o->learnt < steps && origin_of(r, t, window)) ||
	       (o->shared < steps && time_of(r, i, o->origin + o->shared) < r->last_border);
}

/* Keep those windows alone of which something is to be learnt at WINDOW or later. */
static void
close_windows(struct run *r, size_t window)
{
	for (struct window **at = &r->open, *w; (w = *at);) {
		bool open = false;

		for (size_t i = 0; i < r->n && !open; i++)
			open = is_open(r, i, &w->opened[i], window);
		if (open) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		w->next = r->spare;
		r->spare = w;
	}
}

/* The youngest of the open ones. */
static int
open_window(struct run *r, struct window **ret, struct err *err)
{
	struct window **at = &r->open;

	if (!(*ret = window_new(r)))
		return err_set(err, REASON_NO_MEMORY, "%zu forecasts of %zu steps", r->n, r->rule->horizon);
	while (*at)
		at = &(*at)->next;
	*at = *ret;
	return 0;
}

/* A member's quantiles lie apart from step to step: gather them. */
static void
judge_member(struct run *r, size_t i, const struct opened *o, size_t member, double *flat)
{
	size_t row = r->rule->n_levels;

	for (size_t h = 0; h < r->rule->horizon; h++)
		memcpy(flat + h * row, o->forecast.members + (h * PANEL_MEMBERS + member) * row, row * sizeof(*flat));
	accuracy_add(&r->ret->members[member], r->rule->levels, row, r->targets[i].values + o->origin, flat,
		     steps_of(r, &r->targets[i], o->origin), r->seasonal[i]);
}

static int
judge(struct run *r, size_t i, const struct opened *o, struct err *err)
{
	const double *values = r->targets[i].values + o->origin;
	size_t row = r->rule->n_levels, steps = steps_of(r, &r->targets[i], o->origin);
	double *flat;

	r->ret->forecasts++;
	r->ret->cut_short += steps < r->rule->horizon;
	r->ret->bases[o->forecast.basis]++;
	if (o->forecast.basis == FORECAST_NOTHING)
		return 0;
	flat = malloc(r->rule->horizon * row * sizeof(*flat));
	if (!flat)
		return err_set(err, REASON_NO_MEMORY, "a forecast of %zu steps", r->rule->horizon);
	accuracy_add(&r->ret->ensemble, r->rule->levels, row, values, o->forecast.values, steps, r->seasonal[i]);
	accuracy_add(&r->own[i], r->rule->levels, row, values, o->forecast.values, steps, r->seasonal[i]);
	accuracy_add(&r->ret->uncalibrated, r->rule->levels, row, values, o->forecast.combined, steps, r->seasonal[i]);
	for (size_t m = 0; m < PANEL_MEMBERS; m++) {
		r->ret->weights[m] += (double)o->forecast.weights[m];
		if (!(o->forecast.awake >> m & 1))
			continue;
		r->ret->awake[m]++;
		judge_member(r, i, o, m, flat);
	}
	free(flat);
	return 0;
}

/* What is known at WINDOW of the forecasts before. */
static void
learn_window(struct run *r, size_t window)
{
	int64_t border = border_of(r, window);

	for (struct window *w = r->open; w; w = w->next)
		share_window(r, w, border);
	for (size_t i = 0; i < r->n; i++)
		learn_until(r, i, origin_of(r, &r->targets[i], window));
	close_windows(r, window + 1);
}

/* All series of the chunk at one origin. */
static int
forecast_window(struct run *r, size_t window, struct err *err)
{
	struct panel_request requests[CHUNK];
	struct panel_forecast forecasts[CHUNK];
	struct target known[CHUNK];
	struct window *here;
	size_t who[CHUNK], n = 0;
	size_t season = r->how.season ? r->how.season : (size_t)r->rule->frequency.season;

	if (open_window(r, &here, err) < 0)
		return -1;
	for (size_t i = 0; i < r->n; i++) {
		size_t origin = origin_of(r, &r->targets[i], window);

		if (origin == 0)
			continue;
		r->seasonal[i] = accuracy_season_until(&r->season[i], r->targets[i].values, origin, season);
		known[n] = r->targets[i];
		known[n].n = origin;
		requests[n] = (struct panel_request){ &known[n], &r->learnt[i], random_u64(r->first + i, origin, 0),
						      &r->together };
		forecasts[n] = here->opened[i].forecast;
		who[n++] = i;
	}
	if (n > 0 && panel_forecast(r->panel, requests, forecasts, n, err) < 0)
		return -1;
	for (size_t k = 0; k < n; k++) {
		struct opened *o = &here->opened[who[k]];

		*o = (struct opened){ .forecast = forecasts[k], .origin = known[k].n };
		o->used = forecasts[k].basis != FORECAST_NOTHING;
		if (judge(r, who[k], o, err) < 0)
			return -1;
	}
	return 0;
}

/* A series without any origin: is it over before the first, or too short? */
static void
count_left_out(struct run *r, const struct target *t)
{
	size_t back = (r->how.windows - 1) * r->how.stride + r->rule->horizon;

	for (size_t w = 0; w < r->how.windows; w++)
		if (origin_of(r, t, w))
			return;
	if (r->how.calendar && t->n && cut_from(&r->cut, t, cut_border(&r->cut, back)) == t->n)
		r->ret->ended++;
	else
		r->ret->too_short++;
}

/* Borders move on, but for series that begin late. */
static int64_t
find_last_border(const struct run *r)
{
	int64_t last = INT64_MIN;

	for (size_t w = 0; w < r->how.windows; w++) {
		int64_t border = border_of(r, w);

		last = border > last ? border : last;
	}
	return last;
}

static int
run_chunk(struct run *r, struct err *err)
{
	memset(r->learnt, 0, CHUNK * sizeof(*r->learnt));
	memset(r->season, 0, sizeof(r->season));
	memset(r->own, 0, sizeof(r->own));
	r->together = (struct calibration){ 0 };
	r->last_border = find_last_border(r);
	for (size_t i = 0; i < r->n; i++)
		count_left_out(r, &r->targets[i]);
	for (size_t w = 0; w < r->how.windows; w++) {
		learn_window(r, w);
		if (forecast_window(r, w, err) < 0)
			return -1;
	}
	close_windows(r, r->how.windows);
	for (size_t i = 0; r->how.each && i < r->n; i++)
		r->how.each(r->how.self, r->first + i, &r->own[i]);
	return 0;
}

static int
run_chunks(struct run *r, const struct target *targets, size_t n, struct err *err)
{
	for (size_t at = 0; at < n; at += CHUNK) {
		r->targets = targets + at;
		r->first = at;
		r->n = n - at < CHUNK ? n - at : CHUNK;
		if (run_chunk(r, err) < 0)
			return -1;
		if (r->how.report)
			r->how.report(r->how.self, (double)(at + r->n) / (double)n);
	}
	return 0;
}

int
backtest_run(const struct panel_rule *rule, const struct artefact *model, const struct backtest_rule *how,
	     const struct target *targets, size_t n, struct backtest *ret, struct err *err)
{
	struct run *r;
	int result;

	if (how->windows < 1 || how->stride < 1)
		return err_set(err, REASON_OPTION_INVALID, "windows and stride must be at least 1");
	if (!(r = calloc(1, sizeof(*r))))
		return err_set(err, REASON_NO_MEMORY, "backtest");
	*r = (struct run){ .rule = rule, .how = *how, .ret = ret };
	cut_init(&r->cut, &rule->frequency, targets, n);
	r->how.windows = windows_of(r, targets, n);
	r->width = n < CHUNK ? n : CHUNK;
	result = run_new(r, model, err) < 0 ? -1 : run_chunks(r, targets, n, err);
	run_clear(r);
	free(r);
	for (size_t m = 0; result == 0 && m < PANEL_MEMBERS && ret->forecasts; m++) {
		ret->awake[m] /= (double)ret->forecasts;
		ret->weights[m] /= (double)ret->forecasts;
	}
	return result;
}

double
backtest_wql(const struct accuracy *a, const double *levels, size_t n_levels)
{
	double sum = 0;
	size_t n = 0;

	for (size_t i = 0; i < n_levels; i++)
		if (levels[i] > 0.0999 && levels[i] < 0.9001) {
			sum += 2 * a->pinball[i];
			n++;
		}
	return n && a->absolute > 0 ? sum / (double)n / a->absolute : NAN;
}
