/*
 * classical.c -- the rules, each as a walk along the history: forecast from many places near its end, see what was missed, then
 * forecast from the end.
 *
 * What the residuals come from must not have been fitted to them, or they are too small.  Parameters are few and seen by
 * hundreds of points, so one fit serves; seasons and regressions have dozens of numbers, so those of the walk are fitted to
 * what lies before its first forecast.
 */
#include "common/forecast/classical.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/forecast/ets.h"
#include "common/forecast/evidence.h"
#include "common/forecast/naive.h"
#include "common/forecast/profile.h"
#include "common/forecast/residual.h"
#include "common/forecast/ridge.h"
#include "common/forecast/theta.h"

#define NAIVE_RESIDUALS_MIN 8
#define LAST_RESIDUALS_MAX 336 /* each step of the horizon has its own */
#define RIDGE_REACH 3          /* the longest lag is below that part of the history */

const char *
classical_name(enum classical_kind kind)
{
	static const char *const names[CLASSICAL_COUNT] = { "last", "season", "long-season", "theta", "ets", "ridge" };

	return (unsigned int)kind < CLASSICAL_COUNT ? names[kind] : "unknown";
}

/* What a fitted rule works with. */
struct walk {
	struct past past;
	struct profile profile, early; /* of the whole history, and of what lies before the first residual */
	double flat[PAST_MAX];         /* without season */
	struct residual *residual;
	double *points; /* horizon */
	double *ahead;  /* PAST_MAX and the horizon */
	union {
		struct {
			struct theta_parameters parameters;
			struct theta_state state;
		} theta;
		struct {
			struct ets_parameters parameters;
			struct ets_state state;
		} ets;
		struct {
			struct ridge rule;
			struct ridge_sums sums;
		} ridge;
	} as;
};

static void
walk_free(struct walk *w)
{
	if (!w)
		return;
	residual_free(w->residual);
	free(w->points);
	free(w->ahead);
	free(w);
}

DEFINE_CLEANUP(struct walk, walk_free)

static bool
is_origin(const struct past *p, size_t t)
{
	return t >= p->first && (t - p->first) % p->stride == 0;
}

/* Points without season become points of the series. */
static void
restore(struct walk *w, const struct profile *f, size_t origin)
{
	for (size_t h = 0; h < w->past.horizon; h++)
		w->points[h] = past_clamp(&w->past, profile_restore(f, origin + h, w->points[h]));
}

static void
flatten(struct walk *w, const struct profile *f)
{
	for (size_t t = 0; t < w->past.n; t++)
		w->flat[t] = profile_remove(f, t, w->past.y[t]);
}

/* ---- theta ---- */

/* To the end of the history; with RESIDUALS, leaving them behind. */
static void
theta_walk(struct walk *w, const struct profile *f, bool residuals)
{
	const struct theta_parameters *p = &w->as.theta.parameters;
	struct theta_state *s = &w->as.theta.state;

	flatten(w, f);
	theta_start(p, s);
	for (size_t t = 0; t < w->past.n; t++) {
		if (residuals && is_origin(&w->past, t)) {
			theta_forecast(p, s, w->past.horizon, w->points);
			restore(w, f, t);
			residual_add(w->residual, &w->past, t, w->points);
		}
		theta_update(p, s, w->flat[t]);
	}
	theta_forecast(p, s, w->past.horizon, w->points);
	restore(w, f, w->past.n);
}

static bool
theta(struct walk *w, const struct classical_input *in)
{
	flatten(w, &w->profile);
	theta_fit(w->flat, w->past.n, w->past.horizon, &w->as.theta.parameters);
	theta_walk(w, &w->early, true);
	theta_walk(w, &w->profile, false);
	return true;
}

/* ---- ets ---- */

/* Its season is its own; only a longer one is taken out before. */
static void
ets_walk(struct walk *w, const struct profile *f, bool residuals)
{
	const struct ets_parameters *p = &w->as.ets.parameters;
	struct ets_state *s = &w->as.ets.state;

	flatten(w, f);
	ets_start(p, w->flat, residuals ? w->past.first : w->past.n, s);
	for (size_t t = 0; t < w->past.n; t++) {
		if (residuals && is_origin(&w->past, t)) {
			ets_forecast(p, s, t, w->past.horizon, w->points);
			restore(w, f, t);
			residual_add(w->residual, &w->past, t, w->points);
		}
		ets_update(p, s, t, w->flat[t]);
	}
	ets_forecast(p, s, w->past.n, w->past.horizon, w->points);
	restore(w, f, w->past.n);
}

static bool
ets(struct walk *w, const struct classical_input *in)
{
	static const struct profile none = { .kind = PROFILE_NONE, .length = 1 };
	bool longer = w->profile.length > w->past.season;
	size_t season = w->profile.kind == PROFILE_NONE ? 1 : w->past.season;

	flatten(w, longer ? &w->profile : &none);
	ets_fit(w->flat, w->past.n, season, w->past.horizon, &w->as.ets.parameters);
	ets_walk(w, longer ? &w->early : &none, true);
	ets_walk(w, longer ? &w->profile : &none, false);
	return true;
}

/* ---- ridge ---- */

/* One step after the other, each taking the ones before for what has come; lags reach REACH back. */
static void
ridge_points(struct walk *w, size_t origin, size_t reach)
{
	double *ahead = w->ahead;
	const struct ridge *r = &w->as.ridge.rule;

	memcpy(ahead, w->past.y + origin - reach, reach * sizeof(*ahead));
	for (size_t h = 0; h < w->past.horizon; h++)
		w->points[h] = ahead[reach + h] = past_clamp(&w->past, ridge_next(r, ahead, reach + h));
}

static bool
ridge(struct walk *w, const struct classical_input *in)
{
	struct past *p = &w->past;
	struct ridge *r = &w->as.ridge.rule;
	size_t season = w->profile.kind == PROFILE_NONE ? 1 : p->season, reach = p->n / RIDGE_REACH, from;
	bool early;

	if (!ridge_choose(r, in->lags, in->n_lags, season, in->season > 1 ? (size_t)in->season : 1, reach))
		return false;
	from = r->lags[r->n_lags - 1] > r->base ? r->lags[r->n_lags - 1] : r->base;
	ridge_add(r, &w->as.ridge.sums, p->y, p->known, from, p->first);
	early = ridge_solve(r, &w->as.ridge.sums);
	for (size_t t = p->first; early && t < p->n; t += p->stride) {
		ridge_points(w, t, from);
		residual_add(w->residual, p, t, w->points);
	}
	ridge_add(r, &w->as.ridge.sums, p->y, p->known, p->first, p->n);
	if (!early || !ridge_solve(r, &w->as.ridge.sums))
		return false;
	ridge_points(w, p->n, from);
	return true;
}

/* ---- all ---- */

static int
fitted(bool (*rule)(struct walk *w, const struct classical_input *in), const struct classical_input *in, double *values,
       double *losses, bool *awake, struct err *err)
{
	CLEANUP(walk_free) struct walk *w = calloc(1, sizeof(*w));
	size_t longer = in->long_season > 1 ? (size_t)in->long_season : 0;

	if (w) {
		w->points = calloc(in->horizon, sizeof(*w->points));
		w->ahead = malloc((PAST_MAX + in->horizon) * sizeof(*w->ahead));
	}
	if (!w || !w->points || !w->ahead)
		return err_set(err, REASON_NO_MEMORY, "a forecast of %zu steps", in->horizon);
	if (!past_init(&w->past, in))
		return 0;
	if (residual_new(&w->past, &w->residual, err) < 0)
		return -1;
	profile_fit(&w->past, w->past.n, longer, &w->profile);
	profile_fit(&w->past, w->past.first, longer, &w->early);
	if (w->early.length < w->profile.length)
		w->early = w->profile;
	*awake = rule(w, in) && residual_quantiles(w->residual, &w->past, in, w->points, values, losses);
	return 0;
}

/* One season of the naive rule, SEASON steps; 1 is the last value. */
static int
naive(int64_t season, const struct classical_input *in, double *values, double *losses, bool *awake, struct err *err)
{
	struct naive_rule rule = { &season, 1, (int64_t)residual_window(in), NAIVE_RESIDUALS_MIN, false };
	enum naive_basis basis;

	if (season == 1 && rule.residuals > LAST_RESIDUALS_MAX)
		rule.residuals = LAST_RESIDUALS_MAX;
	if (naive_forecast(&rule, in->history, in->n, in->horizon, in->levels, in->n_levels, values, &basis, err) < 0)
		return -1;
	*awake = basis == NAIVE_SEASONAL || (season == 1 && basis == NAIVE_LAST);
	if (losses && *awake)
		evidence_naive(in, (size_t)season, (size_t)rule.residuals, losses);
	return 0;
}

int
classical_forecast(enum classical_kind kind, const struct classical_input *in, double *values, double *losses,
		   bool *awake, struct err *err)
{
	*awake = false;
	for (size_t h = 0; losses && h < in->horizon; h++)
		losses[h] = NAN;
	switch (kind) {
	case CLASSICAL_LAST: return naive(1, in, values, losses, awake, err);
	case CLASSICAL_SEASON: return in->season > 1 ? naive(in->season, in, values, losses, awake, err) : 0;
	case CLASSICAL_LONG_SEASON:
		return in->long_season > 1 ? naive(in->long_season, in, values, losses, awake, err) : 0;
	case CLASSICAL_THETA: return fitted(theta, in, values, losses, awake, err);
	case CLASSICAL_ETS: return fitted(ets, in, values, losses, awake, err);
	case CLASSICAL_RIDGE: return fitted(ridge, in, values, losses, awake, err);
	case CLASSICAL_COUNT: break;
	}
	return 0;
}
