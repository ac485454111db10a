/*
 * detector.c -- features are calibrated one by one, their -ln p summed, and the sum calibrated again.
 *
 * The sum is the strongest of the cheap fusions where several weak signs point the same way, but its distribution depends
 * on how the features hang together; the second calibration learns that from the stream instead of assuming it.  Where one
 * part alone is sure, a sum waters it down; so the strangest of all parts is calibrated, too.  The verdict is the geometric
 * mean of both p-values: neither is best on all data, and each is wrong where the other is not.
 *
 * A forecast is calibrated by all that its errors were, which is slow to notice that another model makes them now.  So how much
 * stranger than they should be values were of late divides their strangeness: p^(1 / (1 + excess)).
 */
#include "common/detect/detector.h"

#include <math.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/detect/detector_deep.h"
#include "common/detect/fusion.h"

#define HOLD \
	SCALAR_START /* values in trouble that teach nothing: as long as the longest window needs to see a shift in full */
#define EXCESS_MEMORY 50
#define EXCESS_USUAL 0.2   /* what the excess may be by chance */
#define EXCESS_CEILING 4.6 /* -ln p of one value: p = 0.01 */
#define NEAR 1e-12         /* p-values further apart have logarithms in the same order, however they are rounded */
#define LINE 64            /* bytes that memory gives at once */

/* A spike, a level and a step: signs of three different troubles. */
static const enum scalar_feature calibrated[DETECTOR_CALIBRATED] = { SCALAR_SLOT, SCALAR_SHIFT, SCALAR_STEP,
								     SCALAR_LEAN };

int
detector_copy(struct detector *to, const struct detector *from)
{
	*to = *from;
	return deep_copy(from->deep, &to->deep);
}

void
detector_clear(struct detector *d)
{
	deep_free(d->deep);
	*d = (struct detector){ 0 };
}

/* All of it: a value asks each histogram for all its larger scores. */
void
detector_fetch(const struct detector *d)
{
	const char *at = (const char *)d;

	for (size_t i = 0; i < sizeof(*d); i += LINE)
		__builtin_prefetch(at + i, 1);
	__builtin_prefetch(at + sizeof(*d) - 1, 1);
}

size_t
detector_memory(const struct detector *d)
{
	return sizeof(*d) + deep_memory(d->deep);
}

static bool
asked(const struct detector_options *o, enum detector_member m)
{
	return o->members >> m & 1;
}

static double
surprise(double p)
{
	return isnan(p) ? NAN : -log(p);
}

static double
calibrated_forecast(const struct detector *d, double raw)
{
	double excess = (double)d->forecast_excess - EXCESS_USUAL;
	double p = isnan(raw) ? NAN : tails_p(&d->tails[DETECTOR_TAIL_FORECAST], raw);

	return excess > 0 && !isnan(p) ? pow(p, 1 / (1 + excess)) : p;
}

static void
count_excess(struct detector *d, double raw)
{
	double s = isnan(raw) ? NAN : surprise(tails_p(&d->tails[DETECTOR_TAIL_FORECAST], raw));

	if (!isnan(s))
		d->forecast_excess +=
		    (float)((fmin(s, EXCESS_CEILING) - 1 - (double)d->forecast_excess) / EXCESS_MEMORY);
}

static bool
is_learning(const struct detector *d, const struct detector_options *o)
{
	return d->scalar.count <= (uint32_t)o->warmup_values;
}

static double
combine(const struct detector *d, const struct detector_options *o, double p[DETECTOR_MEMBERS])
{
	for (int i = 0; i < DETECTOR_MEMBERS; i++)
		if (!asked(o, (enum detector_member)i))
			p[i] = NAN;
	return is_learning(d, o) ? 1 : fusion_cauchy(p, DETECTOR_MEMBERS);
}

/* What one value looks like to the calibrated parts. */
struct sight {
	double raw[DETECTOR_TAILS], p[DETECTOR_TAILS]; /* NaN: none */
	struct deep_scores deep;
};

/* P, or less where the stream stands still or leaves the range it has had. */
static double
and_plain_signs(const struct detector *d, double p)
{
	double flat = scalar_flat(&d->scalar), range = scalar_range(&d->scalar);

	if (flat < 1)
		p = fusion_cauchy((double[]){ p, flat }, 2);
	return p < range ? p : range;
}

static double
scalar_opinion(struct detector *d, const struct detector_options *o, double value, int64_t event_us, struct sight *s)
{
	double features[SCALAR_FEATURES];

	for (int i = 0; i < DETECTOR_TAILS; i++)
		s->raw[i] = s->p[i] = NAN;
	if (!scalar_add(&d->scalar, value, event_us, o->slots, d->troubled, features))
		return 1;
	for (int i = 0; i < DETECTOR_CALIBRATED; i++) {
		s->raw[i] = features[calibrated[i]];
		s->p[i] = tails_p(&d->tails[i], s->raw[i]);
	}
	s->raw[DETECTOR_TAIL_FUSED] = fusion_sum(s->p, DETECTOR_SUMMED);
	s->p[DETECTOR_TAIL_FUSED] = tails_p(&d->tails[DETECTOR_TAIL_FUSED], s->raw[DETECTOR_TAIL_FUSED]);
	return and_plain_signs(d, s->p[DETECTOR_TAIL_FUSED]);
}

static int
opinions(struct detector *d, const struct detector_options *o, uint64_t key, double value, int64_t event_us,
	 double p_forecast, struct sight *s, double p[DETECTOR_MEMBERS], struct err *err)
{
	double before = d->scalar.count > 0 ? scalar_newest(&d->scalar) : value;
	double row[DETECTOR_COLUMNS] = { value, value - before };

	if (deep_fit(&d->deep, o, key, err) < 0)
		return -1;
	p[DETECTOR_SCALAR] = scalar_opinion(d, o, value, event_us, s);
	s->raw[DETECTOR_TAIL_FORECAST] = surprise(p_forecast);
	p[DETECTOR_FORECAST] = s->p[DETECTOR_TAIL_FORECAST] = calibrated_forecast(d, s->raw[DETECTOR_TAIL_FORECAST]);
	if (deep_add(d->deep, row, value, scalar_deviation(&d->scalar), d->troubled, &s->deep, err) < 0)
		return -1;
	p[DETECTOR_FOREST] = s->deep.p[DETECTOR_DEEP_FOREST];
	p[DETECTOR_NEIGHBOURS] = s->deep.p[DETECTOR_DEEP_NEIGHBOURS];
	return 0;
}

static void
learn(struct detector *d, const struct sight *s, bool suspicious)
{
	for (int i = 0; i < DETECTOR_TAILS; i++) {
		bool last = i == DETECTOR_TAIL_FUSED || i == DETECTOR_TAIL_STRANGEST;

		(last ? tails_learn : tails_learn_part)(&d->tails[i], s->raw[i], s->p[i], suspicious);
	}
	deep_learn(d->deep, &s->deep, suspicious);
	count_excess(d, s->raw[DETECTOR_TAIL_FORECAST]);
}

/* What is, is how it should be: levels move, and what was strange before is learnt quickly. */
static void
accept(struct detector *d, struct verdict *v)
{
	v->shifted = true;
	v->level_before = scalar_mean(&d->scalar);
	scalar_accept(&d->scalar);
	v->level_after = scalar_mean(&d->scalar);
	tails_fade(&d->tails[DETECTOR_TAIL_FORECAST]);
	for (int i = 0; d->deep && i < DETECTOR_DEEP_MEMBERS; i++)
		tails_fade(&d->deep->tails[i]);
	d->troubled = false;
}

/*
 * The greatest surprise of N p-values, NaN left out; NaN: none.  One logarithm is enough, unless others are so near to the least
 * that rounding may turn them round.
 */
static double
greatest_surprise(const double *p, int n)
{
	double least = INFINITY, most = NAN;
	int near = 0;

	for (int i = 0; i < n; i++)
		least = p[i] < least ? p[i] : least;
	for (int i = 0; i < n; i++)
		near += p[i] <= least * (1 + NEAR);
	if (near == 1)
		return surprise(least);
	for (int i = 0; i < n; i++) {
		if (p[i] <= least * (1 + NEAR))
			most = fmax(most, surprise(p[i]));
	}
	return most;
}

static double
strangest(const struct detector *d, struct sight *s)
{
	double p[DETECTOR_CALIBRATED + DETECTOR_DEEP_MEMBERS + 1];

	if (isnan(s->p[0]))
		return 1;
	memcpy(p, s->p, DETECTOR_CALIBRATED * sizeof(*p));
	memcpy(p + DETECTOR_CALIBRATED, s->deep.p, sizeof(s->deep.p));
	p[DETECTOR_CALIBRATED + DETECTOR_DEEP_MEMBERS] = s->p[DETECTOR_TAIL_FORECAST];
	s->raw[DETECTOR_TAIL_STRANGEST] = greatest_surprise(p, ARRAY_LEN(p));
	s->p[DETECTOR_TAIL_STRANGEST] = tails_p(&d->tails[DETECTOR_TAIL_STRANGEST], s->raw[DETECTOR_TAIL_STRANGEST]);
	return and_plain_signs(d, s->p[DETECTOR_TAIL_STRANGEST]);
}

int
detector_add(struct detector *d, const struct detector_options *o, uint64_t key, double value, int64_t event_us,
	     double p_forecast, struct verdict *ret, struct err *err)
{
	struct verdict v = { 0 };
	struct episode_step step;
	struct sight sight;

	detector_fetch(d); /* all at once, not one line after another where each is first needed */
	if (opinions(d, o, key, value, event_us, p_forecast, &sight, v.p, err) < 0)
		return -1;
	v.p_value = combine(d, o, v.p);
	if (asked(o, DETECTOR_SCALAR) && !is_learning(d, o))
		v.p_value = sqrt(v.p_value * strangest(d, &sight));
	v.learning = is_learning(d, o);
	v.constant = scalar_is_constant(&d->scalar);
	v.outside = d->scalar.outside;
	step = episode_add(&d->episode, &o->episode, v.p_value, event_us);
	v.onset = step.onset;
	v.state = step.state;
	v.action = step.action;
	v.capped = step.capped;
	d->troubled = (step.troubled || d->episode.status == EPISODE_FIRING) && d->episode.troubled <= HOLD;
	learn(d, &sight, d->troubled);
	if (step.accepted)
		accept(d, &v);
	*ret = v;
	return 0;
}

struct verdict
detector_look(const struct detector *d, const struct detector_options *o, double value, int64_t event_us,
	      double p_forecast)
{
	struct verdict v = { .p = { 1, NAN, NAN, NAN }, .state = (double)d->episode.state, .action = EPISODE_NOTHING };

	v.p[DETECTOR_SCALAR] = tails_p(&d->tails[0], scalar_look(&d->scalar, value, event_us, o->slots));
	v.p[DETECTOR_FORECAST] = calibrated_forecast(d, surprise(p_forecast));
	v.p_value = combine(d, o, v.p);
	v.learning = is_learning(d, o);
	v.constant = scalar_is_constant(&d->scalar);
	v.onset = episode_onset(v.p_value);
	return v;
}
