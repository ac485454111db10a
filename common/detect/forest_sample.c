/* forest_sample.c -- see forest_sample.h. */
#include "common/detect/forest_sample.h"

#include <math.h>

#include "common/detect/forest_math.h"

#define STEPS 2048
#define BELOW (26 * STEPS) /* keys below that of level 0 */
#define FAR 1e15           /* points: later is never */

struct forest_sampler
forest_sampler(double decay, int sample)
{
	double spread = decay * sample;

	return (struct forest_sampler){ .decay = decay,
					.growth = forest_expm1(decay),
					.step = (spread > 1 ? spread : 1) / STEPS };
}

/* Of the level that the point NUMBER has by its age alone; on the circle. */
static uint16_t
zero_key(const struct forest_sampler *s, uint64_t number)
{
	return (uint16_t) - (uint64_t)((double)number * (s->decay / s->step));
}

static uint16_t
key_of(const struct forest_sampler *s, uint64_t number, double level)
{
	double steps = floor(level / s->step);

	steps = steps < -BELOW ? -BELOW : steps > UINT16_MAX - BELOW ? UINT16_MAX - BELOW : steps;
	return (uint16_t)(zero_key(s, number) + (uint16_t)(int)steps);
}

uint16_t
forest_sample_key(const struct forest_sampler *s, uint64_t number, double u)
{
	return key_of(s, number, forest_ln(-forest_ln(u)));
}

uint16_t
forest_sample_key_below(const struct forest_sampler *s, uint64_t number, double below, double u)
{
	double most = -forest_expm1(-forest_exp(below));

	return key_of(s, number, forest_ln(-forest_ln1p(-u * most)));
}

uint16_t
forest_sample_base(const struct forest_sampler *s, uint64_t number)
{
	return (uint16_t)(zero_key(s, number) - BELOW);
}

double
forest_sample_level(const struct forest_sampler *s, uint16_t key, uint64_t number)
{
	return ((double)(uint16_t)(key - forest_sample_base(s, number)) - BELOW + 0.5) * s->step;
}

/*
 * Hazards of the points that follow are h, h e^decay, h e^(2 decay) ...: the first one is taken at which their sum passes an
 * Exp(1) number.
 */
uint64_t
forest_sample_next(const struct forest_sampler *s, double level, uint64_t number, double u)
{
	double hazard = forest_exp(level + s->decay), waits = -forest_ln(u) / hazard, steps;

	steps = s->decay > 1e-12 ? forest_ln1p(waits * s->growth) / s->decay : waits;
	steps = ceil(steps);
	return number + (steps < 1 ? 1 : steps > FAR ? (uint64_t)FAR : (uint64_t)steps);
}
