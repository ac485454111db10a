/*
 * outlier.c -- the z-score against running statistics.
 *
 * Statistics that outliers cannot teach have a trap: after a true change of level every value is an outlier, for ever.
 * So a row of outliers that is long enough is taken for what it is, and learning begins again.
 */
#include "common/series/outlier.h"

#include <math.h>

static void
learn(struct outlier *o, double value)
{
	moments_add(&o->normal, value);
}

enum outlier_verdict
outlier_judge(const struct outlier_rule *rule, struct outlier *o, double value, double *clean)
{
	double deviation = moments_deviation(&o->normal), reach = rule->threshold * deviation;

	*clean = value;
	if (o->normal.count < rule->warmup || !(deviation > 0) || fabs(value - o->normal.mean) <= reach) {
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
