/*
 * detector.c -- features are calibrated one by one, their -ln p summed, and the sum calibrated again.
 *
 * The sum is the strongest of the cheap fusions where several weak signs point the same way, but its distribution depends
 * on how the features hang together; the second calibration learns that from the stream instead of assuming it.  Where one
 * part alone is sure, a sum waters it down; so the strangest of all parts counts, too: calibrated, which tells what is rare for
 * a stream that often has some strange part, and by Bonferroni's rule, which does not get used to that.  The verdict is the
 * geometric mean of the three p-values: none is best on all data, and each is wrong where the others are not.
 *
 * A forecast is calibrated by all that its errors were, which is slow to notice that another model makes them now.  So how much
 * stranger than they should be values were of late divides their strangeness: p^(1 / (1 + excess)).  Nor is a value that is strange
 * at all stranger than its forecast says: forecasts that were too wide for days, as those of a young series are, would make a sharper
 * one cry wolf.
 *
 * All that is about one value, or what it makes of the last few; whether they are strange together is asked in the end (lasting.h).
 */
#include "common/detect/detector.h"

#include <math.h>

#include "common/base/cleanup.h"
#include "common/detect/detector_deep.h"
#include "common/detect/fusion.h"

#define HOLD \
	SCALAR_START /* values in trouble that teach nothing: as long as the longest window needs to see a shift in full */
#define SMALL 0.1    /* a p-value that is worth a second thought */
#define STEP 2       /* of the calibrated features */
#define LEAST 1e-100 /* of the three p-values: their product is a number, too */
#define EXCESS_MEMORY 50
#define EXCESS_USUAL 0.2   /* what the excess may be by chance */
#define EXCESS_CEILING 4.6 /* -ln p of one value: p = 0.01 */
#define LINE 64            /* bytes that memory gives at once */

/* A spike, a level and a step: signs of three different troubles. */
static const enum scalar_feature calibrated[DETECTOR_CALIBRATED] = { SCALAR_SLOT, SCALAR_SHIFT, SCALAR_STEP,
								     SCALAR_LEAN };
static const double span[DETECTOR_CALIBRATED] = { 1, SCALAR_START, 1, SCALAR_LEAN_MEMORY }; /* values */

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

void
detector_fetch_forest(const struct detector *d)
{
	deep_fetch_forest(d->deep);
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

	if (isnan(p))
		return p;
	if (excess > 0)
		p = pow(p, 1 / (1 + excess));
	return p < SMALL ? fmax(p, fmin(SMALL, exp(-raw))) : p;
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

/* A score that is about several values has had so many fewer independent ones to be compared with. */
static double
part_p(const struct detector *d, int part, double raw)
{
	double p = tails_p(&d->tails[part], raw), independent;

	if (span[part] == 1)
		return p;
	independent = 1 + d->tails[part].seen / span[part];
	return p * independent * independent < 1 ? 1 / (independent * independent) : p;
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
		s->p[i] = part_p(d, i, s->raw[i]);
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
	double row[DETECTOR_COLUMNS] = { value, (value - before) / scalar_strides(&d->scalar, event_us) };

	if (deep_fit(&d->deep, o, key, err) < 0)
		return -1;
	p[DETECTOR_SCALAR] = scalar_opinion(d, o, value, event_us, s);
	s->raw[DETECTOR_TAIL_FORECAST] = asked(o, DETECTOR_FORECAST) ? surprise(p_forecast) : NAN;
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

/*
 * What is, is how it should be: levels move, and what was strange before is learnt quickly.  How strange another unit was by the
 * old one's measures is forgotten, for each feature and for what is made of them; how strange another level was is not, for some
 * streams change theirs all the time.
 */
static void
accept(struct detector *d, const struct detector_options *o, struct verdict *v)
{
	v->shifted = true;
	v->level_before = scalar_mean(&d->scalar);
	if (scalar_accept(&d->scalar)) {
		for (int i = 0; i < DETECTOR_TAILS; i++)
			if (i != DETECTOR_TAIL_FORECAST)
				tails_forget(&d->tails[i], (unsigned)o->episode.accept_values);
		d->lasting = (struct lasting){ 0 };
	}
	lasting_end(&d->lasting);
	v->level_after = scalar_mean(&d->scalar);
	tails_fade(&d->tails[DETECTOR_TAIL_FORECAST]);
	for (int i = 0; d->deep && i < DETECTOR_DEEP_MEMBERS; i++)
		tails_fade(&d->deep->tails[i]);
	d->troubled = false;
}

static void
look_at_part(double p, double *least, int *parts)
{
	*parts += !isnan(p);
	*least = p < *least ? p : *least;
}

/* Of P and the two p-values of the strangest part, the geometric mean. */
static double
and_strangest(const struct detector *d, double p, struct sight *s)
{
	double least = 1, calibrated_p, plain_p;
	int parts = 0;

	look_at_part(s->p[DETECTOR_TAIL_FORECAST], &least, &parts);
	for (int i = 0; i < DETECTOR_CALIBRATED; i++)
		look_at_part(s->p[i], &least, &parts);
	for (int i = 0; i < DETECTOR_DEEP_MEMBERS; i++)
		look_at_part(s->deep.p[i], &least, &parts);
	s->raw[DETECTOR_TAIL_STRANGEST] = surprise(least);
	calibrated_p = tails_p(&d->tails[DETECTOR_TAIL_STRANGEST], s->raw[DETECTOR_TAIL_STRANGEST]);
	s->p[DETECTOR_TAIL_STRANGEST] = calibrated_p;
	calibrated_p = and_plain_signs(d, calibrated_p);
	plain_p = and_plain_signs(d, parts * least < 1 ? parts * least : 1);
	return cbrt(fmax(p, LEAST) * fmax(calibrated_p, LEAST) * fmax(plain_p, LEAST));
}

/* P, but no less than can be known of levels by now, unless by what needs none: a step, standing still, the forecast. */
static double
not_too_sure(const struct detector *d, const struct detector_options *o, double p, const struct sight *s)
{
	double least, needs_none;

	if (p > SMALL)
		return p;
	least = scalar_least_p(&d->scalar, o->slots);
	needs_none = fmin(fmin(s->p[STEP], s->p[DETECTOR_TAIL_FORECAST]), scalar_flat(&d->scalar));
	return fmax(p, fmin(least, needs_none));
}

static enum scalar_feature
strictest_sign(const struct sight *s)
{
	int least = 0;

	for (int i = 1; i < DETECTOR_CALIBRATED; i++)
		if (s->p[i] < s->p[least])
			least = i;
	return calibrated[least];
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
	v.learning = is_learning(d, o);
	v.p_alone = combine(d, o, v.p);
	if (asked(o, DETECTOR_SCALAR) && !v.learning)
		v.p_alone = not_too_sure(d, o, and_strangest(d, v.p_alone, &sight), &sight);
	v.p_value = v.learning ? 1 : lasting_add(&d->lasting, v.p_alone);
	v.together = v.p_value < v.p_alone && v.p_alone >= o->episode.pending;
	v.sign = strictest_sign(&sight);
	v.constant = scalar_is_constant(&d->scalar);
	v.outside = d->scalar.outside;
	step = episode_add(&d->episode, &o->episode, v.p_alone, v.p_value, event_us);
	v.onset = step.onset;
	v.state = step.state;
	v.action = step.action;
	v.capped = step.capped;
	d->troubled = (step.troubled || d->episode.status == EPISODE_FIRING) && d->episode.troubled <= HOLD;
	learn(d, &sight, d->troubled);
	if (!v.learning)
		lasting_learn(&d->lasting, d->troubled);
	if (step.accepted)
		accept(d, o, &v);
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
	v.p_alone = v.p_value = combine(d, o, v.p);
	v.learning = is_learning(d, o);
	v.constant = scalar_is_constant(&d->scalar);
	v.onset = episode_look(&d->episode, &o->episode, v.p_value);
	return v;
}
