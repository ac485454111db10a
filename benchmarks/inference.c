/*
 * inference.c -- how fast is a DeepAR of 2 x 40, hourly, context 168, horizon 24, 100 paths, on one core?  For each set of kernels
 * that this processor runs: series per CPU-second, milliseconds for one series alone, and the arithmetic done per second as a
 * share of what the same kernels do in a large product and of what the registers alone could do.
 *
 *	inference [SERIES [ROUNDS]]			JSON on standard output
 *	inference --write FILE [SERIES]			weights and series, for a peer
 *
 * "done": multiply-adds in products as we do them, what paths share once; "whole": as if every path did all of it.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "common/base/random.h"
#include "common/forecast/engine.h"

#define CONTEXT 168
#define HORIZON 24
#define PATHS 100
#define POINTS 1000
#define START_US INT64_C(1704067200000000) /* 2024-01-01 */
#define SINGLES 400
#define LEVELS 9
#define LARGE 480

static const double levels[LEVELS] = { 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9 };

static double
seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- what the registers can do: twelve chains of multiply-adds ---- */

#define CHAINS 12
#define TURNS 2000000

#define DEFINE_PEAK(name, bytes, flags, fma)                                                                     \
	typedef float vec_##name __attribute__((vector_size(bytes)));                                            \
	flags static double peak_##name(float x, float *sink)                                                    \
	{                                                                                                        \
		vec_##name acc[CHAINS], a = (vec_##name){ 0 } + x, b = a * 0.5f;                                 \
		double start;                                                                                    \
                                                                                                                 \
		for (size_t i = 0; i < CHAINS; i++)                                                              \
			acc[i] = a * (float)i;                                                                   \
		start = seconds(CLOCK_THREAD_CPUTIME_ID);                                                        \
		for (size_t t = 0; t < TURNS; t++)                                                               \
			_Pragma("GCC unroll 12") for (size_t i = 0; i < CHAINS; i++) acc[i] = fma(acc[i], a, b); \
		start = seconds(CLOCK_THREAD_CPUTIME_ID) - start;                                                \
		for (size_t i = 1; i < CHAINS; i++)                                                              \
			acc[0] += acc[i];                                                                        \
		*sink += acc[0][0];                                                                              \
		return 2.0 * TURNS * CHAINS * (double)(bytes) / sizeof(float) / start;                           \
	}

#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
DEFINE_PEAK(portable, 16, , MULTIPLY_ADD)
#if defined(__x86_64__)
DEFINE_PEAK(avx2, 32, __attribute__((target("avx2,fma"))), _mm256_fmadd_ps)
DEFINE_PEAK(avx512, 64, __attribute__((target("avx512f"))), _mm512_fmadd_ps)
#endif

static double
peak_of(const struct kernel *k)
{
	double best = 0;
	float sink = 0;

	for (int i = 0; i < 5; i++) {
		double now = 0;

		if (strcmp(k->name, "portable") == 0)
			now = peak_portable(0.5f, &sink);
#if defined(__x86_64__)
		else if (strcmp(k->name, "avx2") == 0)
			now = peak_avx2(0.5f, &sink);
		else
			now = peak_avx512(0.5f, &sink);
#endif
		best = now > best ? now : best;
	}
	return sink > 0 ? best : 0;
}

/* What a product of LARGE cubed does. */
static double
product_of(const struct kernel *k)
{
	static _Alignas(64) float a[LARGE * LARGE], b[LARGE * LARGE], c[LARGE * LARGE];
	double best = 0;

	for (size_t i = 0; i < LARGE * LARGE; i++)
		a[i] = b[i] = (float)(random_uniform(1, 0, i) - 0.5);
	for (int i = 0; i < 10; i++) {
		double start = seconds(CLOCK_THREAD_CPUTIME_ID), now;

		k->gemm_nn(LARGE, LARGE, LARGE, a, LARGE, b, LARGE, c, LARGE, false);
		now = 2.0 * LARGE * LARGE * LARGE / (seconds(CLOCK_THREAD_CPUTIME_ID) - start);
		best = now > best ? now : best;
	}
	return best;
}

/* ---- the network and its series ---- */

static int
network(struct deepar **ret, struct err *err)
{
	struct deepar_config c;
	struct frequency f;

	if (frequency_parse("1h", &f, err) < 0)
		return -1;
	deepar_config_default(&f, HORIZON, &c);
	c.context = CONTEXT;
	if (deepar_new(&c, ret, err) < 0)
		return -1;
	deepar_init(*ret, 1);
	return 0;
}

static double *
series_new(size_t n)
{
	double *values = malloc(n * POINTS * sizeof(*values));

	for (size_t s = 0; values && s < n; s++)
		for (size_t i = 0; i < POINTS; i++)
			values[s * POINTS + i] = 20 + 5 * sin((double)(i + s) * 0.2617993878) + random_normal(s, 0, i);
	return values;
}

/* Multiply-adds in products, twice, of one series. */
static double
operations(const struct deepar *m, bool whole)
{
	double gates = 4.0 * m->config.hidden, hidden = m->config.hidden, layers = m->config.layers, sum;
	double above = (layers - 1) * gates * 2 * hidden + (double)m->n_params * hidden, inputs = (double)m->n_inputs;

	if (whole)
		return 2 * (CONTEXT + (HORIZON - 1.0) * PATHS) * (gates * (inputs + hidden) + above);
	sum = CONTEXT * (gates * (inputs + hidden) + above) + (HORIZON - 1) * gates * inputs;
	for (int k = 1; k < HORIZON; k++) {
		double lags = 0;

		for (size_t i = 0; i < m->config.frequency.n_lags; i++)
			lags += m->config.frequency.lags[i] <= k;
		sum += PATHS * (gates * (lags + hidden) + above - (k == 1 ? layers * gates * hidden : 0));
	}
	return 2 * sum;
}

/* ---- measuring ---- */

struct speed {
	double per_cpu_second, p50_ms, p99_ms, checksum;
};

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
measure(struct engine *e, const struct engine_request *requests, size_t n, int rounds, double *quantiles,
	struct speed *ret)
{
	static double times[SINGLES];

	*ret = (struct speed){ 0 };
	for (int i = 0; i < rounds; i++) {
		double start = seconds(CLOCK_THREAD_CPUTIME_ID), now;

		engine_quantiles(e, requests, n, HORIZON, levels, LEVELS, quantiles);
		now = (double)n / (seconds(CLOCK_THREAD_CPUTIME_ID) - start);
		ret->per_cpu_second = now > ret->per_cpu_second ? now : ret->per_cpu_second;
	}
	for (size_t i = 0; i < n * HORIZON; i++)
		ret->checksum += quantiles[i * LEVELS + LEVELS / 2] / (double)(n * HORIZON);
	for (size_t i = 0; i < SINGLES; i++) {
		double start = seconds(CLOCK_MONOTONIC);

		engine_quantiles(e, requests + i % n, 1, HORIZON, levels, LEVELS, quantiles);
		times[i] = 1e3 * (seconds(CLOCK_MONOTONIC) - start);
	}
	qsort(times, SINGLES, sizeof(*times), ascending);
	ret->p50_ms = times[SINGLES / 2];
	ret->p99_ms = times[SINGLES * 99 / 100];
}

static int
one_set(const struct kernel *k, const struct deepar *m, const struct engine_request *requests, size_t n, int rounds,
	bool first, struct err *err)
{
	CLEANUP(heap_free) double *quantiles = malloc(n * HORIZON * LEVELS * sizeof(*quantiles));
	CLEANUP(engine_free) struct engine *e = NULL;
	double peak = peak_of(k), product = product_of(k);
	struct speed s;

	if (!quantiles)
		return err_set(err, REASON_NO_MEMORY, "quantiles");
	if (engine_new(m, k, PATHS, &e, err) < 0)
		return -1;
	measure(e, requests, n, rounds, quantiles, &s);
	peak = fmax(peak, peak_of(k));
	product = fmax(product, product_of(k));
	printf("%s\"%s\":{\"series_per_cpu_second\":%.1f,\"single_p50_ms\":%.3f,\"single_p99_ms\":%.3f,"
	       "\"register_peak_gflops\":%.1f,\"gemm_gflops\":%.1f,\"done_gflops\":%.1f,\"whole_gflops\":%.1f,"
	       "\"done_to_gemm\":%.3f,\"whole_to_gemm\":%.3f,\"mean_median\":%.5f}",
	       first ? "" : ",", k->name, s.per_cpu_second, s.p50_ms, s.p99_ms, peak * 1e-9, product * 1e-9,
	       s.per_cpu_second * operations(m, false) * 1e-9, s.per_cpu_second * operations(m, true) * 1e-9,
	       s.per_cpu_second * operations(m, false) / product, s.per_cpu_second * operations(m, true) / product,
	       s.checksum);
	return 0;
}

static int
write_peer(const char *path, const struct deepar *m, const double *values, size_t n, struct err *err)
{
	CLEANUP(file_close) FILE *file = fopen(path, "we");

	if (!file)
		return err_set(err, REASON_OPTION_INVALID, "%s: cannot be written", path);
	fprintf(file, "{\"context\":%d,\"horizon\":%d,\"paths\":%d,\"start\":\"2024-01-01 00:00\",\"weights\":{",
		CONTEXT, HORIZON, PATHS);
	for (size_t i = 0; i < m->n_tensors; i++) {
		const struct deepar_tensor *t = &m->tensors[i];

		fprintf(file, "%s\"%s\":[", i ? "," : "", t->name);
		for (size_t j = 0; j < t->rows * t->cols; j++)
			fprintf(file, "%s%.9g", j ? "," : "", (double)m->weights[t->at + j]);
		fprintf(file, "]");
	}
	fprintf(file, "},\"series\":[");
	for (size_t i = 0; i < n * POINTS; i++)
		fprintf(file, "%s%.17g", i == 0 ? "[" : i % POINTS ? "," : "],[", values[i]);
	fprintf(file, "]]}\n");
	return 0;
}

static int
all_sets(const struct deepar *m, const double *values, size_t n, int rounds, struct err *err)
{
	static const char *const names[] = { "avx512", "avx2", "portable" };
	CLEANUP(heap_free) struct engine_request *requests = calloc(n, sizeof(*requests));
	CLEANUP(heap_free) struct target *targets = calloc(n, sizeof(*targets));
	bool first = true;

	if (!requests || !targets)
		return err_set(err, REASON_NO_MEMORY, "requests");
	for (size_t i = 0; i < n; i++) {
		targets[i] = (struct target){ .start_us = START_US, .values = values + i * POINTS, .n = POINTS };
		requests[i] = (struct engine_request){ &targets[i], i };
	}
	printf("{\"series\":%zu", n);
	printf(",\"mflop_done\":%.2f,\"mflop_whole\":%.2f,\"sets\":{", operations(m, false) * 1e-6,
	       operations(m, true) * 1e-6);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!kernel_find(names[i]))
			continue;
		if (one_set(kernel_find(names[i]), m, requests, n, rounds, first, err) < 0)
			return -1;
		first = false;
	}
	printf("}}\n");
	return 0;
}

int
main(int argc, char **argv)
{
	const char *path = argc > 2 && strcmp(argv[1], "--write") == 0 ? argv[2] : NULL;
	int at = path ? 3 : 1;
	long n = argc > at ? atol(argv[at]) : 256, rounds = argc > at + 1 ? atol(argv[at + 1]) : 5;
	CLEANUP(heap_free) double *values = n > 0 && n <= 1000000 ? series_new((size_t)n) : NULL;
	CLEANUP(deepar_free) struct deepar *m = NULL;
	struct err err = ERR_INIT;

	if (!values || rounds < 1) {
		fprintf(stderr, "usage: inference [--write FILE] [SERIES [ROUNDS]]\n");
		return 1;
	}
	if (network(&m, &err) < 0 || (path ? write_peer(path, m, values, (size_t)n, &err)
					   : all_sets(m, values, (size_t)n, (int)rounds, &err)) < 0) {
		fprintf(stderr, "inference: %s\n", err.text);
		return 1;
	}
	return 0;
}
