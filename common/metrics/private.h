/*
 * private.h -- what metrics.c keeps and exposition.c prints.
 *
 * A metric is a spec and its series.  The lists only grow, under the lock; values are atomics and need none.  Doubles
 * are kept as their bits, because C has no atomic addition for them.
 */
#ifndef FOREBAY_METRICS_PRIVATE_H
#define FOREBAY_METRICS_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "common/base/map.h"
#include "common/metrics/metrics.h"

struct metric;

struct metric_series {
	const struct metric *metric;
	bool removed;               /* under the lock */
	char *labels;               /* `topic="a",partition="0"`, escaped; "" for none */
	_Atomic uint64_t bits;      /* value, or sum of a histogram */
	_Atomic uint64_t buckets[]; /* one per bound and one for +Inf */
};

struct metric {
	const struct metric_spec *spec;
	const double *bounds;
	size_t n_bounds;
	struct map *series; /* labels -> series */
};

struct metrics {
	pthread_mutex_t lock;
	struct map *by_name; /* name -> metric, in order of registration */
	uint64_t refused;
};

/* LABEL="VALUE" for every label of SPEC. */
int labels_print(struct buffer *out, const struct metric_spec *spec, const char *const *values);

double metric_bits_load(const _Atomic uint64_t *bits);

#endif
