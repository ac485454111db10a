/* train_schedule.c -- how long a training goes on, which weights it keeps, and that it learns. */
#include "common/forecast/accuracy.h"
#include "common/forecast/engine.h"
#include "common/forecast/naive.h"
#include "tests/unit/forecast/train_world.h"

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
	const struct naive_rule rule = { seasons, 1, 240, 24, true };
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
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(halves_the_rate), cmocka_unit_test(keeps_the_best),
		cmocka_unit_test(keeps_the_last),  cmocka_unit_test(keeps_to_its_budget),
		cmocka_unit_test(averages),        cmocka_unit_test(judges_what_is_held_back),
		cmocka_unit_test(learns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
