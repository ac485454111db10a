/*
 * tails.h -- from raw scores to p-values: how unusual is this score among the scores of the same stream?
 *
 * Raw scores are >= 0, larger is stranger, of the order of 1 (standardised distances, sums of -ln p).  The answer is the
 * share of earlier scores at least as large: from a histogram in the bulk, from a generalised Pareto tail, fitted to the same
 * histogram, above a high quantile.
 *
 * The histogram ends at 256: a larger score is as strange as one there, however much larger it is.
 *
 * Warm-up: after n scores no p-value is below (n+1)^-3, however large the score; so the first one is always 1.  Among the first
 * hundred p-values below 1e-3 are too many, by a factor of 5 (normal scores) to 21 (heavy tails).
 */
#ifndef FOREBAY_DETECT_TAILS_H
#define FOREBAY_DETECT_TAILS_H

#include <stdbool.h>
#include <stdint.h>

#define TAILS_BUCKETS 80
#define TAILS_TOTAL_MAX 64000U /* what the buckets hold together is less: then all is halved */

/* Zeroed is new.  Plain bytes: may be copied. */
struct tails {
	uint32_t seen;                  /* scores learnt from, up to UINT32_MAX */
	uint32_t total;                 /* weight in the histogram */
	float gamma, sigma;             /* the tail above the threshold: shape >= 0, scale */
	float cap;                      /* a larger score teaches as one of this size */
	uint16_t left_out;              /* scores not learnt from lately */
	uint8_t left_out_run;           /* strange ones of them, since a suspicious one was learnt */
	uint8_t threshold;              /* bucket at whose lower edge the tail begins */
	uint16_t bucket[TAILS_BUCKETS]; /* 4 per score; halved together when old */
};

/* P-value of RAW in (0, 1].  NaN gives 1. */
double tails_p(const struct tails *t, double raw);

/*
 * Learn RAW, whatever is very strange as if it were less so -- unless the caller finds it SUSPICIOUS: such scores are left
 * out, but for every sixth that is strange itself, and for what comes after 200 of them; 64 ordinary scores make up for one.
 * P is RAW's p-value.
 */
void tails_learn(struct tails *t, double raw, double p, bool suspicious);

/*
 * The same for a score that is one of several whose p-values are calibrated once more together: its tail is exponential (gamma
 * 0).  What is far out of a heavy tail then has a p-value that is too small, but keeps its distance from what is less far out.
 */
void tails_learn_part(struct tails *t, double raw, double p, bool suspicious);

/* Times have changed: what was learnt weighs an eighth from now on. */
void tails_fade(struct tails *t);

/* The N largest scores were of something that is over: they are taken out again.  Nothing left: it is new. */
void tails_forget(struct tails *t, unsigned n);

#endif
