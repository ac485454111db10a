/* gap.h -- values for the steps that nothing fell into. */
#ifndef FOREBAY_SERIES_GAP_H
#define FOREBAY_SERIES_GAP_H

#include <stdint.h>

enum gap_method {
	GAP_FORWARD, /* the value before the gap */
	GAP_LINEAR,  /* on the straight line from the value before to the value after */
	GAP_NONE,
};

struct gap_rule {
	enum gap_method method;
	int64_t max_steps; /* a longer gap is not filled at all */
};

/*
 * The value for step I (from 0) of a gap of N steps between BEFORE and AFTER; NaN where it stays open: no method, a gap
 * longer than max_steps, or a neighbour it needs that is NaN.
 */
double gap_value(const struct gap_rule *rule, double before, double after, int64_t n, int64_t i);

#endif
