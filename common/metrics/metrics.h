/*
 * metrics.h -- counters, gauges and histograms, declared in tables and read by Prometheus.
 *
 * A table of metric_spec is registered once; a metric_series is one line of the exposition (a spec and its label
 * values).  Looking a series up takes a lock and is done at set-up; adding to one is a relaxed atomic and may be done
 * on any thread.
 */
#ifndef FOREBAY_METRICS_METRICS_H
#define FOREBAY_METRICS_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/cleanup.h"
#include "common/base/error.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_spec {
	const char *name; /* "forebay_records_in_total": snake case, unit in the name, counters end in _total */
	enum metric_kind kind;
	const char *labels;   /* label names, comma separated: "topic,partition"; "" for none */
	const char *help;     /* one line */
	const double *bounds; /* histograms: ascending upper bounds without +Inf; NULL: metric_seconds_bounds */
	size_t n_bounds;
};

/* 0.5 ms to 60 s, for latencies in seconds. */
extern const double metric_seconds_bounds[];
extern const size_t metric_seconds_n_bounds;

struct metrics;
struct metric_series;

int metrics_new(struct metrics **ret, struct err *err);
void metrics_free(struct metrics *m);
DEFINE_CLEANUP(struct metrics, metrics_free)

/*
 * The series of SPEC with these label values (as many as SPEC names labels, in order); created at 0 when new.  SPEC
 * must live as long as M; specs of the same name must be alike and are one metric.  The series is M's and stays valid
 * until metrics_free.  NULL when memory is out or the metric has METRIC_MAX_SERIES of them (adding to NULL is allowed
 * and does nothing; forebay_metrics_refused_series_total then counts).  Thread-safe.
 */
#define METRIC_MAX_SERIES 10000
struct metric_series *metrics_series(struct metrics *m, const struct metric_spec *spec,
				     const char *const *label_values);

/* NaN is ignored, so is a negative amount for a counter and a call that does not fit the kind. */
void metric_add(struct metric_series *s, double amount);    /* counters and gauges */
void metric_set(struct metric_series *s, double value);     /* gauges; a counter that mirrors another one */
void metric_observe(struct metric_series *s, double value); /* histograms */

/* No longer exposed (a partition that left).  metrics_series with the same label values brings it back, at 0. */
void metric_remove(struct metrics *m, struct metric_series *s);

double metric_value(const struct metric_series *s); /* of a counter or gauge; the sum of a histogram */

/*
 * Estimate of the Q-quantile (0..1) of a histogram from its buckets, linear inside a bucket, the last bound for what
 * lies above it; NaN when empty.
 */
double metric_quantile(const struct metric_series *s, double q);

/*
 * The text format of Prometheus (version 0.0.4), every registered series, specs in order of registration.  -1: OUT is
 * full, and as it was.
 */
int metrics_expose(struct metrics *m, struct buffer *out);

#endif
