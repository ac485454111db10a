/*
 * tails.h -- from raw scores to p-values: how unusual is this score among the scores of the same stream?
 *
 * Raw scores are >= 0, larger is stranger, of the order of 1 (standardised distances, sums of -ln p).  The answer is the
 * share of earlier scores at least as large: from a histogram in the bulk, from a generalised Pareto tail above a high
 * quantile. 
 *
 * Warm-up: after n scores no p-value is below (n+1)^-3, however large the score; so the first one is always 1.
 */
#ifndef FOREBAY_DETECT_TAILS_H
#define FOREBAY_DETECT_TAILS_H

#include <stdbool.h>
#include <stdint.h>

#define TAILS_BUCKETS 56
#define TAILS_EXCESSES 24

/* Zeroed is new.  Plain bytes: may be copied. */
struct tails {
	uint32_t seen;  /* scores learnt from, up to UINT32_MAX */
	uint32_t total; /* weight in the histogram */
	float threshold;
	float gamma, sigma;             /* the tail above the threshold: shape >= 0, scale */
	uint16_t left_out;              /* scores called anomalies lately */
	uint8_t n_excesses, next;       /* excess[] is a ring */
	uint16_t bucket[TAILS_BUCKETS]; /* 4 per score; halved together when old */
	float excess[TAILS_EXCESSES];   /* the last scores above the threshold */
};

/* P-value of RAW in (0, 1].  NaN gives 1. */
double tails_p(const struct tails *t, double raw);

/*
 * Learn RAW, whose p-value was P -- unless P is below 1e-4 or the caller finds it SUSPICIOUS: such scores are left out, up to
 * 200 more of them than of ordinary ones.  On heavy tails that makes p-values near 1e-4 too small (Student's t with 3 degrees
 * of freedom: 8 times), as the largest scores never teach.
 */
void tails_learn(struct tails *t, double raw, double p, bool suspicious);

#endif
