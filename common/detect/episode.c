/*
 * episode.c -- hysteresis in three parts: m of n to open, a smoothed score and a count to close, a quiet time after.
 *
 * Two scores come of one p-value.  Onset is for alerts: a spike, then silence, because a second page about the same thing
 * helps nobody.  State is for dashboards: an average that stays up as long as the trouble lasts.
 */
#include "common/detect/episode.h"

#include <math.h>

#define STATE_CEILING 12.0 /* one p of 1e-300 does not keep the state up for ever */
#define USUAL 0.43         /* mean of -log10 p when all is well */
#define STATE_WEIGHT 0.6   /* of what the state score is above the usual, in the onset score */
#define TROUBLE 1.0        /* state score: p-values of 0.1 on average */

double
episode_onset(double p)
{
	return p < 1 ? -log10(p) : 0;
}

/* After a spike only what is greater still is another one. */
static bool
is_quieted(const struct episode *e, const struct episode_options *o, double strength)
{
	return e->spike_left > 0 &&
	       strength < (double)e->spike * (1 + (o->refire - 1) * e->spike_left / o->refractory_values);
}

double
episode_look(const struct episode *e, const struct episode_options *o, double p)
{
	double strength = episode_onset(p);

	return is_quieted(e, o, strength) ? 0 : strength;
}

static double
onset_step(struct episode *e, const struct episode_options *o, double strength)
{
	bool quieted = is_quieted(e, o, strength);

	e->spike_left -= e->spike_left > 0;
	if (quieted)
		return 0;
	if (strength > episode_onset(o->pending)) {
		e->spike = (float)strength;
		e->spike_left = o->refractory_values;
	}
	return strength;
}

/* May one more alert open?  A bucket that leaks by event time. */
static bool
has_room(struct episode *e, const struct episode_options *o, int64_t event_us)
{
	if (o->flap_alerts <= 0)
		return true;
	if (event_us > e->flap_us && e->opened > 0)
		e->opened -= (float)((double)(event_us - e->flap_us) / (double)o->flap_us * o->flap_alerts);
	if (e->opened < 0)
		e->opened = 0;
	e->flap_us = event_us;
	return (double)e->opened + 1 <= (double)o->flap_alerts;
}

static bool
opens(struct episode *e, const struct episode_options *o, double p, double strength)
{
	bool discovered;

	if (e->quiet_left > 0 && strength < o->refire * (double)e->peak)
		return false;
	discovered = p <= fdr_threshold(&e->fdr, &o->fdr) &&
		     (p < o->critical || (p < o->firing && __builtin_popcount(e->firing) >= o->m));
	fdr_tested(&e->fdr, &o->fdr, discovered);
	return discovered;
}

static void
quiet_step(struct episode *e, const struct episode_options *o, double p, double strength, int64_t event_us,
	   struct episode_step *step)
{
	bool open = opens(e, o, p, strength);

	if (open && !has_room(e, o, event_us)) {
		step->capped = true;
		open = false;
	}
	if (e->quiet_left > 0)
		e->quiet_left--;
	if (!open) {
		e->status = e->pending ? EPISODE_PENDING : EPISODE_OK;
		return;
	}
	e->status = EPISODE_FIRING;
	e->starts_us = event_us;
	e->smallest_p = p;
	e->peak = (float)strength;
	e->calm = 0;
	e->quiet_left = 0;
	e->opened += o->flap_alerts > 0;
	step->action = EPISODE_OPENED;
}

static void
close_it(struct episode *e, const struct episode_options *o, struct episode_step *step)
{
	e->status = EPISODE_OK;
	e->pending = e->firing = 0;
	e->quiet_left = o->refractory_values;
	step->action = EPISODE_CLOSED;
}

static void
firing_step(struct episode *e, const struct episode_options *o, double p, double strength, struct episode_step *step)
{
	bool calm = (double)e->state < o->calm_ratio * episode_onset(o->firing) && p >= o->pending;

	if (p < e->smallest_p)
		e->smallest_p = p;
	if (strength > (double)e->peak)
		e->peak = (float)strength;
	e->calm = (int16_t)(calm ? e->calm + 1 : 0);
	if (e->calm >= o->calm_values)
		close_it(e, o, step);
}

/* Count how long it has lasted; pauses count against it. */
static void
trouble_step(struct episode *e, const struct episode_options *o, struct episode_step *step)
{
	step->troubled = (double)e->state > TROUBLE;
	if (step->troubled)
		e->troubled += e->troubled < INT32_MAX;
	else if (e->troubled > 0)
		e->troubled--;
	if (o->accept_values <= 0 || e->troubled < o->accept_values)
		return;
	step->accepted = true;
	e->troubled = 0;
	e->state = 0;
	if (e->status == EPISODE_FIRING)
		close_it(e, o, step);
}

struct episode_step
episode_add(struct episode *e, const struct episode_options *o, double p, double together, int64_t event_us)
{
	uint32_t window = o->n >= EPISODE_N_MAX ? UINT32_MAX : (UINT32_C(1) << o->n) - 1;
	double strength = episode_onset(together);
	struct episode_step step = { .action = EPISODE_NOTHING };

	e->state += (float)((fmin(episode_onset(p), STATE_CEILING) - (double)e->state) / o->state_span);
	step.onset = onset_step(e, o, strength + STATE_WEIGHT * fmax(0, (double)e->state - USUAL));
	e->pending = (e->pending << 1 | (together < o->pending)) & window;
	e->firing = (e->firing << 1 | (together < o->firing)) & window;
	step.state = (double)e->state;
	if (e->status == EPISODE_FIRING)
		firing_step(e, o, together, strength, &step);
	else
		quiet_step(e, o, together, strength, event_us, &step);
	trouble_step(e, o, &step);
	return step;
}
