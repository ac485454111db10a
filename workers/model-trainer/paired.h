/*
 * paired.h -- two forecasters on the same series: how much worse is ours, and how sure is that?
 *
 * The bootstrap draws series, not steps: steps of one series are not independent.  What is drawn depends on the seed alone.
 */
#ifndef FOREBAY_TRAINER_PAIRED_H
#define FOREBAY_TRAINER_PAIRED_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

/* Of one series, >= 0 and finite; in the same unit for all series. */
struct pair {
	double ours, theirs;
};

struct paired_rule {
	size_t resamples;  /* >= 1 */
	double confidence; /* of each bound by itself, 0.95 */
	uint64_t seed;
};

struct paired {
	size_t n;
	double ratio;        /* sum of ours / sum of theirs; both 0: 1; NaN without any series */
	double lower, upper; /* of the ratio, each with the rule's confidence */
};

/* -1 on NO_MEMORY. */
int paired_compare(const struct paired_rule *rule, const struct pair *pairs, size_t n, struct paired *ret,
		   struct err *err);

#endif
