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
#define WIDER_START 8 /* values that the variance of all slots counts as in that of one */
#define WIDER_MEMORY 128
#define NARROWEST 0.015625 /* an eighth of the usual deviation */
#define CLIP 8.0
#define NOTHING 0.01   /* of the least deviation that counts as one */
#define SLOT_CLIP 5.0  /* the same for the deviation of one slot, which has few values to forget it by */
#define SLOT_TRUST 4.0 /* a slot of n values weighs n^2/(n^2 + this) against the slow mean */
#define REBASE 4096.0  /* deviations between slow mean and origin */
#define VALUE_MAX 1e18 /* further out is the same: so squares fit into a float */
#define FEATURE_MAX 1e6
#define GRAIN 0.1 /* of the deviation of steps */
#define FLAT_BITS_MOST 2.0
#define FLAT_UNSEEN 4.0 /* repetitions that there might have been, though none was seen */
#define FLAT_FEW 0.125  /* share of values that repeat the one before */
#define STANDSTILL 0.01
#define RUN_LESSON 20
#define RUN_FORGET 20000 /* values after which the longest run is halved */
#define GAP 1.5          /* usual intervals: more are several steps */
#define GAP_CLIP 4.0
#define INTERVAL_MEMORY 64
#define NORMAL_95 1.645 /* deviations */
#define BEYOND 0.05     /* of the range of all values */
#define LEAN_CLIP 1024.0
#define TOO_FAR 32.0 /* deviations: a level that lean has not caught up with */
#define WIDER 3.0    /* another scale: the last values vary by so much more than distances to the usual level did ... */
#define NARROWER 8.0 /* ... or by so much less (a quiet hour does, too) */

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

static double
middle_of(double sorted[SCALAR_START])
{
	qsort(sorted, SCALAR_START, sizeof(*sorted), ascending);
	return (sorted[SCALAR_START / 2 - 1] + sorted[SCALAR_START / 2]) / 2;
}

/* Median and deviation of the first values start everything. */
static void
start(struct scalar *s)
{
	double sorted[SCALAR_START], away[SCALAR_START], deviation, sum = 0;

	memcpy(sorted, s->ring, sizeof(sorted));
	s->origin = middle_of(sorted);
	for (int i = 0; i < SCALAR_START; i++)
		sum += away[i] = fabs(sorted[i] - s->origin);
	deviation = 1.4826 * middle_of(away);
	if (deviation <= 0) /* more than half are equal */
		deviation = sum / SCALAR_START;
	s->variance = s->slot_variance = s->step_variance = (float)(deviation * deviation);
	s->least = (float)(sorted[0] - s->origin);
	s->most = (float)(sorted[SCALAR_START - 1] - s->origin);
}

static void
rebase(struct scalar *s)
{
	float by = s->slow;

	s->origin += (double)by;
	s->slow = 0;
	s->least -= by;
	s->most -= by;
	for (int i = 0; i < SCALAR_SLOTS_MAX; i++)
		s->slot[i] -= by;
}

static double
rate(uint32_t n, uint32_t memory)
{
	return 1.0 / (n < memory ? n + 1 : memory);
}

/* Mean of the last values, without a running sum: that would never forget what it has lost to one huge value. */
static double
ring_mean(const struct scalar *s)
{
	double sum[4] = { 0 };

	for (int i = 0; i < SCALAR_START; i += 4)
		for (int k = 0; k < 4; k++)
			sum[k] += s->ring[i + k] - s->origin;
	return ((sum[0] + sum[1]) + (sum[2] + sum[3])) / SCALAR_START;
}

static double
slot_level(const struct scalar *s, int slot)
{
	double n = s->slot_count[slot];

	return (double)s->slow + n * n / (n * n + SLOT_TRUST) * ((double)s->slot[slot] - (double)s->slow);
}

/* DISTANCE in units of DEVIATION. */
static double
in_deviations(double distance, double deviation)
{
	return fmin(fabs(distance) / deviation, FEATURE_MAX);
}

/*
 * What DISTANCE teaches VARIANCE at WEIGHT, by DEVIATION.  Where nothing has moved so far it is the square of the mean distance, as at the
 * start: there is no usual one to cut it by, and in steps of CLIP times nothing a scale would never be found.
 */
static double
lesson(double distance, double deviation, double variance, double level, double weight)
{
	double least = NOTHING * resolution(level), cut = fmin(fabs(distance), CLIP * deviation);

	return variance > least * least ? cut * cut : distance * distance * weight;
}

static void
approach(float *mean, double to, double weight)
{
	*mean += (float)(weight * (to - (double)*mean));
}

/* Standardise DISTANCE by VARIANCE, then let it move the variance. */
static double
standardise(float *variance, double distance, double level, double weight)
{
	double deviation = root((double)*variance, level);

	approach(variance, lesson(distance, deviation, (double)*variance, level, weight), weight);
	return in_deviations(distance, deviation);
}

/* The upper half of a float: a sign, eight bits of exponent, seven of fraction. */
static double
from_bfloat16(uint16_t bits)
{
	uint32_t whole = (uint32_t)bits << 16;
	float x;

	memcpy(&x, &whole, sizeof(x));
	return (double)x;
}

static uint16_t
to_bfloat16(double value)
{
	float x = (float)value;
	uint32_t whole;

	memcpy(&whole, &x, sizeof(whole));
	return (uint16_t)((whole + 0x8000) >> 16);
}

static int
wider_of(int slot, int slots)
{
	return slots > SCALAR_WIDER ? slot / 2 : slot;
}

static double
wider(const struct scalar *s, int slot, int slots)
{
	uint16_t bits = s->slot_wider[wider_of(slot, slots)];

	return bits ? from_bfloat16(bits) : 1;
}

static double
slot_deviation(const struct scalar *s, int slot, int slots)
{
	return root((double)s->slot_variance, s->origin) * sqrt(wider(s, slot, slots));
}

/* The same by the variance of its slot, and let it move that of all slots, too. */
static double
standardise_in_slot(struct scalar *s, double distance, int slot, int slots, double weight)
{
	double deviation = slot_deviation(s, slot, slots), most = SLOT_CLIP * deviation;
	double z = in_deviations(distance, deviation), ratio = wider(s, slot, slots);
	double square = lesson(distance, deviation, (double)s->slot_variance, s->origin, weight);

	approach(&s->slot_variance, square, weight);
	if (s->slot_variance <= 0)
		return z;
	ratio += rate(s->slot_count[slot] + WIDER_START, WIDER_MEMORY) *
		 (fmin(square, most * most) / (double)s->slot_variance - ratio);
	s->slot_wider[wider_of(slot, slots)] = to_bfloat16(ratio > NARROWEST ? ratio : NARROWEST);
	return z;
}

double
scalar_strides(const struct scalar *s, int64_t event_us)
{
	double interval = (double)(event_us - s->last_us) / 1e6, usual = (double)s->interval;

	return usual > 0 && interval > GAP * usual ? interval / usual : 1;
}

/* One gap hardly moves the usual interval. */
static void
learn_interval(struct scalar *s, int64_t event_us)
{
	double interval = (double)(event_us - s->last_us) / 1e6, usual = (double)s->interval;

	if (s->count == 0 || interval <= 0)
		return;
	s->interval += (float)(usual > 0 ? (fmin(interval, GAP_CLIP * usual) - usual) / INTERVAL_MEMORY : interval);
}

static void
count_run(struct scalar *s, bool repeated, double weight)
{
	s->repeats += (float)(weight * (repeated - (double)s->repeats));
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

/* One value widens the range by no more than it was, lest an absurd one ends all surprises. */
static void
widen(struct scalar *s, double x)
{
	double range = (double)s->most - (double)s->least, beyond = BEYOND * range;

	s->outside = range > 0 && (x > (double)s->most + beyond || x < (double)s->least - beyond);
	if (x > (double)s->most)
		s->most = (float)(range > 0 ? fmin(x, (double)s->most + range) : x);
	if (x < (double)s->least)
		s->least = (float)(range > 0 ? fmax(x, (double)s->least - range) : x);
}

static void
learn_levels(struct scalar *s, double x, int slot, double deviation, bool troubled)
{
	double level = slot_level(s, slot), usual = root((double)s->slot_variance, s->origin);
	double slot_clip = CLIP * (usual > deviation ? usual : deviation);

	s->lean += (float)(clip(x - level - (double)s->lean, LEAN_CLIP * deviation) / SCALAR_LEAN_MEMORY);
	if (s->slot_count[slot] == 0)
		s->slot[slot] = s->slow;
	if (!troubled) {
		s->slot[slot] += (float)(rate(s->slot_count[slot], SLOT_MEMORY) *
					 (clip(x - level, slot_clip) + level - (double)s->slot[slot]));
		s->slot_count[slot] += s->slot_count[slot] < UINT8_MAX;
	}
	s->slow += (float)(rate(s->count, SLOW_MEMORY) * clip(x - (double)s->slow, CLIP * deviation));
}

bool
scalar_add(struct scalar *s, double value, int64_t event_us, int slots, bool troubled, double features[SCALAR_FEATURES])
{
	double v = clip(value, VALUE_MAX), x, before, strides, deviation, weight = rate(s->count, SLOW_MEMORY);
	int slot = slot_of(event_us, slots);

	before = scalar_newest(s);
	strides = scalar_strides(s, event_us);
	learn_interval(s, event_us);
	count_run(s, s->count > 0 && v == before, weight);
	s->last_us = event_us;
	s->ring[s->count++ % SCALAR_START] = v;
	if (s->count <= SCALAR_START) {
		if (s->count == SCALAR_START)
			start(s);
		return false;
	}
	x = v - s->origin;
	deviation = root((double)s->variance, s->origin);
	features[SCALAR_SLOT] = standardise_in_slot(s, x - slot_level(s, slot), slot, slots, weight);
	features[SCALAR_STEP] = standardise(&s->step_variance, (v - before) / strides, s->origin, weight);
	features[SCALAR_SHIFT] = fmin(fabs(ring_mean(s) - (double)s->slow) / deviation, FEATURE_MAX);
	standardise(&s->variance, x - (double)s->slow, s->origin, weight);
	widen(s, x);
	learn_levels(s, x, slot, deviation, troubled);
	features[SCALAR_LEAN] = fmin(fabs((double)s->lean) / root((double)s->slot_variance, s->origin), FEATURE_MAX);
	if (fabs((double)s->slow) > REBASE * deviation)
		rebase(s);
	return true;
}

/* Are the last values another kind of numbers than those before, not only at another level? */
static bool
is_another_scale(const struct scalar *s)
{
	double x[SCALAR_START], middle, spread, usual = root((double)s->slot_variance, s->origin);

	memcpy(x, s->ring, sizeof(x));
	middle = middle_of(x);
	for (int i = 0; i < SCALAR_START; i++)
		x[i] = fabs(x[i] - middle);
	spread = 1.4826 * middle_of(x);
	return spread > WIDER * usual || spread < usual / NARROWER ||
	       fabs(middle - s->origin - (double)s->slow - (double)s->lean) >
		   TOO_FAR * root((double)s->variance, s->origin);
}

bool
scalar_accept(struct scalar *s)
{
	if (s->count < SCALAR_START)
		return false;
	if (is_another_scale(s)) {
		start(s);
		memset(s->slot, 0, sizeof(s->slot));
		memset(s->slot_wider, 0, sizeof(s->slot_wider));
		memset(s->slot_count, 0, sizeof(s->slot_count));
		s->slow = s->lean = 0;
		s->outside = false;
		s->count = SCALAR_START + s->count % SCALAR_START;
		return true;
	}
	s->slow += s->lean;
	for (int i = 0; i < SCALAR_SLOTS_MAX; i++)
		s->slot[i] += s->lean;
	s->lean = 0;
	return false;
}

double
scalar_look(const struct scalar *s, double value, int64_t event_us, int slots)
{
	double x = clip(value, VALUE_MAX) - s->origin;
	int slot = slot_of(event_us, slots);

	if (s->count < SCALAR_START)
		return NAN;
	return fmin(fabs(x - slot_level(s, slot)) / slot_deviation(s, slot, slots), FEATURE_MAX);
}

/* What share of values repeated the one before, until the present run began. */
static double
usual_repeats(const struct scalar *s)
{
	double memory = fmin(s->count, SLOW_MEMORY), run = fmin(s->run, memory / 2);

	return fmax(0, 1 - (1 - (double)s->repeats) * memory / (memory - run));
}

/*
 * Bits of surprise in a repetition too many: half a bit, the less the more usual repetitions are.  Where they were few, a quarter of
 * what they would be worth if they came by chance, for what stands still has not been thrown anew.
 */
static double
flat_bits(const struct scalar *s)
{
	double at_most = usual_repeats(s) + FLAT_UNSEEN / s->count;
	double by_chance = at_most < FLAT_FEW ? -log2(at_most) : 0;

	return fmax((1 - (double)s->repeats) / 2, fmin(FLAT_BITS_MOST, by_chance / 4));
}

double
scalar_flat(const struct scalar *s)
{
	double beyond = (double)s->run - 2.0 * s->longest;

	return beyond > 0 && s->count > SCALAR_START ? exp2(-fmin(beyond * flat_bits(s), 900)) : 1;
}

uint32_t
scalar_standstill(const struct scalar *s)
{
	return scalar_flat(s) < STANDSTILL ? s->run : 0;
}

double
scalar_range(const struct scalar *s)
{
	return s->outside && s->count > SCALAR_START ? 1.0 / s->count : 1;
}

double
scalar_least_p(const struct scalar *s, int slots)
{
	double values = s->count, about_level = 2 * (double)s->slot_variance, steps = (double)s->step_variance;

	if (s->slot_count[(slot_of(s->last_us, slots) + 1) % slots] > 0)
		return 0;
	if (steps < about_level)
		values *= steps / about_level;
	return 1 / ((values + 1) * (values + 1));
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

struct scalar_usual
scalar_usual(const struct scalar *s, int64_t event_us, int slots)
{
	int slot = slot_of(event_us, slots);
	double mean = scalar_mean(s), deviation = scalar_is_constant(s) ? 0 : scalar_deviation(s);
	double least = s->origin + (double)s->least, most = s->origin + (double)s->most;

	if (s->count < SCALAR_START)
		return (struct scalar_usual){ 0 };
	return (struct scalar_usual){ .mean = mean,
				      .deviation = deviation,
				      .slot = s->origin + slot_level(s, slot),
				      .slot_deviation = slot_deviation(s, slot, slots),
				      .newest = scalar_newest(s),
				      .lower = fmin(mean, fmax(least, mean - NORMAL_95 * deviation)),
				      .upper = fmax(mean, fmin(most, mean + NORMAL_95 * deviation)) };
}

double
scalar_newest(const struct scalar *s)
{
	return s->ring[(s->count + SCALAR_START - 1) % SCALAR_START];
}

bool
scalar_is_constant(const struct scalar *s)
{
	double least = resolution(s->origin);

	return s->count >= SCALAR_START && (double)s->variance <= least * least;
}

double
scalar_grain(const struct scalar *s)
{
	return s->count < SCALAR_START ? 0 : GRAIN * root((double)s->step_variance, s->origin);
}
