/* train.c -- what a training promises: it learns, it is the same every time, also when it was interrupted, and it keeps to its data. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/forecast/accuracy.h"
#include "common/forecast/engine.h"
#include "common/forecast/naive.h"
#include "common/forecast/train_parts.h"

#define SERIES 12
#define POINTS 400
#define HORIZON 12

/* ---- series that repeat themselves every day, each at its own hour and of its own size ---- */

struct world {
	double values[SERIES][POINTS];
	int32_t cats[SERIES];
	struct target targets[SERIES];
	struct deepar_config config;
	struct train_options options;
};

static void
world_new(struct world *w)
{
	struct frequency f;

	memset(w, 0, sizeof(*w));
	assert_int_equal(frequency_parse("h", &f, NULL), 0);
	deepar_config_default(&f, HORIZON, &w->config);
	w->config.hidden = 10;
	w->config.n_cats = 1;
	w->config.cardinality[0] = 3;
	train_options_default(&w->options);
	w->options.networks = 2;
	w->options.epochs = 4;
	w->options.batches = 3;
	w->options.batch = 8;
	w->options.validation_every = 2;
	w->options.validation_series = 5;
	w->options.rate = 0.01;
	for (size_t i = 0; i < SERIES; i++) {
		double size = pow(10, (double)(i % 4) - 1);

		for (size_t k = 0; k < POINTS; k++)
			w->values[i][k] = size * (2 + sin(((double)k + 5 * (double)i) * 6.2831853 / 24) +
						  0.3 * random_normal(1, i, k));
		w->cats[i] = (int32_t)(i % 3);
		w->targets[i] = (struct target){ .start_us = 1700000000000000 / 3600000000 * 3600000000,
						 .values = w->values[i],
						 .n = POINTS,
						 .cats = &w->cats[i],
						 .n_cats = 1 };
	}
}

static struct training *
start(const struct world *w)
{
	struct training *t = NULL;
	struct err err = ERR_INIT;

	if (training_new(&w->config, &w->options, w->targets, SERIES, NULL, &t, &err) < 0)
		fail_msg("%s", err.text);
	return t;
}

/* Returns the number of epochs. */
static int
run(struct training *t, struct train_progress *last)
{
	struct err err = ERR_INIT;
	int n = 0, rc;

	do {
		rc = training_epoch(t, last, &err);
		n++;
	} while (rc == 1);
	if (rc < 0)
		fail_msg("%s", err.text);
	return n;
}

static bool
same_weights(const struct deepar *a, const struct deepar *b)
{
	return a && b && memcmp(a->weights, b->weights, a->n_weights * sizeof(float)) == 0;
}

static bool
same(const struct training *a, const struct training *b)
{
	for (size_t i = 0; i < training_networks(a); i++)
		if (!same_weights(training_network(a, i), training_network(b, i)) ||
		    training_validation(a, i) != training_validation(b, i))
			return false;
	return same_weights(a->model, b->model);
}

/* ---- the same every time ---- */

/* A lag that most windows cannot know begins with nothing to say; the others with what chance made. */
static void
rare_lags_are_silent(void **state)
{
	struct world w;

	world_new(&w);
	CLEANUP(training_free) struct training *t = start(&w);
	const struct deepar_config *c = &t->model->config;
	const struct deepar_layer first = deepar_layer(t->model, 0);
	size_t silent = 0;

	for (size_t l = 0; l < c->frequency.n_lags; l++) {
		double size = 0;

		for (size_t row = 0; row < 4 * (size_t)c->hidden; row++)
			size += fabs((double)first.weight_ih[row * first.inputs + l]);
		assert_true((size == 0) == (4 * c->frequency.lags[l] > 3 * POINTS));
		silent += size == 0;
	}
	assert_true(silent > 0 && silent < c->frequency.n_lags);
}

static void
is_deterministic(void **state)
{
	struct world w;

	world_new(&w);
	CLEANUP(training_free) struct training *a = start(&w);
	CLEANUP(training_free) struct training *b = start(&w);

	assert_int_equal(run(a, NULL), 8);
	assert_int_equal(run(b, NULL), 8);
	assert_true(same(a, b));
	assert_false(same_weights(training_network(a, 0), training_network(a, 1)));
	w.options.seed = 2;
	CLEANUP(training_free) struct training *c = start(&w);

	run(c, NULL);
	assert_false(same_weights(training_network(a, 0), training_network(c, 0)));
}

/* Processors of one kind or another train the same network. */
static void
is_the_same_elsewhere(void **state)
{
	const struct kernel *wide = kernel_find("avx512"), *narrow = kernel_find("avx2");
	CLEANUP(training_free) struct training *a = NULL;
	CLEANUP(training_free) struct training *b = NULL;
	struct world w;

	if (!wide || !narrow)
		skip();
	world_new(&w);
	assert_int_equal(training_new(&w.config, &w.options, w.targets, SERIES, wide, &a, NULL), 0);
	assert_int_equal(training_new(&w.config, &w.options, w.targets, SERIES, narrow, &b, NULL), 0);
	run(a, NULL);
	run(b, NULL);
	assert_true(same(a, b));
}

/* Stopped after every number of epochs, also after several. */
static void
goes_on(void **state)
{
	struct world w;

	world_new(&w);
	CLEANUP(training_free) struct training *whole = start(&w);

	run(whole, NULL);
	for (int stop = 0; stop <= 8; stop++) {
		CLEANUP(buffer_clear) struct buffer image = BUFFER_INIT(0);
		CLEANUP(training_free) struct training *a = start(&w);
		CLEANUP(training_free) struct training *b = start(&w);
		struct err err = ERR_INIT;

		for (int i = 0; i < stop; i++)
			assert_true(training_epoch(a, NULL, &err) >= 0);
		assert_int_equal(training_save(a, &image), 0);
		if (training_load(b, buffer_span(&image), &err) < 0)
			fail_msg("%s", err.text);
		if (stop == 8)
			assert_int_equal(training_epoch(b, NULL, &err), 0);
		else
			assert_int_equal(run(b, NULL), 8 - stop);
		assert_true(same(whole, b));
	}
}

/* Also into a training that has gone elsewhere in the meantime. */
static void
goes_back(void **state)
{
	CLEANUP(buffer_clear) struct buffer image = BUFFER_INIT(0);
	struct world w;

	world_new(&w);
	CLEANUP(training_free) struct training *a = start(&w);
	CLEANUP(training_free) struct training *b = start(&w);

	assert_int_equal(training_save(a, &image), 0);
	run(a, NULL);
	run(b, NULL);
	assert_int_equal(training_load(b, buffer_span(&image), NULL), 0);
	assert_null(training_network(b, 0));
	assert_true(isnan(training_validation(b, 0)));
	run(b, NULL);
	assert_true(same(a, b));
}

static void
refuses_others(void **state)
{
	CLEANUP(buffer_clear) struct buffer image = BUFFER_INIT(0);
	struct world w, other;
	struct err err = ERR_INIT;

	world_new(&w);
	world_new(&other);
	CLEANUP(training_free) struct training *t = start(&w);

	training_epoch(t, NULL, &err);
	assert_int_equal(training_save(t, &image), 0);
	other.options.rate = 0.02;
	CLEANUP(training_free) struct training *rate = start(&other);

	assert_int_equal(training_load(rate, buffer_span(&image), &err), -1);
	assert_int_equal(err.reason, REASON_OPTION_INVALID);
	other.options = w.options;
	other.options.seconds = 100;
	CLEANUP(training_free) struct training *budget = start(&other);

	assert_int_equal(training_load(budget, buffer_span(&image), &err), 0);
	other.options = w.options;
	other.values[3][7] += 1e-9;
	CLEANUP(training_free) struct training *values = start(&other);

	assert_int_equal(training_load(values, buffer_span(&image), &err), -1);
	assert_int_equal(err.reason, REASON_OPTION_INVALID);
	for (size_t len = 0; len < image.len; len += image.len / 50) {
		err_clear(&err);
		assert_int_equal(training_load(t, (struct span){ image.ptr, len }, &err), -1);
		assert_int_equal(err.reason, REASON_STATE_CORRUPT);
	}
	image.ptr[image.len / 2] ^= 1;
	assert_int_equal(training_load(t, buffer_span(&image), &err), -1);
	assert_int_equal(err.reason, REASON_STATE_CORRUPT);
}

/* ---- data ---- */

static void
held_back_is_not_learnt(void **state)
{
	struct world w, other;

	world_new(&w);
	world_new(&other);
	w.options.validation_windows = other.options.validation_windows = 2;
	for (size_t i = 0; i < SERIES; i++)
		for (size_t k = POINTS - 2 * HORIZON; k < POINTS; k++)
			other.values[i][k] = 1e6;
	CLEANUP(training_free) struct training *a = start(&w);
	CLEANUP(training_free) struct training *b = start(&other);
	CLEANUP(training_free) struct training *c = NULL;

	run(a, NULL);
	run(b, NULL);
	assert_true(same_weights(a->model, b->model));
	assert_true(training_validation(a, 0) != training_validation(b, 0));
	/* The last point before them is learnt. */
	world_new(&other);
	other.options.validation_windows = 2;
	other.options.batches = 60;
	w.options.batches = 60;
	training_free(TAKE(a));
	for (size_t i = 0; i < SERIES; i++)
		other.values[i][POINTS - 2 * HORIZON - 1] *= 2;
	a = start(&w);
	c = start(&other);
	training_epoch(a, NULL, NULL);
	training_epoch(c, NULL, NULL);
	assert_false(same_weights(a->model, c->model));
}

/* Every admissible window equally likely: series in proportion to their windows, splits of a series all alike. */
static void
draws_evenly(void **state)
{
	size_t of[SERIES] = { 0 }, early = 0, n = 20000;
	struct world w;

	world_new(&w);
	w.targets[0].n = POINTS / 2;
	CLEANUP(training_free) struct training *t = start(&w);
	double windows = (SERIES - 1) * (POINTS - 2 * HORIZON) + POINTS / 2 - 2 * HORIZON;

	for (size_t i = 0; i < n; i++) {
		struct train_draw d = train_window(t, 1, 2, (int32_t)(i / 8), (int32_t)(i % 8), 0);
		size_t end = w.targets[d.target].n - HORIZON;

		assert_true(d.split >= 1 && d.split + HORIZON <= end);
		of[d.target]++;
		early += d.target > 0 && d.split <= 94;
	}
	assert_true(fabs((double)of[0] / (double)n - (POINTS / 2 - 2 * HORIZON) / windows) < 0.01);
	assert_true(fabs((double)of[5] / (double)n - (POINTS - 2 * HORIZON) / windows) < 0.01);
	assert_true(fabs((double)early / (double)(n - of[0]) - 0.25) < 0.015);
}

static void
draws_by_size(void **state)
{
	size_t large = 0, n = 5000;
	struct world w;

	world_new(&w);
	w.options.scale_weighted = 1;
	CLEANUP(training_free) struct training *t = start(&w);

	for (size_t i = 0; i < n; i++)
		large += train_window(t, 0, 0, (int32_t)(i / 8), (int32_t)(i % 8), 0).target % 4 == 3;
	/* Sizes .1, 1, 10, 100. */
	assert_true(fabs((double)large / (double)n - 100 / 111.1) < 0.02);
}

struct row {
	const char *name;
	void (*spoil)(struct world *w);
	const char *text; /* the message holds it */
};

static void
spoil_cat(struct world *w)
{
	w->cats[4] = 3;
}
static void
spoil_count(struct world *w)
{
	w->config.head = HEAD_NEGATIVE_BINOMIAL;
	for (size_t k = 0; k < POINTS; k++)
		w->values[0][k] = (double)k;
}
static void
spoil_infinite(struct world *w)
{
	w->values[7][3] = INFINITY;
}
static void
spoil_few(struct world *w)
{
	for (size_t i = 0; i < SERIES; i++)
		w->targets[i].n = 24;
}
static void
spoil_short(struct world *w)
{
	w->options.validation_windows = 50;
}
static void
spoil_batch(struct world *w)
{
	w->options.batch = 0;
}
static void
spoil_rate(struct world *w)
{
	w->options.rate = NAN;
}

static const struct row rows[] = {
	{ "a category out of range", spoil_cat, "series 4" },
	{ "no count", spoil_count, "series 1" },
	{ "infinite", spoil_infinite, "series 7" },
	{ "few observations", spoil_few, "288 observations" },
	{ "all held back", spoil_short, "600" },
	{ "no batch", spoil_batch, "batch" },
	{ "no rate", spoil_rate, "rate" },
};

static void
refuses(void **state)
{
	const struct row *row = *state;
	struct training *t = NULL;
	struct err err = ERR_INIT;
	struct world w;

	world_new(&w);
	row->spoil(&w);
	assert_int_equal(training_new(&w.config, &w.options, w.targets, SERIES, NULL, &t, &err), -1);
	assert_int_equal(err.reason, REASON_OPTION_INVALID);
	if (!strstr(err.text, row->text))
		fail_msg("\"%s\" does not say \"%s\"", err.text, row->text);
	assert_null(t);
}

/* ---- the schedule ---- */

/* A rate too small to change anything: no validation is better than the first. */
static void
halves_the_rate(void **state)
{
	struct train_progress last;
	struct world w;

	world_new(&w);
	w.options.networks = 1;
	w.options.epochs = 50;
	w.options.batches = 1;
	w.options.rate = 1e-12;
	w.options.patience = 2;
	w.options.validation_every = 1;
	CLEANUP(training_free) struct training *t = start(&w);

	assert_int_equal(run(t, &last), 7);
	assert_true(last.rate == 1e-12 / 8);
	assert_int_equal(last.epoch, 7);
	assert_true(last.validation == last.best && last.best == training_validation(t, 0));
}

static void
keeps_the_best(void **state)
{
	struct world w;
	double best = INFINITY;

	world_new(&w);
	w.options.networks = 1;
	w.options.epochs = 10;
	w.options.rate = 0.1;
	w.options.validation_every = 1;
	w.options.patience = 100;
	w.options.average = 0;
	CLEANUP(training_free) struct training *t = start(&w);
	CLEANUP(heap_free) float *weights = malloc(t->model->n_weights * sizeof(float));
	struct train_progress p;

	assert_non_null(weights);
	for (int rc = 1; rc == 1;) {
		rc = training_epoch(t, &p, NULL);
		assert_true(rc >= 0);
		if (p.validation < best) {
			best = p.validation;
			memcpy(weights, t->mean->weights, t->model->n_weights * sizeof(float));
		}
	}
	assert_true(best < p.validation);
	assert_true(training_validation(t, 0) == best && p.best == best);
	assert_memory_equal(training_network(t, 0)->weights, weights, t->model->n_weights * sizeof(float));
}

/* What is judged is a running mean of the weights. */
static void
averages(void **state)
{
	struct world w;

	world_new(&w);
	w.options.networks = 1;
	w.options.batches = 1;
	w.options.epochs = 15;
	w.options.average = 0.5;
	CLEANUP(training_free) struct training *t = start(&w);
	size_t n = t->model->n_weights;
	CLEANUP(heap_free) double *mean = malloc(n * sizeof(double));

	assert_non_null(mean);
	for (size_t i = 0; i < n; i++)
		mean[i] = (double)t->model->weights[i];
	for (int step = 1; step <= 15; step++) {
		double left = step < 10 ? step / (step + 10.0) : 0.5;

		training_epoch(t, NULL, NULL);
		for (size_t i = 0; i < n; i++) {
			mean[i] = left * mean[i] + (1 - left) * (double)t->model->weights[i];
			assert_true(fabs(mean[i] - (double)t->mean->weights[i]) < 1e-6);
		}
	}
	assert_false(same_weights(t->mean, t->model));
}

static void
keeps_the_last(void **state)
{
	struct world w;

	world_new(&w);
	w.options.validation_windows = 0;
	CLEANUP(training_free) struct training *t = start(&w);

	run(t, NULL);
	assert_true(isnan(training_validation(t, 1)));
	assert_true(same_weights(t->mean, training_network(t, 1)));
}

static void
keeps_to_its_budget(void **state)
{
	struct train_progress last;
	struct world w;

	world_new(&w);
	w.options.networks = 3;
	w.options.epochs = 1000000;
	w.options.seconds = 1e-6;
	CLEANUP(training_free) struct training *t = start(&w);

	assert_int_equal(run(t, &last), 3);
	assert_int_equal(last.network, 2);
	assert_true(last.seconds > 0);
	for (size_t i = 0; i < 3; i++)
		assert_true(training_validation(t, i) > 0);
}

/* ---- it learns ---- */

static const double levels[] = { .1, .2, .3, .4, .5, .6, .7, .8, .9 };

/* The seasonal naive's wQL with empirical residuals, on the same windows. */
static double
naive_wql(const struct world *w)
{
	const int64_t seasons[] = { 24 };
	const struct naive_rule rule = { seasons, 1, 240, 24 };
	double quantiles[HORIZON * 9], pinball = 0, size = 0;
	enum naive_basis basis;

	for (size_t i = 0; i < SERIES; i++) {
		const double *future = w->values[i] + POINTS - HORIZON;

		assert_int_equal(
		    naive_forecast(&rule, w->values[i], POINTS - HORIZON, HORIZON, levels, 9, quantiles, &basis, NULL),
		    0);
		for (size_t k = 0; k < HORIZON * 9; k++) {
			pinball += accuracy_pinball(levels[k % 9], quantiles[k], future[k / 9]);
			size += fabs(future[k / 9]) / 9;
		}
	}
	return 2 * pinball / 9 / size;
}

static void
learns(void **state)
{
	struct train_progress p = { 0 };
	double first = NAN, naive;
	struct world w;

	world_new(&w);
	naive = naive_wql(&w);
	w.options.networks = 1;
	w.options.epochs = 24;
	w.options.batches = 25;
	w.options.batch = 32;
	w.options.validation_series = SERIES;
	w.options.validation_every = 4;
	CLEANUP(training_free) struct training *t = start(&w);

	for (int rc = 1; rc == 1;) {
		rc = training_epoch(t, &p, NULL);
		assert_true(rc >= 0);
		first = isnan(first) ? p.loss : first;
	}
	print_message("wQL %.4f, seasonal naive %.4f; loss %.3f -> %.3f; %.2f s\n", p.best, naive, first, p.loss,
		      p.seconds);
	assert_true(p.loss < first - 0.3);
	assert_true(p.best < 0.88 * naive);
}

/* What a validation says is the pooled wQL of forecasts from before each window that was held back, here with other noise. */
static double
forecast_wql(const struct world *w, const struct deepar *model, size_t windows)
{
	CLEANUP(engine_free) struct engine *engine = NULL;
	double quantiles[HORIZON * 9], pinball = 0, size = 0;

	assert_int_equal(engine_new(model, NULL, 400, &engine, NULL), 0);
	for (size_t i = 0; i < SERIES * windows; i++) {
		struct target cut = w->targets[i / windows];
		struct engine_request request = { &cut, 1000 + i };

		cut.n = POINTS - (1 + i % windows) * HORIZON;
		engine_quantiles(engine, &request, 1, HORIZON, levels, 9, quantiles);
		for (size_t k = 0; k < HORIZON * 9; k++) {
			double value = cut.values[cut.n + k / 9];

			pinball += accuracy_pinball(levels[k % 9], quantiles[k], value);
			size += fabs(value) / 9;
		}
	}
	return 2 * pinball / 9 / size;
}

static void
judges_what_is_held_back(void **state)
{
	struct train_progress p;
	struct world w;

	world_new(&w);
	for (size_t i = 0; i < SERIES; i++)
		for (size_t k = POINTS - 2 * HORIZON; k < POINTS - HORIZON; k++)
			w.values[i][k] *= 1.5;
	w.options.networks = 1;
	w.options.epochs = 1;
	w.options.batches = 50;
	w.options.validation_windows = 2;
	w.options.validation_series = 1000;
	CLEANUP(training_free) struct training *t = start(&w);
	double want;

	run(t, &p);
	want = forecast_wql(&w, training_network(t, 0), 2);
	assert_true(fabs(p.validation - want) < 0.04 * want);
	assert_true(fabs(p.validation - forecast_wql(&w, training_network(t, 0), 1)) > 0.1 * want);
}

int
main(void)
{
	struct CMUnitTest tests[32] = {
		cmocka_unit_test(rare_lags_are_silent),
		cmocka_unit_test(is_deterministic),
		cmocka_unit_test(goes_on),
		cmocka_unit_test(goes_back),
		cmocka_unit_test(refuses_others),
		cmocka_unit_test(held_back_is_not_learnt),
		cmocka_unit_test(draws_evenly),
		cmocka_unit_test(draws_by_size),
		cmocka_unit_test(halves_the_rate),
		cmocka_unit_test(keeps_the_best),
		cmocka_unit_test(keeps_the_last),
		cmocka_unit_test(keeps_to_its_budget),
		cmocka_unit_test(averages),
		cmocka_unit_test(judges_what_is_held_back),
		cmocka_unit_test(is_the_same_elsewhere),
		cmocka_unit_test(learns),
	};
	size_t n = 0;

	while (tests[n].name)
		n++;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, refuses, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	return _cmocka_run_group_tests("train", tests, n, NULL, NULL);
}
