/*
 * gradient.c -- the loss of a batch and its gradient: as another implementation has them (reference vectors, where they are at
 * hand), and as differences of the plain network in double precision say.
 */
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
#include "common/forecast/head.h"
#include "common/forecast/train_parts.h"
#include "tests/unit/forecast/vectors_file.h"

#define SERIES 5
#define POINTS 90

static const char *folder;

static double
norm_of(const float *x, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)x[i] * (double)x[i];
	return sqrt(sum);
}

static void
within(const char *what, double got, double want, double allowed)
{
	if (!(fabs(got - want) <= allowed))
		fail_msg("%s: %.9g instead of %.9g, off by %.2g (allowed %.2g)", what, got, want, fabs(got - want),
			 allowed);
}

/* ---- reference vectors ---- */

static double
run_vectors(struct gradient *g, const struct vectors *v, float *ret)
{
	gradient_begin(g);
	for (size_t i = 0; i < v->n; i++)
		assert_true(gradient_put(g, v->model, &v->targets[i], v->split[i]));
	return gradient_run(g, v->model, NULL, ret);
}

static double
expected(const struct vectors *v, const char *path)
{
	return json_number_value(vectors_at(v->root, path));
}

/* Differences to the other implementation's float64, relative to 1 + |loss| and to the norm of all gradients. */
static void
agrees(const struct vectors *v, struct gradient *g, float *slope)
{
	double loss = run_vectors(g, v, slope), norm = expected(v, "expected/grad_norm"), worst = 0;

	for (size_t i = 0; i < v->model->n_tensors; i++) {
		const struct deepar_tensor *t = &v->model->tensors[i];
		const json_t *all = vectors_at(v->root, "expected/grads");
		size_t n;
		double *want = vectors_flat(vectors_at(all, t->name), &n);

		assert_int_equal(n, t->rows * t->cols);
		for (size_t k = 0; k < n; k++) {
			worst = fmax(worst, fabs((double)slope[t->at + k] - want[k]) / norm);
			within(t->name, (double)slope[t->at + k], want[k], 1e-6 * norm + 1e-5 * fabs(want[k]));
		}
		free(want);
	}
	print_message("loss %.9g, off by %.1e; gradient norm %.6g, off by %.1e; worst element %.1e of the norm\n", loss,
		      loss - expected(v, "expected/loss"), norm, norm_of(slope, v->model->n_weights) - norm, worst);
	within("loss", loss, expected(v, "expected/loss"), 1e-6 * fabs(loss));
	within("norm", norm_of(slope, v->model->n_weights), norm, 1e-5 * norm);
}

static void
steps_agree(const struct vectors *v, struct gradient *g, float *slope)
{
	struct adam_rule rule = { .rate = 1e-3, .weight_decay = 1e-8, .clip = 10 };
	CLEANUP(heap_free) float *m = calloc(v->model->n_weights, sizeof(float));
	CLEANUP(heap_free) float *s = calloc(v->model->n_weights, sizeof(float));
	const json_t *all = vectors_at(v->root, "expected/adam3/weights"), *data;
	const char *name;
	size_t n;

	assert_true(m && s);
	for (uint64_t step = 1; step <= 3; step++) {
		char path[64];
		double loss = run_vectors(g, v, slope);

		snprintf(path, sizeof(path), "expected/adam3/losses/%d", (int)step - 1);
		within(path, loss, expected(v, path), 2e-6 * fabs(loss));
		adam_step(&rule, step, v->model->n_weights, v->model->weights, m, s, slope);
	}
	json_object_foreach((json_t *)(uintptr_t)all, name, data)
	{
		double *want = vectors_flat(data, &n);

		for (size_t k = 0; k < n; k++)
			within(name, (double)deepar_numbers(v->model, name)[k], want[k], 2e-6);
		free(want);
	}
}

static void
reference(void **state)
{
	struct vectors *v = vectors_load(folder, *state);
	CLEANUP(gradient_free) struct gradient *g = NULL;
	CLEANUP(heap_free) float *slope = calloc(v->model->n_weights, sizeof(float));

	assert_int_equal(gradient_new(v->model, kernel_find(NULL), v->n, &g, NULL), 0);
	agrees(v, g, slope);
	if (json_object_get(vectors_at(v->root, "expected"), "adam3"))
		steps_agree(v, g, slope);
	vectors_free(v);
}

/* ---- a small network of every head ---- */

struct small {
	struct deepar *model;
	double values[SERIES][POINTS], dynamic[SERIES][POINTS], reals[SERIES];
	const double *features[SERIES];
	int32_t cats[SERIES][2];
	struct target targets[SERIES];
	size_t splits[SERIES];
	struct gradient *g;
	float *slope;
};

static double
value_of(enum deepar_head head, size_t i, size_t k)
{
	double u = random_uniform(7, i, k);

	switch (head) {
	case HEAD_NEGATIVE_BINOMIAL: return floor(12 * u * (1 + sin((double)k / 3)));
	case HEAD_BETA: return 0.05 + 0.9 * u;
	default: return (double)(1 + i * i) * (sin((double)k / 3) + 2 * u);
	}
}

/* Windows of all kinds: in the middle, with gaps, beginning before the series, at its end. */
static void
small_shape(struct small *s, enum deepar_head head, double dropout, int32_t context, int32_t horizon)
{
	static const size_t splits[SERIES] = { 60, 2, 75, POINTS - 5, POINTS - 2 };
	struct deepar_config c;
	struct frequency f;

	assert_int_equal(frequency_parse("D", &f, NULL), 0);
	deepar_config_default(&f, horizon, &c);
	c.head = head;
	c.context = context;
	c.hidden = 3;
	c.n_cats = 2;
	c.cardinality[0] = 4;
	c.cardinality[1] = 2;
	c.n_reals = c.n_dynamic = 1;
	c.dropout = dropout;
	memset(s, 0, sizeof(*s));
	assert_int_equal(deepar_new(&c, &s->model, NULL), 0);
	deepar_init(s->model, 3);
	for (size_t i = 0; i < SERIES; i++) {
		for (size_t k = 0; k < POINTS; k++) {
			s->values[i][k] = i == 2 && k % 5 == 2 ? NAN : value_of(head, i, k);
			s->dynamic[i][k] = random_uniform(8, i, k);
		}
		s->features[i] = s->dynamic[i];
		s->reals[i] = (double)i / 3;
		s->cats[i][0] = (int32_t)(i % 3);
		s->cats[i][1] = (int32_t)(i % 2);
		s->targets[i] = (struct target){ .start_us = 1600000000000000,
						 .values = s->values[i],
						 .n = POINTS,
						 .cats = s->cats[i],
						 .n_cats = 2,
						 .reals = &s->reals[i],
						 .n_reals = 1,
						 .dynamic = &s->features[i],
						 .n_features = 1,
						 .n_dynamic = POINTS };
		s->splits[i] = splits[i];
	}
	assert_int_equal(gradient_new(s->model, kernel_find(NULL), 20, &s->g, NULL), 0);
	s->slope = calloc(s->model->n_weights, sizeof(float));
	assert_non_null(s->slope);
}

static void
small_new(struct small *s, enum deepar_head head, double dropout)
{
	small_shape(s, head, dropout, 6, 4);
}

static void
small_clear(struct small *s)
{
	gradient_free(s->g);
	deepar_free(s->model);
	free(s->slope);
}

static double
small_run(struct small *s, size_t first, size_t n, const struct gradient_noise *noise)
{
	gradient_begin(s->g);
	for (size_t i = first; i < first + n; i++)
		assert_true(gradient_put(s->g, s->model, &s->targets[i], s->splits[i]));
	return gradient_run(s->g, s->model, noise, s->slope);
}

static double
plain_loss(const struct small *s)
{
	double params[16 * DEEPAR_PARAMS_MAX], sum = 0;
	struct deepar_window w;

	assert_int_equal(deepar_window_new(s->model, &w, NULL), 0);
	for (size_t i = 0; i < SERIES; i++) {
		struct deepar_trace trace = { .params = params };

		deepar_window_fill(s->model, &s->targets[i], s->splits[i], &w);
		assert_int_equal(deepar_trace(s->model, &w, &trace, NULL), 0);
		sum += trace.loss;
	}
	deepar_window_clear(&w);
	return sum / SERIES;
}

/* (loss(w + step) - loss(w - step)) / (what the step came to). */
static double
difference(struct small *s, size_t i, float step, double (*loss)(struct small *s))
{
	float before = s->model->weights[i], above = before + step, below = before - step;
	double up, down;

	s->model->weights[i] = above;
	up = loss(s);
	s->model->weights[i] = below;
	down = loss(s);
	s->model->weights[i] = before;
	return (up - down) / ((double)above - (double)below);
}

static double
loss_plain(struct small *s)
{
	return plain_loss(s);
}

static void
compare(enum deepar_head head, int32_t context, int32_t horizon)
{
	struct small s;
	double norm;

	small_shape(&s, head, 0.1, context, horizon);
	within("loss", small_run(&s, 0, SERIES, NULL), plain_loss(&s), 1e-6 * fabs(plain_loss(&s)));
	norm = norm_of(s.slope, s.model->n_weights);
	assert_true(norm > 0.01);
	for (size_t i = 0; i < s.model->n_weights; i++) {
		double want = difference(&s, i, 1e-3f, loss_plain);

		within("weight", (double)s.slope[i], want, 1e-5 * norm + 1e-4 * fabs(want));
	}
	small_clear(&s);
}

static void
differences(void **state)
{
	compare(*(const enum deepar_head *)*state, 6, 4);
}

/* No step back in time at all. */
static void
one_position(void **state)
{
	compare(HEAD_NORMAL, 1, 1);
}

/* ---- dropout ---- */

static const struct gradient_noise noise = { .dropout = 0.4, .seed = 5, .stream = 9 };

static double
loss_dropped(struct small *s)
{
	return small_run(s, 0, SERIES, &noise);
}

static void
dropout_gradient(void **state)
{
	struct gradient_noise other = noise;
	struct small s;
	CLEANUP(heap_free) float *slope = NULL;
	double norm, loss;

	small_new(&s, HEAD_STUDENT_T, 0.4);
	loss = loss_dropped(&s);
	norm = norm_of(s.slope, s.model->n_weights);
	slope = malloc(s.model->n_weights * sizeof(float));
	assert_non_null(slope);
	memcpy(slope, s.slope, s.model->n_weights * sizeof(float));
	for (size_t i = 0; i < s.model->n_weights; i++) {
		double want = difference(&s, i, 1e-2f, loss_dropped);

		within("weight", (double)slope[i], want, 1e-3 * norm + 5e-3 * fabs(want));
	}
	assert_true(loss == loss_dropped(&s));
	assert_int_equal(memcmp(slope, s.slope, s.model->n_weights * sizeof(float)), 0);
	other.stream++;
	assert_true(fabs(loss - small_run(&s, 0, SERIES, &other)) > 1e-4);
	assert_true(fabs(loss - small_run(&s, 0, SERIES, NULL)) > 1e-4);
	small_clear(&s);
}

/* The share that is dropped, and the size of what is kept. */
static void
dropout_share(void **state)
{
	struct small s;
	size_t dropped = 0, all;

	small_new(&s, HEAD_NORMAL, 0.4);
	small_run(&s, 0, SERIES, &noise);
	all = 3 * s.g->steps * s.g->columns;
	for (size_t r = 0; r < 3; r++)
		for (size_t i = 0; i < s.g->steps * s.g->columns; i++) {
			float mask = s.g->layers[1].mask[r * s.g->ld + i];

			dropped += mask == 0;
			assert_true(mask == 0 || fabs((double)mask - 1 / 0.6) < 1e-4);
		}
	assert_true(fabs((double)dropped / (double)all - 0.4) < 5 * sqrt(0.24 / (double)all));
	small_clear(&s);
}

/* ---- batches ---- */

static void
windows_are_independent(void **state)
{
	struct small s;
	double sum = 0, all;

	small_new(&s, HEAD_STUDENT_T, 0);
	all = small_run(&s, 0, SERIES, NULL);
	for (size_t i = 0; i < SERIES; i++)
		sum += small_run(&s, i, 1, NULL);
	within("mean", all, sum / SERIES, 1e-12 * fabs(all));
	small_clear(&s);
}

static void
nothing_to_learn(void **state)
{
	struct small s;

	small_new(&s, HEAD_STUDENT_T, 0);
	gradient_begin(s.g);
	assert_false(gradient_put(s.g, s.model, &s.targets[0], 0));
	for (size_t k = 0; k < 60; k++)
		s.values[0][k] = k % 2 ? 0 : NAN;
	assert_false(gradient_put(s.g, s.model, &s.targets[0], 60));
	for (size_t k = 0; k < 60; k++)
		s.values[0][k] = k < 50 ? 1e30 : 1e-20;
	assert_false(gradient_put(s.g, s.model, &s.targets[0], 60));
	assert_int_equal(s.g->n, 0);
	within("loss of nothing", gradient_run(s.g, s.model, NULL, s.slope), 0, 0);
	assert_true(norm_of(s.slope, s.model->n_weights) == 0);
	small_clear(&s);
}

/* ---- Adam ---- */

/* Without history a step is as long as the rate, whatever the gradient; beyond `clip` only its direction counts. */
static void
adam_first_step(void **state)
{
	struct adam_rule rule = { .rate = 0.01, .clip = 10 };
	float w[3] = { 1, 2, 3 }, m[3] = { 0 }, v[3] = { 0 }, g[3] = { 30, -40, 0 };

	within("norm", adam_step(&rule, 1, 3, w, m, v, g), 50, 1e-9);
	within("clipped", (double)g[0], 6, 1e-5);
	within("down", (double)w[0], 0.99, 1e-6);
	within("up", (double)w[1], 2.01, 1e-6);
	within("still", (double)w[2], 3, 0);
	within("moment", (double)m[1], -0.8, 1e-6);
	within("second moment", (double)v[1], 0.064, 1e-6);
}

static void
adam_decays(void **state)
{
	struct adam_rule rule = { .rate = 0.01, .clip = 10, .weight_decay = 0.1 };
	float w = 5, m = 0, v = 0, g = 0;

	adam_step(&rule, 1, 1, &w, &m, &v, &g);
	within("towards 0", (double)w, 4.99, 1e-6);
	within("moment", (double)m, 0.05, 1e-7);
}

int
main(void)
{
	static enum deepar_head heads[HEAD_COUNT];
	struct CMUnitTest tests[16], files[8];
	size_t n = 0, n_files = 0;
	int rc;

	folder = vectors_folder();
	for (size_t i = 0; folder && vectors_names[i]; i++)
		files[n_files++] =
		    (struct CMUnitTest){ vectors_names[i], reference, NULL, NULL, (void *)(uintptr_t)vectors_names[i] };
	for (size_t i = 0; i < HEAD_COUNT; i++) {
		heads[i] = (enum deepar_head)i;
		tests[n++] = (struct CMUnitTest){ deepar_head_name(heads[i]), differences, NULL, NULL, &heads[i] };
	}
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(one_position);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(dropout_gradient);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(dropout_share);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(windows_are_independent);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(nothing_to_learn);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(adam_first_step);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(adam_decays);
	rc = _cmocka_run_group_tests("gradient", tests, n, NULL, NULL);
	if (folder)
		rc += _cmocka_run_group_tests("reference", files, n_files, NULL, NULL);
	return rc == 0 && !folder ? 77 : rc;
}
