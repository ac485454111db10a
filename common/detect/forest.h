/*
 * forest.h -- a Random Cut Forest over the rows of one stream (S. Guha, N. Mishra, G. Roy, O. Schrijvers, "Robust Random Cut
 * Forest Based Anomaly Detection On Streams", ICML 2016), with time-decayed reservoir samples and internal shingles.
 *
 * A row has `columns` values.  The last `shingle` rows side by side are a point of columns * shingle dimensions.  Each tree
 * holds a sample of the points, younger ones more likely: a point's weight is e^(decay * its number) (P. Efraimidis,
 * P. Spirakis, "Weighted random sampling with a reservoir", 2006).
 *
 * Score: the expected inverse depth at which the point would be cut off, times log2(mass + 1), mean over the trees: about 1
 * for what is usual, at most log2(sample + 1).  Displacement: CoDisp of the paper, the greatest ratio of what a point would
 * push down to what goes with it, mean over the trees.
 *
 * Every random number is a function of (seed, key, tree, point number): the same rows give the same bits on every machine,
 * whatever instructions it has.  Columns may have any unit: each is standardised by a robust scale of its own.
 */
#ifndef FOREBAY_DETECT_FOREST_H
#define FOREBAY_DETECT_FOREST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define FOREST_TREES_MAX 256
#define FOREST_SAMPLE_MIN 16
#define FOREST_SAMPLE_MAX 256
#define FOREST_COLUMNS_MAX 32
#define FOREST_SHINGLE_MAX 8
#define FOREST_POINTS_MAX 49152 /* trees * sample */
#define FOREST_DECAY_MAX 1
#define FOREST_DIMENSIONS_MAX (FOREST_COLUMNS_MAX * FOREST_SHINGLE_MAX)

struct forest_rule {
	int trees;     /* 1..FOREST_TREES_MAX; 50 is usual */
	int sample;    /* points per tree, FOREST_SAMPLE_MIN..FOREST_SAMPLE_MAX; 256 is usual */
	int columns;   /* 1..FOREST_COLUMNS_MAX */
	int shingle;   /* rows to a point, 1..FOREST_SHINGLE_MAX */
	double decay;  /* 0..FOREST_DECAY_MAX, per point; 1 / (10 * sample) is usual */
	uint64_t seed; /* of all random numbers, together with the forest's key */
};

struct forest;

/* KEY tells this forest's random numbers from another's, e.g. random_hash() of its device.  -1 on OPTION_INVALID, NO_MEMORY. */
int forest_new(const struct forest_rule *rule, uint64_t key, struct forest **ret, struct err *err);

/* Trees are shared by copies and copied when one of them changes; counted without atomics: one thread.  -1 on NO_MEMORY. */
int forest_copy(const struct forest *f, struct forest **ret, struct err *err);
void forest_free(struct forest *f); /* NULL is fine */

/* The rule it was made by. */
const struct forest_rule *forest_rule(const struct forest *f);

/* Bytes of memory that it keeps, shared ones counted in full; and bytes of its image.  Both in constant time. */
size_t forest_memory(const struct forest *f);
size_t forest_image_bytes(const struct forest *f);

/*
 * Bring all of F near: for one that has not been used lately, looking and learning then take less than half the time, as memory
 * is read in one sweep and not here and there.  Of one that has been, a waste of a microsecond.  Nothing changes.
 */
void forest_fetch(const struct forest *f);

/* Of one column: its part of the score, by the direction in which it is strange.  All of a row's parts sum to the score. */
struct forest_share {
	double high, low; /* above what is usual, below it; >= 0 */
};

struct forest_look {
	bool ready;          /* false: too few points yet, everything else is 0 */
	double score;        /* [0, log2(sample + 1)] */
	double displacement; /* >= 0 */
};

/*
 * How strange would ROW (rule.columns values; one that is not finite is missing, and counts as its imputation) be as the next
 * one?  Nothing changes.  SHARES: NULL, or room for rule.columns shares (over all rows of the shingle); they cost about as
 * much again.
 */
struct forest_look forest_look(const struct forest *f, const double *row, struct forest_share *shares);

/*
 * The values of ROW's missing columns that would be least strange (medians, over the trees, of the sampled points nearest in the
 * other columns); with all missing, a forecast of the next row.  FILLED has room for a row.  Before the forest is ready: the
 * last known value, or 0.
 */
void forest_impute(const struct forest *f, const double *row, double *filled);

/*
 * Learn ROW.  Missing values are imputed; of a row with less than half of its values only the shingle learns.  -1 on NO_MEMORY,
 * and then nothing has changed.
 */
int forest_add(struct forest *f, const double *row, struct err *err);

#endif
