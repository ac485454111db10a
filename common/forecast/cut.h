/*
 * cut.h -- one moment of the calendar for series that end at different times: a training sees what is over by then, and is judged by
 * what begins there or later.  So it has seen nothing of what it is judged by, of no series, whenever each of them ended.  Pure.
 */
#ifndef FOREBAY_FORECAST_CUT_H
#define FOREBAY_FORECAST_CUT_H

#include "common/forecast/frequency.h"
#include "common/forecast/target.h"

/* The calendar of some series; F and the targets stay the caller's. */
struct cut {
	const struct frequency *frequency;
	const struct target *last; /* the series that ends last; NULL: none has a value */
	size_t span;               /* steps from the earliest beginning to its end */
};

/* Of N targets; those without values do not count. */
void cut_init(struct cut *c, const struct frequency *f, const struct target *targets, size_t n);

/* The moment STEPS before the latest end; at most the span, from where on everything is later.  Needs c->last. */
int64_t cut_border(const struct cut *c, size_t steps);

/* Values of T that are over at BORDER: the next one begins then, or earlier. */
size_t cut_before(const struct cut *c, const struct target *t, int64_t border_us);

/* The first value of T that begins at BORDER or later; t->n: there is none. */
size_t cut_from(const struct cut *c, const struct target *t, int64_t border_us);

#endif
