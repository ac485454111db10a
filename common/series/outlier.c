/*
 * outlier.c -- the z-score against running statistics.
 *
 * Statistics that outliers cannot teach have a trap: after a true change of level every value is an outlier, for ever.
 * So a row of outliers that is long enough is taken for what it is, and learning begins again.
 *
 * A series that has been constant is no exception: any other value is more deviations away than can be said.  Were the first
 * one taken for normal it would only pass itself: the deviation that it leaves is so small (1/sqrt(n) of its distance) that the
 * second one of the same value is an outlier, so that a set point that moves is one in any case, until the row is long enough.
 */
#include "common/series/outlier.h"

#include <math.h>
#include <stdbool.h>

static void
learn(struct outlier *o, double value)
{
	moments_add(&o->normal, value);
}

/* No deviation, and not because all were equal: it is too small for a double, or too large. */
static bool
without_measure(const struct moments *m, double deviation)
{
	return !(deviation > 0) && (isnan(deviation) || m->minimum < m->maximum);
}

enum outlier_verdict
outlier_judge(const struct outlier_rule *rule, struct outlier *o, double value, double *clean)
{
	double deviation = moments_deviation(&o->normal), reach = rule->threshold * deviation;

	*clean = value;
	if (o->normal.count < rule->warmup || without_measure(&o->normal, deviation) ||
	    fabs(value - o->normal.mean) <= reach) {
		o->row = 0;
		learn(o, value);
		return OUTLIER_NONE;
	}
	if (rule->restart && ++o->row >= rule->restart) {
		*o = (struct outlier){ 0 };
		learn(o, value);
		return OUTLIER_NONE;
	}
	switch (rule->policy) {
	case OUTLIER_DROP: return OUTLIER_DROPPED;
	case OUTLIER_CLIP: *clean = o->normal.mean + copysign(reach, value - o->normal.mean); return OUTLIER_CLIPPED;
	case OUTLIER_KEEP: break;
	}
	learn(o, value);
	return OUTLIER_KEPT;
}
