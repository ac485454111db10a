/*
 * forest_sample.h -- which points a tree holds: a weighted reservoir (Efraimidis, Spirakis) whose weights grow by e^decay from
 * point to point.
 *
 * Point number n comes with E ~ Exp(1) and has the level v = ln E + decay * age, age counted in points; a full sample keeps the
 * points of the least levels, and all levels grow alike as time goes by.  With the greatest level v0 known, point after point is
 * refused with probability e^(-e^v), v the level that v0 then has, so the next one that is taken can be drawn at once: the
 * others cost nothing.  Its E is then one that is known to be small enough.
 *
 * Levels are kept as keys of 16 bits on a circle, for their differences are bounded: steps of 1/2048 (of sample * decay, where
 * that is more than 1), 26 below and 6 above the level 0.
 */
#ifndef FOREBAY_DETECT_FOREST_SAMPLE_H
#define FOREBAY_DETECT_FOREST_SAMPLE_H

#include <stdint.h>

struct forest_sampler {
	double decay;
	double growth; /* e^decay - 1 */
	double step;   /* of keys */
};

struct forest_sampler forest_sampler(double decay, int sample);

/* The key of point NUMBER, whose E is known by U in (0, 1) to be anything; or to be below that of level BELOW. */
uint16_t forest_sample_key(const struct forest_sampler *s, uint64_t number, double u);
uint16_t forest_sample_key_below(const struct forest_sampler *s, uint64_t number, double below, double u);

/* The level that KEY has when point NUMBER comes. */
double forest_sample_level(const struct forest_sampler *s, uint16_t key, uint64_t number);

/* The key of the least level at NUMBER: as seen from it, greater keys have greater levels. */
uint16_t forest_sample_base(const struct forest_sampler *s, uint64_t number);

/* The number of the next point that is taken, after NUMBER, at which the greatest level is LEVEL; U in (0, 1). */
uint64_t forest_sample_next(const struct forest_sampler *s, double level, uint64_t number, double u);

#endif
