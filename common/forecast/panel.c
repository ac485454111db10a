/*
 * panel.c -- members side by side, one forecast at the end.
 *
 *	target ──┬── classical members ──┐
 *	         └── DeepAR, in batches ─┴── held within reach ── combined ── calibrated ── on values that can be
 *
 * Held within reach: no member may leave the range of the history by more than REACH times that range, or times the series' scale
 * where that is more.  A forecast that does is a model gone wild, and one such quantile in a weighted mean spoils all others.
 *
 * Shifts are counted in widths of the combined forecast (panel_unit), not in the series' level: an interval that is a tenth too
 * narrow is so for a series around 1 and for one around 1000 that both move by 1.
 */
#include "common/forecast/panel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/forecast/head.h"
#include "common/forecast/mass.h"
#include "common/forecast/panel_parts.h"

#define REACH 4.0
#define MOST 1e308   /* farther out weighted means would be infinite */
#define RATE 0.02    /* of calibration, units a forecast: steps of one part of the horizon err together and share it */
#define TOGETHER 1.0 /* the same for series alike: units an origin, if all of very many series miss */
#define DOUBTS 8.0   /* series that are taken to have been right besides: few may be wrong by chance */
#define LEAST_UNIT 1e-3
#define NO_WIDTH 1e-9 /* of the scale: what is narrower is rounding */

static const struct panelist nothing_learnt;

struct panel_range {
	double low, high, scale, last; /* of the finite values; low > high: there are none */
};

/* ---- making one ---- */

static int
check_rule(const struct panel_rule *rule, struct err *err)
{
	if (rule->horizon < 1 || rule->n_levels < 1 || rule->n_levels > ENSEMBLE_LEVELS_MAX)
		return err_set(err, REASON_OPTION_INVALID, "%zu levels for %zu steps: 1 to %d for at least 1",
			       rule->n_levels, rule->horizon, ENSEMBLE_LEVELS_MAX);
	for (size_t q = 0; q < rule->n_levels; q++)
		if (!(rule->levels[q] > (q ? rule->levels[q - 1] : 0) && rule->levels[q] < 1))
			return err_set(err, REASON_OPTION_INVALID, "level %g: levels ascend between 0 and 1",
				       rule->levels[q]);
	if (!rule->members || rule->members >> PANEL_MEMBERS)
		return err_set(err, REASON_OPTION_INVALID, "members %#x: there is none, or one that is not known",
			       rule->members);
	return 0;
}

/* The model's shift at LEVEL of the panel, between those of the levels around it. */
static float
shift_at(const struct artefact *model, const float *shifts, double level)
{
	size_t i = 0;
	double part;

	while (i < model->n_levels && model->levels[i] < level)
		i++;
	if (i == 0 || i == model->n_levels)
		return shifts[i ? i - 1 : 0];
	part = (level - model->levels[i - 1]) / (model->levels[i] - model->levels[i - 1]);
	return (float)((1 - part) * (double)shifts[i - 1] + part * (double)shifts[i]);
}

static void
take_weights(struct panel *p)
{
	const struct artefact *model = p->model;
	const struct panel_rule *rule = &p->rule;

	p->selected =
	    model && model->ensemble.n_members == PANEL_MEMBERS && model->ensemble.n_buckets && model->n_levels;
	if (!p->selected) {
		ensemble_rule_default(PANEL_MEMBERS, rule->n_levels, rule->horizon, &p->ensemble);
		p->ensemble.single_steps = rule->single_steps;
		p->seasonless = p->ensemble;
		panel_default_prior(rule->frequency.unit < UNIT_DAY && rule->frequency.season > 1, &p->ensemble);
		panel_default_prior(false, &p->seasonless);
		return;
	}
	p->ensemble = model->ensemble;
	p->ensemble.n_levels = rule->n_levels;
	p->ensemble.single_steps = rule->single_steps;
	for (size_t b = 0; b < p->ensemble.n_buckets; b++)
		for (size_t q = 0; q < rule->n_levels; q++)
			p->start.shift[b][q] = shift_at(model, model->calibration.shift[b], rule->levels[q]);
}

int
panel_new(const struct panel_rule *rule, const struct artefact *model, const struct kernel *kernel, struct panel **ret,
	  struct err *err)
{
	CLEANUP(panel_free) struct panel *p = NULL;

	if (check_rule(rule, err) < 0)
		return -1;
	if (!(p = calloc(1, sizeof(*p))))
		return err_set(err, REASON_NO_MEMORY, "a panel");
	p->rule = *rule;
	p->model = model;
	if (panel_open_networks(p, kernel, err) < 0)
		return -1;
	take_weights(p);
	*ret = TAKE(p);
	return 0;
}

void
panel_free(struct panel *p)
{
	for (size_t e = 0; p && e < p->n_engines; e++)
		engine_free(p->engines[e]);
	free(p);
}

const struct ensemble_rule *
panel_ensemble(const struct panel *p)
{
	return &p->ensemble;
}

/* ---- one series ---- */

/* The rule whose prior counts for a series of which members AWAKE have something to say. */
static const struct ensemble_rule *
prior_of(const struct panel *p, uint32_t awake)
{
	const uint32_t seasonal = 1U << PANEL_SEASON | 1U << PANEL_LONG_SEASON;

	return !p->selected && p->rule.members & seasonal && !(awake & seasonal) ? &p->seasonless : &p->ensemble;
}

static struct panel_range
range_of(const struct panel *p, const struct target *t, size_t from)
{
	struct panel_range r = { INFINITY, -INFINITY, 0, NAN };
	size_t near = 2 * p->rule.horizon, n = 0, all = 0;
	double sum = 0, total = 0;

	for (size_t i = from; i < t->n; i++) {
		if (!isfinite(t->values[i]))
			continue;
		r.low = fmin(r.low, t->values[i]);
		r.high = fmax(r.high, t->values[i]);
		r.last = t->values[i];
		all++;
		total += (fabs(t->values[i]) - total) / (double)all;
		if (i + near >= t->n)
			sum += (fabs(t->values[i]) - sum) / (double)++n;
	}
	r.scale = sum > 0 ? sum : total > 0 ? total : 1;
	return r;
}

/* Copy VALUES, [horizon][n_levels], held within reach, to the rows of member M of MEMBERS. */
static void
put(const struct panel *p, enum panel_member m, const struct panel_range *r, const double *values, double *members)
{
	size_t n_levels = p->rule.n_levels;
	double reach = REACH * fmin(fmax(r->high - r->low, r->scale), 1e300 / REACH);
	double least = fmax(r->low - reach, -MOST), most = fmin(r->high + reach, MOST);

	for (size_t h = 0; h < p->rule.horizon; h++)
		for (size_t q = 0; q < n_levels; q++) {
			double value = values ? values[h * n_levels + q] : r->last;

			members[(h * PANEL_MEMBERS + m) * n_levels + q] = fmin(fmax(value, least), most);
		}
}

static struct classical_input
input_of(const struct panel *p, const struct target *t, size_t from)
{
	const struct frequency *f = &p->rule.frequency;

	return (struct classical_input){ .history = t->values + from,
					 .n = t->n - from,
					 .season = f->season,
					 .long_season = f->long_season,
					 .lags = f->n_lags ? f->lags : NULL,
					 .n_lags = f->n_lags,
					 .horizon = p->rule.horizon,
					 .levels = p->rule.levels,
					 .n_levels = p->rule.n_levels };
}

/* Ask the classical members of WANTED; their bits are added to *AWAKE, their rows to MEMBERS, what they lost to LOSSES. */
static int
ask_classical(const struct panel *p, const struct classical_input *in, const struct panel_range *r, uint32_t wanted,
	      double *values, double *members, double *losses, uint32_t *awake, struct err *err)
{
	for (int kind = 0; kind < CLASSICAL_COUNT; kind++) {
		bool speaks = false;

		if (!(wanted >> kind & 1))
			continue;
		if (classical_forecast((enum classical_kind)kind, in, values, losses + (size_t)kind * in->horizon,
				       &speaks, err) < 0)
			return -1;
		if (!speaks)
			continue;
		put(p, (enum panel_member)kind, r, values, members);
		*awake |= 1U << kind;
	}
	return 0;
}

/* Mean over steps and levels, and from it what the forecast rests on. */
static void
explain(const struct panel *p, const struct ensemble_rule *rule, const struct panelist *learnt,
	struct panel_forecast *f)
{
	const uint32_t model = 1U << PANEL_DEEPAR,
		       naive = 1U << PANEL_LAST | 1U << PANEL_SEASON | 1U << PANEL_LONG_SEASON;
	double sums[PANEL_MEMBERS] = { 0 };
	uint32_t used = 0;

	for (size_t b = 0; b < p->ensemble.n_buckets; b++) {
		size_t from = p->ensemble.edges[b], to = p->rule.horizon;

		if (b + 1 < p->ensemble.n_buckets && p->ensemble.edges[b + 1] < to)
			to = p->ensemble.edges[b + 1];
		for (size_t q = 0; from < to && q < p->rule.n_levels; q++) {
			float w[ENSEMBLE_MEMBERS_MAX];

			ensemble_weights(rule, &learnt->ensemble, b, q, f->awake, w);
			for (size_t m = 0; m < PANEL_MEMBERS; m++)
				sums[m] += (double)w[m] * (double)(to - from);
		}
	}
	for (uint32_t m = 0; m < PANEL_MEMBERS; m++) {
		f->weights[m] = (float)(sums[m] / (double)(p->rule.horizon * p->rule.n_levels));
		used |= (uint32_t)(f->weights[m] > 0) << m;
	}
	f->basis = used & model ? FORECAST_MODEL : used & ~naive ? FORECAST_CLASSICAL : FORECAST_NAIVE;
}

/*
 * What a count, or a share, cannot be is not forecast of one either, whatever members and shifts say; nor what this series has never
 * been beside a value that it keeps coming back to.
 */
static void
keep_possible(const struct panel *p, const struct mass *mass, uint32_t awake, double *row)
{
	for (size_t q = 0; q < p->rule.n_levels; q++) {
		if (awake >> PANEL_DEEPAR & 1)
			row[q] = head_nearest(p->model->networks[0]->config.head, row[q]);
		row[q] = mass_nearest(mass, row[q]);
	}
}

static void
combine(const struct panel *p, const struct ensemble_rule *rule, const struct mass *mass,
	const struct panel_request *request, const struct panelist *learnt, const double *members,
	struct panel_forecast *f)
{
	size_t n_levels = p->rule.n_levels;
	struct calibration start = p->start;

	if (request->together)
		calibration_add(&start, request->together);
	for (size_t h = 0; h < p->rule.horizon; h++) {
		double *row = f->values + h * n_levels;

		ensemble_combine(rule, &learnt->ensemble, h, f->awake, members + h * PANEL_MEMBERS * n_levels, row);
		if (f->combined)
			memcpy(f->combined + h * n_levels, row, n_levels * sizeof(*row));
		if (p->rule.calibrate)
			calibration_apply(&p->ensemble, &start, &learnt->calibration, h, panel_unit(p, row, f->scale),
					  row);
		keep_possible(p, mass, f->awake, row);
	}
}

static void
fill_nan(double *values, size_t n)
{
	for (size_t i = 0; values && i < n; i++)
		values[i] = NAN;
}

/* Where what T knows begins, of the points that are looked at: holes before it do not make it older than it is. */
static size_t
beginning_of(const struct panel *p, const struct target *t)
{
	size_t most = p->rule.history_max, from = most && t->n > most ? t->n - most : 0;

	while (from < t->n && !isfinite(t->values[from]))
		from++;
	return from;
}

/* MODEL: what DeepAR says, or NULL.  SCRATCH: horizon * (n_levels * (1 + PANEL_MEMBERS) + CLASSICAL_COUNT) numbers. */
static int
forecast_one(const struct panel *p, const struct panel_request *request, const double *model, double *scratch,
	     struct panel_forecast *f, struct err *err)
{
	const struct target *t = request->target;
	size_t cells = p->rule.horizon * p->rule.n_levels, from = beginning_of(p, t);
	struct classical_input in = input_of(p, t, from);
	struct panel_range r = range_of(p, t, from);
	double *losses = scratch + cells, *members = losses + CLASSICAL_COUNT * p->rule.horizon;
	const struct panelist *learnt = request->learnt ? request->learnt : &nothing_learnt;
	struct ensemble_rule rule;
	struct mass mass;

	if (f->members)
		members = f->members;
	f->basis = FORECAST_NOTHING;
	f->awake = 0;
	f->scale = r.scale;
	memset(f->weights, 0, sizeof(f->weights));
	fill_nan(losses, CLASSICAL_COUNT * p->rule.horizon);
	fill_nan(members, cells * PANEL_MEMBERS);
	fill_nan(f->values, cells);
	fill_nan(f->combined, cells);
	if (r.low > r.high)
		return 0;
	if (ask_classical(p, &in, &r, p->rule.members, scratch, members, losses, &f->awake, err) < 0)
		return -1;
	if (model) {
		put(p, PANEL_DEEPAR, &r, model, members);
		f->awake |= 1U << PANEL_DEEPAR;
	}
	if (!f->awake && ask_classical(p, &in, &r, 1U << PANEL_LAST, scratch, members, losses, &f->awake, err) < 0)
		return -1;
	if (!f->awake) { /* too little even for that */
		put(p, PANEL_LAST, &r, NULL, members);
		f->awake = 1U << PANEL_LAST;
	}
	mass_find(in.history, in.n, &mass);
	panel_find_lean(p, &in, losses, f);
	panel_lean(prior_of(p, f->awake), f, &rule);
	combine(p, &rule, &mass, request, learnt, members, f);
	explain(p, &rule, learnt, f);
	return 0;
}

int
panel_forecast(struct panel *p, const struct panel_request *requests, struct panel_forecast *ret, size_t n,
	       struct err *err)
{
	size_t cells = p->rule.horizon * p->rule.n_levels, batch = n < PANEL_BATCH ? n : PANEL_BATCH;
	CLEANUP(heap_free)
	double *model = malloc((batch + 1) * cells * sizeof(*model));
	CLEANUP(heap_free)
	double *scratch = malloc(((1 + PANEL_MEMBERS) * cells + CLASSICAL_COUNT * p->rule.horizon) * sizeof(*scratch));
	bool awake[PANEL_BATCH];

	if (!model || !scratch)
		return err_set(err, REASON_NO_MEMORY, "forecasts of %zu series", n);
	for (size_t done = 0; done < n; done += batch) {
		size_t some = n - done < batch ? n - done : batch;

		if (panel_deepar(p, requests + done, some, model, awake, err) < 0)
			return -1;
		for (size_t i = 0; i < some; i++)
			if (forecast_one(p, &requests[done + i], awake[i] ? model + i * cells : NULL, scratch,
					 &ret[done + i], err) < 0)
				return -1;
	}
	return 0;
}

/* ---- learning ---- */

static double
odds(double level)
{
	return log(level / (1 - level));
}

double
panel_unit(const struct panel *p, const double *combined, double scale)
{
	const double *levels = p->rule.levels;
	size_t low = 0, high = 0;
	double width;

	for (size_t q = 1; q < p->rule.n_levels; q++) {
		low = fabs(levels[q] - .1) < fabs(levels[low] - .1) ? q : low;
		high = fabs(levels[q] - .9) <= fabs(levels[high] - .9) ? q : high;
	}
	if (high <= low)
		return scale * 0.1;
	width = (combined[high] - combined[low]) * (odds(.9) - odds(.1)) / (odds(levels[high]) - odds(levels[low]));
	return width > scale * NO_WIDTH ? fmax(width, scale * LEAST_UNIT) : 0;
}

/* Steps of a forecast that share STEP's part of the horizon and are told. */
static double
companions(const struct panel *p, size_t step)
{
	size_t b = ensemble_bucket(&p->ensemble, step), to = p->rule.horizon;

	if (p->rule.single_steps)
		return 1;
	if (b + 1 < p->ensemble.n_buckets && p->ensemble.edges[b + 1] < to)
		to = p->ensemble.edges[b + 1];
	return to > p->ensemble.edges[b] ? (double)(to - p->ensemble.edges[b]) : 1;
}

void
panel_learn(const struct panel *p, struct panelist *learnt, size_t step, uint32_t awake, const double *members,
	    const double *combined, double value, double scale)
{
	ensemble_learn(&p->ensemble, &learnt->ensemble, step, awake, p->rule.levels, members, combined, value, scale);
	if (p->rule.calibrate)
		calibration_learn(&p->ensemble, &p->start, &learnt->calibration, p->rule.levels, step,
				  RATE / companions(p, step), panel_unit(p, combined, scale), combined, value);
}

void
panel_learn_together(const struct panel *p, const struct panelist *learnt, struct calibration *together, size_t series,
		     size_t step, const double *combined, double value, double scale)
{
	struct calibration start = p->start;

	if (!p->rule.calibrate)
		return;
	calibration_add(&start, &learnt->calibration);
	calibration_learn_width(&p->ensemble, &start, together, p->rule.levels, step,
				TOGETHER / ((double)series + DOUBTS) / companions(p, step),
				panel_unit(p, combined, scale), combined, value);
}
