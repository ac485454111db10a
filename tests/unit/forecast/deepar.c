/* deepar.c -- the shape of a network, what is refused, and what a window shows of a series. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/forecast/head.h"

#define HOUR INT64_C(3600000000)

static struct deepar_config
config(const char *frequency, int32_t horizon)
{
	struct deepar_config c;
	struct frequency f;
	struct err err = ERR_INIT;

	assert_int_equal(frequency_parse(frequency, &f, &err), 0);
	deepar_config_default(&f, horizon, &c);
	return c;
}

static struct deepar *
network(const struct deepar_config *c)
{
	struct deepar *m;
	struct err err = ERR_INIT;

	if (deepar_new(c, &m, &err) < 0)
		fail_msg("%s", err.text);
	return m;
}

/* ---- shape ---- */

static void
defaults(void **state)
{
	struct deepar_config c = config("h", 24);
	CLEANUP(deepar_free) struct deepar *m = network(&c);

	assert_int_equal(c.context, 48);
	assert_int_equal(config("h", 3).context, 10);
	assert_int_equal(m->n_inputs, 48);
	assert_int_equal(m->past, 48 + 720);
	assert_int_equal(m->n_weights, 27644);
	assert_int_equal(deepar_config_weights(&c), 27644);
	assert_int_equal((uintptr_t)m->weights % 64, 0);
	for (size_t i = 0; i < m->n_weights; i++)
		assert_true(m->weights[i] == 0);
}

/* The order and the names of the other implementation's state. */
static void
tensors(void **state)
{
	static const struct {
		const char *name;
		size_t rows, cols;
	} rows[] = {
		{ "param_proj.proj.0.weight", 1, 6 },
		{ "param_proj.proj.0.bias", 1, 1 },
		{ "param_proj.proj.1.weight", 1, 6 },
		{ "param_proj.proj.1.bias", 1, 1 },
		{ "embedder._embedders.0.weight", 7, 4 },
		{ "embedder._embedders.1.weight", 300, 50 },
		{ "rnn.weight_ih_l0", 24, 95 },
		{ "rnn.weight_hh_l0", 24, 6 },
		{ "rnn.bias_ih_l0", 24, 1 },
		{ "rnn.bias_hh_l0", 24, 1 },
		{ "rnn.weight_ih_l1", 24, 6 },
		{ "rnn.weight_hh_l1", 24, 6 },
		{ "rnn.bias_ih_l1", 24, 1 },
		{ "rnn.bias_hh_l1", 24, 1 },
	};
	struct deepar_config c = config("D", 14);
	CLEANUP(deepar_free) struct deepar *m = NULL;
	size_t at = 0;

	c.head = HEAD_NORMAL;
	c.hidden = 6;
	c.n_cats = 2;
	c.cardinality[0] = 7;
	c.cardinality[1] = 300;
	c.n_reals = 4;
	c.n_dynamic = 2;
	m = network(&c);
	assert_int_equal(m->n_tensors, ARRAY_LEN(rows));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_string_equal(m->tensors[i].name, rows[i].name);
		assert_int_equal(m->tensors[i].rows, rows[i].rows);
		assert_int_equal(m->tensors[i].cols, rows[i].cols);
		assert_int_equal(m->tensors[i].at, at);
		assert_ptr_equal(deepar_tensor_find(m, rows[i].name), &m->tensors[i]);
		assert_ptr_equal(deepar_numbers(m, rows[i].name), m->weights + at);
		at += rows[i].rows * rows[i].cols;
	}
	assert_int_equal(m->n_weights, at);
	assert_int_equal(deepar_config_weights(&c), at);
	assert_null(deepar_tensor_find(m, "rnn.weight_ih_l2"));
	assert_ptr_equal(deepar_layer(m, 1).bias_hh, deepar_numbers(m, "rnn.bias_hh_l1"));
	assert_int_equal(deepar_layer(m, 0).inputs, 95);
}

static void
starts(void **state)
{
	struct deepar_config c = config("h", 24);
	CLEANUP(deepar_free) struct deepar *a = NULL, *b = NULL;
	double squares = 0, bound = 1 / sqrt(40), greatest = 0;
	const struct deepar_tensor *e;

	c.n_cats = 1;
	c.cardinality[0] = 200;
	a = network(&c);
	b = network(&c);
	deepar_init(a, 5);
	deepar_init(b, 5);
	assert_memory_equal(a->weights, b->weights, a->n_weights * sizeof(float));
	deepar_init(b, 6);
	assert_true(memcmp(a->weights, b->weights, a->n_weights * sizeof(float)) != 0);
	e = deepar_tensor_find(a, "embedder._embedders.0.weight");
	for (size_t i = 0; i < a->n_weights; i++)
		if (i >= e->at && i < e->at + e->rows * e->cols)
			squares += (double)a->weights[i] * (double)a->weights[i];
		else
			greatest = fmax(greatest, fabs((double)a->weights[i]));
	assert_true(greatest <= bound * (1 + 1e-6) && greatest > 0.99 * bound);
	assert_true(fabs(squares / (double)(e->rows * e->cols) - 1) < 0.05);
}

/* ---- what is refused ---- */

static void
refuses(void **state)
{
	static const struct {
		const char *field;
		size_t at;
		int32_t value;
	} rows[] = {
#define FIELD(name, value) { #name, offsetof(struct deepar_config, name), value }
		FIELD(horizon, 0),
		FIELD(context, 0),
		FIELD(layers, 0),
		FIELD(layers, 9),
		FIELD(hidden, 0),
		FIELD(hidden, 513),
		FIELD(n_cats, -1),
		FIELD(n_cats, 17),
		FIELD(n_reals, -1),
		FIELD(n_dynamic, -1),
		FIELD(head, 4),
		FIELD(horizon, INT32_MAX),
		{ "inputs", offsetof(struct deepar_config, n_reals), 1000 },
		{ "cardinality", offsetof(struct deepar_config, n_cats), 1 },
		{ "frequency", offsetof(struct deepar_config, frequency.multiple), 0 },
		{ "frequency", offsetof(struct deepar_config, frequency.multiple), INT32_MAX },
		{ "frequency", offsetof(struct deepar_config, frequency.unit), UNIT_MONTH },
		{ "frequency", offsetof(struct deepar_config, frequency.lags), 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct deepar_config c = config("h", 24);
		struct deepar *m = NULL;
		struct err err = ERR_INIT;

		memcpy((char *)&c + rows[i].at, &rows[i].value, sizeof(int32_t));
		assert_int_equal(deepar_new(&c, &m, &err), -1);
		assert_int_equal(err.reason, REASON_OPTION_INVALID);
		if (!strstr(err.text, rows[i].field))
			fail_msg("%s: %s", rows[i].field, err.text);
	}
}

static void
refuses_numbers(void **state)
{
	static const double scales[] = { 0, -1, 1e-11, NAN, INFINITY }, dropouts[] = { -0.1, 1, NAN };

	for (size_t i = 0; i < ARRAY_LEN(scales); i++) {
		struct deepar_config c = config("h", 24);
		struct err err = ERR_INIT;

		c.default_scale = scales[i];
		assert_int_equal(deepar_config_check(&c, &err), -1);
		assert_non_null(strstr(err.text, "default_scale"));
	}
	for (size_t i = 0; i < ARRAY_LEN(dropouts); i++) {
		struct deepar_config c = config("h", 24);
		struct err err = ERR_INIT;

		c.dropout = dropouts[i];
		assert_int_equal(deepar_config_check(&c, &err), -1);
		assert_non_null(strstr(err.text, "dropout"));
	}
}

/* A series of 6 hours for a model with everything: 3 and 4 categories, a number, two dynamic features. */
struct rich {
	struct deepar *model;
	double values[6], reals[1], features[2][8];
	const double *dynamic[2];
	int32_t cats[2];
	struct target target;
};

static void
make_rich(struct rich *r)
{
	struct deepar_config c = config("h", 2);

	c.context = 4;
	c.hidden = 3;
	c.n_cats = 2;
	c.cardinality[0] = 3;
	c.cardinality[1] = 4;
	c.n_reals = 1;
	c.n_dynamic = 2;
	*r = (struct rich){ .values = { 2, NAN, -4, 6, 8, 10 }, .reals = { 0.5 }, .cats = { 2, 1 } };
	for (int i = 0; i < 8; i++) {
		r->features[0][i] = i;
		r->features[1][i] = -10 * i;
	}
	r->dynamic[0] = r->features[0];
	r->dynamic[1] = r->features[1];
	r->target = (struct target){ .start_us = 10 * HOUR,
				     .values = r->values,
				     .n = 6,
				     .cats = r->cats,
				     .n_cats = 2,
				     .reals = r->reals,
				     .n_reals = 1,
				     .dynamic = r->dynamic,
				     .n_features = 2,
				     .n_dynamic = 8 };
	r->model = network(&c);
	deepar_init(r->model, 1);
}

static void
assert_refused(const struct rich *r, size_t future, const char *text)
{
	struct err err = ERR_INIT;

	assert_int_equal(deepar_check_target(r->model, &r->target, future, &err), -1);
	assert_int_equal(err.reason, REASON_OPTION_INVALID);
	if (!strstr(err.text, text))
		fail_msg("no \"%s\" in: %s", text, err.text);
}

static void
checks_targets(void **state)
{
	struct rich r;
	struct err err = ERR_INIT;

	make_rich(&r);
	assert_int_equal(deepar_check_target(r.model, &r.target, 2, &err), 0);
	assert_refused(&r, 3, "at least 9");
	r.cats[1] = 4;
	assert_refused(&r, 2, "cat[1] is 4, the model knows 0 to 3");
	r.cats[1] = -1;
	assert_refused(&r, 2, "cat[1] is -1");
	r.target.n_cats = 1;
	assert_refused(&r, 2, "cat has 1, the model wants 2");
	r.target.cats = NULL;
	assert_refused(&r, 2, "there is no cat, the model wants 2");
	r.target.cats = r.cats;
	r.target.n_cats = 2;
	r.cats[1] = 0;
	r.reals[0] = 1e300;
	assert_refused(&r, 2, "real[0] is 1e+300");
	r.target.n_reals = 0;
	assert_refused(&r, 2, "real has 0, the model wants 1");
	r.target.reals = NULL;
	assert_refused(&r, 2, "there is no real, the model wants 1");
	r.target.reals = r.reals;
	r.target.n_reals = 1;
	r.reals[0] = 0;
	r.values[3] = -INFINITY;
	assert_refused(&r, 2, "target[3] is -inf");
	r.values[3] = NAN;
	r.model->config.head = HEAD_NEGATIVE_BINOMIAL;
	assert_refused(&r, 2, "target[2] is -4: the head negative-binomial cannot have it");
	r.model->config.head = HEAD_STUDENT_T;
	r.features[1][7] = NAN;
	assert_refused(&r, 2, "dynamic_feat[1][7] is nan");
	assert_int_equal(deepar_check_target(r.model, &r.target, 1, &err), 0);
	r.target.n_features = 1;
	assert_refused(&r, 1, "dynamic_feat has 1, the model wants 2");
	r.target.n_features = 2;
	r.target.n_dynamic = 5;
	assert_refused(&r, 0, "at least 6");
	r.target.dynamic = NULL;
	assert_refused(&r, 0, "there is no dynamic_feat, the model wants 2");
	r.target.age = -1;
	assert_refused(&r, 0, "age is -1");
	r.target.age = INT64_MAX;
	assert_refused(&r, 0, "age is 9223372036854775807");
	deepar_free(r.model);
}

/* ---- windows ---- */

/* Memory that holds the traces of another window. */
static struct deepar_window
dirty_window(const struct deepar *m)
{
	struct deepar_window w;
	struct err err = ERR_INIT;
	size_t rows = (size_t)(m->config.context + m->config.horizon);

	assert_int_equal(deepar_window_new(m, &w, &err), 0);
	memset(w.past, 0x5a, (size_t)((char *)(w.observed + rows) - (char *)w.past));
	return w;
}

/* Moving features: hour, weekday, day, day of the year, age, two dynamic ones. */
static void
window_of_all(void **state)
{
	struct rich r;
	struct deepar_window w;
	static const uint8_t observed[] = { 1, 1, 1, 1, 0, 0 };
	float x[DEEPAR_INPUTS_MAX];

	make_rich(&r);
	w = dirty_window(r.model);
	deepar_window_fill(r.model, &r.target, 6, &w);
	assert_true(w.scale == 7);
	assert_memory_equal(w.observed, observed, 6);
	for (size_t i = 0; i < r.model->past; i++) {
		size_t at = i + 6 - r.model->past;
		double value = i + 6 < r.model->past || at == 1 ? 0 : r.values[at] / 7;

		assert_true(w.past[i] == (float)value);
	}
	assert_true(w.future[0] == 0 && w.future[1] == 0);
	assert_memory_equal(w.fixed, deepar_numbers(r.model, "embedder._embedders.0.weight") + 2 * 2,
			    2 * sizeof(float));
	assert_memory_equal(w.fixed + 2, deepar_numbers(r.model, "embedder._embedders.1.weight") + 2,
			    2 * sizeof(float));
	assert_true(w.fixed[4] == 0.5f && w.fixed[5] == (float)log(7));
	for (int row = 0; row < 6; row++) {
		const float *moving = w.moving + row * 7;

		assert_true(moving[0] == (float)((12 + row) / 23.0 - 0.5));
		assert_true(moving[1] == 0); /* 1970-01-01, a Thursday */
		assert_true(moving[4] == (float)log10(2 + 2 + row));
		assert_true(moving[5] == (float)(2 + row) && moving[6] == (float)(-20 - 10 * row));
	}
	/* Position 4 stands on the first value behind the split, which is not known: 0. */
	deepar_window_input(r.model, &w, 4, x);
	assert_true(x[0] == 0 && x[1] == (float)(10 / 7.0) && x[5] == 0 && x[6] == (float)(2 / 7.0) && x[7] == 0);
	assert_memory_equal(x + 40, w.fixed, 6 * sizeof(float));
	assert_memory_equal(x + 46, w.moving + 5 * 7, 7 * sizeof(float));
	deepar_window_clear(&w);
	deepar_free(r.model);
}

/* The series begins inside of the context: nothing is known of the time before it, not even the hour. */
static void
window_before_the_beginning(void **state)
{
	struct rich r;
	struct deepar_window w;
	static const uint8_t observed[] = { 0, 0, 1, 0, 1, 1 };

	make_rich(&r);
	w = dirty_window(r.model);
	deepar_window_fill(r.model, &r.target, 2, &w);
	assert_true(w.scale == 2);
	assert_memory_equal(w.observed, observed, 6);
	assert_true(w.future[0] == -4 && w.future[1] == 6);
	for (int i = 0; i < 14; i++)
		assert_true(w.moving[i] == 0);
	assert_true(w.moving[14] != 0 && w.moving[18] == (float)log10(2));
	/* One more point there was, long forgotten: it had its hour. */
	r.target.age = 1;
	deepar_window_fill(r.model, &r.target, 2, &w);
	for (int i = 0; i < 7; i++)
		assert_true(w.moving[i] == 0);
	assert_true(w.moving[7] == (float)(9 / 23.0 - 0.5) && w.moving[11] == (float)log10(2));
	assert_true(w.moving[12] == 0 && w.moving[18] == (float)log10(3));
	assert_memory_equal(w.observed, observed, 6);
	deepar_window_clear(&w);
	deepar_free(r.model);
}

static void
window_scales(void **state)
{
	struct deepar_config c = config("h", 2);
	CLEANUP(deepar_free) struct deepar *m = NULL;
	double values[20];
	struct target t = { .values = values, .n = 20 };
	struct deepar_window w;

	c.default_scale = 3;
	m = network(&c);
	w = dirty_window(m);
	for (int i = 0; i < 20; i++)
		values[i] = i < 10 ? 5 : NAN;
	deepar_window_fill(m, &t, 20, &w);
	assert_true(w.scale == 3);
	assert_true(w.fixed[2] == (float)log(3) && w.past[m->past - 11] == (float)(5 / 3.0));
	deepar_window_fill(m, &t, 0, &w);
	assert_true(w.scale == 3);
	for (int i = 10; i < 20; i++)
		values[i] = 0;
	deepar_window_fill(m, &t, 20, &w);
	assert_true(w.scale == 1e-10);
	for (int i = 0; i < 20; i++)
		values[i] = i % 2 ? 7 : -5;
	deepar_window_fill(m, &t, 20, &w);
	assert_true(w.scale == 6);
	deepar_window_clear(&w);
}

/* As many points as a window needs are as good as the whole series, when its age is told. */
static void
window_of_a_tail(void **state)
{
	static const char *const frequencies[] = { "h", "D", "B", "W", "M", "10min" };
	double values[1500];

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		values[i] = i % 17 == 0 ? NAN : random_normal(3, 0, i);
	for (size_t i = 0; i < ARRAY_LEN(frequencies); i++) {
		struct deepar_config c = config(frequencies[i], 5);
		CLEANUP(deepar_free) struct deepar *m = network(&c);
		struct target whole = { .start_us = 19000 * 24 * HOUR, .values = values, .n = ARRAY_LEN(values) }, tail;
		struct deepar_window a = dirty_window(m), b = dirty_window(m);
		size_t cut = ARRAY_LEN(values) - 5 - m->past, rows = (size_t)(c.context + c.horizon);

		tail = (struct target){ .start_us = frequency_time(&c.frequency, whole.start_us, (int64_t)cut),
					.age = (int64_t)cut,
					.values = values + cut,
					.n = whole.n - cut };
		deepar_window_fill(m, &whole, whole.n - 5, &a);
		deepar_window_fill(m, &tail, tail.n - 5, &b);
		assert_true(a.scale == b.scale);
		assert_memory_equal(a.past, b.past, (size_t)((char *)(a.observed + rows) - (char *)a.past));
		deepar_window_clear(&a);
		deepar_window_clear(&b);
	}
}

/* Without a past in its weights the network says the same at every position: its head's biases. */
static void
trace_of_biases(void **state)
{
	struct deepar_config c = config("h", 2);
	CLEANUP(deepar_free) struct deepar *m = network(&c);
	double values[4] = { 1, 3, NAN, 5 }, params[33], nll[11], sum = 0;
	struct target t = { .values = values, .n = 4 };
	struct deepar_window w = dirty_window(m);
	struct deepar_trace trace = { .params = params, .nll = nll };
	struct err err = ERR_INIT;

	deepar_numbers(m, "param_proj.proj.1.bias")[0] = 0.25f;
	deepar_window_fill(m, &t, 4, &w);
	assert_int_equal(deepar_trace(m, &w, &trace, &err), 0);
	for (int i = 0; i < 11; i++) {
		bool known = i == 5 || i == 6 || i == 8;
		double value = known ? values[i - 5] : 0;

		assert_true(params[3 * i] == 2 + log(2) && params[3 * i + 1] == 0.25);
		assert_true(fabs(nll[i] - known * head_nll(HEAD_STUDENT_T, params, 3, value)) < 1e-6);
		sum += nll[i];
	}
	assert_true(fabs(trace.loss - sum / 11) < 1e-15);
	deepar_window_clear(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),        cmocka_unit_test(tensors),
		cmocka_unit_test(starts),          cmocka_unit_test(refuses),
		cmocka_unit_test(refuses_numbers), cmocka_unit_test(checks_targets),
		cmocka_unit_test(window_of_all),   cmocka_unit_test(window_before_the_beginning),
		cmocka_unit_test(window_scales),   cmocka_unit_test(window_of_a_tail),
		cmocka_unit_test(trace_of_biases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
