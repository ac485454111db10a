/* train.c -- a training is the same every time, also when it was interrupted, and it keeps to its data. */
#include "tests/unit/forecast/train_world.h"

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
		cmocka_unit_test(is_the_same_elsewhere),
	};
	size_t n = 0;

	while (tests[n].name)
		n++;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, refuses, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	return _cmocka_run_group_tests("train", tests, n, NULL, NULL);
}
