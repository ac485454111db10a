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
#define DIGITS 5
#define DIGITS_BESIDE 2
#define DIGITS_MAX 15

/* Digits that tell the value from what it is compared with, a DIFFERENCE away. */
static int
digits(double value, double difference)
{
	double places = difference > 0 && value != 0 ? ceil(log10(fabs(value) / difference)) + DIGITS_BESIDE : 0;

	return places < DIGITS ? DIGITS : places > DIGITS_MAX ? DIGITS_MAX : (int)places;
}

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
	int n = digits(c->value, c->upper - c->lower);

	if (where)
		return arena_printf(arena, "%.*s %.*g is %s the expected %.*g (5\u201395 %%: %.*g\u2013%.*g)",
				    SPAN_ARG(c->name), n, c->value, where, n, c->expected, n, c->lower, n, c->upper);
	return arena_printf(
	    arena, "%.*s %.*g behaves unusually, though it is near the expected %.*g (5\u201395 %%: %.*g\u2013%.*g)",
	    SPAN_ARG(c->name), n, c->value, n, c->expected, n, c->lower, n, c->upper);
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

	return arena_printf(arena, "%.*s %.*g %s, though only %.2g deviations %s its mean of %.*g", SPAN_ARG(c->name),
			    digits(c->value, c->deviation), c->value, seen[strictest(c->p)],
			    fabs(c->value - c->mean) / c->deviation, c->value < c->mean ? "below" : "above",
			    digits(c->value, c->deviation), c->mean);
}

/* Not the value, but the last ones. */
static char *
tell_together(const struct circumstances *c, int n, struct arena *arena)
{
	if (!isnan(c->expected))
		return arena_printf(
		    arena,
		    "%.*s %.*g is not rare alone, but the last readings are together: expected %.*g (5\u201395 %%: %.*g\u2013%.*g)",
		    SPAN_ARG(c->name), n, c->value, n, c->expected, n, c->lower, n, c->upper);
	return arena_printf(arena, "%.*s %.*g is not rare alone, but the last readings are together; its mean is %.*g",
			    SPAN_ARG(c->name), n, c->value, n, c->mean);
}

char *
reason_tell(const struct circumstances *c, struct arena *arena)
{
	int n = digits(c->value, c->deviation > 0 ? c->deviation : fabs(c->value - c->mean));

	if (c->together && c->run < FLAT_RUN)
		return tell_together(c, n, arena);
	if (!isnan(c->expected) && (against_forecast(c) || c->run < FLAT_RUN))
		return tell_forecast(c, arena);
	if (c->run >= FLAT_RUN)
		return arena_printf(arena, "%.*s stands still at %.5g for %u readings", SPAN_ARG(c->name), c->value,
				    c->run + 1);
	if (!(c->deviation > 0))
		return arena_printf(arena, "%.*s %.*g is unusual: it had long been %.*g", SPAN_ARG(c->name), n,
				    c->value, n, c->mean);
	if (fabs(c->value - c->mean) < USUAL * c->deviation)
		return tell_member(c, arena);
	return arena_printf(arena, "%.*s %.*g is unusual: %.2g deviations %s its mean of %.*g", SPAN_ARG(c->name), n,
			    c->value, fabs(c->value - c->mean) / c->deviation, c->value < c->mean ? "below" : "above",
			    n, c->mean);
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
