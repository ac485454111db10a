/*
 * drift.h -- has what a model is fed with, or how wrong it is, changed?  Three detectors of a mean or a distribution that moves,
 * as online-ml/river has them (river/drift 0.21), fed with one number at a time: here the standardised pinball loss of one step.
 *
 *	page_hinkley	constant memory, one-sided: losses have grown.  The detector of every series.  Its sum stops at 0; river's
 *			is compared with its least, which is the same but for what is forgotten
 *	adwin		adaptive windows in an exponential histogram (A. Bifet and R. Gavalda, SDM 2007)
 *	kswin		two-sample Kolmogorov-Smirnov of the newest and a sample of the older (C. Raab et al., 2020)
 */
#ifndef FOREBAY_FORECAST_DRIFT_H
#define FOREBAY_FORECAST_DRIFT_H

#include <stdbool.h>
#include <stdint.h>

struct page_hinkley_rule {
	uint32_t least;          /* values before the first alarm; 30 */
	double delta, threshold; /* 0.005, 50 */
	double alpha;            /* forgetting; 0.9999 */
};
struct page_hinkley {
	uint32_t n;
	double mean, sum;
}; /* zeroed: nothing seen */

/* True: alarm; *P begins anew. */
bool page_hinkley_add(struct page_hinkley *p, const struct page_hinkley_rule *rule, double value);

#define ADWIN_ROWS 24
#define ADWIN_BUCKETS 5

struct adwin_rule {
	double delta;                  /* 0.002 */
	uint32_t clock, grace, window; /* 32, 10, 5 */
};
struct adwin {
	double total[ADWIN_ROWS][ADWIN_BUCKETS + 1], variance[ADWIN_ROWS][ADWIN_BUCKETS + 1];
	uint8_t buckets[ADWIN_ROWS]; /* used in each row; a row's buckets hold 2^row values each */
	uint32_t rows;
	uint64_t width, ticks;
	double sum, spread;
}; /* zeroed: nothing seen */

/* True: the older part was cut off. */
bool adwin_add(struct adwin *a, const struct adwin_rule *rule, double value);
double adwin_mean(const struct adwin *a);

#define KSWIN_WINDOW_MAX 200

struct kswin_rule {
	double alpha;               /* 0.005 */
	uint32_t window, statistic; /* 100, 30 */
	uint64_t seed;              /* which older values are compared: by counter */
};
struct kswin {
	double values[KSWIN_WINDOW_MAX];
	uint32_t n;
	uint64_t seen;
}; /* zeroed: nothing seen */

bool kswin_add(struct kswin *k, const struct kswin_rule *rule, double value);

#endif
