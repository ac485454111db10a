/*
 * vectors.c -- lags, features, networks and likelihoods against what GluonTS and PyTorch computed (tests/unit/forecast/
 * vectors_file.h says where the files are).  Weights and inputs there are floats, expectations doubles.  Errors are |a - b| / (1 + |b|).
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/forecast/head.h"
#include "common/forecast/special.h"
#include "tests/unit/forecast/vectors_file.h"

#define CLOSE 1e-6

static const char *folder;

static double
distance(double got, double want)
{
	return fabs(got - want) / (1 + fabs(want));
}

/* Prints the greatest error of WHAT and fails where it is more than CLOSE. */
static void
compare(const char *what, const double *got, const double *want, size_t n)
{
	double worst = 0;

	for (size_t i = 0; i < n; i++) {
		double d = distance(got[i], want[i]);

		if (!(d <= CLOSE))
			fail_msg("%s[%zu] is %.12g, must be %.12g", what, i, got[i], want[i]);
		worst = fmax(worst, d);
	}
	printf("    %-24s %6zu numbers, greatest error %.1e\n", what, n, worst);
}

/* The same with what lies at PATH. */
static void
expect(const struct vectors *v, const char *what, const char *path, const double *got, size_t n)
{
	size_t wanted;
	CLEANUP(heap_free) double *want = vectors_numbers(v, path, &wanted);

	assert_int_equal(wanted, n);
	compare(what, got, want, n);
}

/* ---- one series of one file ---- */

struct reading {
	const struct vectors *v;
	size_t i;
	struct deepar_window w;
	size_t rows;
	struct deepar_trace trace;
};

static const char *
path_of(const struct reading *r, const char *what)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%zu", what, r->i);
	return path;
}

static void
start(struct reading *r, const struct vectors *v, size_t i)
{
	struct err err = ERR_INIT;

	*r = (struct reading){ .v = v, .i = i };
	r->rows = (size_t)(v->model->config.context + v->model->config.horizon - 1);
	r->trace.params = calloc(r->rows * v->model->n_params, sizeof(double));
	r->trace.hidden = calloc(r->rows * (size_t)v->model->config.hidden, sizeof(double));
	r->trace.nll = calloc(r->rows, sizeof(double));
	assert_int_equal(deepar_check_target(v->model, &v->targets[i], 0, &err), 0);
	assert_int_equal(deepar_window_new(v->model, &r->w, &err), 0);
	deepar_window_fill(v->model, &v->targets[i], v->split[i], &r->w);
	assert_int_equal(deepar_trace(v->model, &r->w, &r->trace, &err), 0);
}

static void
finish(struct reading *r)
{
	free(r->trace.params);
	free(r->trace.hidden);
	free(r->trace.nll);
	deepar_window_clear(&r->w);
}

static void
check_window(const struct reading *r)
{
	const struct deepar *m = r->v->model;
	double statics[DEEPAR_INPUTS_MAX], past[2048];

	expect(r->v, "scale", path_of(r, "expected/scale"), &r->w.scale, 1);
	for (size_t i = 0; i < m->n_static; i++)
		statics[i] = r->w.fixed[i];
	expect(r->v, "static features", path_of(r, "expected/static_feat"), statics, m->n_static);
	assert_true(m->past <= ARRAY_LEN(past));
	for (size_t i = 0; i < m->past; i++)
		past[i] = r->w.past[i] * r->w.scale;
	expect(r->v, "past", path_of(r, "inputs/past_target"), past, m->past);
}

/* Rows of the moving features that stand in the file: the context, the horizon behind it. */
static void
check_moving(const struct reading *r)
{
	const struct deepar *m = r->v->model;
	size_t width = m->n_inputs - m->config.frequency.n_lags - m->n_static;
	size_t rows = (size_t)(m->config.context + m->config.horizon), before = (size_t)m->config.context * width;
	CLEANUP(heap_free) double *moving = calloc(rows * width, sizeof(double));

	for (size_t i = 0; i < rows * width; i++)
		moving[i] = r->w.moving[i];
	expect(r->v, "features of the context", path_of(r, "inputs/past_time_feat_last_context"), moving, before);
	expect(r->v, "features of the horizon", path_of(r, "inputs/future_time_feat"), moving + before,
	       rows * width - before);
}

static void
check_inputs(const struct reading *r)
{
	const struct deepar *m = r->v->model;
	float x[DEEPAR_INPUTS_MAX];
	double row[DEEPAR_INPUTS_MAX];
	CLEANUP(heap_free) double *sums = calloc(r->rows, sizeof(double));

	for (size_t t = 0; t < r->rows; t++) {
		deepar_window_input(m, &r->w, t, x);
		for (size_t i = 0; i < m->n_inputs; i++) {
			row[i] = x[i];
			sums[t] += row[i];
		}
		if (t == 0)
			expect(r->v, "first input", path_of(r, "expected/rnn_input_first_step"), row, m->n_inputs);
	}
	expect(r->v, "last input", path_of(r, "expected/rnn_input_last_step"), row, m->n_inputs);
	expect(r->v, "sums of inputs", path_of(r, "expected/rnn_input_row_sums"), sums, r->rows);
}

static void
check_params(const struct reading *r)
{
	const struct deepar *m = r->v->model;
	CLEANUP(heap_free) double *column = calloc(r->rows, sizeof(double));

	for (size_t i = 0; i < m->n_params; i++) {
		char path[64];

		snprintf(path, sizeof(path), "expected/param_names/%zu", i);
		assert_string_equal(json_string_value(vectors_at(r->v->root, path)),
				    head_param_name(m->config.head, i));
		snprintf(path, sizeof(path), "expected/params_teacher_forced/%s", head_param_name(m->config.head, i));
		for (size_t t = 0; t < r->rows; t++)
			column[t] = r->trace.params[t * m->n_params + i];
		expect(r->v, head_param_name(m->config.head, i), path_of(r, path), column, r->rows);
	}
}

/* Every forecast taken for true: the parameters of the next step follow from it. */
static void
check_decode(struct reading *r)
{
	const struct deepar *m = r->v->model;
	size_t horizon = (size_t)m->config.horizon, first = (size_t)m->config.context - 1;
	CLEANUP(heap_free) double *path = calloc(horizon, sizeof(double));
	struct err err = ERR_INIT;

	memset(r->w.future, 0, horizon * sizeof(float));
	for (size_t k = 0; k < horizon; k++) {
		assert_int_equal(deepar_trace(m, &r->w, &r->trace, &err), 0);
		path[k] = head_mean(m->config.head, r->trace.params + (first + k) * m->n_params, r->w.scale);
		r->w.future[k] = (float)path[k];
	}
	expect(r->v, "decoded means", path_of(r, "expected/mean_decode_path"), path, horizon);
	expect(r->v, "decoded parameters", path_of(r, "expected/mean_decode_params"),
	       r->trace.params + first * m->n_params, horizon * m->n_params);
}

static void
network(void **state)
{
	const char *name = *state;
	struct vectors *v = vectors_load(folder, name);
	double loss = 0;

	assert_int_equal(v->model->past, json_integer_value(vectors_at(v->root, "config/past_length")));
	assert_int_equal(v->model->n_inputs, json_integer_value(vectors_at(v->root, "config/rnn_input_size")));
	for (size_t i = 0; i < v->n; i++) {
		struct reading r;

		start(&r, v, i);
		printf("  %s, series %zu\n", name, i);
		check_window(&r);
		check_moving(&r);
		check_inputs(&r);
		expect(v, "hidden", path_of(&r, "expected/hidden_top"), r.trace.hidden,
		       r.rows * (size_t)v->model->config.hidden);
		check_params(&r);
		expect(v, "nll", path_of(&r, "expected/nll"), r.trace.nll, r.rows);
		loss += r.trace.loss / (double)v->n;
		check_decode(&r);
		finish(&r);
	}
	expect(v, "loss", "expected/loss", &loss, 1);
	vectors_free(v);
}

/* ---- features.json ---- */

static const char *const feature_names[] = { "second_of_minute", "minute_of_hour", "hour_of_day",  "day_of_week",
					     "day_of_month",     "day_of_year",    "week_of_year", "month_of_year" };

static int64_t
stamp_time(const char *stamp)
{
	char text[32];

	snprintf(text, sizeof(text), "%s%s", stamp, strlen(stamp) == 7 ? "-01" : "");
	text[strcspn(text, "/")] = '\0';
	return vectors_time(text);
}

static void
check_features(const struct frequency *f, const json_t *entry)
{
	const json_t *features = vectors_at(entry, "features"), *stamps = vectors_at(entry, "stamps");
	int64_t first = stamp_time(json_string_value(json_array_get(stamps, 0)));

	assert_int_equal(json_object_size(features), f->n_features);
	for (size_t k = 0; k < json_array_size(stamps); k++) {
		int64_t time = frequency_time(f, first, (int64_t)k);
		float values[FREQUENCY_FEATURES_MAX];

		assert_int_equal(time, stamp_time(json_string_value(json_array_get(stamps, k))));
		frequency_features(f, time, values);
		for (size_t i = 0; i < f->n_features; i++) {
			const json_t *row = vectors_at(features, feature_names[f->features[i]]);
			double want = json_number_value(json_array_get(row, k));

			if (!(fabs(values[i] - want) <= 1e-7))
				fail_msg("%s: %s at %zu is %.9g, must be %.9g", f->name, feature_names[f->features[i]],
					 k, (double)values[i], want);
		}
	}
}

static void
frequencies(void **state)
{
	json_t *root = vectors_json(folder, "features.json"), *entry;
	const char *name;
	int n = 0;

	json_object_foreach(root, name, entry)
	{
		struct frequency f;
		struct err err = ERR_INIT;
		size_t n_lags;
		CLEANUP(heap_free) double *lags = vectors_flat(vectors_at(entry, "lags"), &n_lags);

		assert_int_equal(frequency_parse(name, &f, &err), 0);
		assert_int_equal(f.n_lags, n_lags);
		for (size_t i = 0; i < n_lags; i++)
			assert_int_equal(f.lags[i], (int)lags[i]);
		check_features(&f, entry);
		n++;
	}
	assert_int_equal(n, 11);
	json_decref(root);
}

/* ---- functions.json ---- */

static double
softplus_inverse(double y)
{
	return y + log(-expm1(-y));
}

static void
functions(void **state)
{
	json_t *root = vectors_json(folder, "functions.json");
	size_t n;
	CLEANUP(heap_free) double *z = vectors_flat(vectors_at(root, "z"), &n);
	CLEANUP(heap_free) double *softplus = vectors_flat(vectors_at(root, "softplus"), &n);
	CLEANUP(heap_free) double *sigmoid = vectors_flat(vectors_at(root, "sigmoid"), &n);

	for (size_t i = 0; i < n; i++) {
		assert_true(fabs(special_softplus(z[i]) - softplus[i]) <= 1e-9 * softplus[i]);
		assert_true(fabs(special_sigmoid(z[i]) - sigmoid[i]) <= 1e-9 * sigmoid[i]);
	}
	json_decref(root);
}

/* Derivatives by the raw numbers, divided by the map's, are those by the parameters. */
static void
student(void **state)
{
	json_t *root = vectors_json(folder, "functions.json");
	const json_t *rows = vectors_at(root, "studentt");
	double worst_nll = 0, worst_gradient = 0;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		size_t n;
		CLEANUP(heap_free) double *row = vectors_flat(json_array_get(rows, i), &n);
		double raw[3] = { softplus_inverse(row[0] - 2), row[1], softplus_inverse(row[2]) }, d[3];
		double nll = head_nll_gradient(HEAD_STUDENT_T, raw, 1, row[3], d);

		d[0] /= special_sigmoid(raw[0]);
		d[2] /= special_sigmoid(raw[2]);
		worst_nll = fmax(worst_nll, distance(nll, row[4]));
		worst_nll = fmax(worst_nll, distance(head_nll(HEAD_STUDENT_T, row, 1, row[3]), row[4]));
		for (size_t k = 0; k < 3; k++)
			worst_gradient = fmax(worst_gradient, distance(d[k], row[5 + k]));
	}
	printf("    Student t: greatest error of nll %.1e, of derivatives %.1e\n", worst_nll, worst_gradient);
	assert_true(worst_nll <= 1e-9 && worst_gradient <= 1e-9);
	json_decref(root);
}

int
main(void)
{
	struct CMUnitTest tests[8] = { cmocka_unit_test(frequencies), cmocka_unit_test(functions),
				       cmocka_unit_test(student) };
	size_t n = 3;

	folder = vectors_folder();
	if (!folder)
		return 77;
	for (size_t i = 0; vectors_names[i]; i++)
		tests[n++] = (struct CMUnitTest){ .name = vectors_names[i],
						  .test_func = network,
						  .initial_state = (void *)(uintptr_t)vectors_names[i] };
	return _cmocka_run_group_tests("vectors", tests, n, NULL, NULL);
}
