/*
 * training.c -- how many windows a second does a training learn from, and what share of the processor's arithmetic is that?
 * The default network on hourly series, 2 x 40, context and horizon 24, batches of 32; the peak is the same run's products of
 * cached matrices.  The default budget (GluonTS) is 160,000 windows.
 *
 *	training [KERNEL] [SECONDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/forecast/train_parts.h"

#define SERIES 64
#define POINTS 2000
#define BATCH 32
#define BUDGET 160000

static double values[SERIES][POINTS];
static struct target targets[SERIES];

static double
cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void
fill(void)
{
	for (size_t i = 0; i < SERIES; i++) {
		for (size_t k = 0; k < POINTS; k++)
			values[i][k] = (double)(1 + i) * (2 + (double)(k % 24) / 12 + random_normal(1, i, k) / 4);
		targets[i] = (struct target){ .start_us = 1700000000000000, .values = values[i], .n = POINTS };
	}
}

static void
die(const struct err *err)
{
	fprintf(stderr, "training: %s\n", err->text);
	exit(1);
}

/* Additions and multiplications of one window: forward, and twice as many back. */
static double
operations(const struct deepar *m, size_t steps)
{
	double products = (double)(m->n_params * (size_t)m->config.hidden);

	for (int32_t l = 0; l < m->config.layers; l++)
		products += 4 * m->config.hidden * (double)(deepar_layer(m, l).inputs + (size_t)m->config.hidden);
	return 3 * 2 * products * (double)steps;
}

/* Of the kernel alone, on matrices that stay in the cache: operations a second, the best of several rounds. */
static double
peak(const struct kernel *kernel)
{
	enum { M = 160, N = 256, K = 128, TIMES = 50 };
	static float a[M * K], b[K * N], c[M * N];
	double best = 0;

	for (size_t i = 0; i < M * K; i++)
		a[i] = (float)random_uniform(1, 1, i);
	for (size_t i = 0; i < K * N; i++)
		b[i] = (float)random_uniform(1, 2, i);
	for (int round = 0; round < 20; round++) {
		double start = cpu_seconds(), rate;

		for (int i = 0; i < TIMES; i++)
			kernel->gemm_nn(M, N, K, a, K, b, N, c, N, false);
		rate = 2.0 * M * N * K * TIMES / (cpu_seconds() - start);
		best = rate > best ? rate : best;
	}
	return best;
}

struct times {
	double put, run, step;
	size_t windows;
};

static void
learn(struct training *t, double seconds, struct times *times)
{
	struct adam_rule rule = { 1e-3, 1e-8, 10 };
	double begin = cpu_seconds(), now = begin;

	for (int32_t batch = 0; now - begin < seconds; batch++) {
		struct gradient_noise noise = { 0.1, 1, (uint64_t)batch };
		double before = now;

		gradient_begin(t->gradient);
		for (int32_t i = 0; i < BATCH; i++) {
			struct train_draw d = train_window(t, 0, 0, batch, i, 0);

			gradient_put(t->gradient, t->model, &targets[d.target], d.split);
		}
		now = cpu_seconds();
		times->put += now - before;
		before = now;
		gradient_run(t->gradient, t->model, &noise, t->slope);
		now = cpu_seconds();
		times->run += now - before;
		before = now;
		adam_step(&rule, (uint64_t)batch + 1, t->model->n_weights, t->model->weights, t->m, t->v, t->slope);
		now = cpu_seconds();
		times->step += now - before;
		times->windows += t->gradient->n;
	}
}

int
main(int argc, char **argv)
{
	const struct kernel *kernel = kernel_find(argc > 1 && strcmp(argv[1], "best") != 0 ? argv[1] : NULL);
	CLEANUP(training_free) struct training *t = NULL;
	struct train_options options;
	struct deepar_config config;
	struct frequency frequency;
	struct times times = { 0 };
	struct err err = ERR_INIT;
	double all, rate, most;

	if (!kernel) {
		fprintf(stderr, "training: no such kernel on this processor\n");
		return 1;
	}
	fill();
	train_options_default(&options);
	options.batch = BATCH;
	if (frequency_parse("h", &frequency, &err) < 0)
		die(&err);
	deepar_config_default(&frequency, 24, &config);
	config.context = 24;
	if (training_new(&config, &options, targets, SERIES, kernel, &t, &err) < 0)
		die(&err);
	learn(t, argc > 2 ? atof(argv[2]) : 5, &times);
	all = times.put + times.run + times.step;
	rate = (double)times.windows / all;
	most = peak(kernel);
	printf("kernel %s: %.0f windows/s; %d windows in %.1f s\n", kernel->name, rate, BUDGET, BUDGET / rate);
	printf("of the time: windows %.0f %%, gradient %.0f %%, Adam %.0f %%\n", 100 * times.put / all,
	       100 * times.run / all, 100 * times.step / all);
	printf("%.1f GFLOP/s, %.0f %% of %.1f GFLOP/s in products alone\n",
	       rate * operations(t->model, t->gradient->steps) / 1e9,
	       100 * rate * operations(t->model, t->gradient->steps) / most, most / 1e9);
	return 0;
}
