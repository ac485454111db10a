/*
 * fdr.h -- how small must a p-value be to be called a discovery, so that of all discoveries no more than a share is false?
 * An account for one stream: every test is paid for, every discovery earns, and an income keeps it from ever running dry.
 *
 *	threshold_t = wealth_t / min(t, memory)
 *	wealth_t+1  = wealth_t - threshold_t + level * FDR_INCOME / min(t, memory) (+ level after a discovery)
 *
 * So among N tests with D discoveries about level * (D + FDR_INCOME * N / memory) are false, whatever the share of anomalies,
 * provided that p-values are: a stream without any anomaly has a false discovery every memory / (level * FDR_INCOME) tests.
 * A young stream may spend more of what it has: its first `memory` tests cost about level * FDR_INCOME * ln(memory).
 */
#ifndef FOREBAY_DETECT_FDR_H
#define FOREBAY_DETECT_FDR_H

#include <stdbool.h>
#include <stdint.h>

#define FDR_INCOME 0.5 /* discoveries presumed in each memory */

struct fdr_options {
	double
	    level; /* share of discoveries that may be false, in (0, 1); 0: no control, every p-value is a discovery */
	int memory_values; /* tests over which wealth is spent, >= 1 */
};

/* Zeroed is new: it has the wealth that its income keeps up.  Plain bytes: may be copied. */
struct fdr {
	float surplus;  /* wealth beyond that, >= 0 */
	uint32_t tests; /* ever, up to UINT32_MAX */
};

/* Largest p-value that is a discovery now, in (0, 1]. */
double fdr_threshold(const struct fdr *f, const struct fdr_options *o);

/* A p-value was compared with the threshold; it WAS_ONE. */
void fdr_tested(struct fdr *f, const struct fdr_options *o, bool was_one);

#endif
