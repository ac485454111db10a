/*
 * deepar.c -- the shape of a network follows from its configuration: one walk makes the list of tensors, and all weights are one
 * block of floats behind it, so that an optimiser, a file and a sum over everything need no names.
 */
#include "common/forecast/deepar.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/random.h"
#include "common/forecast/head.h"

#define STEPS_MAX 100000
#define CARDINALITY_MAX 1000000
#define AGE_MAX (INT64_C(1) << 48)
#define ALIGNMENT 64

static const char *const head_names[HEAD_COUNT] = { "student-t", "normal", "negative-binomial", "beta" };

const char *
deepar_head_name(enum deepar_head head)
{
	return head_names[head];
}

void
deepar_config_default(const struct frequency *f, int32_t horizon, struct deepar_config *ret)
{
	*ret = (struct deepar_config){
		.frequency = *f,
		.head = HEAD_STUDENT_T,
		.horizon = horizon,
		.context = horizon < 5               ? 10
			   : horizon > STEPS_MAX / 2 ? STEPS_MAX
						     : 2 * horizon,
		.layers = 2,
		.hidden = 40,
		.default_scale = 1,
		.dropout = 0.1,
	};
}

/* ---- checks ---- */

static int
check_between(const char *field, int64_t value, int64_t low, int64_t high, struct err *err)
{
	if (value < low || value > high)
		return err_set(err, REASON_OPTION_INVALID, "%s is %" PRId64 ", must be %" PRId64 " to %" PRId64, field,
			       value, low, high);
	return 0;
}

static int
check_frequency(const struct frequency *f, struct err *err)
{
	struct frequency same;
	bool sound = memchr(f->name, 0, sizeof(f->name)) && frequency_parse(f->name, &same, NULL) == 0 &&
		     f->unit == same.unit && f->multiple == same.multiple && f->n_lags >= 1 &&
		     f->n_lags <= FREQUENCY_LAGS_MAX && f->n_features <= FREQUENCY_FEATURES_MAX && f->season >= 1 &&
		     f->long_season >= 0;

	for (size_t i = 0; sound && i < f->n_lags; i++)
		sound = f->lags[i] > (i ? f->lags[i - 1] : 0) && f->lags[i] <= STEPS_MAX;
	for (size_t i = 0; sound && i < f->n_features; i++)
		sound = f->features[i] <= FEATURE_MONTH_OF_YEAR;
	return sound ? 0 : err_set(err, REASON_OPTION_INVALID, "frequency: not one that frequency_parse() makes");
}

static int
check_cats(const struct deepar_config *c, struct err *err)
{
	if (check_between("n_cats", c->n_cats, 0, DEEPAR_CATS_MAX, err) < 0)
		return -1;
	for (int32_t i = 0; i < c->n_cats; i++)
		if (check_between("cardinality", c->cardinality[i], 1, CARDINALITY_MAX, err) < 0)
			return err_wrap(err, "category %" PRId32, i);
	return 0;
}

static int32_t
embedding_size(int32_t cardinality)
{
	return cardinality >= 99 ? 50 : (cardinality + 1) / 2;
}

static size_t
static_size(const struct deepar_config *c)
{
	size_t n = (c->n_reals ? (size_t)c->n_reals : 1) + 1;

	for (int32_t i = 0; i < c->n_cats; i++)
		n += (size_t)embedding_size(c->cardinality[i]);
	return c->n_cats ? n : n + 1;
}

static size_t
moving_size(const struct deepar_config *c)
{
	return c->frequency.n_features + 1 + (size_t)c->n_dynamic;
}

int
deepar_config_check(const struct deepar_config *c, struct err *err)
{
	if (check_frequency(&c->frequency, err) < 0 ||
	    check_between("head", c->head, HEAD_STUDENT_T, HEAD_COUNT - 1, err) < 0 ||
	    check_between("horizon", c->horizon, 1, STEPS_MAX, err) < 0 ||
	    check_between("context", c->context, 1, STEPS_MAX, err) < 0 ||
	    check_between("layers", c->layers, 1, DEEPAR_LAYERS_MAX, err) < 0 ||
	    check_between("hidden", c->hidden, 1, DEEPAR_HIDDEN_MAX, err) < 0 || check_cats(c, err) < 0 ||
	    check_between("n_reals", c->n_reals, 0, DEEPAR_INPUTS_MAX, err) < 0 ||
	    check_between("n_dynamic", c->n_dynamic, 0, DEEPAR_INPUTS_MAX, err) < 0 ||
	    check_between("inputs of the network", (int64_t)(c->frequency.n_lags + static_size(c) + moving_size(c)), 1,
			  DEEPAR_INPUTS_MAX, err) < 0)
		return -1;
	if (!(c->default_scale >= 1e-10) || !isfinite(c->default_scale))
		return err_set(err, REASON_OPTION_INVALID, "default_scale is %g, must be finite and at least 1e-10",
			       c->default_scale);
	if (!(c->dropout >= 0 && c->dropout < 1))
		return err_set(err, REASON_OPTION_INVALID, "dropout is %g, must be in [0, 1)", c->dropout);
	return 0;
}

size_t
deepar_config_weights(const struct deepar_config *c)
{
	size_t hidden = (size_t)c->hidden, layers = (size_t)c->layers;
	size_t inputs = c->frequency.n_lags + static_size(c) + moving_size(c);
	size_t n = head_params(c->head) * (hidden + 1) + 4 * hidden * (inputs + (layers - 1) * hidden) +
		   layers * 4 * hidden * (hidden + 2) + (c->n_cats == 0);

	for (int32_t i = 0; i < c->n_cats; i++)
		n += (size_t)c->cardinality[i] * (size_t)embedding_size(c->cardinality[i]);
	return n;
}

/* A model that has none of them does not look at what a series has. */
static int
check_count(const char *field, size_t n, int32_t wanted, struct err *err)
{
	if (wanted > 0 && n != (size_t)wanted)
		return err_set(err, REASON_OPTION_INVALID, "%s has %zu, the model wants %" PRId32, field, n, wanted);
	return 0;
}

/* What a model was trained with and a series does not have is not 0: that is a category like others. */
static int
check_there(const char *field, bool there, int32_t wanted, struct err *err)
{
	if (wanted > 0 && !there)
		return err_set(err, REASON_OPTION_INVALID, "there is no %s, the model wants %" PRId32, field, wanted);
	return 0;
}

static int
check_static(const struct deepar *m, const struct target *t, struct err *err)
{
	if (check_there("cat", t->cats, m->config.n_cats, err) < 0 ||
	    check_count("cat", t->n_cats, m->config.n_cats, err) < 0 ||
	    check_there("real", t->reals, m->config.n_reals, err) < 0 ||
	    check_count("real", t->n_reals, m->config.n_reals, err) < 0)
		return -1;
	for (int32_t i = 0; t->cats && i < m->config.n_cats; i++)
		if (t->cats[i] < 0 || t->cats[i] >= m->config.cardinality[i])
			return err_set(err, REASON_OPTION_INVALID,
				       "cat[%" PRId32 "] is %" PRId32 ", the model knows 0 to %" PRId32, i, t->cats[i],
				       m->config.cardinality[i] - 1);
	for (int32_t i = 0; t->reals && i < m->config.n_reals; i++)
		if (!isfinite((float)t->reals[i]))
			return err_set(err, REASON_OPTION_INVALID, "real[%" PRId32 "] is %g, must be finite as a float",
				       i, t->reals[i]);
	return 0;
}

static int
check_dynamic(const struct deepar *m, const struct target *t, size_t future, struct err *err)
{
	if (m->config.n_dynamic == 0)
		return 0;
	if (check_there("dynamic_feat", t->dynamic, m->config.n_dynamic, err) < 0 ||
	    check_count("dynamic_feat", t->n_features, m->config.n_dynamic, err) < 0)
		return -1;
	if (t->n_dynamic < t->n || t->n_dynamic - t->n < future)
		return err_set(
		    err, REASON_OPTION_INVALID,
		    "dynamic features have %zu numbers, must have at least %zu: %zu values and %zu steps ahead",
		    t->n_dynamic, t->n + future, t->n, future);
	for (int32_t d = 0; d < m->config.n_dynamic; d++)
		for (size_t i = 0; i < t->n + future; i++)
			if (!isfinite((float)t->dynamic[d][i]))
				return err_set(err, REASON_OPTION_INVALID,
					       "dynamic_feat[%" PRId32 "][%zu] is %g, must be finite as a float", d, i,
					       t->dynamic[d][i]);
	return 0;
}

int
deepar_check_target(const struct deepar *m, const struct target *t, size_t future, struct err *err)
{
	if (t->age < 0 || t->age > AGE_MAX)
		return err_set(err, REASON_OPTION_INVALID, "age is %" PRId64 ", must be 0 to %" PRId64, t->age,
			       AGE_MAX);
	for (size_t i = 0; i < t->n; i++)
		if (isinf(t->values[i]))
			return err_set(err, REASON_OPTION_INVALID,
				       "target[%zu] is %g, must be finite, or NaN for a gap", i, t->values[i]);
		else if (!isnan(t->values[i]) && !head_covers(m->config.head, t->values[i]))
			return err_set(err, REASON_OPTION_INVALID, "target[%zu] is %g: the head %s cannot have it", i,
				       t->values[i], deepar_head_name(m->config.head));
	return check_static(m, t, err) < 0 ? -1 : check_dynamic(m, t, future, err);
}

int
deepar_check_plain(const struct deepar_config *c, struct err *err)
{
	if (!c->n_cats && !c->n_reals && !c->n_dynamic)
		return 0;
	return err_set(err, REASON_OPTION_INVALID,
		       "it wants %" PRId32 " categories, %" PRId32 " static numbers and %" PRId32
		       " dynamic features with each series, and those of the fleet are values alone: train it without",
		       c->n_cats, c->n_reals, c->n_dynamic);
}

/* ---- tensors ---- */

static void
add_tensor(struct deepar *m, size_t rows, size_t cols, const char *fmt, int i, const char *end)
{
	struct deepar_tensor *t = &m->tensors[m->n_tensors++];

	*t = (struct deepar_tensor){ .rows = rows, .cols = cols, .at = m->n_weights };
	snprintf(t->name, sizeof(t->name), "%s%d%s", fmt, i, end);
	m->n_weights += rows * cols;
}

static void
list_tensors(struct deepar *m)
{
	size_t hidden = (size_t)m->config.hidden;

	for (int i = 0; i < (int)m->n_params; i++) {
		add_tensor(m, 1, hidden, "param_proj.proj.", i, ".weight");
		add_tensor(m, 1, 1, "param_proj.proj.", i, ".bias");
	}
	for (int i = 0; i < m->n_cats; i++)
		add_tensor(m, (size_t)m->config.cardinality[i], (size_t)m->embedding[i], "embedder._embedders.", i,
			   ".weight");
	for (int i = 0; i < m->config.layers; i++) {
		add_tensor(m, 4 * hidden, i ? hidden : m->n_inputs, "rnn.weight_ih_l", i, "");
		add_tensor(m, 4 * hidden, hidden, "rnn.weight_hh_l", i, "");
		add_tensor(m, 4 * hidden, 1, "rnn.bias_ih_l", i, "");
		add_tensor(m, 4 * hidden, 1, "rnn.bias_hh_l", i, "");
	}
}

static void
shape(struct deepar *m, const struct deepar_config *c)
{
	m->config = *c;
	m->n_cats = c->n_cats ? c->n_cats : 1;
	m->n_reals = c->n_reals ? c->n_reals : 1;
	for (int32_t i = c->n_cats; i < DEEPAR_CATS_MAX; i++)
		m->config.cardinality[i] = i < m->n_cats;
	for (int32_t i = 0; i < m->n_cats; i++)
		m->embedding[i] = embedding_size(m->config.cardinality[i]);
	m->n_static = static_size(c);
	m->n_inputs = c->frequency.n_lags + m->n_static + moving_size(c);
	m->n_params = head_params(c->head);
	m->past = (size_t)c->context + (size_t)c->frequency.lags[c->frequency.n_lags - 1] - 1;
}

int
deepar_new(const struct deepar_config *c, struct deepar **ret, struct err *err)
{
	CLEANUP(deepar_free) struct deepar *m = NULL;
	size_t n_tensors, bytes;

	if (deepar_config_check(c, err) < 0)
		return -1;
	m = calloc(1, sizeof(*m));
	if (!m)
		return err_set(err, REASON_NO_MEMORY, "a network");
	shape(m, c);
	n_tensors = 2 * m->n_params + (size_t)m->n_cats + 4 * (size_t)c->layers;
	m->tensors = calloc(n_tensors, sizeof(*m->tensors));
	if (!m->tensors)
		return err_set(err, REASON_NO_MEMORY, "a network of %zu tensors", n_tensors);
	list_tensors(m);
	bytes = (m->n_weights * sizeof(float) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	m->weights = aligned_alloc(ALIGNMENT, bytes);
	if (!m->weights)
		return err_set(err, REASON_NO_MEMORY, "a network of %zu weights", m->n_weights);
	memset(m->weights, 0, bytes);
	*ret = TAKE(m);
	return 0;
}

void
deepar_free(struct deepar *m)
{
	if (!m)
		return;
	free(m->weights);
	free(m->tensors);
	free(m);
}

void
deepar_init(struct deepar *m, uint64_t seed)
{
	double bound = 1 / sqrt(m->config.hidden);

	for (size_t i = 0; i < m->n_tensors; i++) {
		const struct deepar_tensor *t = &m->tensors[i];
		bool embedding = strncmp(t->name, "embedder.", 9) == 0;

		for (size_t k = 0; k < t->rows * t->cols; k++)
			m->weights[t->at + k] = (float)(embedding ? random_normal(seed, i, k)
								  : bound * (2 * random_uniform(seed, i, k) - 1));
	}
}

const struct deepar_tensor *
deepar_tensor_find(const struct deepar *m, const char *name)
{
	for (size_t i = 0; i < m->n_tensors; i++)
		if (strcmp(m->tensors[i].name, name) == 0)
			return &m->tensors[i];
	return NULL;
}

float *
deepar_numbers(const struct deepar *m, const char *name)
{
	const struct deepar_tensor *t = deepar_tensor_find(m, name);

	assert(t);
	return m->weights + t->at;
}

struct deepar_layer
deepar_layer(const struct deepar *m, int32_t layer)
{
	const struct deepar_tensor *t = &m->tensors[2 * m->n_params + (size_t)m->n_cats + 4 * (size_t)layer];

	return (struct deepar_layer){
		.weight_ih = m->weights + t[0].at,
		.weight_hh = m->weights + t[1].at,
		.bias_ih = m->weights + t[2].at,
		.bias_hh = m->weights + t[3].at,
		.inputs = t[0].cols,
	};
}
