/*
 * fit.c -- rolling forecasts of windows held back at the end of every series, and what is learnt from them.
 *
 *	series i:  ......history......|--- window 0 ---|--- window 1 ---|	a forecast of window w sees nothing behind its border
 *
 * All steps of all forecasts whose values are known become cases.  Weights and shifts are fitted on all of them, but shifts are of
 * combinations, and figures of combinations and shifts, that have not seen the fold they are judged on: a window, or with one window
 * only half of the series.
 *
 * What all series did together in a few windows is no law.  Selected weights are mixed with the default prior; shifts of the middle
 * are left to each series' own tracking.
 */
#include "common/forecast/fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/forecast/accuracy.h"

#define ROUNDS 20
#define MIXED 0.5      /* of the default prior in the weights */
#define SHARPNESS 10.0 /* of judgement: who lost a tenth more than the best keeps about a third of it */
#define FOOT 0.05      /* and so much at least */
#define LOSS_MOST 10.0 /* scales */

#define FORECASTS_WANTED 200
#define WINDOWS_LEAST 2
#define WINDOWS_MOST 20

/* One forecast of the past. */
struct held {
	const double *actual; /* horizon values */
	size_t fold;
	double seasonal; /* error of the seasonal naive forecast before it */
	double *members; /* [horizon][PANEL_MEMBERS][n_levels] */
	double *rows;    /* [horizon][n_levels]: combined */
	struct panel_forecast made;
};

struct fit {
	struct artefact *a;
	const struct panel_rule *rule;
	struct panel *panel;
	struct held *held;
	size_t n_held, folds;
	struct ensemble_case *cases;
	struct calibration_case *moved; /* the same, as calibration sees them */
	size_t *fold;                   /* of each case */
	size_t n_cases;
	double *numbers;
};

static void
fit_close(struct fit *f)
{
	panel_free(f->panel);
	free(f->held);
	free(f->cases);
	free(f->moved);
	free(f->fold);
	free(f->numbers);
}

/* ---- forecasts of the past ---- */

/* The I-th of MOST series, evenly chosen out of N. */
static size_t
chosen(size_t i, size_t most, size_t n)
{
	return n <= most ? i : i * n / most;
}

/* Windows of T that have at least as much in front of them as they are long. */
static size_t
windows_of(const struct fit *f, const struct target *t, size_t windows)
{
	size_t fit = t->n / f->rule->horizon;

	return fit < 2 ? 0 : fit - 1 < windows ? fit - 1 : windows;
}

static int
make_room(struct fit *f, const struct target *targets, size_t n, size_t windows, size_t most, struct err *err)
{
	size_t h = f->rule->horizon, row = f->rule->n_levels, each = h * row * (PANEL_MEMBERS + 2);

	for (size_t i = 0; i < (n < most ? n : most); i++)
		f->n_held += windows_of(f, &targets[chosen(i, most, n)], windows);
	if (!f->n_held)
		return err_set(err, REASON_OPTION_INVALID, "none of %zu series has two horizons of %zu steps", n, h);
	f->held = calloc(f->n_held, sizeof(*f->held));
	f->cases = calloc(f->n_held * h, sizeof(*f->cases));
	f->moved = calloc(f->n_held * h, sizeof(*f->moved));
	f->fold = calloc(f->n_held * h, sizeof(*f->fold));
	f->numbers = calloc(f->n_held * each, sizeof(*f->numbers));
	if (!f->held || !f->cases || !f->moved || !f->fold || !f->numbers)
		return err_set(err, REASON_NO_MEMORY, "%zu forecasts of %zu steps", f->n_held, h);
	for (size_t i = 0; i < f->n_held; i++) {
		f->held[i].members = f->numbers + i * each;
		f->held[i].rows = f->held[i].members + h * row * PANEL_MEMBERS;
		f->held[i].made.members = f->held[i].members;
		f->held[i].made.values = f->held[i].rows + h * row;
	}
	return 0;
}

/* All windows of one series in one call. */
static int
forecast_past(struct fit *f, const struct target *t, size_t series, size_t windows, struct held *held, struct err *err)
{
	size_t h = f->rule->horizon, count = windows_of(f, t, windows), season = (size_t)f->rule->frequency.season;

	for (size_t w = 0; w < count; w++) {
		struct target past = *t;
		struct panel_request request = { &past, NULL, random_u64(f->rule->seed, series, w) };

		past.n = t->n - (count - w) * h;
		held[w].actual = t->values + past.n;
		held[w].fold = f->folds == windows ? windows - count + w : series % f->folds;
		held[w].seasonal = accuracy_seasonal_error(past.values, past.n, season);
		if (panel_forecast(f->panel, &request, &held[w].made, 1, err) < 0)
			return -1;
	}
	return 0;
}

static void
list_cases(struct fit *f)
{
	size_t n_levels = f->rule->n_levels;

	for (size_t i = 0; i < f->n_held; i++) {
		const struct held *held = &f->held[i];

		for (size_t h = 0; h < f->rule->horizon; h++) {
			if (!isfinite(held->actual[h]) || !held->made.awake)
				continue;
			f->cases[f->n_cases] = (struct ensemble_case){ held->members + h * PANEL_MEMBERS * n_levels,
								       held->made.awake, (uint32_t)h, held->actual[h] };
			f->moved[f->n_cases] =
			    (struct calibration_case){ held->rows + h * n_levels, (uint32_t)h, held->actual[h], 1 };
			f->fold[f->n_cases++] = held->fold;
		}
	}
}

/* ---- weights ---- */

/*
 * Mean pinball loss of QUANTILES, [horizon] rows that lie STRIDE numbers apart, in scales of the series: each counts alike.  Bounded:
 * a forecast that has exploded is bad, not infinitely bad.
 */
static double
loss_of(const struct fit *f, const struct held *held, const double *quantiles, size_t stride)
{
	double sum = 0;

	for (size_t h = 0; h < f->rule->horizon; h++)
		for (size_t q = 0; isfinite(held->actual[h]) && q < f->rule->n_levels; q++)
			sum += accuracy_pinball(f->rule->levels[q], quantiles[h * stride + q], held->actual[h]);
	return fmin(sum / (double)(f->rule->horizon * f->rule->n_levels) / held->made.scale, LOSS_MOST);
}

/*
 * What each member lost in the folds but LEFT_OUT, in multiples of what the default prior's combination lost in the same forecasts; 0:
 * it took part in none.
 */
static void
relative_losses(const struct fit *f, size_t left_out, double *losses)
{
	size_t n_levels = f->rule->n_levels;

	for (size_t m = 0; m < PANEL_MEMBERS; m++) {
		double own = 0, all = 0;

		for (size_t i = 0; i < f->n_held; i++) {
			const struct held *held = &f->held[i];

			if (held->fold == left_out || !(held->made.awake >> m & 1))
				continue;
			own += loss_of(f, held, held->members + m * n_levels, PANEL_MEMBERS * n_levels);
			all += loss_of(f, held, held->made.values, n_levels);
		}
		losses[m] = all > 0 ? own / all : 0;
	}
}

/*
 * Half of the weights is what was selected; the other half is the default prior, of which a member has kept the less the more it
 * lost.  So nobody is out of reach: a foot in the door stays, from which it can earn more.
 */
static void
mix_in(const struct fit *f, size_t left_out, struct ensemble_rule *rule)
{
	const struct ensemble_rule *prior = panel_ensemble(f->panel);
	double losses[PANEL_MEMBERS], best = INFINITY;

	relative_losses(f, left_out, losses);
	for (size_t m = 0; m < PANEL_MEMBERS; m++)
		best = losses[m] > 0 ? fmin(best, losses[m]) : best;
	for (size_t b = 0; b < rule->n_buckets; b++) {
		double kept[PANEL_MEMBERS], sum = 0;

		for (size_t m = 0; m < PANEL_MEMBERS; m++) {
			double better = losses[m] > 0 ? pow(best / losses[m], SHARPNESS) : 1;

			kept[m] = (double)prior->prior[b][m] * fmax(better, FOOT);
			sum += kept[m];
		}
		for (size_t m = 0; m < PANEL_MEMBERS && sum > 0; m++)
			rule->prior[b][m] = (float)((1 - MIXED) * (double)rule->prior[b][m] + MIXED * kept[m] / sum);
	}
}

/* Weights by the cases of all folds but LEFT_OUT (f->folds: by all). */
static int
fit_weights(const struct fit *f, size_t left_out, struct ensemble_rule *ret, struct err *err)
{
	CLEANUP(heap_free)
	struct ensemble_case *some = calloc(f->n_cases ? f->n_cases : 1, sizeof(*some));
	size_t n = 0;

	if (!some)
		return err_set(err, REASON_NO_MEMORY, "weights by %zu cases", f->n_cases);
	for (size_t i = 0; i < f->n_cases; i++)
		if (f->fold[i] != left_out)
			some[n++] = f->cases[i];
	*ret = *panel_ensemble(f->panel);
	if (ensemble_select(ret, f->rule->levels, some, n, ROUNDS, err) < 0)
		return -1;
	mix_in(f, left_out, ret);
	return 0;
}

/* The forecasts of FOLD with the weights of RULE, as these lean in each of them. */
static void
combine(struct fit *f, size_t fold, const struct ensemble_rule *rule)
{
	static const struct ensemble nothing;
	size_t n_levels = f->rule->n_levels;

	for (size_t i = 0; i < f->n_held; i++) {
		const struct held *held = &f->held[i];
		struct ensemble_rule leaning;

		if (held->fold != fold || !held->made.awake)
			continue;
		panel_lean(rule, &held->made, &leaning);
		for (size_t h = 0; h < f->rule->horizon; h++)
			ensemble_combine(&leaning, &nothing, h, held->made.awake,
					 held->members + h * PANEL_MEMBERS * n_levels, held->rows + h * n_levels);
	}
}

/* Each fold is combined with weights that have not seen it: to others it would look easier than what is to come. */
static int
weigh(struct fit *f, struct err *err)
{
	for (size_t fold = 0; fold < f->folds; fold++) {
		struct ensemble_rule rule;

		if (fit_weights(f, fold, &rule, err) < 0)
			return -1;
		combine(f, fold, &rule);
	}
	return fit_weights(f, f->folds, &f->a->ensemble, err);
}

/* ---- shifts ---- */

/* Where the middle went: the shift of the level nearest to .5, or of the outermost together. */
static double
middle(const struct panel_rule *rule, const float *shifts)
{
	size_t best = 0;

	for (size_t q = 1; q < rule->n_levels; q++)
		best = fabs(rule->levels[q] - .5) < fabs(rule->levels[best] - .5) ? q : best;
	if (fabs(rule->levels[best] - .5) < .1)
		return (double)shifts[best];
	return ((double)shifts[0] + (double)shifts[rule->n_levels - 1]) / 2;
}

static void
leave_middle(const struct panel_rule *rule, size_t n_buckets, struct calibration *c)
{
	for (size_t b = 0; b < n_buckets; b++) {
		double centre = middle(rule, c->shift[b]);

		for (size_t q = 0; q < rule->n_levels; q++)
			c->shift[b][q] = (float)((double)c->shift[b][q] - centre);
	}
}

/* Fit on the cases of all folds but LEFT_OUT (f->folds: on all). */
static int
fit_shifts(const struct fit *f, size_t left_out, struct calibration *ret, struct err *err)
{
	CLEANUP(heap_free)
	struct calibration_case *some = calloc(f->n_cases, sizeof(*some));
	size_t n = 0, forecasts = 0;

	if (!some)
		return err_set(err, REASON_NO_MEMORY, "calibration by %zu cases", f->n_cases);
	for (size_t i = 0; i < f->n_held; i++)
		forecasts += f->held[i].fold != left_out && f->held[i].made.awake;
	for (size_t i = 0; i < f->n_cases; i++)
		if (f->fold[i] != left_out)
			some[n++] = f->moved[i];
	if (calibration_fit(&f->a->ensemble, f->rule->levels, some, n, forecasts, ret, err) < 0)
		return -1;
	leave_middle(f->rule, f->a->ensemble.n_buckets, ret);
	return 0;
}

static void
set_units(struct fit *f)
{
	for (size_t i = 0, c = 0; i < f->n_held; i++)
		for (size_t h = 0; h < f->rule->horizon; h++)
			if (isfinite(f->held[i].actual[h]) && f->held[i].made.awake) {
				f->moved[c].scale = panel_unit(f->panel, f->moved[c].quantiles, f->held[i].made.scale);
				c++;
			}
}

/* ---- figures ---- */

static void
figures_of(struct fit *f, const struct accuracy *all)
{
	struct accuracy_figures made = accuracy_figures(all, f->rule->levels, f->rule->n_levels);

	artefact_set_figure(f->a, "wql", made.wql);
	artefact_set_figure(f->a, "mase", made.mase);
	artefact_set_figure(f->a, "coverage80", made.coverage80);
	artefact_set_figure(f->a, "coverage95", made.coverage95);
}

/* Judge the forecasts of FOLD, moved by SHIFTS. */
static void
judge(struct fit *f, size_t fold, const struct calibration *shifts, struct accuracy *all)
{
	size_t n_levels = f->rule->n_levels;

	for (size_t i = 0; i < f->n_held; i++) {
		struct held *held = &f->held[i];
		double *values = held->made.values;

		if (held->fold != fold || !held->made.awake)
			continue;
		memcpy(values, held->rows, f->rule->horizon * n_levels * sizeof(*values));
		for (size_t h = 0; h < f->rule->horizon; h++)
			calibration_apply(&f->a->ensemble, shifts, NULL, h,
					  panel_unit(f->panel, held->rows + h * n_levels, held->made.scale),
					  values + h * n_levels);
		accuracy_add(all, f->rule->levels, n_levels, held->actual, values, f->rule->horizon, held->seasonal);
	}
}

static int
calibrate(struct fit *f, struct err *err)
{
	struct accuracy all = { 0 };

	for (size_t fold = 0; fold < f->folds; fold++) {
		struct calibration shifts;

		if (fit_shifts(f, fold, &shifts, err) < 0)
			return -1;
		judge(f, fold, &shifts, &all);
	}
	figures_of(f, &all);
	return fit_shifts(f, f->folds, &f->a->calibration, err);
}

/* wql.<member>: over the forecasts that it took part in. */
static void
judge_member(struct fit *f, enum panel_member m)
{
	size_t n_levels = f->rule->n_levels;
	struct accuracy all = { 0 };
	char name[32];

	for (size_t i = 0; i < f->n_held; i++) {
		struct held *held = &f->held[i];

		if (!(held->made.awake >> m & 1))
			continue;
		for (size_t h = 0; h < f->rule->horizon; h++)
			memcpy(held->made.values + h * n_levels, held->members + (h * PANEL_MEMBERS + m) * n_levels,
			       n_levels * sizeof(double));
		accuracy_add(&all, f->rule->levels, n_levels, held->actual, held->made.values, f->rule->horizon,
			     held->seasonal);
	}
	snprintf(name, sizeof(name), "wql.%s", panel_member_name(m));
	if (all.points)
		artefact_set_figure(f->a, name, accuracy_figures(&all, f->rule->levels, n_levels).wql);
}

static int
fit_all(struct fit *f, struct err *err)
{
	list_cases(f);
	if (weigh(f, err) < 0)
		return -1;
	set_units(f);
	if (calibrate(f, err) < 0)
		return -1;
	for (int m = 0; m < PANEL_MEMBERS; m++)
		judge_member(f, (enum panel_member)m);
	f->a->n_levels = f->rule->n_levels;
	memcpy(f->a->levels, f->rule->levels, sizeof(f->a->levels));
	return 0;
}

static int
run(struct fit *f, const struct target *targets, size_t n, size_t windows, size_t most,
    void (*report)(void *self, double share), void *self, struct err *err)
{
	size_t done = 0, series = n < most ? n : most;
	struct panel_rule rule = *f->rule;

	rule.calibrate = false;
	if (panel_new(&rule, f->a, NULL, &f->panel, err) < 0 || make_room(f, targets, n, windows, most, err) < 0)
		return -1;
	for (size_t i = 0; i < series; i++) {
		const struct target *t = &targets[chosen(i, most, n)];

		if (forecast_past(f, t, i, windows, f->held + done, err) < 0)
			return -1;
		done += windows_of(f, t, windows);
		if (report)
			report(self, (double)(i + 1) / (double)series);
	}
	return fit_all(f, err);
}

int
fit_ensemble(struct artefact *a, const struct panel_rule *rule, const struct target *targets, size_t n, size_t windows,
	     size_t most, void (*report)(void *self, double share), void *self, struct err *err)
{
	struct fit f = { .a = a, .rule = rule, .folds = windows > 1 ? windows : 2 };
	int failed;

	if (!windows || !most)
		return err_set(err, REASON_OPTION_INVALID, "%zu windows of %zu series: nothing is held back", windows,
			       most);
	failed = run(&f, targets, n, windows, most, report, self, err);
	fit_close(&f);
	if (!failed)
		fit_version(a);
	return failed;
}

size_t
fit_windows(const struct target *targets, size_t n, size_t horizon)
{
	size_t points = 0, windows, most;

	for (size_t i = 0; i < n; i++)
		points += targets[i].n;
	windows = n ? (FORECASTS_WANTED + n - 1) / n : WINDOWS_LEAST;
	most = n ? points / n / 10 / horizon : WINDOWS_LEAST;
	windows = windows < most ? windows : most;
	windows = windows < WINDOWS_MOST ? windows : WINDOWS_MOST;
	return windows > WINDOWS_LEAST ? windows : WINDOWS_LEAST;
}
