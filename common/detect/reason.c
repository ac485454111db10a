/*
 * reason.c -- the strongest thing that can be said: against the forecast, standing still, far from the mean; else what the member
 * that minds most has seen.
 */
#include "common/detect/reason.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FLAT_RUN 10 /* so many repetitions are told as a flat line, where no forecast is against it */
#define FAR 2.0     /* beyond the expected range by so many times its width: far */
#define USUAL 3.0   /* deviations from the mean that need no word */
#define MANY 1000.0 /* deviations: more need no count, for the values had hardly moved */
#define MANY_BYTES 16
#define AT 0.05   /* deviations: at the mean */
#define FINE 1e-6 /* of what two numbers differ by: not worth a digit of them */
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

/* X as it is told beside what is a DIFFERENCE away: no mean of 1e-19 beside a value of 1. */
static double
beside(double x, double difference)
{
	double unit = pow(10, floor(log10(FINE * difference)));

	return difference > 0 && isnormal(unit) && fabs(x / unit) < 1e15 ? round(x / unit) * unit + 0.0 : x;
}

/* Deviations for people, no 6.3e+17: "4.2", "284", "over 1000". */
static const char *
how_many(double z, char text[MANY_BYTES])
{
	snprintf(text, MANY_BYTES, z < 10 ? "%.2g" : z < MANY ? "%.0f" : "over %.0f", fmin(z, MANY));
	return text;
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

/* Of a value that the stream often has: at another time of day, or not right after the value before. */
static char *
tell_sign(const struct circumstances *c, struct arena *arena)
{
	const struct scalar_usual *u = &c->usual;
	double away = fabs(c->value - u->slot), step = fabs(c->value - u->newest), z = away / u->slot_deviation;
	int n = digits(c->value, c->sign == SCALAR_SLOT ? away : step);
	char many[MANY_BYTES];

	if (c->sign == SCALAR_SLOT && z >= USUAL)
		return arena_printf(arena,
				    "%.*s %.*g is unusual for the time of day: %s deviations %s its mean of %.*g then",
				    SPAN_ARG(c->name), n, c->value, how_many(z, many),
				    c->value < u->slot ? "below" : "above", n, beside(u->slot, away));
	if (c->sign == SCALAR_STEP && step > 0)
		return arena_printf(arena, "%.*s %.*g is %.*g %s the value before: a larger step than usual",
				    SPAN_ARG(c->name), n, c->value, DIGITS, step,
				    c->value < u->newest ? "below" : "above");
	return NULL;
}

static char *
tell_member(const struct circumstances *c, struct arena *arena)
{
	double away = fabs(c->value - c->usual.mean), z = away / c->usual.deviation;
	int n = digits(c->value, c->usual.deviation);
	double mean = beside(c->usual.mean, c->usual.deviation);
	char *sign = strictest(c->p) == DETECTOR_SCALAR ? tell_sign(c, arena) : NULL;
	static const char *const seen[DETECTOR_MEMBERS] = {
		[DETECTOR_SCALAR] = "has moved unusually",
		[DETECTOR_FORECAST] = "is not what was forecast",
		[DETECTOR_FOREST] = "stands apart from the values and changes of the past",
		[DETECTOR_NEIGHBOURS] = "ends a shape unlike any before",
	};

	if (sign)
		return sign;
	if (z < AT)
		return arena_printf(arena, "%.*s %.*g %s, though it is at its mean of %.*g", SPAN_ARG(c->name), n,
				    c->value, seen[strictest(c->p)], n, mean);
	return arena_printf(arena, "%.*s %.*g %s, though only %.2g deviations %s its mean of %.*g", SPAN_ARG(c->name),
			    n, c->value, seen[strictest(c->p)], z, c->value < c->usual.mean ? "below" : "above", n,
			    mean);
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
			    SPAN_ARG(c->name), n, c->value, n, beside(c->usual.mean, c->usual.deviation));
}

char *
reason_tell(const struct circumstances *c, struct arena *arena)
{
	double away = fabs(c->value - c->usual.mean), deviation = c->usual.deviation;
	int n = digits(c->value, away >= MANY * deviation ? away : deviation);
	char many[MANY_BYTES];

	if (c->together && c->run < FLAT_RUN)
		return tell_together(c, n, arena);
	if (!isnan(c->expected) && (against_forecast(c) || c->run < FLAT_RUN))
		return tell_forecast(c, arena);
	if (c->run >= FLAT_RUN)
		return arena_printf(arena, "%.*s stands still at %.5g for %u readings", SPAN_ARG(c->name), c->value,
				    c->run + 1);
	if (!(deviation > 0))
		return arena_printf(arena, "%.*s %.*g is unusual: it had long been %.*g", SPAN_ARG(c->name), n,
				    c->value, n, beside(c->usual.mean, away));
	if (away < USUAL * deviation)
		return tell_member(c, arena);
	return arena_printf(arena, "%.*s %.*g is unusual: %s deviations %s its mean of %.*g", SPAN_ARG(c->name), n,
			    c->value, how_many(away / deviation, many), c->value < c->usual.mean ? "below" : "above", n,
			    beside(c->usual.mean, away));
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
