/*
 * scalar.c -- exponentially forgetting means and variances with clipped updates.
 *
 * With n values seen, a rate is 1/min(n, memory): a plain average at first, then a moving one.  A value further than CLIP
 * deviations away moves a mean or variance only as one at that distance would: one absurd value does no lasting harm,
 * while a new level that stays is learnt, because the variance grows with every clipped step.  The start is the median and
 * the median absolute deviation of the first values, so a bad first value does no harm either.
 *
 * Levels are floats relative to an origin: when the slow mean has moved far from it in deviations, all are re-based.
 */
#include "common/detect/scalar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAY_US INT64_C(86400000000)
#define SLOW_MEMORY 4000
#define SLOT_MEMORY 32
#define FAST_MEMORY 20
#define ENERGY_MEMORY 48
#define CLIP 8.0
#define SLOT_TRUST 4.0 /* a slot of n values weighs n^2/(n^2 + this) against the slow mean */
#define REBASE 4096.0  /* deviations between slow mean and origin */
#define VALUE_MAX 1e18 /* further out is the same: so squares fit into a float */
#define FEATURE_MAX 1e6
#define GRAIN 0.1     /* of the deviation of steps */
#define FLAT_VALUES 2 /* repetitions too many that halve the chance */
#define RUN_LESSON 20
#define RUN_FORGET 20000 /* values after which the longest run is halved */

static double
clip(double x, double limit)
{
	return x > limit ? limit : x < -limit ? -limit : x;
}

static int
slot_of(int64_t event_us, int slots)
{
	int64_t of_day = event_us % DAY_US;

	if (of_day < 0)
		of_day += DAY_US;
	return (int)(of_day / (DAY_US / slots + 1));
}

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The least deviation that counts as one: what a double of this size can still tell apart, and a bit. */
static double
resolution(double level)
{
	return fabs(level) * 1e-9 + 1e-18;
}

static double
root(double variance, double level)
{
	double least = resolution(level);

	return variance > least * least ? sqrt(variance) : least;
}

/* Median and deviation of the first values start everything. */
static void
start(struct scalar *s)
{
	double sorted[SCALAR_START], away[SCALAR_START], deviation, sum = 0;

	memcpy(sorted, s->ring, sizeof(sorted));
	qsort(sorted, SCALAR_START, sizeof(*sorted), ascending);
	s->origin = (sorted[SCALAR_START / 2 - 1] + sorted[SCALAR_START / 2]) / 2;
	for (int i = 0; i < SCALAR_START; i++)
		sum += away[i] = fabs(sorted[i] - s->origin);
	qsort(away, SCALAR_START, sizeof(*away), ascending);
	deviation = 1.4826 * (away[SCALAR_START / 2 - 1] + away[SCALAR_START / 2]) / 2;
	if (deviation <= 0) /* more than half are equal */
		deviation = sum / SCALAR_START;
	s->variance = s->slot_variance = s->fast_variance = s->step_variance = (float)(deviation * deviation);
	s->energy = 1;
}

static void
rebase(struct scalar *s)
{
	float by = s->slow;

	s->origin += (double)by;
	s->slow = 0;
	s->fast -= by;
	for (int i = 0; i < SCALAR_SLOTS_MAX; i++)
		s->slot[i] -= by;
}

static double
window_mean(const struct scalar *s, uint32_t n)
{
	double sum = 0;

	for (uint32_t i = 1; i <= n; i++)
		sum += s->ring[(s->count - i) % SCALAR_START] - s->origin;
	return sum / n;
}

static double
slot_level(const struct scalar *s, int slot)
{
	double n = s->slot_count[slot];

	return (double)s->slow + n * n / (n * n + SLOT_TRUST) * ((double)s->slot[slot] - (double)s->slow);
}

static double
rate(uint32_t n, uint32_t memory)
{
	return 1.0 / (n < memory ? n + 1 : memory);
}

/* Standardise DISTANCE by VARIANCE, then let it move the variance. */
static double
standardise(float *variance, double distance, double level, double weight)
{
	double deviation = root((double)*variance, level), z = fabs(distance) / deviation;
	double square = clip(z, CLIP) * deviation;

	*variance += (float)(weight * (square * square - (double)*variance));
	return z < FEATURE_MAX ? z : FEATURE_MAX;
}

static void
count_run(struct scalar *s, bool repeated)
{
	s->repeats += (float)(rate(s->count, SLOW_MEMORY) * (repeated - (double)s->repeats));
	if (s->count % RUN_FORGET == RUN_FORGET - 1)
		s->longest /= 2;
	if (repeated) {
		s->run++;
		return;
	}
	/* A run that was an incident by itself teaches no more than the first of it. */
	if (s->run > s->longest)
		s->longest = s->run < 2 * s->longest + RUN_LESSON ? s->run : 2 * s->longest + RUN_LESSON;
	s->run = 0;
}

static void
learn_levels(struct scalar *s, double x, int slot, double deviation)
{
	double level = slot_level(s, slot), slot_deviation = root((double)s->slot_variance, s->origin);
	double slot_clip = CLIP * (slot_deviation > deviation ? slot_deviation : deviation);

	if (s->slot_count[slot] == 0)
		s->slot[slot] = s->slow;
	s->slot[slot] += (float)(rate(s->slot_count[slot], SLOT_MEMORY) *
				 (clip(x - level, slot_clip) + level - (double)s->slot[slot]));
	s->slot_count[slot] += s->slot_count[slot] < UINT8_MAX;
	s->slow += (float)(rate(s->count, SLOW_MEMORY) * clip(x - (double)s->slow, CLIP * deviation));
	s->fast += (float)(clip(x - (double)s->fast, CLIP * deviation) / FAST_MEMORY);
}

bool
scalar_add(struct scalar *s, double value, int64_t event_us, int slots, double features[SCALAR_FEATURES])
{
	double v = clip(value, VALUE_MAX), x, before, deviation, z, weight = rate(s->count, SLOW_MEMORY);
	int slot = slot_of(event_us, slots);

	before = s->ring[(s->count + SCALAR_START - 1) % SCALAR_START];
	count_run(s, s->count > 0 && v == before);
	s->last_us = event_us;
	s->ring[s->count++ % SCALAR_START] = v;
	if (s->count <= SCALAR_START) {
		if (s->count == SCALAR_START)
			start(s);
		return false;
	}
	x = v - s->origin;
	deviation = root((double)s->variance, s->origin);
	features[SCALAR_SLOT] = standardise(&s->slot_variance, x - slot_level(s, slot), s->origin, weight);
	features[SCALAR_FAST] = standardise(&s->fast_variance, x - (double)s->fast, s->origin, weight);
	features[SCALAR_STEP] = standardise(&s->step_variance, v - before, s->origin, weight);
	features[SCALAR_SHIFT6] = fmin(fabs(window_mean(s, 6) - (double)s->slow) / deviation, FEATURE_MAX);
	features[SCALAR_SHIFT24] = fmin(fabs(window_mean(s, 24) - (double)s->slow) / deviation, FEATURE_MAX);
	z = clip(standardise(&s->variance, x - (double)s->slow, s->origin, weight), CLIP);
	s->energy += (float)((z * z - (double)s->energy) / ENERGY_MEMORY);
	features[SCALAR_ENERGY] = sqrt((double)s->energy);
	learn_levels(s, x, slot, deviation);
	if (fabs((double)s->slow) > REBASE * deviation)
		rebase(s);
	return true;
}

double
scalar_look(const struct scalar *s, double value, int64_t event_us, int slots)
{
	double x = clip(value, VALUE_MAX) - s->origin;

	if (s->count < SCALAR_START)
		return NAN;
	return fmin(fabs(x - slot_level(s, slot_of(event_us, slots))) / root((double)s->slot_variance, s->origin),
		    FEATURE_MAX);
}

double
scalar_flat(const struct scalar *s)
{
	double beyond = (double)s->run - 2.0 * s->longest;

	return beyond > 0 && s->count > SCALAR_START ? exp2(-fmin(beyond * (1 - (double)s->repeats) / FLAT_VALUES, 900))
						     : 1;
}

double
scalar_mean(const struct scalar *s)
{
	return s->count < SCALAR_START ? 0 : s->origin + (double)s->slow;
}

double
scalar_deviation(const struct scalar *s)
{
	return s->count < SCALAR_START ? 0 : root((double)s->variance, s->origin);
}

double
scalar_grain(const struct scalar *s)
{
	return s->count < SCALAR_START ? 0 : GRAIN * root((double)s->step_variance, s->origin);
}
