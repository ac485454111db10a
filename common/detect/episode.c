/*
 * episode.c -- hysteresis in three parts: m of n to open, a smoothed score and a count to close, a quiet time after.
 *
 * Two scores come of one p-value.  Onset is for alerts: a spike, then silence, because a second page about the same thing
 * helps nobody.  State is for dashboards: an average that stays up as long as the trouble lasts.
 */
#include "common/detect/episode.h"

#include <math.h>

#define STATE_CEILING 12.0 /* one p of 1e-300 does not keep the state up for ever */

double
episode_onset(double p)
{
	return p < 1 ? -log10(p) : 0;
}

static double
onset_step(struct episode *e, const struct episode_options *o, double strength)
{
	if (e->spike_left > 0) {
		e->spike_left--;
		if (strength < o->refire * (double)e->spike)
			return 0;
	}
	if (strength > episode_onset(o->pending)) {
		e->spike = (float)strength;
		e->spike_left = o->refractory_values;
	}
	return strength;
}

static bool
opens(const struct episode *e, const struct episode_options *o, double p, double strength)
{
	if (e->quiet_left > 0 && strength < o->refire * (double)e->peak)
		return false;
	return p < o->critical || (p < o->firing && __builtin_popcount(e->firing) >= o->m);
}

static enum episode_action
quiet_step(struct episode *e, const struct episode_options *o, double p, double strength, int64_t event_us)
{
	bool open = opens(e, o, p, strength);

	if (e->quiet_left > 0)
		e->quiet_left--;
	if (!open) {
		e->status = e->pending ? EPISODE_PENDING : EPISODE_OK;
		return EPISODE_NOTHING;
	}
	e->status = EPISODE_FIRING;
	e->starts_us = event_us;
	e->smallest_p = p;
	e->peak = (float)strength;
	e->calm = 0;
	e->quiet_left = 0;
	return EPISODE_OPENED;
}

static enum episode_action
firing_step(struct episode *e, const struct episode_options *o, double p, double strength)
{
	bool calm = (double)e->state < o->calm_ratio * episode_onset(o->firing);

	if (p < e->smallest_p)
		e->smallest_p = p;
	if (strength > (double)e->peak)
		e->peak = (float)strength;
	e->calm = (int16_t)(calm ? e->calm + 1 : 0);
	if (e->calm < o->calm_values)
		return EPISODE_NOTHING;
	e->status = EPISODE_OK;
	e->pending = e->firing = 0;
	e->quiet_left = o->refractory_values;
	return EPISODE_CLOSED;
}

struct episode_step
episode_add(struct episode *e, const struct episode_options *o, double p, int64_t event_us)
{
	uint32_t window = o->n >= EPISODE_N_MAX ? UINT32_MAX : (UINT32_C(1) << o->n) - 1;
	double strength = episode_onset(p), capped = strength < STATE_CEILING ? strength : STATE_CEILING;
	struct episode_step step = { EPISODE_NOTHING, onset_step(e, o, strength), 0 };

	e->state += (float)((capped - (double)e->state) / o->state_span);
	e->pending = (e->pending << 1 | (p < o->pending)) & window;
	e->firing = (e->firing << 1 | (p < o->firing)) & window;
	step.state = (double)e->state;
	step.action =
	    e->status == EPISODE_FIRING ? firing_step(e, o, p, strength) : quiet_step(e, o, p, strength, event_us);
	return step;
}
