/*
 * ondemand.c -- how long does who waits for the forecast of one series wait?  The panel as the scorer has it: a trained model of
 * hourly series (2 x 40, 100 paths, horizon 24) and the naive members beside it, a thousand hours known.
 *
 *	ondemand NETWORKS CONTEXT [CALLS]
 *	-> {"networks":...,"context":...,"calls":...,"p50_ms":...,"p99_ms":...,"median":...}
 *
 * Time is the processor's, of each call alone.  What the weights are does not matter to it: they are drawn.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/random.h"
#include "common/forecast/panel.h"

#define HORIZON 24
#define PATHS 100
#define POINTS 1000
#define LEVELS 19
#define CALLS 2000
#define CALLS_MAX 1000000

static double
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int
make_model(const struct panel_rule *rule, long networks, long context, struct artefact *model, struct err *err)
{
	struct deepar_config c;

	deepar_config_default(&rule->frequency, HORIZON, &c);
	c.context = (int32_t)context;
	for (; model->n_networks < (size_t)networks; model->n_networks++) {
		if (deepar_new(&c, &model->networks[model->n_networks], err) < 0)
			return -1;
		deepar_init(model->networks[model->n_networks], model->n_networks + 1);
	}
	ensemble_rule_default(PANEL_MEMBERS, LEVELS, HORIZON, &model->ensemble);
	model->n_levels = LEVELS;
	for (int i = 0; i < LEVELS; i++)
		model->levels[i] = rule->levels[i];
	return 0;
}

static int
measure(struct panel *p, long calls, double *times, double *median, struct err *err)
{
	static double history[POINTS], values[HORIZON * LEVELS];
	const struct target t = { .start_us = INT64_C(1704067200000000), .values = history, .n = POINTS };

	for (long i = 0; i < calls; i++) {
		const struct panel_request request = { .target = &t, .noise = (uint64_t)i };
		struct panel_forecast f = { .values = values };
		double start;

		for (size_t j = 0; j < POINTS; j++)
			history[j] =
			    20 + 5 * sin(((double)j + (double)i) * M_PI / 12) + random_normal((uint64_t)i, 0, j);
		start = cpu_ms();
		if (panel_forecast(p, &request, &f, 1, err) < 0)
			return -1;
		times[i] = cpu_ms() - start;
		if (!(f.awake >> PANEL_DEEPAR & 1))
			return err_set(err, REASON_OPTION_INVALID, "the model took no part");
		*median += values[LEVELS / 2] / (double)calls;
	}
	qsort(times, (size_t)calls, sizeof(*times), ascending);
	return 0;
}

static int
run(long networks, long context, long calls, struct artefact *model, struct err *err)
{
	CLEANUP(heap_free) double *times = calloc((size_t)calls, sizeof(*times));
	CLEANUP(panel_free) struct panel *p = NULL;
	struct panel_rule rule = { .horizon = HORIZON,
				   .n_levels = LEVELS,
				   .paths = PATHS,
				   .share_paths = true,
				   .seed = 1,
				   .history_max = POINTS };
	double median = 0;

	for (int i = 0; i < LEVELS; i++)
		rule.levels[i] = (i + 1) / (LEVELS + 1.0);
	if (!times)
		return err_set(err, REASON_NO_MEMORY, "%ld times", calls);
	if (frequency_parse("1h", &rule.frequency, err) < 0 ||
	    panel_members_parse("season,last,deepar", &rule.members, err) < 0 ||
	    make_model(&rule, networks, context, model, err) < 0 || panel_new(&rule, model, NULL, &p, err) < 0 ||
	    measure(p, calls, times, &median, err) < 0)
		return -1;
	printf("{\"networks\":%ld,\"context\":%ld,\"calls\":%ld,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"median\":%.4f}\n",
	       networks, context, calls, times[calls / 2], times[calls * 99 / 100], median);
	return 0;
}

int
main(int argc, char **argv)
{
	long networks = argc > 1 ? atol(argv[1]) : 0, context = argc > 2 ? atol(argv[2]) : 0;
	long calls = argc > 3 ? atol(argv[3]) : CALLS;
	struct artefact model = { 0 };
	struct err err = ERR_INIT;
	int failed;

	if (networks < 1 || networks > ARTEFACT_NETWORKS_MAX || context < 1 || context > POINTS / 2 || calls < 1 ||
	    calls > CALLS_MAX) {
		fprintf(stderr, "usage: ondemand NETWORKS CONTEXT [CALLS]\n");
		return 1;
	}
	failed = run(networks, context, calls, &model, &err);
	if (failed)
		fprintf(stderr, "ondemand: %s\n", err.text);
	artefact_clear(&model);
	return failed ? 1 : 0;
}
