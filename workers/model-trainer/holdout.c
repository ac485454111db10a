/*
 * holdout.c -- the panels forecast each window from what was known before it, with the same noise.  A loss is divided by the
 * series' mean |value|, which is the same for all who are compared.  The floor has a panel of its own: naive members may be no part
 * of the ensemble.
 */
#include "workers/model-trainer/holdout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/random.h"

enum side { OURS, LIVE, NAIVE, SIDES = NAIVE + GATE_NAIVE };

struct scratch {
	const struct holdout_rule *rule;
	struct panel *ours, *live, *floor;
	double *values, *theirs, *members,
	    *row; /* of our forecast, of the live one's or the floor's, of the floor's members, of one of them */
	double *latencies; /* ms */
	size_t n_latencies;
	struct holdout *out;
};

static void
scratch_clear_cleanup(struct scratch *s)
{
	panel_free(s->ours);
	panel_free(s->live);
	panel_free(s->floor);
	free(s->values);
	free(s->theirs);
	free(s->members);
	free(s->row);
	free(s->latencies);
}

void
holdout_clear(struct holdout *h)
{
	free(h->series);
	*h = (struct holdout){ 0 };
}

static int
scratch_init(struct scratch *s, const struct artefact *candidate, const struct artefact *live, size_t series,
	     struct err *err)
{
	const struct panel_rule *p = &s->rule->panel;
	size_t numbers = p->horizon * p->n_levels;
	struct panel_rule naive = *p;

	s->values = calloc(numbers, sizeof(double));
	s->theirs = calloc(numbers, sizeof(double));
	s->row = calloc(numbers, sizeof(double));
	s->members = calloc(numbers * PANEL_MEMBERS, sizeof(double));
	s->latencies = calloc(series * s->rule->windows + 1, sizeof(double));
	s->out->series = calloc(series + 1, sizeof(*s->out->series));
	if (!s->values || !s->theirs || !s->row || !s->members || !s->latencies || !s->out->series)
		return err_set(err, REASON_NO_MEMORY, "held-back windows");
	naive.members = 1U << PANEL_LAST | 1U << PANEL_SEASON | 1U << PANEL_LONG_SEASON;
	if (panel_new(p, candidate, NULL, &s->ours, err) < 0 || panel_new(&naive, NULL, NULL, &s->floor, err) < 0)
		return -1;
	return live ? panel_new(p, live, NULL, &s->live, err) : 0;
}

static double
cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static bool
all_finite(const double *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(values[i]))
			return false;
	return true;
}

/* One member's rows out of [horizon][members][levels]; the last value's where it has nothing to say. */
static const double *
member_rows(const struct scratch *s, const struct panel_forecast *f, size_t m)
{
	const struct panel_rule *p = &s->rule->panel;
	size_t from = f->awake & 1U << m ? m : PANEL_LAST;

	for (size_t h = 0; h < p->horizon; h++)
		memcpy(s->row + h * p->n_levels, s->members + (h * PANEL_MEMBERS + from) * p->n_levels,
		       p->n_levels * sizeof(double));
	return s->row;
}

/* Ours, and what the live version says; *KNOWN false: there is nothing to compare. */
static int
forecast_both(struct scratch *s, const struct panel_request *request, struct panel_forecast *f, bool *known,
	      struct err *err)
{
	const struct panel_rule *p = &s->rule->panel;
	struct panel_forecast live = { .values = s->theirs };
	double began = cpu_ms();

	*known = false;
	if (panel_forecast(s->ours, request, f, 1, err) < 0)
		return -1;
	s->latencies[s->n_latencies++] = cpu_ms() - began;
	if (f->basis == FORECAST_NOTHING)
		return 0;
	if (!all_finite(s->values, p->horizon * p->n_levels)) {
		s->out->failures++;
		return 0;
	}
	if (s->live && panel_forecast(s->live, request, &live, 1, err) < 0)
		return -1;
	*known = !s->live || all_finite(s->theirs, p->horizon * p->n_levels);
	return 0;
}

/* One window of one series. */
static int
forecast_window(struct scratch *s, const struct target *t, uint64_t noise, const double *truth, struct accuracy *sums,
		struct err *err)
{
	const struct panel_rule *p = &s->rule->panel;
	const struct panel_request request = { .target = t, .noise = noise };
	struct panel_forecast f = { .values = s->values };
	bool known;

	if (forecast_both(s, &request, &f, &known, err) < 0)
		return -1;
	if (!known)
		return 0;
	accuracy_add(&sums[OURS], p->levels, p->n_levels, truth, s->values, p->horizon, NAN);
	if (s->live)
		accuracy_add(&sums[LIVE], p->levels, p->n_levels, truth, s->theirs, p->horizon, NAN);
	f = (struct panel_forecast){ .values = s->theirs, .members = s->members };
	if (panel_forecast(s->floor, &request, &f, 1, err) < 0)
		return -1;
	for (size_t m = 0; m < GATE_NAIVE; m++)
		accuracy_add(&sums[NAIVE + m], p->levels, p->n_levels, truth, member_rows(s, &f, m), p->horizon, NAN);
	return 0;
}

static double
mean_loss(const struct scratch *s, const struct accuracy *a, double scale)
{
	double sum = 0;

	for (size_t l = 0; l < s->rule->panel.n_levels; l++)
		sum += a->pinball[l];
	return sum / ((double)s->rule->panel.n_levels * (double)a->points * scale);
}

/* 1 of nothing but zeros: whoever forecasts anything else for them loses by it. */
static double
scale_of(const struct target *t)
{
	double sum = 0;
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if (isfinite(t->values[i])) {
			sum += fabs(t->values[i]);
			n++;
		}
	return sum > 0 ? sum / (double)n : 1;
}

static int
forecast_series(struct scratch *s, const struct target *whole, uint64_t number, struct err *err)
{
	size_t horizon = s->rule->panel.horizon;
	struct accuracy sums[SIDES] = { 0 };
	double scale = scale_of(whole);
	struct gate_series *g = &s->out->series[s->out->n];

	for (size_t w = s->rule->windows; w > 0; w--) {
		struct target t = *whole;

		t.n = whole->n - w * horizon;
		if (forecast_window(s, &t, random_u64(s->rule->panel.seed, number, w), whole->values + t.n, sums, err) <
		    0)
			return -1;
	}
	accuracy_merge(&s->out->accuracy, &sums[OURS]);
	if (!sums[OURS].points)
		return 0;
	g->candidate = mean_loss(s, &sums[OURS], scale);
	g->live = s->live ? mean_loss(s, &sums[LIVE], scale) : NAN;
	for (size_t m = 0; m < GATE_NAIVE; m++)
		g->naive[m] = mean_loss(s, &sums[NAIVE + m], scale);
	g->inside80 = sums[OURS].inside80;
	g->points = (double)sums[OURS].points;
	s->out->n++;
	return 0;
}

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
percentile99(double *numbers, size_t n)
{
	if (!n)
		return 0;
	qsort(numbers, n, sizeof(*numbers), ascending);
	return numbers[(size_t)ceil(.99 * (double)n) - 1];
}

int
holdout_run(const struct holdout_rule *rule, const struct artefact *candidate, const struct artefact *live,
	    const struct target *targets, size_t n, struct holdout *ret, bool *stopped, struct err *err)
{
	CLEANUP(scratch_clear)
	struct scratch s = { .rule = rule, .out = ret };
	size_t able = 0, wanted, at = 0;

	*stopped = false;
	for (size_t i = 0; i < n; i++)
		able += targets[i].n >= rule->needs;
	wanted = able < rule->most ? able : rule->most;
	if (scratch_init(&s, candidate, live, wanted, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (targets[i].n < rule->needs)
			continue;
		at++;
		if (at * wanted / able == (at - 1) * wanted / able) /* evenly: `wanted` of the `able` ones */
			continue;
		if ((*stopped = rule->stop()))
			return 0;
		if (forecast_series(&s, &targets[i], i, err) < 0)
			return -1;
	}
	ret->latency_ms = percentile99(s.latencies, s.n_latencies);
	return 0;
}
