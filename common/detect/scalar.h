/*
 * scalar.h -- the O(1) statistics of one stream of numbers: how far the newest value, and the last few together, are from
 * what this stream usually does.  Numbers in, standardised features out; no clock, no memory of its own.
 *
 * A stream may have any step, or none: windows and decays count values, and only the time-of-day slot looks at the event
 * time.  The first SCALAR_START values are only collected; robust estimates of them start the statistics.
 */
#ifndef FOREBAY_DETECT_SCALAR_H
#define FOREBAY_DETECT_SCALAR_H

#include <stdbool.h>
#include <stdint.h>

#define SCALAR_START 24       /* values before the first features; also the longest window */
#define SCALAR_LEAN_MEMORY 12 /* values that SCALAR_LEAN is about, mostly */
#define SCALAR_SLOTS_MAX 48   /* time-of-day slots: half an hour each */
#define SCALAR_WIDER (SCALAR_SLOTS_MAX / 2)

/* Each is a distance >= 0 in units of its own running deviation; the flat line is told apart, see scalar_flat(). */
enum scalar_feature {
	SCALAR_SLOT,  /* value against the mean of its time of day, in deviations of that time */
	SCALAR_SHIFT, /* mean of the last SCALAR_START values against the slow mean */
	SCALAR_STEP,  /* value against the one before, per usual interval: of a step over a gap only its share */
	SCALAR_LEAN,  /* mean distance of the last values to their times of day */
	SCALAR_FEATURES
};

/* Zeroed is new.  Plain bytes: may be copied.  Levels are kept relative to `origin`, so that a float is precise enough. */
struct scalar {
	int64_t last_us; /* event time of the newest value; means something once count > 0 */
	double origin;
	double ring[SCALAR_START]; /* the last values; ring[count % SCALAR_START] is the oldest */
	uint32_t count;            /* values seen */
	uint32_t run;              /* how often the newest value has been repeated, 0: it is new */
	uint32_t longest;          /* longest run that ended by itself, slowly forgotten */
	float slow;                /* mean, relative to origin */
	float lean;                /* fast mean of the distances to the level of the time of day */
	float least, most;         /* of all values since the start, relative to origin */
	float variance, slot_variance, step_variance;
	float repeats;  /* share of values that repeat the one before */
	float interval; /* between values, seconds of event time; 0: not known yet */
	float slot[SCALAR_SLOTS_MAX];
	uint8_t slot_count[SCALAR_SLOTS_MAX]; /* values in a slot, up to 255 */
	bool outside;                         /* the newest value is beyond all before it, see scalar_range() */
	/* Variance of a slot, or of two where there are more, over slot_variance, as bfloat16; 0: nothing is known. */
	uint16_t slot_wider[SCALAR_WIDER];
};

/*
 * Add VALUE (finite) of EVENT_US, which should be later than last_us.  SLOTS of the day, 1..SCALAR_SLOTS_MAX.  TROUBLED: it is
 * part of something unusual, and no example of its time of day.  False during the start: features are then untouched.
 */
bool scalar_add(struct scalar *s, double value, int64_t event_us, int slots, bool troubled,
		double features[SCALAR_FEATURES]);

/* How many usual intervals a value of EVENT_US comes after the newest one: 1, or more after a gap. */
double scalar_strides(const struct scalar *s, int64_t event_us);

/*
 * What the last SCALAR_START values were is how it is from now on.  Where only the level has moved all levels move with it; where
 * the scale is another one, too, everything but the length of runs is started anew from them.  True: anew.
 */
bool scalar_accept(struct scalar *s);

/* SCALAR_SLOT of a value without adding it (a late one); NaN during the start. */
double scalar_look(const struct scalar *s, double value, int64_t event_us, int slots);

/*
 * Chance of a run of equal values as long as the present one, in (0, 1].  Only what exceeds twice the longest run that ended
 * by itself counts.  Two repetitions beyond it halve the chance, more are needed where repetitions are usual, fewer where less than
 * an eighth of the values repeat the one before: with one in 16 each halves it, with one in 256 and fewer quarters it.
 */
double scalar_flat(const struct scalar *s);

/* How often the newest value has been repeated, where a run as long is worth a word (a chance below a hundredth); else 0. */
uint32_t scalar_standstill(const struct scalar *s);

/*
 * Chance of the newest value being as far beyond all before it as it is, in (0, 1]: among n values that come in any order it is
 * about 1/n, for a twentieth of their range beyond them.  Less is no matter: 1.
 */
double scalar_range(const struct scalar *s);

/*
 * What is known of a stream that has not been round the clock yet, of its usual levels and its range: no p-value of them
 * may be smaller.  Values that wander, their steps being small beside their distances from the level, are worth as many fewer:
 * n (steps' variance) / (2 variance) independent ones; then (that + 1)^-2.  0 where the next slot of the day is known, too.
 */
double scalar_least_p(const struct scalar *s, int slots);

/* What is usual around the stream's level: the slow mean and its deviation (0 until started). */
double scalar_mean(const struct scalar *s);
double scalar_deviation(const struct scalar *s);

/* What a value is compared with. */
struct scalar_usual {
	double mean, deviation;      /* of the stream; deviation 0: not known yet, or nothing has ever moved */
	double slot, slot_deviation; /* of the time of day */
	double newest;               /* the value before */
	double lower, upper;         /* nine of ten values around the mean, as far as there have been values at all */
};

/* For a value of EVENT_US that is not added yet.  All is 0 until started. */
struct scalar_usual scalar_usual(const struct scalar *s, int64_t event_us, int slots);

/* The newest value; count must be > 0. */
double scalar_newest(const struct scalar *s);

/* Has nothing but one value been seen, or nothing else for so long that it is forgotten? */
bool scalar_is_constant(const struct scalar *s);

/* What is too small for this stream to be worth a word: a tenth of what one value usually differs from the next. */
double scalar_grain(const struct scalar *s);

#endif
