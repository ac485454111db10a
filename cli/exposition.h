/* exposition.h -- values and histograms out of a worker's /metrics: Prometheus' text format, as metrics_expose() writes it.  Pure. */
#ifndef FOREBAY_CLI_EXPOSITION_H
#define FOREBAY_CLI_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/span.h"

#define HISTOGRAM_MOST_BUCKETS 64

/* The value of NAME, which has no labels, as TEXT says it first; NaN: it does not. */
double exposition_value(struct span text, const char *name);

struct histogram {
	double bounds[HISTOGRAM_MOST_BUCKETS]; /* ascending; the last is +Inf */
	double counts[HISTOGRAM_MOST_BUCKETS]; /* of values up to the bound */
	size_t n;
};

/*
 * Add what TEXT says of the histogram NAME, all its label values together, to *H (zeroed: empty); other lines are not
 * read, broken ones neither.
 */
void histogram_read(struct histogram *h, struct span text, const char *name);

int64_t histogram_count(const struct histogram *h);

/*
 * The Q-quantile, linear inside its bucket; the last finite bound for what lies above it, which *BEYOND tells; NaN when
 * empty.
 */
double histogram_quantile(const struct histogram *h, double q, int *beyond);

#endif
