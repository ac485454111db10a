/*
 * detector.c -- features are calibrated one by one, their -ln p summed, and the sum calibrated again.
 *
 * The sum is the strongest of the cheap fusions where several weak signs point the same way, but its distribution depends
 * on how the features hang together; the second calibration learns that from the stream instead of assuming it.
 */
#include "common/detect/detector.h"

#include <math.h>
#include <string.h>

#include "common/base/span.h"
#include "common/detect/fusion.h"

#define TROUBLE 1.0 /* state score: p-values of 0.1 on average, where 0.43 is usual */

const char *const detector_member_names[DETECTOR_MEMBERS] = { "scalar", "forecast", "forest", "neighbours" };

/* A spike, a level and a step: signs of three different troubles. */
static const enum scalar_feature calibrated[DETECTOR_CALIBRATED] = { SCALAR_SLOT, SCALAR_SHIFT24, SCALAR_STEP };

static int
member_of(struct span name, unsigned *ret, struct err *err)
{
	for (unsigned i = 0; i < DETECTOR_MEMBERS; i++)
		if (span_equal(name, span_of(detector_member_names[i]))) {
			*ret |= 1u << i;
			return 0;
		}
	return err_set(err, REASON_OPTION_INVALID, "no member \"%.*s\": there are scalar, forecast, forest, neighbours",
		       SPAN_ARG(name));
}

int
detector_members_parse(const char *text, unsigned *ret, struct err *err)
{
	*ret = 0;
	for (;;) {
		size_t n = strcspn(text, ",");

		if (member_of((struct span){ text, n }, ret, err) < 0)
			return -1;
		if (text[n] == '\0')
			return 0;
		text += n + 1;
	}
}

int
detector_copy(struct detector *to, const struct detector *from)
{
	*to = *from;
	return 0;
}

void
detector_clear(struct detector *d)
{
	*d = (struct detector){ 0 };
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
calibrated_forecast(const struct detector *d, double p_forecast)
{
	return isnan(p_forecast) ? NAN : tails_p(&d->tails[DETECTOR_TAIL_FORECAST], surprise(p_forecast));
}

static double
combine(const struct detector *d, const struct detector_options *o, double p[DETECTOR_MEMBERS])
{
	for (int i = 0; i < DETECTOR_MEMBERS; i++)
		if (!asked(o, (enum detector_member)i))
			p[i] = NAN;
	return d->scalar.count > (uint32_t)o->warmup_values ? fusion_cauchy(p, DETECTOR_MEMBERS) : 1;
}

/*
 * A level that creeps away would teach every calibration on its way and never be strange.  So while the state score says
 * that something is going on, nothing is learnt -- for as long as the longest window needs to see a shift in full.
 */
static bool
in_trouble(struct detector *d)
{
	bool above = (double)d->episode.state > TROUBLE;

	if (above && d->held < UINT16_MAX)
		d->held++;
	else if (!above && d->held > 0)
		d->held--;
	return above && d->held <= SCALAR_START;
}

static void
learn(struct detector *d, const double raw[DETECTOR_TAILS], const double p[DETECTOR_TAILS])
{
	bool suspicious = in_trouble(d);

	for (int i = 0; i < DETECTOR_TAILS; i++)
		tails_learn(&d->tails[i], raw[i], p[i], suspicious);
}

int
detector_add(struct detector *d, const struct detector_options *o, uint64_t key, double value, int64_t event_us,
	     double p_forecast, struct verdict *ret, struct err *err)
{
	double features[SCALAR_FEATURES], raw[DETECTOR_TAILS], p[DETECTOR_TAILS] = { 0 };
	struct verdict v = { .p = { 1, NAN, NAN, NAN } };
	struct episode_step step;

	(void)key;
	(void)err;
	for (int i = 0; i < DETECTOR_TAILS; i++)
		raw[i] = NAN;
	if (scalar_add(&d->scalar, value, event_us, o->slots, features)) {
		for (int i = 0; i < DETECTOR_CALIBRATED; i++) {
			raw[i] = features[calibrated[i]];
			p[i] = tails_p(&d->tails[i], raw[i]);
		}
		raw[DETECTOR_TAIL_FUSED] = fusion_sum(p, DETECTOR_CALIBRATED);
		p[DETECTOR_TAIL_FUSED] = tails_p(&d->tails[DETECTOR_TAIL_FUSED], raw[DETECTOR_TAIL_FUSED]);
		v.p[DETECTOR_SCALAR] = fusion_cauchy((double[]){ p[DETECTOR_TAIL_FUSED], scalar_flat(&d->scalar) }, 2);
	}
	raw[DETECTOR_TAIL_FORECAST] = surprise(p_forecast);
	p[DETECTOR_TAIL_FORECAST] = calibrated_forecast(d, p_forecast);
	v.p[DETECTOR_FORECAST] = p[DETECTOR_TAIL_FORECAST];
	v.p_value = combine(d, o, v.p);
	step = episode_add(&d->episode, &o->episode, v.p_value, event_us);
	v.onset = step.onset;
	v.state = step.state;
	v.action = step.action;
	learn(d, raw, p);
	*ret = v;
	return 0;
}

struct verdict
detector_look(const struct detector *d, const struct detector_options *o, double value, int64_t event_us,
	      double p_forecast)
{
	struct verdict v = { .p = { 1, NAN, NAN, NAN }, .state = (double)d->episode.state, .action = EPISODE_NOTHING };

	v.p[DETECTOR_SCALAR] = tails_p(&d->tails[0], scalar_look(&d->scalar, value, event_us, o->slots));
	v.p[DETECTOR_FORECAST] = calibrated_forecast(d, p_forecast);
	v.p_value = combine(d, o, v.p);
	v.onset = episode_onset(v.p_value);
	return v;
}
