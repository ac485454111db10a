/* stream.c -- whose turn is it: the clock decides what a value may change, the detector does the rest. */
#include "workers/realtime-scorer/stream.h"

#include <math.h>
#include <string.h>

int
stream_copy(struct stream *s, const struct stream *f)
{
	*s = *f;
	if (detector_copy(&s->detector, &f->detector) < 0) {
		s->forecast = NULL; /* not shared yet */
		s->recent = (struct recent){ 0 };
		return -1;
	}
	held_share(s->forecast);
	recent_copy(&s->recent, &f->recent);
	return 0;
}

void
stream_clear(struct stream *s)
{
	detector_clear(&s->detector);
	held_release(s->forecast);
	recent_clear(&s->recent);
	*s = (struct stream){ 0 };
}

bool
stream_owns(const struct stream *s)
{
	return s->detector.deep || s->forecast || s->recent.means;
}

/* Is H better than what is held? */
static bool
is_better(const struct stream *s, const struct held *h)
{
	if (!s->forecast)
		return true;
	if (held_marked(s->forecast) && !held_marked(h))
		return held_end(h) > s->order.last_us;
	return held_origin(s->forecast) <= held_origin(h);
}

void
stream_hold(struct stream *s, struct held *h)
{
	if (!is_better(s, h)) {
		held_release(h);
		return;
	}
	held_release(s->forecast);
	s->forecast = h;
}

bool
stream_lacks(const struct stream *s, int64_t event_us)
{
	const struct held *h = s->forecast;

	return !h || event_us >= held_end(h) || (held_marked(h) && event_us < held_origin(h));
}

bool
stream_asks(const struct stream *s, const struct stream_rule *rule, int64_t event_us)
{
	return stream_lacks(s, event_us) && order_kind_of(&s->order, &rule->order, event_us) == ORDER_TAKEN &&
	       (!s->asked || event_us < s->asked_us || event_us - s->asked_us >= rule->retry_us);
}

void
stream_answer(struct stream *s, struct held *h, int64_t event_us)
{
	s->asked = true;
	s->asked_us = event_us;
	if (!h)
		return;
	held_release(s->forecast); /* it has nothing to say of this time */
	s->forecast = h;
}

static void
count_slots(struct stream *s, int slots)
{
	if (s->slots == slots)
		return;
	memset(s->detector.scalar.slot_wider, 0, sizeof(s->detector.scalar.slot_wider));
	memset(s->detector.scalar.slot_count, 0, sizeof(s->detector.scalar.slot_count));
	s->slots = slots;
}

int
stream_add(struct stream *s, const struct stream_rule *rule, uint64_t key, double value, int64_t event_us,
	   struct stream_score *ret, struct err *err)
{
	const struct scalar *usual = &s->detector.scalar;
	struct stream_score score = { .kind = order_add(&s->order, &rule->order, event_us) };
	double p = NAN;

	*ret = score;
	if (score.kind == ORDER_REPEATED)
		return 0;
	count_slots(s, rule->detector.slots);
	score.usual = scalar_usual(usual, event_us, rule->detector.slots);
	score.forecast = held_look(s->forecast, event_us, value, scalar_grain(usual), &score.outlook);
	score.ondemand = score.forecast && held_marked(s->forecast);
	if (score.forecast)
		p = score.outlook.p;
	if (score.kind == ORDER_TAKEN) {
		score.lacked = score.ondemand || stream_lacks(s, event_us);
		recent_add(&s->recent, &rule->recent, value, event_us);
		detector_fetch_forest(&s->detector);
		if (detector_add(&s->detector, &rule->detector, key, value, event_us, p, &score.verdict, err) < 0)
			return -1;
		score.run = scalar_standstill(usual);
	} else {
		score.verdict = detector_look(&s->detector, &rule->detector, value, event_us, p);
	}
	*ret = score;
	return 0;
}
