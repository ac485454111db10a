/*
 * metrics.c -- registration and counting.  A series is found by its printed labels, which are needed for the
 * exposition anyway.  Adding is a compare-and-exchange loop on the bits of a double: exact as long as the sum is
 * (integers to 2^53).
 */
#include "common/metrics/metrics.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/metrics/private.h"

const double metric_seconds_bounds[] = { 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
					 0.25,   0.5,   1,      2.5,   5,    10,    30,   60 };
const size_t metric_seconds_n_bounds = ARRAY_LEN(metric_seconds_bounds);

static void
series_free(void *p)
{
	struct metric_series *s = p;

	free(s->labels);
	free(s);
}

static void
metric_free(void *p)
{
	struct metric *metric = p;

	map_free(metric->series);
	free(metric);
}

int
metrics_new(struct metrics **ret, struct err *err)
{
	CLEANUP(heap_free)
	struct metrics *m = calloc(1, sizeof(*m));

	if (!m || !(m->by_name = map_new(metric_free)))
		return err_set(err, REASON_NO_MEMORY, "no memory for metrics");
	pthread_mutex_init(&m->lock, NULL);
	*ret = TAKE(m);
	return 0;
}

void
metrics_free(struct metrics *m)
{
	if (!m)
		return;
	map_free(m->by_name);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

/* The metric of SPEC, made when it is new; NULL when memory is out. */
static struct metric *
metric_of(struct metrics *m, const struct metric_spec *spec)
{
	struct metric *metric = map_get(m->by_name, span_of(spec->name));

	if (metric) {
		assert(metric->spec->kind == spec->kind && strcmp(metric->spec->labels, spec->labels) == 0);
		return metric;
	}
	metric = calloc(1, sizeof(*metric));
	if (!metric)
		return NULL;
	metric->spec = spec;
	if (spec->kind == METRIC_HISTOGRAM) {
		metric->bounds = spec->bounds ? spec->bounds : metric_seconds_bounds;
		metric->n_bounds = spec->bounds ? spec->n_bounds : metric_seconds_n_bounds;
	}
	metric->series = map_new(series_free);
	if (!metric->series || map_put(m->by_name, span_of(spec->name), metric) < 0) {
		map_free(metric->series);
		free(metric);
		return NULL;
	}
	return metric;
}

static size_t
n_buckets(const struct metric *metric)
{
	return metric->spec->kind == METRIC_HISTOGRAM ? metric->n_bounds + 1 : 0;
}

static void
series_zero(struct metric_series *s)
{
	atomic_store_explicit(&s->bits, 0, memory_order_relaxed);
	for (size_t i = 0; i < n_buckets(s->metric); i++)
		atomic_store_explicit(&s->buckets[i], 0, memory_order_relaxed);
}

/* A new series under LABELS, which it takes over on success. */
static struct metric_series *
series_add(struct metric *metric, struct buffer *labels)
{
	struct metric_series *s = malloc(sizeof(*s) + n_buckets(metric) * sizeof(s->buckets[0]));

	if (!s)
		return NULL;
	s->metric = metric;
	s->removed = false;
	s->labels = labels->ptr;
	atomic_init(&s->bits, 0);
	for (size_t i = 0; i < n_buckets(metric); i++)
		atomic_init(&s->buckets[i], 0);
	if (map_put(metric->series, (struct span){ labels->ptr, labels->len - 1 }, s) < 0) {
		free(s);
		return NULL;
	}
	labels->ptr = NULL;
	return s;
}

/* Under the lock. */
static struct metric_series *
find_or_add(struct metrics *m, const struct metric_spec *spec, struct buffer *labels)
{
	struct metric *metric = metric_of(m, spec);
	struct metric_series *s = NULL;

	if (metric)
		s = map_get(metric->series, (struct span){ labels->ptr, labels->len - 1 });
	if (s && s->removed) {
		series_zero(s);
		s->removed = false;
	}
	if (!s && metric && map_count(metric->series) < METRIC_MAX_SERIES)
		s = series_add(metric, labels);
	if (!s)
		m->refused++;
	return s;
}

struct metric_series *
metrics_series(struct metrics *m, const struct metric_spec *spec, const char *const *label_values)
{
	CLEANUP(buffer_clear)
	struct buffer labels = BUFFER_INIT(65536);
	int bad = labels_print(&labels, spec, label_values) | buffer_append(&labels, "", 1);
	struct metric_series *s = NULL;

	pthread_mutex_lock(&m->lock);
	if (bad)
		m->refused++;
	else
		s = find_or_add(m, spec, &labels);
	pthread_mutex_unlock(&m->lock);
	return s;
}

static uint64_t
bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static double
double_of(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

double
metric_bits_load(const _Atomic uint64_t *bits)
{
	return double_of(atomic_load_explicit(bits, memory_order_relaxed));
}

static void
bits_add(_Atomic uint64_t *bits, double amount)
{
	uint64_t old = atomic_load_explicit(bits, memory_order_relaxed);

	while (!atomic_compare_exchange_weak_explicit(bits, &old, bits_of(double_of(old) + amount),
						      memory_order_relaxed, memory_order_relaxed))
		;
}

void
metric_add(struct metric_series *s, double amount)
{
	enum metric_kind kind;

	if (!s || isnan(amount))
		return;
	kind = s->metric->spec->kind;
	if (kind == METRIC_GAUGE || (kind == METRIC_COUNTER && amount >= 0))
		bits_add(&s->bits, amount);
}

void
metric_set(struct metric_series *s, double value)
{
	if (s && !isnan(value) && s->metric->spec->kind != METRIC_HISTOGRAM)
		atomic_store_explicit(&s->bits, bits_of(value), memory_order_relaxed);
}

void
metric_observe(struct metric_series *s, double value)
{
	const struct metric *metric;
	size_t i = 0;

	if (!s || isnan(value) || s->metric->spec->kind != METRIC_HISTOGRAM)
		return;
	metric = s->metric;
	while (i < metric->n_bounds && value > metric->bounds[i])
		i++;
	atomic_fetch_add_explicit(&s->buckets[i], 1, memory_order_relaxed);
	bits_add(&s->bits, value);
}

void
metric_remove(struct metrics *m, struct metric_series *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&m->lock);
	s->removed = true;
	pthread_mutex_unlock(&m->lock);
}

double
metric_value(const struct metric_series *s)
{
	return s ? metric_bits_load(&s->bits) : 0;
}

double
metric_quantile(const struct metric_series *s, double q)
{
	const struct metric *metric = s ? s->metric : NULL;
	uint64_t total = 0;
	double rank, below = 0, low, high;

	for (size_t i = 0; metric && i < n_buckets(metric); i++)
		total += atomic_load_explicit(&s->buckets[i], memory_order_relaxed);
	if (total == 0)
		return NAN;
	rank = fmin(fmax(q, 0), 1) * (double)total;
	for (size_t i = 0; i < metric->n_bounds; i++) {
		double here = (double)atomic_load_explicit(&s->buckets[i], memory_order_relaxed);

		high = metric->bounds[i];
		low = i ? metric->bounds[i - 1] : fmin(0, high);
		if (here > 0 && below + here >= rank)
			return low + (high - low) * fmax(rank - below, 0) / here;
		below += here;
	}
	return metric->n_bounds ? metric->bounds[metric->n_bounds - 1] : NAN;
}
