/*
 * panel_members.c -- who sits on the panel: names, and what each counts as long as nothing is known of a class of series, or of one.
 *
 * The default prior is a judgement by the public sets of tests/unit/forecast: with a season the two seasonal naive forecasts together
 * are hard to beat and never go wild, regression on lags and smoothing add what they cannot know; of days, weeks and months the season
 * is weak, and the last value and the smoothing models lead.  The last value is a rival to a season at the first step alone.
 *
 * Then the series' own history has a word: exponential weights (V. Vovk, "Aggregating strategies", 1990) by what classical members
 * would have lost at its end, in multiples of the best one's loss.  As misses of one time err together, and a past is not the future,
 * they count little: LEAN at most, half of that where they amount to no more than DOUBTS forecasts.  Weights of a model were selected
 * on series like these, and have half of it in them.  What the network would have lost is not known: its part stays what it is.
 */
#include <math.h>
#include <string.h>

#include "common/base/span.h"
#include "common/forecast/evidence.h"
#include "common/forecast/panel_parts.h"
#include "common/forecast/residual.h"

const char *
panel_member_name(enum panel_member m)
{
	return m == PANEL_DEEPAR ? "deepar" : classical_name((enum classical_kind)m);
}

static int
member_find(struct span name, uint32_t *members, struct err *err)
{
	for (int m = 0; m < PANEL_MEMBERS; m++)
		if (span_equal(name, span_of(panel_member_name((enum panel_member)m)))) {
			*members |= 1U << m;
			return 0;
		}
	return err_set(err, REASON_OPTION_INVALID,
		       "'%.*s' is no member: all, or some of last, season, long-season, theta, ets, ridge, deepar",
		       SPAN_ARG(name));
}

int
panel_members_parse(const char *text, uint32_t *members, struct err *err)
{
	uint32_t set = 0;

	if (strcmp(text, "all") == 0) {
		*members = (1U << PANEL_MEMBERS) - 1;
		return 0;
	}
	for (const char *at = text; at; text = at) {
		struct span name;

		at = strchr(text, ',');
		name = (struct span){ text, at ? (size_t)(at++ - text) : strlen(text) };
		while (name.len && *name.ptr == ' ') {
			name.ptr++;
			name.len--;
		}
		while (name.len && name.ptr[name.len - 1] == ' ')
			name.len--;
		if (member_find(name, &set, err) < 0)
			return -1;
	}
	*members = set;
	return 0;
}

/* Parts of a whole, whatever their sum. */
static const float with_season[PANEL_MEMBERS] = {
	[PANEL_SEASON] = 2, [PANEL_LONG_SEASON] = 2, [PANEL_THETA] = 1,
	[PANEL_ETS] = 2,    [PANEL_RIDGE] = 3,       [PANEL_DEEPAR] = 4,
};
/* Days and more: what season there is is weak; business days have hardly one. */
static const float without_season[PANEL_MEMBERS] = {
	[PANEL_LAST] = 3, [PANEL_SEASON] = 1, [PANEL_THETA] = 3, [PANEL_ETS] = 3, [PANEL_RIDGE] = 1, [PANEL_DEEPAR] = 3,
};
#define LAST_AT_FIRST 2.0F /* the last value, at the first step, beside a season */

void
panel_default_prior(bool seasonal, struct ensemble_rule *ensemble)
{
	const float *parts = seasonal ? with_season : without_season;

	for (size_t b = 0; b < ensemble->n_buckets; b++) {
		float sum = 0, part[PANEL_MEMBERS];

		for (size_t m = 0; m < PANEL_MEMBERS; m++) {
			part[m] = parts[m];
			if (m == PANEL_LAST && parts == with_season)
				part[m] = b == 0 && ensemble->n_buckets > 1 ? LAST_AT_FIRST : 0;
			sum += part[m];
		}
		for (size_t m = 0; m < PANEL_MEMBERS; m++)
			ensemble->prior[b][m] = part[m] / sum;
	}
}

#define LEAN 3.0
#define LEAN_SELECTED 1.5
#define DOUBTS 2.0
#define LEAN_MOST 30.0 /* exp() of minus that is nothing */
#define SHOWN 0.7      /* so much more alike a season before than half a season before */
#define NEAR 8         /* parts of the horizon that begin within that part of a season need to know nothing of it */

/* The mean of the losses of the steps FROM to TO that are known; NaN: of none. */
static double
mean_loss(const double *losses, size_t from, size_t to)
{
	double sum = 0, n = 0;

	for (size_t h = from; h < to; h++)
		if (isfinite(losses[h])) {
			sum += losses[h];
			n++;
		}
	return n > 0 ? sum / n : NAN;
}

/*
 * What a member's weight is multiplied by, for one part of the horizon; NaN: not known.  None loses anything: so do all, and nobody
 * leans.
 */
static void
lean_by(const double *losses, double power, float *factors)
{
	double best = INFINITY;

	for (size_t m = 0; m < CLASSICAL_COUNT; m++)
		best = fmin(best, losses[m]);
	for (size_t m = 0; m < CLASSICAL_COUNT; m++)
		factors[m] = best > 0 && isfinite(best) && !isnan(losses[m])
				 ? (float)exp(-fmin(power * (losses[m] / best - 1), LEAN_MOST))
				 : NAN;
}

/* How far apart values of the last N are that lie LAG steps apart, on average; NaN: none is known. */
static double
apart(const struct classical_input *in, size_t n, size_t lag)
{
	double sum = 0, known = 0;

	for (size_t t = in->n - n; t < in->n; t++) {
		double difference = fabs(in->history[t] - in->history[t - lag]);

		if (isfinite(difference)) {
			sum += difference;
			known++;
		}
	}
	return known > 0 ? sum / known : NAN;
}

/*
 * Is this a series that has its season, and has been seen for less than three of them?  It then is more like itself a season before
 * than half a season before, as a counter or a walk is not.  Rules that are fitted to it know nothing of the season, and carry the
 * morning on into the night.
 */
static bool
is_young(const struct panel *p, const struct classical_input *in, uint32_t awake)
{
	size_t season = (size_t)in->season;

	if (p->rule.frequency.unit >= UNIT_DAY || in->season <= 1 || in->n >= PAST_CYCLES_MIN * season ||
	    !(awake >> PANEL_SEASON & 1))
		return false;
	return apart(in, in->n - season, season) < SHOWN * apart(in, in->n - season, season / 2);
}

static bool
knows_season(size_t member)
{
	return member == CLASSICAL_SEASON || member == CLASSICAL_LONG_SEASON;
}

void
panel_find_lean(const struct panel *p, const struct classical_input *in, const double *losses, struct panel_forecast *f)
{
	double cycles = evidence_cycles(in), power = (p->model ? LEAN_SELECTED : LEAN) * cycles / (cycles + DOUBTS);
	bool young = is_young(p, in, f->awake);

	for (size_t b = 0; b < p->ensemble.n_buckets; b++) {
		double means[CLASSICAL_COUNT];
		size_t from = p->ensemble.edges[b], to = p->rule.horizon;

		if (b + 1 < p->ensemble.n_buckets && p->ensemble.edges[b + 1] < to)
			to = p->ensemble.edges[b + 1];
		for (size_t m = 0; m < CLASSICAL_COUNT; m++)
			means[m] = f->awake >> m & 1 ? mean_loss(losses + m * p->rule.horizon, from, to) : NAN;
		lean_by(means, power, f->lean[b]);
		for (size_t m = 0; young && from > 0 && NEAR * from >= (size_t)in->season && m < CLASSICAL_COUNT; m++)
			if (!knows_season(m))
				f->lean[b][m] = 0;
	}
}

/*
 * Who has nothing to say, factor 0, leaves its part to the season.  Members whose factor is not known keep what they have; the others
 * have together what they had.
 */
static void
lean_bucket(const float *factors, float *prior)
{
	double before = 0, after = 0, part[CLASSICAL_COUNT] = { 0 };

	for (size_t m = 0; m < CLASSICAL_COUNT; m++)
		if (factors[m] == 0) {
			prior[CLASSICAL_SEASON] += prior[m];
			prior[m] = 0;
		}
	for (size_t m = 0; m < CLASSICAL_COUNT; m++) {
		if (!(factors[m] > 0))
			continue;
		part[m] = (double)prior[m] * (double)factors[m];
		before += (double)prior[m];
		after += part[m];
	}
	for (size_t m = 0; m < CLASSICAL_COUNT && after > 0; m++)
		if (factors[m] > 0)
			prior[m] = (float)(part[m] * before / after);
}

void
panel_lean(const struct ensemble_rule *rule, const struct panel_forecast *f, struct ensemble_rule *ret)
{
	*ret = *rule;
	for (size_t b = 0; b < ret->n_buckets; b++)
		lean_bucket(f->lean[b], ret->prior[b]);
}
