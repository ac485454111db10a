/* gap.c -- a gap is filled when both ends are known, so that its length decides for all of it. */
#include "common/series/gap.h"

#include <math.h>

double
gap_value(const struct gap_rule *rule, double before, double after, int64_t n, int64_t i)
{
	double share;

	if (n > rule->max_steps)
		return NAN;
	switch (rule->method) {
	case GAP_FORWARD: return before;
	case GAP_LINEAR:
		share = (double)(i + 1) / (double)(n + 1);
		return before * (1 - share) + after * share; /* before + (after - before) * share may overflow */
	case GAP_NONE: break;
	}
	return NAN;
}
