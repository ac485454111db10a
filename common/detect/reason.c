/*
 * reason.c -- the strongest thing that can be said: against the forecast, standing still, far from the mean; else what the member
 * that minds most has seen.
 */
#include "common/detect/reason.h"

#include <math.h>
#include <string.h>

#define FLAT_RUN 10 /* so many repetitions are told as a flat line, where no forecast is against it */
#define FAR 2.0     /* beyond the expected range by so many times its width: far */
#define USUAL 3.0   /* deviations from the mean that need no word */

static const char *
against_forecast(const struct circumstances *c)
{
	double width = c->upper - c->lower;

	if (c->value > c->upper)
		return c->value - c->upper > FAR * width ? "far above" : "above";
	if (c->value < c->lower)
		return c->lower - c->value > FAR * width ? "far below" : "below";
	return NULL;
}

/* Who minds most; the first of equals. */
static int
strictest(const double *p)
{
	int least = 0;

	for (int i = 1; i < DETECTOR_MEMBERS; i++)
		if (p[i] < p[least] || (isnan(p[least]) && !isnan(p[i])))
			least = i;
	return least;
}

static char *
tell_forecast(const struct circumstances *c, struct arena *arena)
{
	const char *where = against_forecast(c);

	if (where)
		return arena_printf(arena, "%.*s %.5g is %s the expected %.5g (5\u201395 %%: %.5g\u2013%.5g)",
				    SPAN_ARG(c->name), c->value, where, c->expected, c->lower, c->upper);
	return arena_printf(
	    arena, "%.*s %.5g behaves unusually, though it is near the expected %.5g (5\u201395 %%: %.5g\u2013%.5g)",
	    SPAN_ARG(c->name), c->value, c->expected, c->lower, c->upper);
}

static char *
tell_member(const struct circumstances *c, struct arena *arena)
{
	static const char *const seen[DETECTOR_MEMBERS] = {
		[DETECTOR_SCALAR] = "has moved unusually",
		[DETECTOR_FORECAST] = "is not what was forecast",
		[DETECTOR_FOREST] = "stands apart from the values and changes of the past",
		[DETECTOR_NEIGHBOURS] = "ends a shape unlike any before",
	};

	return arena_printf(arena, "%.*s %.5g %s, though only %.2g deviations %s its mean of %.5g", SPAN_ARG(c->name),
			    c->value, seen[strictest(c->p)], fabs(c->value - c->mean) / c->deviation,
			    c->value < c->mean ? "below" : "above", c->mean);
}

char *
reason_tell(const struct circumstances *c, struct arena *arena)
{
	if (!isnan(c->expected) && (against_forecast(c) || c->run < FLAT_RUN))
		return tell_forecast(c, arena);
	if (c->run >= FLAT_RUN)
		return arena_printf(arena, "%.*s stands still at %.5g for %u readings", SPAN_ARG(c->name), c->value,
				    c->run + 1);
	if (!(c->deviation > 0))
		return arena_printf(arena, "%.*s %.5g is unusual: it never was different from %.5g", SPAN_ARG(c->name),
				    c->value, c->mean);
	if (fabs(c->value - c->mean) < USUAL * c->deviation)
		return tell_member(c, arena);
	return arena_printf(arena, "%.*s %.5g is unusual: %.2g deviations %s its mean of %.5g", SPAN_ARG(c->name),
			    c->value, fabs(c->value - c->mean) / c->deviation, c->value < c->mean ? "below" : "above",
			    c->mean);
}

char *
reason_tell_shift(struct span name, const struct verdict *v, uint32_t run, struct arena *arena)
{
	char *before = arena_printf(arena, "%.5g", v->level_before),
	     *after = arena_printf(arena, "%.5g", v->level_after);

	if (!before || !after)
		return NULL;
	if (run >= FLAT_RUN)
		return arena_printf(arena, "%.*s: standing still, at %s now, is taken as usual from here on",
				    SPAN_ARG(name), after);
	if (strcmp(before, after) == 0)
		return arena_printf(arena, "%.*s: what it does now, about %s as before, is taken as usual from here on",
				    SPAN_ARG(name), after);
	return arena_printf(arena, "%.*s: a level of %s is taken as usual from here on, instead of %s", SPAN_ARG(name),
			    after, before);
}
